"""Sentences join to the text again, their offsets hold, and nasty cases are cut as reviewed."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.sentences import OPENERS, complete, quotable, sentences

GOLDEN = yaml.safe_load(
    (Path(__file__).parent / "golden" / "sentences.yaml").read_text(encoding="utf-8")
)
_MARKS = "。！？!?…，、；：.,;:%-*•#>|~_⁰¹ \t\n\r\u3000\u2028😊①第条一1２aＡ" + "".join(OPENERS)
texts = st.text(st.sampled_from(_MARKS + "".join(OPENERS.values()) + "医保能报吗\"'"), max_size=80)


@pytest.mark.parametrize("case", GOLDEN, ids=[case["text"][:20] for case in GOLDEN])
def test_golden(case: dict) -> None:
    text = case["text"]
    assert [span.of(text) for span in sentences(text)] == case["pieces"]
    assert [span.of(text) for span in quotable(text)] == case.get("quotes", case["pieces"])


def test_the_golden_file_is_large_and_without_repetition() -> None:
    assert len({case["text"] for case in GOLDEN}) == len(GOLDEN) >= 180


@settings(max_examples=200, deadline=None)
@given(texts | st.text(max_size=60))
def test_pieces_join_to_the_text_and_offsets_rise(text: str) -> None:
    spans = sentences(text)
    assert "".join(span.of(text) for span in spans) == text
    assert all(a.end == b.start for a, b in pairwise(spans))


@settings(max_examples=200, deadline=None)
@given(texts, st.booleans())
def test_a_quotable_span_lies_inside_one_piece_and_says_something(
    text: str, truncated: bool
) -> None:
    pieces = sentences(text)
    quotes = quotable(text, truncated=truncated)
    for quote in quotes:
        assert sum(p.start <= quote.start and quote.end <= p.end for p in pieces) == 1
        shown = quote.of(text)
        assert shown == shown.strip()
        assert "\n" not in shown
        assert any(char.isalnum() for char in shown)
        before = text[text.rfind("\n", 0, quote.start) + 1 : quote.start]
        heading = re.match(r"#{1,6}\s", shown)  # 「#1」 and 「•#1」 are none
        assert before.strip() or not heading
    assert all(a.end <= b.start for a, b in pairwise(quotes))


@settings(max_examples=200, deadline=None)
@given(texts)
def test_only_the_last_sentence_of_a_truncated_text_is_left_out(text: str) -> None:
    whole, cut = quotable(text), quotable(text, truncated=True)
    assert cut == (whole if complete(text) or not whole else whole[:-1])


@settings(max_examples=100, deadline=None)
@given(texts, texts)
def test_a_line_break_parts_texts_that_know_nothing_of_each_other(first: str, second: str) -> None:
    both = first + "\n" + second
    cut = len(first) + 1
    expected = [span.of(first) for span in quotable(first)]
    expected += [span.of(second) for span in quotable(second)]
    assert [span.of(both) for span in quotable(both)] == expected
    assert any(span.end == cut for span in sentences(both))


@pytest.mark.parametrize("tail", ["……", "…", "，", "为8", "…”", "（", "包括："])
def test_a_teaser_that_breaks_off_never_gives_its_last_sentence(tail: str) -> None:
    text = f"先备案。2025年泰州地区报销比例{tail}"
    assert [span.of(text) for span in quotable(text, truncated=True)] == ["先备案。"]


def test_a_teaser_that_ends_with_a_sentence_gives_it() -> None:
    text = "先备案。比例是80%。"
    assert len(quotable(text, truncated=True)) == 2
    assert quotable("", truncated=True) == []


def test_a_teaser_that_ends_with_an_item_like_the_one_before_gives_it() -> None:
    text = "比例如下:\n5000元以下:90%\n## 大额\n5000元以上:95%"
    assert len(quotable(text, truncated=True)) == 3
    assert len(quotable(text.removesuffix("%"), truncated=True)) == 2


@pytest.mark.parametrize("text", ["。" * 10_000, "（" * 10_000, "“（" * 5_000, "医保" * 10_000])
def test_ten_thousand_repeated_characters_take_no_time(text: str) -> None:
    assert "".join(span.of(text) for span in sentences(text)) == text
