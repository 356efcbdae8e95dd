"""From what a reader found of one article to the article: boilerplate out, metadata in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from corpus import metadata
from corpus.errors import SkippedFile
from corpus.import_words import words
from corpus.readers.markdown import article_id
from corpus.records import NATIONAL, Article, Authority
from corpus.regions import article_place

_SHORT = 60  # characters; a longer line is text, whatever it begins with
_NAME = 12  # characters behind 「编辑：」
_HEAD = 6  # lines of the text in which its own source and day may stand
_HEADING_LENGTH = 24  # characters
_NUMBERED = re.compile(
    r"[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十]{1,3}[)）]|第.{1,4}章"
)
_NATIONWIDE = re.compile(r"国家|国务院|中华人民共和国")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LIST = re.compile(r"(?:- |\d{1,2}\. )")
_MARKS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reader found. ``byline`` are the lines beside the title that are no text.

    ``key`` stands for the source in the article's id where no address is known.
    """

    title: str
    lines: Sequence[str]
    key: str
    byline: Sequence[str] = ()
    published: str = ""
    source_name: str = ""
    source_url: str = ""
    authority: Authority | None = None


@cache
def _layout_line() -> re.Pattern[str]:
    starts = "|".join(map(re.escape, words("drop_starts")))
    people = "|".join(map(re.escape, words("drop_people")))
    return re.compile(
        rf"(?:{starts})|[（(【\[]?(?:{people})\s*[:：丨|]\s*[^，。；]{{0,{_NAME}}}$", re.IGNORECASE
    )


def is_layout(line: str) -> bool:
    """Whether a line belongs to the page, not to the article.

    >>> is_layout("上一篇：某文"), is_layout("编辑：王二"), is_layout("审核：窗口当场办，不收费。")
    (True, True, False)
    """
    bare = line.lstrip("#-* ").strip()
    if len(bare) > _SHORT or bare.endswith(("。", "；")):
        return False
    parts = [part for part in _MARKS.split(bare) if part]
    controls = all(part in words("drop_controls") for part in parts)
    return bool(_layout_line().match(bare)) or (controls and bool(parts))


def is_byline(line: str) -> bool:
    """Whether a line gives date, source or number and says nothing else."""
    if len(line) > 2 * _SHORT or re.search(r"[。；]", line):
        return False
    labelled = metadata.published_of([line]) or metadata.source_of([line])
    numbered = line.lstrip("【 ").startswith(words("number_labels"))
    return bool(labelled or numbered or metadata.bare_date_of(line)) and not line.startswith(
        ("#", "- ")
    )


def article_lines(lines: Iterable[str], title: str) -> Iterator[str]:
    """The lines of the article itself: no second title, no layout, nothing after 「相关推荐」."""
    shown = [line for line in lines if _words(line) and not is_layout(line)]
    for at, line in enumerate(shown[_title_lines(shown, title) :]):
        if at and line.lstrip("#- ").rstrip(":： ") in words("cut_from"):
            return
        yield line


def _title_lines(lines: Sequence[str], title: str) -> int:
    """How many lines at the top only repeat the title, whole or broken."""
    top = [_words(re.sub(r"^- 标\s*题[:：]", "", line)) for line in lines[:_HEAD]]
    repeated = 0
    for _ in range(2):  # in the table of a notice, then above its text
        whole = (n for n in range(repeated + 1, len(top) + 1) if _same(top[repeated:n], title))
        repeated = next(whole, repeated)
    return repeated


def _same(parts: Sequence[str], title: str) -> bool:
    return "".join(parts) == _words(title)


def _words(line: str) -> str:
    return re.sub(r"[\W_]", "", line)


def layout(lines: Iterable[str]) -> str:
    """Markdown: a blank line between paragraphs, none between the items of a list."""
    found: list[str] = []
    for line in lines:
        together = found and _LIST.match(line) and _LIST.match(found[-1])
        found += [line] if together or not found else ["", line]
    return "\n".join(found)


def finish(draft: Draft) -> Article:
    """The article with all metadata that the text gives.

    Raises:
        SkippedFile: no title or no text.
    """
    title = _CONTROL.sub("", draft.title).strip()
    lines = list(article_lines((_CONTROL.sub("", line) for line in draft.lines), title))
    head = [line for line in lines[:_HEAD] if is_byline(line)]
    near = [*draft.byline, *head]
    number = metadata.document_number_of(title, [*draft.byline, *lines])
    kept = [line for line in lines if line not in head and not _is_head(line, number)]
    body = layout(_with_heading(line) for line in kept)
    if not title or not body:
        msg = "没有标题" if body else "只有标题，没有正文"
        raise SkippedFile(msg)
    if "\ufffd" in body + title:
        msg = "有些字的编码坏了，读出来是乱码。请用原来的文件重新保存为 UTF-8"
        raise SkippedFile(msg)
    office, signed = metadata.signature_of(lines)
    source = draft.source_name or metadata.source_of(near) or office
    return Article(
        id=article_id(draft.source_url or draft.key, title),
        title=title,
        body=body,
        place=_place(title, body, source),
        audience=metadata.audience_of(title),
        published=draft.published or metadata.published_of(near) or _bare_date(near) or signed,
        effective_year=metadata.effective_year_of(title, body),
        document_number=number,
        source_name=source,
        source_url=draft.source_url,
        authority=draft.authority or metadata.authority_of(source, draft.source_url),
        truncated=metadata.breaks_off(body),
    )


def _place(title: str, body: str, source: str) -> tuple[str, ...]:
    """From title and lead, else from the office or hospital that issued the text."""
    if _NATIONWIDE.match(source) and metadata.is_office(source):
        return article_place(title, body) or (NATIONAL,)
    local = metadata.is_office(source) or source.endswith("医院")
    return article_place(title, body) or (article_place(source, "。") if local else ())


def _with_heading(line: str) -> str:
    """A short numbered line without a stop is a heading."""
    if len(line) > _HEADING_LENGTH or not (numbered := _NUMBERED.match(line)):
        return line
    mark = "###" if numbered.group().startswith(("（", "(")) else "##"
    return line if re.search(r"[，。；：！？]", line) else f"{mark} {line}"


def _bare_date(lines: Iterable[str]) -> str:
    return next((day for line in lines if (day := metadata.bare_date_of(line))), "")


def _is_head(line: str, number: str) -> bool:
    """Whether a line is the letterhead or the number of a notice."""
    bare = re.sub(r"[\s（）()]", "", line)
    letterhead = bare.endswith("文件") and metadata.is_office(bare.removesuffix("文件"))
    return letterhead or (bool(number) and re.sub(r"[\W]", "", bare) == re.sub(r"[\W]", "", number))
