"""What TREC collections bring: topics and judgements.

Topics: a line a topic, number and text parted by a tab; or the older ``<top>`` blocks with
``<num>`` and ``<title>``. Judgements: four columns parted by blanks (topic, iteration, document,
relevance), as trec_eval takes them.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from corpus.errors import InputError
from eval.lines import numbered_lines

__all__ = ["judgement", "topics"]

_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*([^<\s]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:Topic:)?\s*([^<]+)", re.IGNORECASE)
COLUMNS = 4  # of a judgement


def topics(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (where it stands, number, text) of each topic.

    Raises:
        InputError: the file is missing, unreadable, empty, or a topic lacks number or text.
    """
    lines = list(numbered_lines(path))
    if "<top>" in lines[0][1].lower():
        yield from _blocks(path, "\n".join(line for _, line in lines))
        return
    for number, line in lines:
        id_, tab, text = line.partition("\t")
        where = f"{path} 第 {number} 行"
        if not tab:
            msg = f"{where}：应是“编号 制表符 问题”"
            raise InputError(msg)
        yield where, id_, text.strip()


def _blocks(path: Path, text: str) -> Iterator[tuple[str, str, str]]:
    for count, block in enumerate(re.split(r"(?i)<top>", text)[1:], start=1):
        where = f"{path} 第 {count} 题"
        number, title = _NUMBER.search(block), _TITLE.search(block)
        if not number or not title:
            msg = f"{where}：缺少 <num> 或 <title>"
            raise InputError(msg)
        yield where, number.group(1), " ".join(title.group(1).split())


def judgement(line: str) -> Sequence[str]:
    """Topic, document and relevance of a line of judgements; without the iteration.

    >>> judgement("q1 0 d1 2")
    ['q1', 'd1', '2']
    """
    cells = line.split()
    return [cells[0], *cells[2:]] if len(cells) == COLUMNS else []
