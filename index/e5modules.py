"""The sentence-transformers input modules of the bundled encoder.

Importing this file imports torch and sentence-transformers, which takes 7 to 16 s: do it late.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule, Normalize
from sentence_transformers.sentence_transformer.modules import Pooling

from index.e5file import E5File
from index.e5model import MODEL_FILE
from index.unigram import MAX_TOKENS, UnigramTokenizer, load_tokenizer

if TYPE_CHECKING:
    from transformers import BertModel

PROMPTS: Final = {"query": "query: ", "document": "passage: "}  # what the model was trained with
THREADS_VARIABLE: Final = "YIBAO_THREADS"
DEFAULT_THREADS: Final = 2  # cores of the machine that the targets are set for
PADDING_ID: Final = 1  # <pad>
LOG_ERRORS_ONLY: Final = 3  # ONNX Runtime's severity number


class E5InputModule(InputModule):
    """Text to padded token ids; subclasses turn these into token embeddings."""

    def __init__(self, tokenizer: UnigramTokenizer, width: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the base has no types
        self.unigram = tokenizer
        self.width = width
        self.max_seq_length = MAX_TOKENS

    def get_embedding_dimension(self) -> int:
        """Return the width of a token embedding."""
        return self.width

    def preprocess(  # type: ignore[override]  # text only, no pictures or sounds
        self,
        inputs: Sequence[str],
        prompt: str | None = None,
        **_: Any,  # noqa: ANN401  # sentence-transformers passes a task name and options
    ) -> dict[str, torch.Tensor]:
        """Return `input_ids` and `attention_mask`, int64, shape (n_texts, longest)."""
        rows = [self.unigram.encode((prompt or "") + text) for text in inputs]
        shape = (len(rows), max(map(len, rows), default=0))
        ids = np.full(shape, PADDING_ID, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}


class OnnxTransformer(E5InputModule):
    """Token embeddings from ONNX Runtime.

    Args:
        directory: a directory that `prepare_model` made.
        threads: of one matrix product.
    """

    def __init__(self, directory: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it keeps 24 MB after a long text, for no speed
        options.log_severity_level = LOG_ERRORS_ONLY
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(
            str(directory / MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )
        super().__init__(load_tokenizer(directory), session.get_outputs()[0].shape[-1])
        self.directory = directory
        self.session = session

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401
        """Add `token_embeddings`, float32, shape (n_texts, longest, width)."""
        inputs = {name: features[name].numpy() for name in ("input_ids", "attention_mask")}
        embeddings: NDArray[np.float32] = self.session.run(["token_embeddings"], inputs)[0]
        return features | {"token_embeddings": torch.from_numpy(embeddings)}

    def save(self, output_path: str, *_: Any, **__: Any) -> None:  # noqa: ANN401
        """Copy the model's files."""
        shutil.copytree(self.directory, output_path, dirs_exist_ok=True)


class TorchTransformer(E5InputModule):
    """Token embeddings from the dequantised fp32 `BertModel`: what the fast one is measured by."""

    def __init__(self, source: E5File) -> None:
        tokenizer = UnigramTokenizer(
            list(source.pieces), source.log_probabilities, source.characters
        )
        super().__init__(tokenizer, source.sizes.hidden)
        self.bert = _bert_model(source)

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: ANN401
        """Add `token_embeddings`, float32, shape (n_texts, longest, width)."""
        output = self.bert(
            input_ids=features["input_ids"], attention_mask=features["attention_mask"]
        )
        return features | {"token_embeddings": output.last_hidden_state}

    def save(self, output_path: str, *_: Any, **__: Any) -> None:  # noqa: ANN401
        """Write the BertModel in transformers' own layout."""
        self.bert.save_pretrained(output_path)


def _bert_model(source: E5File) -> BertModel:
    sizes = source.sizes
    from transformers import BertConfig, BertModel  # torch's compiler comes with it: 70 MB

    config = BertConfig(
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.token_types,
        layer_norm_eps=sizes.epsilon,
        pad_token_id=PADDING_ID,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(_state(source), strict=True)
    model.eval()  # type: ignore[no-untyped-call]
    return model


def _state(source: E5File) -> dict[str, torch.Tensor]:
    """Return the weights under transformers' names."""
    sizes = source.sizes
    arrays = {"embeddings.word_embeddings.weight": _dense(source, "emb.word", sizes.vocabulary)}
    for name, ours in (("position", "emb.pos"), ("token_type", "emb.type")):
        table = source.vector(ours).reshape(-1, sizes.hidden)
        arrays[f"embeddings.{name}_embeddings.weight"] = table
    arrays |= _norm(source, "embeddings.LayerNorm", "emb.ln")
    for layer in range(sizes.layers):
        theirs, ours = f"encoder.layer.{layer}", f"l{layer}"
        for name, part in (("query", "q"), ("key", "k"), ("value", "v")):
            linear = f"{theirs}.attention.self.{name}"
            arrays |= _linear(source, linear, f"{ours}.{part}", sizes.hidden)
        for name, part, rows in (
            ("attention.output", "ao", sizes.hidden),
            ("intermediate", "fi", sizes.intermediate),
            ("output", "fo", sizes.hidden),
        ):
            arrays |= _linear(source, f"{theirs}.{name}.dense", f"{ours}.{part}", rows)
        arrays |= _norm(source, f"{theirs}.attention.output.LayerNorm", f"{ours}.aln")
        arrays |= _norm(source, f"{theirs}.output.LayerNorm", f"{ours}.oln")
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def _dense(source: E5File, name: str, rows: int) -> NDArray[np.float32]:
    return source.matrix(name, rows).dense()


def _linear(source: E5File, theirs: str, ours: str, rows: int) -> dict[str, NDArray[np.float32]]:
    weight = _dense(source, f"{ours}.w", rows)
    return {f"{theirs}.weight": weight, f"{theirs}.bias": source.vector(f"{ours}.b")}


def _norm(source: E5File, theirs: str, ours: str) -> dict[str, NDArray[np.float32]]:
    weight = source.vector(f"{ours}.w")
    return {f"{theirs}.weight": weight, f"{theirs}.bias": source.vector(f"{ours}.b")}


def thread_count() -> int:
    """Return the threads of one encoding: `YIBAO_THREADS`, or 2."""
    value = os.environ.get(THREADS_VARIABLE, "")
    return int(value) if value.isdecimal() and int(value) else DEFAULT_THREADS


def sentence_transformer(module: E5InputModule) -> SentenceTransformer:
    """Return module → mean of the token embeddings → length 1, on the CPU."""
    modules = [module, Pooling(module.width, pooling_mode="mean"), Normalize()]
    return SentenceTransformer(modules=modules, prompts=dict(PROMPTS), device="cpu")
