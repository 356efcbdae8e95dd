"""Records that would break an invariant cannot be made."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import errors
from corpus.errors import VerbatimError, YibaoError
from corpus.records import NATIONAL, UNPLACED, Article, Audience, Authority, Chunk, Span, Status


def test_an_article_without_id_title_or_body_cannot_be_made() -> None:
    for fields in (("", "题", "文"), ("a", " \u3000", "文"), ("a", "题", "\n ")):
        with pytest.raises(ValueError, match="缺少编号、标题或正文"):
            Article(*fields)


def test_records_are_frozen_and_hold_no_other_fields(article: Article) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        article.title = "别的"  # type: ignore[misc]
    for record in (article, Span(0, 1), Chunk("a#0", "a", 0, 1, "文")):
        assert not hasattr(record, "__dict__")


def test_what_is_not_known_stays_empty() -> None:
    bare = Article("a", "题", "文。")
    assert (bare.place, bare.published, bare.effective_year, bare.source_url) == ((), "", "", "")
    assert (bare.audience, bare.authority, bare.status) == (
        Audience.ANYONE,
        Authority.UNVERIFIED,
        Status.UNKNOWN,
    )
    assert bare.place_label == UNPLACED
    assert dataclasses.replace(bare, place=(NATIONAL,)).place_label == "全国"


def test_every_authority_has_a_label_for_citizens() -> None:
    assert [authority.label for authority in Authority] == [
        "官方",
        "媒体",
        "网站，待核实",
        "待核实",
    ]


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_a_span_is_never_empty_or_reversed(start: int, end: int) -> None:
    if 0 <= start < end:
        assert Span(start, end).of("一二三四五") == "一二三四五"[start:end]
    else:
        with pytest.raises(ValueError, match="位置"):
            Span(start, end)


@given(st.integers(-2, 6), st.integers(-2, 6), st.text("文字", max_size=6))
def test_a_chunk_fits_its_text_or_cannot_be_made(start: int, end: int, text: str) -> None:
    if 0 <= start < end and end - start == len(text):
        assert Chunk("a#0", "a", start, end, text).text == text
    else:
        with pytest.raises(VerbatimError, match="a#0"):
            Chunk("a#0", "a", start, end, text)


def test_a_chunk_that_does_not_stand_in_its_article_is_found() -> None:
    article = Article("a", "题", "可以报销。")
    Chunk("a#0", "a", 0, 2, "可以").check(article)
    for chunk in (
        Chunk("a#0", "a", 0, 2, "不可"),
        Chunk("a#0", "b", 0, 2, "可以"),
        Chunk("a#0", "a", 4, 6, "。可"),
    ):
        with pytest.raises(VerbatimError, match="请重建索引"):
            chunk.check(article)


def test_the_error_tree_is_exported_whole_and_drawn_in_the_docstring() -> None:
    found = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, YibaoError)
    }
    assert set(errors.__all__) == found
    assert all(name in (errors.__doc__ or "") for name in found)
