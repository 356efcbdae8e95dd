"""Every rule of the corpus check, with articles that break it and ones that do not."""

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from corpus import folder
from corpus.duplicates import near_duplicates
from corpus.errors import SkippedFile
from corpus.lint import Finding, lint
from corpus.readers import markdown
from corpus.records import Article, Authority
from tests.conftest import SEEDS, needs_seeds

TODAY = dt.date(2026, 11, 25)
GOOD = Article(
    "a",
    "惠州医保报多少",
    "惠州的门诊报80%。",
    place=("广东省", "惠州市"),
    published="2025-04-19",
    source_name="某某新闻",
    authority=Authority.SITE,
)


def check(*articles: Article) -> list[Finding]:
    return lint(articles, TODAY)


def changed(**changes: object) -> Article:
    return dataclasses.replace(GOOD, **changes)  # type: ignore[arg-type]


def rules(**changes: object) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity) for finding in check(changed(**changes))]


def test_a_good_article_has_no_finding() -> None:
    assert rules() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"place": (), "body": "可以报。"}, [("no-place", "note")]),
        ({"place": ()}, [("no-place", "note"), ("figure-without-place", "note")]),
        ({"place": ("全国",)}, []),
        ({"place": ("广东省", "惠洲市")}, [("unknown-place", "error")]),
        ({"place": ("惠州市",)}, [("unknown-place", "error")]),
        ({"place": ("安徽省", "马鞍山市", "和县")}, []),
        ({"published": ""}, [("no-date", "note")]),
        ({"published": "", "effective_year": "2024"}, []),
        ({"published": "2025/4/19"}, [("bad-date", "error")]),
        ({"published": "2026-11-25"}, []),
        ({"published": "2026-11-26"}, [("future-date", "error")]),
        ({"effective_year": "2026"}, []),
        ({"effective_year": "2027"}, []),  # next year's contributions are announced this year
        ({"effective_year": "2028"}, [("bad-year", "error")]),
        ({"effective_year": "1900"}, [("bad-year", "error")]),
        ({"effective_year": "2020"}, []),
        ({"effective_year": "2019"}, [("old-year", "note")]),
        ({"source_name": ""}, [("no-source", "note")]),
        ({"source_url": "https://www.nhsa.gov.cn/art/1.html"}, []),
        ({"source_url": "https://局"}, [("bad-url", "error")]),
        ({"source_url": "www.nhsa.gov.cn"}, [("bad-url", "error")]),
        ({"authority": Authority.OFFICIAL}, [("unproven", "note")]),
        ({"authority": Authority.OFFICIAL, "body": "惠府〔2021〕1号规定，门诊报80%。"}, []),
        ({"authority": Authority.UNVERIFIED}, [("not-marked", "note")]),
        ({"authority": Authority.UNVERIFIED, "body": "门诊报80%，待核实。"}, []),
        ({"truncated": True}, [("truncated", "note")]),
        ({"body": "门诊报80%。住院要先"}, [("breaks-off", "note")]),
        ({"body": "要带：\n- 身份证\n- 社保卡"}, []),
    ],
)
def test_each_rule(changes: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert rules(**changes) == expected


@pytest.mark.parametrize("body", ["付8万元。", "报92.5 %。", "打0752-2345678。", "涨2个百分点。"])
def test_figures_that_need_a_place(body: str) -> None:
    assert ("figure-without-place", "note") in rules(place=(), body=body)


@pytest.mark.parametrize(
    "line",
    [
        "本内容不能代替面诊。",
        "相关推荐",
        "某某新闻 2025-04-19",
        "版权声明：本文归原作者所有。",
        "责任编辑：王某",
        "（编辑：李某某）",
        "点击关注我们",
        "点击阅读原文",
        "扫描二维码，关注公众号。",
        "上一篇：医保怎么交",
        "下一篇 没有了",
        "当前位置：首页 > 政策",
        "来源：某某日报 发布时间：2024-01-01",
        "转载请注明出处。",
        "阅读量：3021",
        "猜你喜欢",
        "免责声明：仅供参考。",
        "某ICP备12345678号",
        "<div class='x'>",
    ],
)
def test_boilerplate(line: str) -> None:
    assert rules(body=f"可以报。\n{line}\n要备案。") == [("boilerplate", "error")]


@pytest.mark.parametrize(
    "line",
    [
        "见相关推荐的2025年文章。",
        "在小程序里点击“异地备案”，再点击提交。",
        "用医保码扫一扫就能付钱。",
        "医保局审核材料，编辑短信发送到12393。",
        "材料不全的，返回列表补交。",
        "药品的广告不等于医保目录。",
        "上一页填错了可以改。",
    ],
)
def test_ordinary_sentences_are_no_boilerplate(line: str) -> None:
    assert rules(body=f"可以报。\n{line}") == []


def test_links_must_lead_somewhere() -> None:
    body = "见[住院](b.md)、[门诊](articles/c.md#额度)、[[d]]和[官网](https://www.nhsa.gov.cn/)。"
    found = check(changed(body=body), changed(id="b", body="住院能报吗，看等级。"))
    assert [(f.rule, f.severity) for f in found] == [("dead-link", "error")] * 2
    assert [f.message.partition("：")[2] for f in found] == ["articles/c.md#额度", "d"]
    assert [f.rule for f in check(changed(body="见[官网](https://nhsa)。"))] == ["bad-url"]


def test_findings_come_in_the_order_of_the_articles_and_name_them() -> None:
    bad = changed(id="z", title="乙", source_name="")
    found = check(bad, changed(id="m"), dataclasses.replace(bad, id="b"))
    assert [finding.article_id for finding in found if finding.rule == "no-source"] == ["z", "b"]
    assert found[0] == Finding("z", "乙", "no-source", "note", "没有写来源")


LONG = (
    "参加医保的人住院，先付起付线以下的钱，超过起付线的部分由统筹基金按比例付，剩下的自己付。" * 2
)


def test_near_duplicates_are_found_whatever_their_marks_and_spaces() -> None:
    first = changed(id="p", body=LONG + "出院时结算。")
    second = changed(id="q", body=LONG.replace("，", " ,") + "出院的时候结算。")
    other = changed(id="r", body="门诊选点每年可以变更一次，到小程序里办，第二年的一月一日生效。")
    (pair,) = near_duplicates([first, other, second])
    assert pair[:2] == ("p", "q")
    assert 0.8 <= pair[2] < 1
    assert [(f.article_id, f.code) for f in check(first, second)] == [("p", "near-duplicate q")]


CLAIM = changed(id="x", body="惠州职工门诊报80%。")
OTHER = changed(id="y", body="惠州职工看门诊报70%。")


def test_a_contradiction_shows_both_sentences() -> None:
    (found,) = check(CLAIM, OTHER)
    assert (found.article_id, found.other_id, found.rule) == ("x", "y", "contradiction")
    assert found.message == "和 y 的比例对不上：80% 对 70%"
    assert found.sentences == (CLAIM.body, OTHER.body)


def test_an_article_may_contradict_itself() -> None:
    body = "断缴以后累计年限清零。其实断缴不会影响已累计的年限。"
    (found,) = check(changed(body=body))
    assert (found.rule, found.other_id) == ("contradiction", "")
    body = "总体报销80%。\n- 3000元以下的部分：90%。\n- 3000元以上的部分：95%。"
    assert [f.rule for f in check(changed(body=body))] == ["contradiction"]
    body = "总体报销92%。\n- 3000元以下的部分：90%。\n- 3000元以上的部分：95%。"
    assert check(changed(body=body)) == []


def acknowledging(article: Article, **reasons: str) -> Article:
    ok = tuple((code.replace("_", "-"), reason) for code, reason in reasons.items())
    return dataclasses.replace(article, lint_ok=ok)


def test_an_acknowledged_finding_is_listed_with_its_reason() -> None:
    (found,) = check(acknowledging(changed(published=""), no_date="不随年份变"))
    assert (found.rule, found.acknowledged) == ("no-date", "不随年份变")
    wrong = changed(published="2030-01-01")
    assert [f.must_be_mended for f in check(wrong)] == [True]
    assert [f.must_be_mended for f in check(acknowledging(wrong, future_date="样稿"))] == [False]


@pytest.mark.parametrize("side", ["x", "y"])
def test_one_of_two_articles_may_acknowledge_their_contradiction(side: str) -> None:
    other = "y" if side == "x" else "x"
    ok = ((f"contradiction {other}", "两家网站不一致"),)
    pair = [dataclasses.replace(a, lint_ok=ok if a.id == side else ()) for a in (CLAIM, OTHER)]
    assert [f.acknowledged for f in check(*pair)] == ["两家网站不一致"]


def test_acknowledging_a_contradiction_hides_no_other() -> None:
    ok = (("contradiction z", "理由"),)
    found = check(dataclasses.replace(CLAIM, lint_ok=ok), OTHER)
    assert [(f.rule, f.acknowledged) for f in found] == [
        ("contradiction", ""),
        ("unused-lint-ok", ""),
    ]


def test_what_lint_ok_names_must_exist() -> None:
    assert rules(lint_ok=(("no-date", "理由"),)) == [("unused-lint-ok", "note")]
    assert rules(lint_ok=(("nodate", "理由"),)) == [("unknown-lint-ok", "error")]


def test_the_front_matter_keeps_acknowledgements_and_asks_for_a_reason() -> None:
    article = acknowledging(GOOD, no_date="不随年份变")
    text = markdown.render(article, "0")
    assert markdown.read(text, Path("a.md")) == article
    assert "lint_ok" not in markdown.render(GOOD, "0")
    for bad in ("lint_ok: [no-date]", "lint_ok: {no-date: }", "lint_ok: 好"):
        with pytest.raises(SkippedFile, match="lint_ok 应写成"):
            markdown.read(f"---\ntitle: 题\n{bad}\n---\n文。", Path("a.md"))


def test_an_acknowledgement_changes_no_source_hash() -> None:
    """A second import must not overwrite corrections because of it."""
    assert repr(acknowledging(GOOD, no_date="理由")) == repr(GOOD)


# What of facts.md's C1 to C18 can be seen in the text of the two saved pages, by words of the two
# titles (one title: the article contradicts itself). C5, C6, C9, C15 and C16 contradict sources
# outside the pages; C8 is a figure without place; the different numbers of C17 are of different
# places or ranges that hold each other; C18 is advertising, not a contradiction.
VISIBLE = {
    "C1": {("交够年限还不到", "没交够年限"), ("缴费年龄", "交够年限还不到")},
    "C2": {("交够年限还不到", "交25年以后"), ("交25年以后", "交够25年")},
    "C3": {("交够年限不交了", "交25年以后"), ("交够年限不交了",)},
    "C4": {("大病二次", "统筹报销有限额")},
    "C7": {("和县医保咨询", "和县医保局")},
    "C10": {("新农合医保在广东", "支持异地医保")},
    "C11": {("在广州看病可报",)},
    "C12": {("去医保领", "生育津贴是社保"), ("去医保领",)},
    "C13": {("挂靠单位",)},
    "C14": {("个人账户缴费", "职工医保参保缴费")},
}


def named(titles: tuple[str, ...], found: Iterable[tuple[str, ...]]) -> bool:
    return any(
        len(pair) == len(titles) and all(any(word in title for title in pair) for word in titles)
        for pair in found
    )


@needs_seeds
def test_the_saved_pages_contradict_themselves_where_one_can_see_it(tmp_path: Path) -> None:
    folder.import_files([SEEDS], tmp_path)
    articles = folder.load(tmp_path)
    titles = {article.id: article.title for article in articles}
    found = {
        (titles[f.article_id], *((titles[f.other_id],) if f.other_id else ()))
        for f in check(*articles)
        if f.rule == "contradiction"
    }
    missing = {
        (number, pair)
        for number, pairs in VISIBLE.items()
        for pair in pairs
        if not named(pair, found)
    }
    assert missing == set()
    true = {
        titles
        for titles in found
        for pairs in VISIBLE.values()
        if any(named(pair, [titles]) for pair in pairs)
    }
    assert found - true == set()
    unplaced = {f.title for f in check(*articles) if f.rule == "figure-without-place"}
    assert any(re.search("^职工医保报销限额", title) for title in unplaced)  # C8
