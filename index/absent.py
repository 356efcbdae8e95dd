"""An index whose engine does not answer: nothing is known of it, every search says so.

A server that starts meanwhile can answer what needs no search, above all emergencies.
"""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from corpus.errors import EngineUnreachable
from corpus.records import Article, Chunk, Span
from index.vectors import Float32


class Absent:
    """``Candidates`` of which none can be reached.

    Args:
        error: what every search raises.
    """

    version = ""
    chunks: Sequence[Chunk] = ()
    articles: Mapping[str, Article] = {}
    spans: Mapping[str, Sequence[Span]] = {}
    sentence_vectors: Mapping[str, Float32] = {}
    asked_vectors: Mapping[str, Float32] = {}
    sentence_count = 0
    has_vectors = has_sentences = False

    def __init__(self, error: EngineUnreachable) -> None:
        self._error = str(error)

    def __len__(self) -> int:
        return 0

    def answers(self) -> bool:
        """Never."""
        return False

    def _fail(self, *_: object) -> NoReturn:
        raise EngineUnreachable(self._error)

    fetch = has_place = nearest = cosines = asked_cosines = words = chunks_with = _fail
