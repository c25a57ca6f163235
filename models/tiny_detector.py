"""A detector of two colours, in the form of one of the 80 COCO classes, for the tests of the detector.

    python tiny_detector.py OUT.onnx

Input [1,3,64,64], output [1,84,16] like YOLOv8's: one box for each of 4x4 cells, as large as its cell.
The score of "person" is the mean red of the cell, that of "car" its mean green.  Nothing is trained.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

SIDE, CELL, CLASSES = 64, 16, 80
PERSON, CAR = 0, 2


def model() -> onnx.ModelProto:
    """The graph."""
    cells = SIDE // CELL
    middles = CELL * (np.arange(cells, dtype=np.float32) + 0.5)
    boxes = np.zeros((1, 4 + CLASSES, cells, cells), np.float32)
    boxes[0, 0], boxes[0, 1], boxes[0, 2:4] = middles[None], middles[:, None], CELL
    scores = np.zeros((4 + CLASSES, 3, 1, 1), np.float32)
    scores[4 + PERSON, 0] = scores[4 + CAR, 1] = 1
    constants = {"scores": scores, "boxes": boxes, "rows": np.array([1, 4 + CLASSES, -1])}
    graph = helper.make_graph(
        [
            helper.make_node(
                "AveragePool", ["images"], ["means"], kernel_shape=[CELL] * 2, strides=[CELL] * 2
            ),
            helper.make_node("Conv", ["means", "scores"], ["scored"]),
            helper.make_node("Add", ["scored", "boxes"], ["placed"]),
            helper.make_node("Reshape", ["placed", "rows"], ["output0"]),
        ],
        "tiny_detector",
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info(
                "output0", onnx.TensorProto.FLOAT, [1, 4 + CLASSES, cells * cells]
            )
        ],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made, full_check=True)
    return made


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(model().SerializeToString())
