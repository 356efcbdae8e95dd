"""A corpus folder: load, import, import again, fingerprint."""

import dataclasses
import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from corpus import folder
from corpus.errors import CorpusError, InputError
from corpus.readers import markdown
from corpus.records import Article

PAGE = """{title}
门诊可以报销。
相关推荐
{teaser}
{snippet}
某某新闻 {date}
"""


def page(path: Path, title: str, teaser: str, snippet: str, date: str = "2024-02-03") -> Path:
    text = PAGE.format(title=title, teaser=teaser, snippet=snippet, date=date)
    path.write_text(text, encoding="utf-8")
    return path


def markdown_file(path: Path, title: str = "题", body: str = "可以报。", **fields: str) -> Path:
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    path.write_text(f"---\ntitle: {title}\n{head}---\n\n{body}\n", encoding="utf-8")
    return path


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return page(tmp_path / "页.txt", "惠州门诊", "和县电话", "和县的电话是0555-")


def test_a_second_import_changes_nothing(saved: Path, out: Path) -> None:
    first = folder.import_files([saved], out)
    assert (len(first.imported), len(first.unchanged), first.skipped) == (2, 0, [])
    before = contents(out)
    second = folder.import_files([saved], out)
    assert (len(second.imported), len(second.unchanged)) == (0, 2)
    assert contents(out) == before
    assert folder.load(out) == sorted(first.imported, key=lambda article: article.id)


def test_corrections_by_hand_survive_a_second_import(saved: Path, out: Path) -> None:
    folder.import_files([saved], out)
    (path,) = out.glob("惠州门诊*")
    mended = path.read_text(encoding="utf-8").replace("门诊可以报销。", "门诊可以报销一半。")
    path.write_text(mended, encoding="utf-8")
    folder.import_files([saved], out)
    assert path.read_text(encoding="utf-8") == mended
    assert any(article.body == "门诊可以报销一半。" for article in folder.load(out))


def test_a_changed_source_is_imported_again_into_the_same_file(
    saved: Path, out: Path, tmp_path: Path
) -> None:
    folder.import_files([saved], out)
    names = set(contents(out))
    text = saved.read_text(encoding="utf-8").replace("门诊可以报销。", "门诊报一半。")
    saved.write_text(text, encoding="utf-8")
    report = folder.import_files([saved], out)
    assert [article.body for article in report.imported] == ["门诊报一半。"]
    assert set(contents(out)) == names


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("teaser_first", [True, False])
def test_a_teaser_never_replaces_a_whole_article(
    tmp_path: Path, out: Path, together: bool, teaser_first: bool
) -> None:
    whole = page(tmp_path / "甲.txt", "惠州门诊", "和县电话", "电话是")
    teaser = page(
        tmp_path / "乙.txt", "合肥慢病", "惠州门诊", "门诊可以报销的有很多很多很多", "2030-01-01"
    )
    order = [teaser, whole] if teaser_first else [whole, teaser]
    for files in [order] if together else [[path] for path in order]:
        folder.import_files(files, out)
    (kept,) = [article for article in folder.load(out) if article.title == "惠州门诊"]
    assert not kept.truncated
    assert kept.body == "门诊可以报销。"


def test_of_two_teasers_the_better_stays_in_whatever_order(tmp_path: Path, out: Path) -> None:
    old = page(tmp_path / "甲.txt", "惠州门诊", "和县电话", "电话是很久以前的", "2020-01-01")
    new = page(tmp_path / "乙.txt", "合肥慢病", "和县电话", "电话是新的", "2024-01-01")
    for path in (old, new, old):
        report = folder.import_files([path], out)
    assert report.imported == []
    (kept,) = [article for article in folder.load(out) if article.title == "和县电话"]
    assert kept.published == "2024-01-01"


def test_files_that_cannot_be_read_are_named_and_the_rest_imported(
    saved: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "空.txt").write_bytes(b"")
    (tmp_path / "图.txt").write_bytes(b"\x89PNG\0\0")
    markdown_file(tmp_path / "坏.md", audience="学生")
    markdown_file(tmp_path / "逃.md", id="../../x")
    seen: list[Path] = []
    report = folder.import_files([tmp_path, tmp_path / "没有.txt"], out, seen.append)
    reasons = {path.name: reason for path, reason in report.skipped}
    assert set(reasons) == {"空.txt", "图.txt", "坏.md", "逃.md", "没有.txt"}
    assert all(reasons.values())
    assert len(report.imported) == 2
    assert len(seen) == 6
    assert not list(tmp_path.parent.glob("x*"))


