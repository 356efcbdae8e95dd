"""Every rule of the corpus check, with one article that breaks it and one that does not."""

import dataclasses

import pytest

from corpus.lint import Finding, lint
from corpus.records import Article

GOOD = Article(
    "a",
    "惠州医保报多少",
    "惠州的门诊报80%。",
    place=("广东省", "惠州市"),
    published="2025-04-19",
    source_name="某某新闻",
)


def rules(**changes: object) -> list[tuple[str, str]]:
    found = lint([dataclasses.replace(GOOD, **changes)])  # type: ignore[arg-type]
    return [(finding.rule, finding.severity) for finding in found]


def test_a_good_article_has_no_finding() -> None:
    assert rules() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"body": "报80%。\n本内容不能代替面诊。"}, [("boilerplate", "error")]),
        ({"body": "报80%。\n相关推荐"}, [("boilerplate", "error")]),
        ({"body": "报80%。\n某某新闻 2025-04-19"}, [("boilerplate", "error")]),
        ({"body": "见相关推荐的2025年文章。"}, []),
        ({"place": (), "body": "可以报。"}, [("no-place", "note")]),
        ({"place": ()}, [("no-place", "note"), ("figure-without-place", "note")]),
        ({"published": ""}, [("no-date", "note")]),
        ({"published": "", "effective_year": "2024"}, []),
        ({"source_name": ""}, [("no-source", "note")]),
        ({"truncated": True}, [("truncated", "note")]),
    ],
)
def test_each_rule(changes: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert rules(**changes) == expected


@pytest.mark.parametrize("body", ["付8万元。", "报92.5 %。", "打0752-2345678。", "涨2个百分点。"])
def test_figures_that_need_a_place(body: str) -> None:
    assert ("figure-without-place", "note") in rules(place=(), body=body)


def test_findings_come_in_the_order_of_the_articles_and_name_them() -> None:
    bad = dataclasses.replace(GOOD, id="z", title="乙", source_name="")
    found = lint([bad, GOOD, dataclasses.replace(bad, id="b")])
    assert [finding.article_id for finding in found] == ["z", "b"]
    assert found[0] == Finding("z", "乙", "no-source", "note", "没有写来源")
