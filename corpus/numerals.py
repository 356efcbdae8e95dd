"""Numbers as Chinese texts write them: in digits, in Chinese, or mixed."""

import re

_DIGITS = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_POWERS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}


def number(text: str) -> float:
    """The value of a number in digits, in Chinese, or mixed.

    >>> number("三十"), number("一百五十"), number("2.5万"), number("10,000"), number("两")
    (30.0, 150.0, 25000.0, 10000.0, 2.0)
    """
    for word, factor in reversed(_LARGE.items()):
        head, found, tail = text.partition(word)
        if found:
            return number(head) * factor + (number(tail) if tail else 0.0)
    if re.fullmatch(r"[\d,.]+[百千]?", text):
        factor = _POWERS.get(text[-1], 1)
        return float(text.rstrip("百千").replace(",", "")) * factor
    total = digit = 0
    for char in text:
        if char in _POWERS:
            total += max(digit, 1) * _POWERS[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    return float(total + digit)
