"""Text that becomes HTML stays text: escaping, marks, telephone links."""

import html

from hypothesis import given
from hypothesis import strategies as st

from chatbot.article_page import parse_marks
from chatbot.markup import body_html, escape, phones_in, with_phones
from corpus.records import Span

SPECIAL = set("<>\"'`*_[]$~|{}\\!")
BODY = "第一句。第二句。\n\n## 小标题\n\n- 第六句可以打12393。\n"


@given(st.text())
def test_escaped_text_reads_the_same_and_holds_no_markup(text: str) -> None:
    escaped = escape(text)
    assert not SPECIAL & set(escaped.replace("<br>", ""))
    assert "\n" not in escaped
    lines = html.unescape(escaped.replace("<br>", "\n"))
    newlines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert lines == "".join(c for c in newlines if c == "\n" or c >= " " or c == "\t")


def test_lines_become_headings_items_and_paragraphs() -> None:
    shown = body_html(BODY, Span(0, len(BODY)), [Span(0, 4)], anchor="quote")
    assert shown.startswith('<p><mark id="quote" class="yb-at-0">第一句。</mark>')
    assert '<p class="yb-heading">小标题</p>' in shown
    assert '<p class="yb-item">第六句可以打12393。</p>' in shown


def test_a_quote_over_two_lines_is_marked_on_both() -> None:
    body = "甲句。\n乙句。"
    assert body_html(body, Span(0, 7), [Span(1, 6)]) == (
        '<p>甲<mark class="yb-at-1">句。</mark></p><p><mark class="yb-at-1">乙句</mark>。</p>'
    )


def test_only_telephones_are_linked() -> None:
    assert phones_in("打120。付120元，满120天，12393，0752-12393，112393") == ["120", "12393"]
    assert "tel:" not in with_phones("打120", own_words=False)
    assert "tel:12393" in with_phones("打12393。", own_words=False)
    assert "tel:" not in with_phones("付12345元", own_words=False)


@given(st.text(alphabet="0123456789-,x "), st.integers(0, 50))
def test_marks_from_an_address_lie_in_the_body(where: str, length: int) -> None:
    marks = parse_marks(where, length)
    assert marks == sorted(marks)
    assert all(0 <= mark.start < mark.end <= length for mark in marks)
