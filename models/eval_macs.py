"""Multiply-accumulates a pixel and parameters of a network, counted from its ONNX file alone.

Counted: Conv, MatMul, Gemm, and of filmd's own operators those that multiply matrices. Not counted:
what is done once a value (sums, products, softmax, the blend), as is usual.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, shape_inference

CELL = 4  # pixels a side of a cell of the 8-bit trunk
OWN = {
    "SpaceToDepthQuant",
    "ConvQuant",
    "PoolQuant",
    "AttentionQuant",
    "UpsampleAdd",
    "BlendOutput",
    "TextClosed",
    "TextMean",
    "TextLinear",
}
PLANES = 3  # that SpaceToDepthQuant gives: two pictures and their activity
ACTIVITY = 2 * (18 + 18)  # multiply-accumulates a pixel: two Sobel filters and a box a source
Shapes = dict[str, tuple[int, ...]]


def with_size(model: onnx.ModelProto, height: int, width: int) -> onnx.ModelProto:
    """The graph with its pictures' size filled in."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    for value in (*out.graph.input, *out.graph.output):
        dims = value.type.tensor_type.shape.dim
        for dim, size in zip(dims[2:], (height, width) if len(dims) == 4 else ()):
            dim.dim_value = size
    return out


def known_shapes(model: onnx.ModelProto) -> Shapes:
    """Every value's shape that ONNX itself can tell."""
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {c.name: tuple(c.dims) for c in graph.initializer}
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.HasField("shape"):
            dims = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
            if all(dims):
                shapes[value.name] = dims
    return shapes


def own_shape(node: onnx.NodeProto, shapes: Shapes) -> tuple[int, ...] | None:
    """Output shape of one of filmd's operators, where its inputs' are known; features of the
    trunk are [height, width, channels], planes [1, channels, height, width], texts [1, rows,
    features]."""
    first = shapes.get(node.input[0])
    if first is None:
        return None
    if node.op_type == "SpaceToDepthQuant":
        return (first[2] // CELL, first[3] // CELL, PLANES * CELL * CELL)
    if node.op_type == "ConvQuant":
        return (*first[:2], shapes[node.input[1]][0])
    if node.op_type == "PoolQuant":
        return (first[0] // CELL, first[1] // CELL, first[2])
    if node.op_type == "TextClosed":
        return (1, 1, 1, first[1])
    if node.op_type == "TextMean":
        return (1, 1, first[2])
    if node.op_type == "TextLinear":
        return (*first[:2], shapes[node.input[1]][1])
    return first  # AttentionQuant, UpsampleAdd


def shapes_of(model: onnx.ModelProto) -> Shapes:
    """Shapes of all values. Each own operator unlocks the standard nodes behind it."""
    shapes = known_shapes(model)
    while True:
        added = False
        for node in model.graph.node:
            if node.domain and node.output[0] not in shapes:
                shape = own_shape(node, shapes)
                if shape:
                    kind = onnx.TensorProto.FLOAT
                    value = helper.make_tensor_value_info(node.output[0], kind, shape)
                    model.graph.value_info.append(value)
                    shapes[node.output[0]] = shape
                    added = True
        if not added:
            return shapes
        shapes = known_shapes(model)


def shape(shapes: Shapes, node: onnx.NodeProto, value: str) -> tuple[int, ...]:
    """A value's shape, or the end: a guess would be a wrong count."""
    if value not in shapes:
        raise SystemExit(f"the shape of {value} at {node.op_type} {node.name} is not known")
    return shapes[value]


def macs(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Multiply-accumulates of one node."""
    if node.op_type == "Conv":
        weight = shape(shapes, node, node.input[1])
        return int(np.prod(weight) * np.prod(shape(shapes, node, node.output[0])[2:]))
    if node.op_type in ("MatMul", "Gemm"):
        inner = shape(shapes, node, node.input[0])[-1]
        return int(inner * np.prod(shape(shapes, node, node.output[0])))
    if node.op_type == "ConvQuant":
        size = shape(shapes, node, node.input[0])[:2]
        return int(np.prod(shape(shapes, node, node.input[1])) * np.prod(size))
    if node.op_type == "TextLinear":  # by [features, outputs]
        rows = shape(shapes, node, node.input[0])[1]
        return int(rows * np.prod(shape(shapes, node, node.input[1])))
    if node.op_type == "UpsampleAdd":  # taps run on the grid
        grid = shape(shapes, node, node.input[1])[:2]
        return int(np.prod(shape(shapes, node, node.input[2])) * np.prod(grid))
    if node.op_type == "AttentionQuant":  # queries, scores and means over all rows, output
        query, out = (shape(shapes, node, node.input[i]) for i in (-4, -2))
        rows = int(np.prod(shape(shapes, node, node.input[-5])))
        each = np.prod(query) + np.prod(out) + 2 * rows * query[0]
        return int(each * np.prod(shape(shapes, node, node.input[0])[:2]))
    if node.op_type == "SpaceToDepthQuant":
        return ACTIVITY * int(np.prod(shape(shapes, node, node.input[0])))
    return 0


def parameters(model: onnx.ModelProto) -> int:
    """Trained numbers: constants that are no scalar and no shape, less the scales of 8 bit."""
    scales = {n.input[3] for n in model.graph.node if n.op_type == "ConvQuant"}
    integer = onnx.TensorProto.INT64
    return sum(
        int(np.prod(c.dims))
        for c in model.graph.initializer
        if c.dims and c.data_type != integer and c.name not in scales
    )


def count(path: Path, height: int = 480, width: int = 640) -> tuple[float, int, dict[str, float]]:
    """(MAC a pixel, parameters, MAC a pixel by kind of node) of one frame."""
    model = onnx.load(path)
    unknown = {n.op_type for n in model.graph.node if n.domain} - OWN
    if unknown:
        raise SystemExit(f"{path}: no count for the operators {sorted(unknown)}")
    sized = with_size(model, height, width)
    shapes, kinds = shapes_of(sized), {}
    for node in sized.graph.node:
        found = macs(node, shapes) / (height * width)
        if found:
            kinds[node.op_type] = kinds.get(node.op_type, 0.0) + found
    return sum(kinds.values()), parameters(model), kinds


def show(paths: list[Path]) -> None:
    """One line a network."""
    for path in paths:
        total, trained, kinds = count(path)
        parts = ", ".join(f"{kind} {v / 1e3:.3f}" for kind, v in kinds.items())
        print(f"{path.name}: {total / 1e3:.3f} kMAC/px at 640x480 ({parts}), {trained} parameters")
