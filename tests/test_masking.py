"""Personal data never reaches a log or the database: 100 seeded strings, and what must stay."""

import json
import logging
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.feedback import Feedback
from chatbot.logs import configure_logs, log
from chatbot.masking import MASK, mask

FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
CHINESE = str.maketrans("0123456789", "零一二三四五六七八九")


def seeded() -> list[tuple[str, str]]:
    """100 (text, number without separators), drawn once and for all."""
    draw = random.Random(20261125)
    found = []
    for n in range(100):
        number = [
            lambda: (
                f"{draw.randint(110000, 659999)}{draw.randint(1930, 2020)}"
                f"{draw.randint(1, 12):02}{draw.randint(1, 28):02}{draw.randint(0, 999):03}X"
            ),
            lambda: f"1{draw.choice('3456789')}{draw.randint(10**8, 10**9 - 1)}",
            lambda: f"6222{draw.randint(10**14, 10**15 - 1)}",
            lambda: f"0{draw.randint(10, 99)}{draw.randint(10**7, 10**8 - 1)}",
            lambda: f"A{draw.randint(10**7, 10**8 - 1)}",
        ][n % 5]()
        shown = number
        if n % 5 != 4:
            if n % 3 == 1:
                shown = "-".join(number[at : at + 4] for at in range(0, len(number), 4))
            if n % 3 == 2:
                shown = " ".join(number)
            if n % 4 == 1:
                shown = shown.translate(FULL_WIDTH)
            if n % 4 == 3 and n % 3 == 0:
                shown = shown.translate(CHINESE)
        found.append((f"我叫张三，号码是{shown}，门诊怎么报销？", shown))
    return found


@pytest.mark.parametrize(("text", "number"), seeded())
def test_a_number_goes_and_the_question_stays(text: str, number: str) -> None:
    masked = mask(text)
    assert masked == f"我叫张三，号码是{MASK}，门诊怎么报销？", number


def test_none_of_them_in_logs_or_database(tmp_path, capsys) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logs("debug")
    store = Feedback.open(tmp_path / "f.db")
    try:
        for text, _ in seeded():
            store.add(text, "answer", "bad", text)
            store.add_asked(text, "no_answer")
            log("answer", note=text, **{"kind": "answer"})
            logging.getLogger("other").warning("%s", text)
            try:
                raise ValueError(text)
            except ValueError:
                logging.getLogger("other").exception("failed")
    finally:
        root.handlers, root.level = before
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode(errors="ignore")
        store.close()
    shown = capsys.readouterr().err
    assert len(shown.splitlines()) == 300
    assert all(json.loads(line) for line in shown.splitlines())
    for _, number in seeded():
        assert number not in shown
        assert number not in written
    assert written.count(MASK) >= 300


@pytest.mark.parametrize(
    "text",
    [
        "报销50%，封顶300000元",
        "2025年4月19日",
        "拨打12393或12345",
        "第123456号",
        "粤医保〔2024〕15号",
    ],
)
def test_amounts_years_and_service_numbers_stay(text: str) -> None:
    assert mask(text) == text


@given(st.text(max_size=80))
def test_masking_again_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)
