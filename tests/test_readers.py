"""Readers: Markdown round trips, encodings, files that cannot be used, saved site pages."""

import contextlib
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus import readers
from corpus.errors import SkippedFile
from corpus.readers import decode, markdown, read_file, sitepage
from corpus.records import Article, Audience, Authority, Span, Status
from tests.conftest import SEEDS, needs_seeds

PATH = Path("某文.md")
_characters = st.characters(exclude_categories=["Cs", "Cc"])
_line = st.text(_characters | st.sampled_from("：#-'\"{}[]&*!|>%@`,医保2024 "), max_size=20)
titles = _line.map(str.strip).filter(bool)
bodies = (
    st.lists(
        _line | st.sampled_from(["---", "## 节", "- 项", "", "...", "title: 别的"]), max_size=8
    )
    .map("\n".join)
    .map(str.strip)
    .filter(bool)
)
names = st.text(_characters, max_size=10).map(str.strip)
articles = st.builds(
    Article,
    id=st.from_regex(r"[a-z0-9.-]{1,12}", fullmatch=True),
    title=titles,
    body=bodies,
    place=st.sampled_from([(), ("全国",), ("广东省", "惠州市"), ("no", "1e3")]),
    audience=st.sampled_from(Audience),
    published=st.dates(dt.date(1000, 1, 1)).map(str) | st.just(""),
    effective_year=st.integers(1000, 2999).map(str) | st.just(""),
    topic=names,
    source_name=names,
    source_url=st.sampled_from(["", "https://www.nhsa.gov.cn/a?b=1#c"]),
    authority=st.sampled_from(Authority),
    status=st.sampled_from(Status),
    truncated=st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(articles)
@example(Article("01", "true", "---\n正文。\n---\n尾。", source_name="null"))
@example(Article("1e3", "2024-01-01", "+++\n正文。", topic="~"))
def test_what_is_rendered_is_read_again(article: Article) -> None:
    assert markdown.read(markdown.render(article, "0123"), PATH) == article


def test_markdown_without_front_matter_has_its_first_line_as_title() -> None:
    for text in ("# 门诊怎么报\n\n可以报。", "门诊怎么报\n可以报。"):
        article = markdown.read(text, PATH)
        assert (article.id, article.title, article.body) == ("某文", "门诊怎么报", "可以报。")
    text = "门诊\n上。\n---\n中。\n---\n下。"  # rules in the text are no front matter
    assert markdown.read(text, PATH).body == "上。\n---\n中。\n---\n下。"


@pytest.mark.parametrize("text", ["{\na\n}\n正文。", "+++\na = 1\n+++\n正文。"])
def test_other_front_matters_are_text(text: str) -> None:
    assert "正文。" in markdown.read(text, PATH).body


@pytest.mark.parametrize(
    ("head", "named"),
    [
        ("title: [a", "YAML"),
        ("title: a\npublished: 2025-13-45", "YAML"),
        ("title: a\n? [a]\n: b", "YAML"),
        ("title: a\npublished: 20250419", "published"),
        ("title: a\npublished: 去年", "published"),
        ("title: a\npublished: 2025-04-19 10:00:00", "published"),
        ("title: a\neffective_year: 24", "effective_year"),
        ("title: a\neffective_year: ２０２４", "effective_year"),
        ("title: a\naudience: 学生", "职工、居民、不限"),
        ("title: a\nauthority: 官方", "official"),
        ("title: a\nstatus: 现行", "current"),
        ("title: a\ntruncated: 是", "truncated"),
        ("title: a\nid: ../../x", "id"),
        ("title: a\nid: " + "x" * 81, "id"),
        ("title: a\nsource_url: javascript:alert(1)", "source_url"),
        ("title: {a: b}", "文字"),
        ("title: a\nplace: {a: b}", "文字"),
        ("title: a\nasked: [怎么办]", "asked 应写成"),
        ("title: a\nasked: {'': 怎么办}", "asked 应写成"),
        ("title: a\nasked: {'': ['']}", "asked 应写成"),
        ("title: a\nasked: {没有的: [怎么办]}", "“没有的”不是这篇文章的小标题"),
        ("title: ' '", "标题或正文"),
        ("- a\n- b", "标题或正文"),
    ],
)
def test_a_broken_front_matter_is_named(head: str, named: str) -> None:
    with pytest.raises(SkippedFile, match=named):
        markdown.read(f"---\n{head}\n---\n正文。\n", PATH)


def test_front_matter_without_a_body_is_refused() -> None:
    with pytest.raises(SkippedFile, match="标题或正文"):
        markdown.read("---\ntitle: a\n---\n", PATH)


def test_ways_of_asking_stand_under_a_heading_and_survive_a_round() -> None:
    head = "title: a\nasked: {'': [咋整, 怎么弄], 怎么办: [上哪办]}"
    text = f"---\n{head}\n---\n文。\n\n## 怎么办\n\n去。"
    article = markdown.read(text, PATH)
    before, under = (
        Span(0, article.body.index("##")),
        Span(article.body.index("##"), len(article.body)),
    )
    assert article.asked == ((before, "咋整"), (before, "怎么弄"), (under, "上哪办"))
    assert markdown.read(markdown.render(article, "0"), PATH).asked == article.asked


def test_the_places_of_the_front_matter() -> None:
    def place(value: str) -> tuple[str, ...]:
        return markdown.read(f"---\ntitle: a\nplace: {value}\n---\n文。", PATH).place

    assert place("[广东省, 惠州市]") == ("广东省", "惠州市")
    assert place("湖南省") == ("湖南省",)
    assert place("全国") == place("[中国, 全国]") == ("全国",)
    assert place("未注明") == place("") == place("[]") == ()


TEXT = "门诊怎么报\r\n可以报。\r第二行。"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030", "gbk"]
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "文.txt"
    path.write_bytes(TEXT.encode(encoding))
    (article,) = read_file(path)
    assert (article.title, article.body) == ("门诊怎么报", "可以报。\n\n第二行。")


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0",
        "医保a".encode("utf-32"),
        bytes(range(1, 32)) * 9,
        b"\xff\xff\xff",
    ],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(SkippedFile, match="另存为 UTF-8"):
        decode(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_text_or_one_sentence(data: bytes) -> None:
    text = ""
    with contextlib.suppress(SkippedFile):
        text = decode(data)
    assert "\r" not in text


def refused(path: Path) -> str:
    with pytest.raises(SkippedFile) as caught:
        read_file(path)
    return str(caught.value)


def test_files_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty, blank, bare = (tmp_path / name for name in ("空.txt", "白.md", "题.txt"))
    empty.write_bytes(b"")
    blank.write_text("\ufeff \n\t", encoding="utf-8")
    bare.write_text("只有一行", encoding="utf-8")
    (tmp_path / "夹.md").mkdir()
    assert refused(empty) == refused(blank) == "是空文件"
    assert refused(bare) == "只有标题，没有正文"
    assert refused(tmp_path / "没有.txt") == "找不到这个文件"
    assert refused(tmp_path / "夹.md").startswith("读不了")
    for name, reason in (("图.xyz", "不支持"), ("图", "没有扩展名"), ("文.docx", "内容却不是")):
        (tmp_path / name).write_text("题\n文。", encoding="utf-8")
        assert reason in refused(tmp_path / name)
    monkeypatch.setattr(readers, "MAX_BYTES", 3)
    assert "文件太大" in refused(bare)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.md"
    path.write_text("# 题\n文。", encoding="utf-8")

    def forbidden(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert "Permission denied" in refused(path)


def test_plain_text_takes_place_audience_and_year_from_its_title(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("惠州居民医保住院比例2024年\n比例是80%。", encoding="utf-8")
    (article,) = read_file(path)
    assert article.place == ("广东省", "惠州市")
    assert (article.audience, article.effective_year) == (Audience.RESIDENT, "2024")
    long = "很" * 90
    path.write_text(f"{long}\n比例是80%。", encoding="utf-8")
    (article,) = read_file(path)
    assert (article.title, article.body) == ("a", f"{long}\n\n比例是80%。")


PAGE = """  桃江居民怎么办理慢病卡

  桃江居民办理慢病卡,要先去医院开证明.

  1. 1.准备材料:身份证:带原件。诊断书:带盖章的。
  一、去哪里办
  • 乡镇卫生院的窗口。
  •县医保局的窗口。

  提示:各地窗口不同,请先打电话问。

  提示:本内容不能代替面诊,如有不适请尽快就医。

相关推荐

  岳阳职工医保2023年报多少
  岳阳职工门诊报 70% 。住院先付800元 . 一、门诊 门诊不设起付线。二、住院 住院分三档,一档报9
  某某新闻 2024-02-03

  没有正文的标题
  某某新闻 2024-02-04

  门诊慢病要带什么
  要带身份证和 诊断书 。
  某某新闻 2024-02-05
"""


def test_a_saved_page_gives_one_whole_article_and_its_teasers() -> None:
    assert sitepage.looks_like(PAGE)
    assert not sitepage.looks_like("题\n正文。\n相关推荐\n没有日期")
    main, first, second = sitepage.read(PAGE)
    assert main.title == "桃江居民怎么办理慢病卡"
    assert (main.truncated, main.published, main.audience) == (False, "", Audience.RESIDENT)
    assert main.body == (
        "桃江居民办理慢病卡,要先去医院开证明.\n\n"
        "## 1.准备材料:\n- 身份证:带原件。\n- 诊断书:带盖章的。\n\n"
        "## 一、去哪里办\n- 乡镇卫生院的窗口。\n- 县医保局的窗口。\n\n"
        "提示:各地窗口不同,请先打电话问。"
    )
    assert first.place == ("湖南省", "岳阳市")
    assert (first.truncated, first.published, first.effective_year) == (True, "2024-02-03", "2023")
    assert first.audience is Audience.EMPLOYEE
    assert first.body.startswith("岳阳职工门诊报70%。住院先付800元.\n")
    assert "## 一、门诊\n门诊不设起付线。" in first.body
    assert second.body == "要带身份证和诊断书。" or second.body == "要带身份证和 诊断书。"
    for article in (main, first, second):
        assert (article.source_name, article.authority) == ("某某新闻", Authority.SITE)
        assert "不能代替面诊" not in article.body


def test_a_page_is_told_from_plain_text_by_its_layout(tmp_path: Path) -> None:
    path = tmp_path / "页.txt"
    path.write_text(PAGE, encoding="utf-8")
    assert len(read_file(path)) == 3
    path.write_text(PAGE.split("相关推荐", maxsplit=1)[0], encoding="utf-8")
    assert len(read_file(path)) == 1


def without_space_and_marks(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and char not in "•-#*")


@needs_seeds
def test_the_two_real_pages() -> None:
    found = [(path, read_file(path)) for path in sorted(SEEDS.glob("*.txt"))]
    articles = [article for _, page in found for article in page]
    assert len(articles) == len({article.id for article in articles}) == 42
    assert [article.truncated for article in articles].count(False) == 2
    assert [len(page) for _, page in found] == [21, 21]
    for path, page in found:
        text = path.read_text(encoding="utf-8")
        original = without_space_and_marks(text)
        assert not page[0].truncated
        assert page[0].published == ""
        for article in page:
            assert article.source_name == "健康新闻"
            for line in article.body.splitlines():  # nothing is said that the page does not say
                assert without_space_and_marks(line) in original, line
        for article in page[1:]:
            assert article.truncated
            assert f"健康新闻 {article.published}" in text


@needs_seeds
def test_no_boilerplate_of_the_real_pages_is_kept() -> None:
    for path in SEEDS.glob("*.txt"):
        for article in read_file(path):
            for word in ("不能代替面诊", "相关推荐", "健康新闻 20"):
                assert word not in article.body
                assert word not in article.title


@needs_seeds
@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("惠州", "定点"), ("广东省", "惠州市")),
        (("和县", "电话"), ("安徽省", "马鞍山市", "和县")),
        (("辽源",), ("吉林省", "辽源市")),
        (("合肥",), ("安徽省", "合肥市")),
    ],
)
def test_places_of_the_real_pages(words: tuple[str, ...], place: tuple[str, ...]) -> None:
    articles = [article for path in SEEDS.glob("*.txt") for article in read_file(path)]
    found = [article for article in articles if all(word in article.title for word in words)]
    assert found
    assert {article.place for article in found} == {place}
