"""Every error that this project raises on purpose.

YibaoError                  catch this one: its text is one Chinese sentence that says what to do
├── InputError              what the person gave cannot be used (a file, a folder, an option)
│   └── SkippedFile         one file of an import is left out; the others go on
├── CorpusError             a folder of articles is missing, empty or broken
├── ModelError              the encoder cannot be made or loaded
├── SearchIndexError        a search index cannot be used
│   ├── IndexMissing        there is none
│   ├── IndexStale          the corpus, the lexicon or the encoder has changed since
│   ├── IndexDamaged        a file is missing, foreign or altered
│   └── EngineUnreachable   the search engine on the network does not answer in time
├── FeedbackError           the feedback database cannot be opened or written
└── VerbatimError           a quote does not stand in its article: an answer is never shown then
"""

__all__ = [
    "CorpusError",
    "EngineUnreachable",
    "FeedbackError",
    "IndexDamaged",
    "IndexMissing",
    "IndexStale",
    "InputError",
    "ModelError",
    "SearchIndexError",
    "SkippedFile",
    "VerbatimError",
    "YibaoError",
]


class YibaoError(Exception):
    """Base of the tree; ``str(error)`` is the sentence to show."""


class InputError(YibaoError):
    """What the person gave cannot be used."""


class SkippedFile(InputError):
    """One file is left out of an import; ``str(error)`` is the reason."""


class CorpusError(YibaoError):
    """A folder of articles is missing, empty or broken."""


class FeedbackError(YibaoError):
    """The feedback database cannot be opened or written."""


class ModelError(YibaoError):
    """The encoder cannot be made or loaded."""


class SearchIndexError(YibaoError):
    """A search index cannot be used."""


class IndexMissing(SearchIndexError):
    """There is no index at the given place."""


class IndexStale(SearchIndexError):
    """The index does not fit the corpus, the lexicon or the encoder any more."""


class IndexDamaged(SearchIndexError):
    """A file of the index is missing, foreign or altered."""


class EngineUnreachable(SearchIndexError):
    """The search engine on the network is gone, or does not answer in time; trying later helps."""


class VerbatimError(YibaoError):
    """A quote does not stand in its article."""
