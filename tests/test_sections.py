"""Sections of an article, and which ways of asking belong to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.records import Article, Span
from corpus.sections import asked_by_heading, asked_within, heading_of, sections

BODY = "开头一句。\n\n## 怎么办\n\n带证件。\n\n### 在哪办\n\n去窗口。"
ASKED = {"": ["这是啥"], "怎么办": ["带啥"], "在哪办": ["上哪", "哪儿弄"]}
ARTICLE = Article(
    "a",
    "题",
    BODY,
    asked=tuple((part, way) for heading, part in sections(BODY) for way in ASKED[heading]),
)


def test_sections_are_what_stands_between_headings() -> None:
    found = [(heading, span.of(BODY).strip()) for heading, span in sections(BODY)]
    assert found == [
        ("", "开头一句。"),
        ("怎么办", "## 怎么办\n\n带证件。"),
        ("在哪办", "### 在哪办\n\n去窗口。"),
    ]


@given(st.lists(st.sampled_from(["## 甲", "# 乙", "一句话。", "", "#无空格"]), max_size=8))
def test_sections_join_to_the_body_and_agree_with_the_heading_above(lines: list[str]) -> None:
    body = "\n".join(lines)
    found = list(sections(body))
    assert "".join(span.of(body) for _, span in found) == body
    for heading, span in found:
        above = heading_of(body, span.end)
        assert (above.of(body) if above else "") == heading


def test_ways_of_asking_are_written_under_their_headings() -> None:
    assert asked_by_heading(ARTICLE) == ASKED


@pytest.mark.parametrize(
    ("part", "ways"),
    [
        ("开头一句。", ["这是啥"]),
        ("证件", ["带啥"]),
        ("件。\n\n### 在哪", ["带啥", "上哪", "哪儿弄"]),
        (BODY, ["这是啥", "带啥", "上哪", "哪儿弄"]),
    ],
)
def test_a_passage_is_asked_for_as_its_sections_are(part: str, ways: list[str]) -> None:
    start = BODY.index(part)
    assert asked_within(ARTICLE, Span(start, start + len(part))) == ways
