"""SentencePiece unigram tokenizer of the bundled encoder: the likeliest cut, by Viterbi.

`tokenizers` gives the same ids, and a test compares the two, but its trie of these 250,002 pieces
keeps 280 MB resident; a dictionary of the pieces needs about 40 MB. Cutting a passage of 170
tokens takes well under a millisecond, encoding it some hundred.
"""

from __future__ import annotations

import json
import re
from array import array
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

SPACE_MARK: Final = "\u2581"  # SentencePiece writes a space so
FIRST_ID: Final = 0  # <s>
LAST_ID: Final = 2  # </s>
UNKNOWN_ID: Final = 3  # <unk>
UNKNOWN_PENALTY: Final = 10.0  # log probability below the least likely piece (SentencePiece)
MAX_TOKENS: Final = 512  # positions of the model, <s> and </s> included
PIECES_FILE: Final = "pieces.txt"
LOG_PROBABILITIES_FILE: Final = "log_probabilities.npy"
CHARACTERS_FILE: Final = "characters.json"
_SPACES = re.compile(" {2,}")


class UnigramTokenizer:
    """Text to token ids, as XLM-RoBERTa does it.

    Args:
        pieces: the vocabulary, a piece's place is its id.
        log_probabilities: float32, shape (n_pieces,).
        characters: code point to replacement, applied before anything else.
    """

    def __init__(
        self,
        pieces: list[str],
        log_probabilities: NDArray[np.float32],
        characters: dict[int, str],
    ) -> None:
        self._ids = {piece: number for number, piece in enumerate(pieces)}
        del self._ids[pieces[UNKNOWN_ID]]
        self._log_probabilities = array("f", log_probabilities.tobytes())  # a list: 8 MB
        self._unknown = min(self._log_probabilities) - UNKNOWN_PENALTY
        self._characters = characters
        self._longest: dict[str, int] = {}
        for piece in self._ids:
            self._longest[piece[0]] = max(len(piece), self._longest.get(piece[0], 1))
        # no token is longer than the longest piece, so nothing behind this can be among MAX_TOKENS
        self._max_characters = (MAX_TOKENS + 1) * max(self._longest.values())

    def normalise(self, text: str) -> str:
        """Return the text as the pieces see it: mapped characters, spaces as marks."""
        mapped = _SPACES.sub(" ", text.translate(self._characters))
        return (mapped if mapped.startswith(" ") else " " + mapped).replace(" ", SPACE_MARK)

    def encode(self, text: str) -> list[int]:
        """Return 2 to `MAX_TOKENS` ids, <s> and </s> around; what is longer is cut."""
        cut = self._best_cut(self.normalise(text)[: self._max_characters])
        return [FIRST_ID, *cut[: MAX_TOKENS - 2], LAST_ID]

    def _best_cut(self, text: str) -> list[int]:
        size = len(text)
        best = [0.0] + [-float("inf")] * size
        token = [UNKNOWN_ID] * (size + 1)
        origin = [0] * (size + 1)
        ids, scores, longest = self._ids, self._log_probabilities, self._longest
        for start, first in enumerate(text):
            base = best[start]
            if base + self._unknown > best[start + 1]:
                best[start + 1] = base + self._unknown
                token[start + 1], origin[start + 1] = UNKNOWN_ID, start
            for end in range(start + 1, min(start + longest.get(first, 0), size) + 1):
                piece = ids.get(text[start:end])
                if piece is not None and base + scores[piece] > best[end]:
                    best[end] = base + scores[piece]
                    token[end], origin[end] = piece, start
        return _walk_back(token, origin)


def _walk_back(token: list[int], origin: list[int]) -> list[int]:
    ids: list[int] = []
    end = len(token) - 1
    while end > 0:
        if not (token[end] == UNKNOWN_ID and ids and ids[-1] == UNKNOWN_ID):
            ids.append(token[end])  # SentencePiece makes one token of a run of unknown characters
        end = origin[end]
    return ids[::-1]


def save_tokenizer(
    directory: Path,
    pieces: tuple[str, ...],
    log_probabilities: NDArray[np.float32],
    characters: dict[int, str],
) -> None:
    """Write the three files that `load_tokenizer` reads."""
    (directory / PIECES_FILE).write_text("\n".join(pieces), encoding="utf-8", newline="\n")
    np.save(directory / LOG_PROBABILITIES_FILE, log_probabilities, allow_pickle=False)
    table = {f"{code_point:x}": text for code_point, text in characters.items()}
    (directory / CHARACTERS_FILE).write_text(json.dumps(table, indent=0), encoding="ascii")


def load_tokenizer(directory: Path) -> UnigramTokenizer:
    """Open the tokenizer of a prepared model directory.

    Raises:
        OSError: if a file is missing.
        ValueError: if a file is damaged.
    """
    pieces = (directory / PIECES_FILE).read_text(encoding="utf-8").split("\n")
    log_probabilities = np.load(directory / LOG_PROBABILITIES_FILE, allow_pickle=False)
    table = json.loads((directory / CHARACTERS_FILE).read_text(encoding="ascii"))
    characters = {int(code_point, 16): text for code_point, text in table.items()}
    return UnigramTokenizer(pieces, log_probabilities, characters)
