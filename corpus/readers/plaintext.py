"""Plain text: the first line is the title, the rest the body; nothing else is known of it."""

from pathlib import Path

from corpus.errors import SkippedFile
from corpus.metadata import audience_of, year_of
from corpus.readers.markdown import article_id
from corpus.records import Article
from corpus.regions import article_place

_TITLE_LENGTH = 80  # characters; a longer first line is text, the file's name is the title then


def read(text: str, path: Path) -> Article:
    """Read one article; raises ``SkippedFile`` if there is nothing after the title."""
    first, _, rest = text.strip().partition("\n")
    if len(first) > _TITLE_LENGTH:
        first, rest = path.stem, text
    title, body = first.lstrip("# ").strip(), rest.strip()
    if not body:
        msg = "只有标题，没有正文"
        raise SkippedFile(msg)
    return Article(
        id=article_id(path.stem, title),
        title=title,
        body=body,
        place=article_place(title, body),
        audience=audience_of(title),
        effective_year=year_of(title),
    )
