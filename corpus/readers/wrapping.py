"""Lines that a program broke at the edge of the page, put together again."""

import re
from collections.abc import Iterable, Sequence

_CJK = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\u2018-\u201d\u2026]"
_LABEL = r"[\u4e00-\u9fff]{2,6}[：:]"  # 「2024年5月6日 来源：某报」 keeps its space
_SPACE = re.compile(rf"(?<={_CJK})[ \t\u3000]+(?={_CJK})(?!{_LABEL})")
_ANY_SPACE = re.compile(r"[ \t\xa0\u3000]+")
_ENDS = re.compile(r"[。！？!?；;：:][”’」』）)]*$")
_STARTS = re.compile(
    r"(?:[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[)）]|\d{1,2}[.．、](?!\d)"
    r"|第[一二三四五六七八九十百\d]{1,4}[章节条]|[①-⑳]|[-•●◆■#|>*]\s?)"
)
_WRAP_MAX = 60  # characters; longer lines were not broken by a program
_WRAP_MIN = 20
_WRAP_LINES = 2
_WRAP_SHARE = 0.2  # of the lines are full and without an end in a text that was broken


def tidy(text: str) -> str:
    """One line without spaces between Chinese characters.

    >>> tidy("门诊 可以  报销 80%"), tidy(" a  b ")
    ('门诊可以报销 80%', 'a b')
    """
    return _SPACE.sub("", _ANY_SPACE.sub(" ", text)).strip()


def join(parts: Iterable[str]) -> str:
    """Lines as one: a space only between Latin words.

    >>> join(["门诊报", "80%，不设", "OK", "go"])
    '门诊报80%，不设OK go'
    """
    text = ""
    for part in parts:
        latin = re.search(r"[A-Za-z,]$", text) and re.match(r"[A-Za-z]", part)
        text += f" {part}" if latin else part
    return tidy(text)


def may_continue(before: str, line: str) -> bool:
    """Whether ``line`` can go on with the sentence of ``before``, by its words."""
    return not _ENDS.search(before) and not _STARTS.match(line)


def unwrapped(lines: Sequence[str]) -> list[str]:
    """Lines of a plain text; where a program broke them at one width they are joined.

    >>> first = "不设起付线，统筹基金付八成；在二级医院看病"
    >>> second = "，先付一百元，余下的由统筹基金再支付七成"
    >>> unwrapped([first, second, "五。"]) == [f"{first}{second}五。"]
    True
    """
    width = max((_width(line) for line in lines), default=0)
    full = [_width(line) >= width - 2 for line in lines]
    broken = [line for line, whole in zip(lines, full, strict=True) if whole and _broken(line)]
    enough = len(broken) >= max(_WRAP_LINES, _WRAP_SHARE * len(lines))
    if not enough or not _WRAP_MIN <= width <= _WRAP_MAX:
        return [tidy(line) for line in lines]
    found: list[list[str]] = []
    for at, line in enumerate(lines):
        indented = line[:1] in (" ", "\u3000", "\t")
        goes_on = at and full[at - 1] and lines[at - 1].strip() and line.strip() and not indented
        if goes_on and may_continue(lines[at - 1].strip(), line.strip()):
            found[-1].append(line.strip())
        else:
            found.append([line.strip()])
    return [join(parts) for parts in found]


def _broken(line: str) -> bool:
    """Whether a line is running text without an end; entries of a list have no punctuation."""
    return bool(re.search(r"[，。、；]", line)) and not _ENDS.search(line)


def _width(line: str) -> float:
    """Width in full characters."""
    return sum(0.5 if char < "\u2000" else 1 for char in line.rstrip())