def test_readmes_and_licences_of_a_source_folder_are_no_articles(tmp_path: Path, out: Path) -> None:
    source = tmp_path / "源"
    source.mkdir()
    markdown_file(source / "README.md")
    markdown_file(source / "好.md")
    assert [article.id for article in folder.import_files([source], out).imported] == ["好"]


def test_an_interrupted_import_resumes(
    saved: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    real = folder.write_atomically

    def once(path: Path, text: str) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path.name)
        real(path, text)

    monkeypatch.setattr(folder, "write_atomically", once)
    with pytest.raises(KeyboardInterrupt):
        folder.import_files([saved], out)
    assert [path.name for path in out.glob("*.md")] == written
    monkeypatch.setattr(folder, "write_atomically", real)
    report = folder.import_files([saved], out)
    assert (len(report.imported), len(report.unchanged)) == (1, 1)
    assert len(folder.load(out)) == 2


def test_a_write_that_is_cut_off_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "文.md"
    path.write_text("旧", encoding="utf-8")

    def full(self: Path, data: str, encoding: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        folder.write_atomically(path, "新的一篇")
    assert path.read_bytes().decode() == "旧"


def test_a_folder_that_cannot_be_written(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "占").write_text("文件", encoding="utf-8")
    with pytest.raises(InputError, match="写不进目录"):
        folder.import_files([saved], tmp_path / "占")


def test_a_broken_article_in_the_target_is_named(saved: Path, out: Path) -> None:
    out.mkdir()
    markdown_file(out / "坏.md", published="去年")
    with pytest.raises(CorpusError, match=r"坏\.md.*published"):
        folder.import_files([saved], out)
    with pytest.raises(CorpusError, match=r"坏\.md.*published"):
        folder.load(out)


def test_an_article_in_another_encoding_does_not_stop_an_import(saved: Path, out: Path) -> None:
    out.mkdir()
    (out / "国标.md").write_bytes("---\ntitle: 题\n---\n可以报。".encode("gb18030"))
    assert len(folder.import_files([saved], out).imported) == 2
    assert len(folder.load(out)) == 3


def test_new_articles_are_written_as_their_files_are_read(tmp_path: Path, out: Path) -> None:
    source = tmp_path / "源"
    source.mkdir()
    for name in ("甲", "乙", "丙"):
        (source / f"{name}.txt").write_text(f"{name}题\n文。", encoding="utf-8")
    written: list[int] = []
    folder.import_files([source], out, lambda _: written.append(len(list(out.glob("*.md")))))
    assert written == [0, 1, 2]


def test_what_a_killed_import_left_is_taken_away(saved: Path, out: Path) -> None:
    out.mkdir()
    for name in (".惠州门诊-0123.md.99999", "自己的.md.1", ".自己的"):
        (out / name).write_text("半", encoding="utf-8")
    folder.import_files([saved], out)
    assert {path.name for path in out.iterdir() if path.suffix != ".md"} == {
        "自己的.md.1",
        ".自己的",
    }


def test_two_imports_at_once_are_refused(saved: Path, out: Path) -> None:
    out.mkdir()
    lock = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="另一个导入"):
            folder.import_files([saved], out)
    finally:
        os.close(lock)
    assert len(folder.import_files([saved], out).imported) == 2


def test_two_whole_texts_of_one_name_are_named(tmp_path: Path, out: Path) -> None:
    for place in ("惠州", "合肥"):
        (tmp_path / place).mkdir()
        text = f"门诊通知\n{place}的门诊可以报销。"
        (tmp_path / place / "通知.txt").write_text(text, encoding="utf-8")
    report = folder.import_files([tmp_path], out)
    assert len(report.imported) == 1
    ((_, reason),) = report.skipped
    assert f"《门诊通知》在 {tmp_path / '惠州' / '通知.txt'} 里也有" in reason


