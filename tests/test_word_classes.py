"""The table of word classes against jieba's own reader, which is its slow twin."""

import subprocess
import sys
from pathlib import Path

from corpus.word_classes import word_classes

ROOT = Path(__file__).parent.parent


def test_the_table_is_the_one_that_jieba_reads() -> None:
    code = (
        "import jieba.posseg; from corpus.word_classes import word_classes;"
        "dt = jieba.posseg.dt; dt.initialize(); print(word_classes() == dt.word_tag_tab)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_classes_are_shared_and_words_are_many() -> None:
    table = word_classes()
    assert len(table) > 300_000
    assert (table["医院"], table["惠州"]) == ("n", "ns")
    assert len({id(tag) for tag in table.values()}) == len(set(table.values()))
