"""What was cut is not cut again, and an index that grew is the one that is built whole."""

import sqlite3
from contextlib import closing
from pathlib import Path, PurePath

import pytest

from corpus import folder
from corpus.records import Article
from index import cuts, manifest, store
from index.cuts import Cut, cut_articles
from tests.fake_encoder import FakeEncoder
from tests.small_corpus import FILES, QUESTIONS, write_corpus


def count_cuts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the articles that are cut from now on."""
    cut_now: list[str] = []
    real = cuts.split

    def split(article: Article) -> list[object]:
        cut_now.append(article.id)
        return list(real(article))

    monkeypatch.setattr(cuts, "split", split)
    return cut_now


def test_a_cut_comes_back_as_it_was() -> None:
    for article in folder.load(folder.SHIPPED)[:20]:
        cut = Cut.of(article)
        again = Cut.unpacked(cut.packed(), article)
        assert again == cut
        assert [list(counts) for counts in again.terms] == [list(counts) for counts in cut.terms]


def test_only_new_and_changed_articles_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_corpus(tmp_path / "文章")
    store.build(corpus, tmp_path / "索引", FakeEncoder())
    cut_now = count_cuts(monkeypatch)
    (corpus / "新.md").write_text("# 新的\n\n新的一篇讲门特。", encoding="utf-8")
    path = corpus / "异地.md"
    path.write_text(path.read_text(encoding="utf-8") + "\n急诊可以补办。\n", encoding="utf-8")
    (corpus / "津贴.md").unlink()
    assert store.build(corpus, tmp_path / "索引", FakeEncoder())[1]
    assert sorted(cut_now) == ["异地", "新"]


def test_an_index_that_grew_equals_one_built_whole(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "文章")
    grown, whole = tmp_path / "长成", tmp_path / "新建"
    store.build(corpus, grown, FakeEncoder())
    (corpus / "新.md").write_text("# 新的\n\n新的一篇讲门特。", encoding="utf-8")
    (corpus / "津贴.md").unlink()
    for out in (grown, whole):
        store.build(corpus, out, FakeEncoder())
    versions = [manifest.version_of(out) for out in (grown, whole)]
    for name in FILES:
        assert len({(version / name).read_bytes() for version in versions}) == 1, name
    indexes = [store.open_index(out, FakeEncoder()) for out in (grown, whole)]
    for question in QUESTIONS:
        first, second = (index.search(question, 9) for index in indexes)
        assert first == second


def test_only_new_and_changed_files_are_taken_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_corpus(tmp_path / "文章")
    path = tmp_path / "cuts.db"
    assert cuts.read_articles(corpus, path) == folder.load(corpus)
    taken: list[str] = []
    real = cuts.markdown.read

    def read(text: str, file: PurePath) -> Article:
        taken.append(file.stem)
        return real(text, file)

    monkeypatch.setattr(cuts.markdown, "read", read)
    (corpus / "新.md").write_text("# 新的\n\n新的一篇讲门特。", encoding="utf-8")
    (corpus / "门诊.md").rename(corpus / "改名.md")
    articles = cuts.read_articles(corpus, path)
    assert sorted(taken) == ["改名", "新"]
    assert articles == folder.load(corpus)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE read_articles SET data = replace(data, '惠州', '泰州')")
    assert cuts.read_articles(corpus, path) == articles  # a wrong checksum is read anew


def test_a_damaged_or_foreign_row_is_cut_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = folder.load(write_corpus(tmp_path / "文章"))
    path = tmp_path / "cuts.db"
    expected = cut_articles(articles, path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE cut_articles SET data = substr(data, 2)")
    cut_now = count_cuts(monkeypatch)
    assert cut_articles(articles, path) == expected
    assert len(cut_now) == len(articles)
    assert cut_articles(articles, path) == expected
    assert len(cut_now) == len(articles)
    path.write_bytes(b"no database" * 1000)
    assert cut_articles(articles, path) == expected


def test_another_lexicon_cuts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = folder.load(write_corpus(tmp_path / "文章"))
    cut_articles(articles, tmp_path / "cuts.db")
    cut_now = count_cuts(monkeypatch)
    monkeypatch.setattr(cuts.terms, "fingerprint", lambda: "another")
    cut_articles(articles, tmp_path / "cuts.db")
    assert len(cut_now) == len(articles)
