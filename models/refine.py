"""Fits the scales of 8-bit features to what the whole network makes of them.

The largest percentile of magnitude that a scale covers is a compromise: a wide range keeps outliers,
a narrow one keeps what is small. Which one hurts the picture less differs from layer to layer, so
each scale in turn is tried a little smaller and larger, and kept where the fused training crops come
closer to the float network's (coordinate descent). A set counts by the mean error of its crops, so
that one picture that leaves the range is noticed; sets count by their PSNR, up to ENOUGH.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

LEVELS = 127  # largest level of weights and features
TRIED = ((0.6, 0.8, 1.25, 1.6), (0.7, 0.85, 1.2, 1.5), (0.93, 1.08))  # times a scale, in passes
ENOUGH = 50  # dB; a set that has it is as the float network's to the eye, and pays for no other set


@dataclass(frozen=True)
class Crop:
    """What the network takes, and what the float network makes of it."""

    feed: dict[str, np.ndarray]
    fused: np.ndarray


def levels_of(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels of the weights [output, ...], and the value of one level of each output channel."""
    rows = weight.reshape(len(weight), -1)
    own = np.maximum(np.abs(rows).max(1), 1e-12) / LEVELS
    levels = np.clip(np.rint(rows / own[:, None]), -LEVELS, LEVELS)
    return levels.reshape(weight.shape), own


def rounded(weight: np.ndarray) -> np.ndarray:
    """Weights on the 8-bit grid of their output channel."""
    levels, own = levels_of(weight)
    return (levels * own.reshape(-1, *(1,) * (weight.ndim - 1))).astype(weight.dtype)


def scale_input(number: int) -> str:
    """Name of the input that holds the scale of a feature."""
    return f"scale.{number}"


def simulation(model: onnx.ModelProto, features: list[str], convolutions: list[str]) -> bytes:
    """The float graph with features rounded by scales that are inputs, and rounded weights."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    graph, weights = out.graph, {f"{name}.weight" for name in convolutions}
    for constant in graph.initializer:
        if constant.name in weights:
            constant.CopyFrom(
                numpy_helper.from_array(rounded(numpy_helper.to_array(constant)), constant.name)
            )
    for node in graph.node:
        for i, value in enumerate(node.input):
            if value in features:
                node.input[i] = f"{value}.rounded"
    limits = [
        numpy_helper.from_array(np.float32(s * LEVELS), f"limit.{w}")
        for s, w in ((-1, "low"), (1, "high"))
    ]
    graph.initializer.extend(limits)
    placed = []
    for node in graph.node:
        placed.append(node)
        for value in set(node.output) & set(features):
            n = features.index(value)
            scale, level = scale_input(n), f"level.{n}"
            placed += [
                helper.make_node("Div", [value, scale], [f"{level}.a"]),
                helper.make_node("Round", [f"{level}.a"], [f"{level}.b"]),
                helper.make_node("Clip", [f"{level}.b", "limit.low", "limit.high"], [f"{level}.c"]),
                helper.make_node("Mul", [f"{level}.c", scale], [f"{value}.rounded"]),
            ]
    del graph.node[:]
    graph.node.extend(placed)
    for n in range(len(features)):
        graph.input.append(helper.make_tensor_value_info(scale_input(n), TensorProto.FLOAT, []))
    return out.SerializeToString()


def session(model: bytes) -> onnxruntime.InferenceSession:
    """One thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def crops(model: onnx.ModelProto, feeds: list[dict[str, np.ndarray]]) -> list[Crop]:
    """Adds what the float network gives."""
    wide = session(model.SerializeToString())
    return [Crop(feed, wide.run(["fused"], feed)[0]) for feed in feeds]


def refine(
    model: onnx.ModelProto,
    scales: dict[str, float],
    convolutions: list[str],
    feeds: list[dict[str, np.ndarray]],
    sets: int,
) -> dict[str, float]:
    """Better scales of the same values; feeds of one set follow each other, all sets alike."""
    names = list(scales)
    narrow = session(simulation(model, names, convolutions))
    known = crops(model, feeds)

    def likeness(tried: dict[str, float]) -> float:
        """Mean PSNR in dB."""
        given = {scale_input(n): np.array(tried[name], "f4") for n, name in enumerate(names)}
        errors = [
            np.mean((narrow.run(["fused"], {**crop.feed, **given})[0] - crop.fused) ** 2)
            for crop in known
        ]
        of_sets = np.mean(np.reshape(errors, (sets, -1)), 1)
        return float(np.mean(np.minimum(-10 * np.log10(np.maximum(of_sets, 1e-9)), ENOUGH)))

    best, found = dict(scales), likeness(scales)
    print(f"scales by percentile: {found:.2f} dB to the float network on {len(known)} crops")
    for factors in TRIED:
        for name in names:
            start = best[name]
            for factor in factors:
                tried = {**best, name: start * factor}
                if (now := likeness(tried)) > found:
                    best, found = tried, now
    print(f"fitted: {found:.2f} dB")
    return best
