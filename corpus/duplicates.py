"""Articles whose texts are nearly the same, found by MinHash and checked exactly."""

import re
from collections.abc import Iterator, Sequence

from corpus.records import Article

SHINGLE = 4  # characters: about two words
SHARE = 0.80  # Jaccard similarity from which two texts are reported
PERMUTATIONS = 96  # of the signature; an estimate is then off by some 0.05, hence _CANDIDATE
_CANDIDATE = 0.65
_SHORTEST = 20  # characters; below that everything looks alike
_NO_TEXT = re.compile(r"[\W_]+")


def _shingles(text: str) -> frozenset[str]:
    plain = _NO_TEXT.sub("", text)
    return frozenset(plain[at : at + SHINGLE] for at in range(len(plain) - SHINGLE + 1))


def near_duplicates(articles: Sequence[Article]) -> Iterator[tuple[str, str, float]]:
    """Pairs of article ids in corpus order, with the share of their texts that is the same."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]

    texts = {a.id: _shingles(a.body) for a in articles if len(a.body) >= _SHORTEST}
    order = {key: at for at, key in enumerate(texts)}
    index = MinHashLSH(threshold=_CANDIDATE, num_perm=PERMUTATIONS)
    for key, shingles in texts.items():
        if not shingles:
            continue
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch([shingle.encode() for shingle in shingles])
        for other in sorted(index.query(signature), key=order.__getitem__):
            share = len(shingles & texts[other]) / len(shingles | texts[other])
            if share >= SHARE:
                yield other, key, share
        index.insert(key, signature)
