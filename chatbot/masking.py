"""Numbers that name a person, out of a text before it is stored or logged."""

import re
import unicodedata

# Between two digits people type blanks, hyphens and dots; full-width digits are mapped
# to ASCII first, one character to one character. Service numbers have fewer than seven digits.
_BETWEEN = r"[\s\-—–－_.·,，、/]{0,3}"
_RUN = re.compile(rf"(?<![0-9A-Za-z])[0-9](?:{_BETWEEN}[0-9]){{6,}}(?:{_BETWEEN}[Xx])?")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_LETTERED = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{1,3}[ -]?[0-9]{6,}[A-Za-z]?(?![0-9A-Za-z])")
_SPOKEN = "[零〇○一壹幺二贰三叁四肆五伍六陆七柒八捌九玖]"
_SPOKEN_RUN = re.compile(rf"{_SPOKEN}(?:{_BETWEEN}{_SPOKEN}){{6,}}(?:{_BETWEEN}[Xx])?")
MASK = "【号码】"


def mask(text: str) -> str:
    """``text`` with identity cards, telephones, card numbers and e-mail addresses masked.

    Any run of seven digits or more counts, however it is spaced: a figure that long is a number of
    something, not an amount. What is masked stays masked when the text is masked again.

    >>> mask("我的身份证１１０１０１ 19900307 123X，电话138-0013-8000，报销 50%")
    '我的身份证【号码】，电话【号码】，报销 50%'
    """
    plain = "".join(_ascii_digit(letter) for letter in text)
    patterns = (_RUN, _SPOKEN_RUN, _EMAIL, _LETTERED)
    spans = [match.span() for pattern in patterns for match in pattern.finditer(plain)]
    parts, done = [], 0
    for start, end in sorted(spans):
        if start < done:
            done = max(done, end)
            continue
        parts += [text[done:start], MASK]
        done = end
    return "".join(parts) + text[done:]


def _ascii_digit(letter: str) -> str:
    """The ASCII form of a full-width or other decimal digit, letter or mark; one character."""
    plain = unicodedata.normalize("NFKC", letter)
    if len(plain) == 1 and plain.isascii():
        return plain
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)