def test_of_a_folder_only_sources_are_read(tmp_path: Path, out: Path) -> None:
    source = tmp_path / "源"
    names = (
        ".git/a.txt",
        "页_files/b.txt",
        "Thumbs.db",
        "README.md",
        "页.html",
        "别的_files/c.txt",
    )
    for name in (*names, "库/d.md"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x", encoding="utf-8")
    found = [path.name for path in folder.sources([source], leave_out=source / "库")]
    assert found == ["c.txt", "页.html"]


def test_the_report_says_what_is_lacking(saved: Path, out: Path) -> None:
    report = folder.import_files([saved], out)
    lacking = {what: [a.title for a in found] for what, found in report.lacking().items()}
    assert lacking["没有日期"] == ["惠州门诊"]
    assert lacking["原文不全"] == ["和县电话"]
    assert lacking["没写地区"] == []


def test_an_import_of_earlier_versions_is_known_again(tmp_path: Path, out: Path) -> None:
    source = markdown_file(tmp_path / "甲.md", title="门诊")
    (article,) = folder.import_files([source], out).imported
    fields = {f.name: getattr(article, f.name) for f in dataclasses.fields(article)}
    later = [fields.pop(name) for name in ("document_number", "lint_ok", "asked")]
    assert later == ["", (), ()]
    old = "Article(" + ", ".join(f"{name}={value!r}" for name, value in fields.items()) + ")"
    digest = hashlib.sha256(old.encode()).hexdigest()[:16]
    (path,) = out.iterdir()
    assert f"source_hash: {digest}" in path.read_text(encoding="utf-8").replace("'", "")


def test_long_names_fit_the_file_system(tmp_path: Path, out: Path) -> None:
    source = markdown_file(tmp_path / ("很长的名字" * 14 + ".md"), title="很长的题目" * 30)
    (article,) = folder.import_files([source], out).imported
    (path,) = out.iterdir()
    assert len(path.name.encode()) <= 255
    assert folder.load(out) == [article]


def test_file_names_are_readable_and_unique() -> None:
    names = {folder.file_name(Article(f"id{n}", "惠州/医保：报多少？", "文。")) for n in range(3)}
    assert names == {f"惠州-医保-报多少-id{n}.md" for n in range(3)}


def test_two_articles_with_one_id_are_refused(out: Path) -> None:
    out.mkdir()
    markdown_file(out / "甲.md", id="same")
    markdown_file(out / "乙.md", id="same")
    with pytest.raises(CorpusError, match="same 重复"):
        folder.load(out)


def test_a_missing_or_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="找不到文章目录"):
        folder.load(tmp_path / "没有")
    with pytest.raises(CorpusError, match="没有文章"):
        folder.load(tmp_path)
    (tmp_path / "LICENSE.md").write_text("许可", encoding="utf-8")
    (tmp_path / "夹.md").mkdir()
    with pytest.raises(CorpusError, match="没有文章"):
        folder.load(tmp_path)


def test_the_fingerprint_changes_with_every_change(saved: Path, out: Path) -> None:
    folder.import_files([saved], out)
    seen = [folder.fingerprint(out)]
    assert folder.fingerprint(out) == seen[0]
    path = min(out.iterdir())
    path.write_text(path.read_text(encoding="utf-8") + "又一句。\n", encoding="utf-8")
    seen.append(folder.fingerprint(out))
    path = path.rename(path.with_name("新名.md"))
    seen.append(folder.fingerprint(out))
    path.unlink()
    seen.append(folder.fingerprint(out))
    (out / "README.md").write_text("说明", encoding="utf-8")
    assert len(set(seen)) == 4
    assert folder.fingerprint(out) == seen[-1]


def test_an_unreadable_article_is_one_sentence(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out.mkdir()
    markdown_file(out / "甲.md")

    def forbidden(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    for work in (folder.fingerprint, folder.load):
        with pytest.raises(CorpusError, match=r"甲\.md：读不了"):
            work(out)


def test_what_was_imported_reads_back_whole(saved: Path, out: Path) -> None:
    for article in folder.import_files([saved], out).imported:
        text = (out / folder.file_name(article)).read_text(encoding="utf-8")
        assert markdown.read(text, Path("x.md")) == article
        assert dataclasses.asdict(article)["source_name"] == "某某新闻"
