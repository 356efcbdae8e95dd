"""Sections of an article, and which ways of asking belong to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.records import Article, Span
from corpus.sections import asked_spans, asked_within, heading_of, sections

BODY = "开头一句。\n\n## 怎么办\n\n带证件。\n\n### 在哪办\n\n去窗口。"
ARTICLE = Article(
    "a",
    "题",
    BODY,
    asked=(("", "这是啥"), ("怎么办", "带啥"), ("在哪办", "上哪"), ("在哪办", "哪儿弄")),
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


def test_each_way_of_asking_belongs_to_its_section() -> None:
    texts = [span.of(BODY).strip()[-4:] for span in asked_spans(ARTICLE)]
    assert texts == ["头一句。", "带证件。", "去窗口。", "去窗口。"]


@pytest.mark.parametrize(
    ("part", "rows"),
    [("开头一句。", [0]), ("证件", [1]), ("件。\n\n### 在哪", [1, 2, 3]), (BODY, [0, 1, 2, 3])],
)
def test_a_passage_is_asked_for_as_its_sections_are(part: str, rows: list[int]) -> None:
    start = BODY.index(part)
    assert asked_within(ARTICLE, Span(start, start + len(part))) == rows
