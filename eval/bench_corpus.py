"""Time the way of articles into the index: import, chunks, sentences, places.

The text is that of the shipped articles, repeated up to the size that is asked for; nothing in
these steps remembers a text, so a repetition costs as much as the first time.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from corpus.chunks import split
from corpus.folder import SHIPPED, article_files, import_files, load
from corpus.regions import mentions
from corpus.sentences import sentences

__all__ = ["measure_corpus"]

MEGABYTE = 1_000_000  # bytes of UTF-8
ROUNDS = 3  # the fastest counts: other work on the machine only slows down


def measure_corpus(megabytes: int, rounds: int = ROUNDS) -> dict[str, float]:
    """Articles and megabytes a second of each step; the dictionaries are loaded before.

    Args:
        megabytes: size of the text for sentences and places, at least 1; import and chunking run
            over the shipped articles.
        rounds: how often each step is timed; the fastest counts.

    Raises:
        CorpusError: the shipped articles are missing or broken.
    """
    articles = load(SHIPPED)
    text = "\n".join(f"{article.title}\n{article.body}" for article in articles)
    size = len(text.encode()) / MEGABYTE
    long = text * max(1, round(megabytes / size))
    long_size = len(long.encode()) / MEGABYTE
    mentions(text[:1000])
    split(articles[0])
    importing = _fastest(_import_shipped, rounds)
    chunking = _fastest(lambda: [split(article) for article in articles], rounds)
    return {
        "import_articles_per_second": len(articles) / importing,
        "import_megabytes_per_second": _size(article_files(SHIPPED)) / importing,
        "chunk_articles_per_second": len(articles) / chunking,
        "chunk_megabytes_per_second": size / chunking,
        "sentence_megabytes_per_second": long_size / _fastest(lambda: sentences(long), rounds),
        "region_megabytes_per_second": long_size / _fastest(lambda: mentions(long), rounds),
    }


def _import_shipped() -> None:
    with TemporaryDirectory() as folder:
        import_files([SHIPPED], Path(folder))


def _size(paths: list[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / MEGABYTE


def _fastest(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of some rounds."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)
