"""Plain text: the first line is the title, the rest the body."""

import dataclasses
from pathlib import PurePath

from corpus.readers import wrapping
from corpus.readers.draft import Draft, finish
from corpus.records import Article

_TITLE_LENGTH = 80  # characters; a longer first line is text, the file's name is the title then


def read(text: str, path: PurePath) -> Article:
    """Read one article; raises ``SkippedFile`` if there is nothing after the title."""
    first, _, rest = text.strip().partition("\n")
    if len(first) > _TITLE_LENGTH:
        first, rest = path.stem, text
    lines = wrapping.unwrapped([line.rstrip() for line in rest.splitlines()])
    return finish(Draft(title=first.lstrip("# ").strip(), lines=lines, key=path.stem))


def with_metadata(article: Article, path: PurePath) -> Article:
    """An article without front matter with what its text tells of it; title, text, id as they are.

    Raises:
        SkippedFile: there is no text.
    """
    found = finish(Draft(title=article.title, lines=article.body.splitlines(), key=path.stem))
    return dataclasses.replace(found, id=article.id, body=article.body)
