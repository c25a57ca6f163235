"""Makes the small networks and the manifest that tests of the fuse stage load.

Run in this folder: python3 make_tiny_onnx.py   (needs numpy and onnx)

tiny         fused = w * infrared + (1 - w) * visible, w = sigmoid(4 * mean(guidance)); passes
             through SpaceToDepth and back, so height and width must be multiples of 4
tiny-sqrt    fused = infrared * sqrt(mean(guidance)): NaN where the guidance is negative
tiny-fixed   tiny, exported for 16x16 only
tiny-names   tiny, with inputs called left and right
"""

import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper

TOKENS, FEATURES = 4, 8
TASKS = ("ivf", "mif", "mef", "mff")


def save(name, height="height", width="width", names=("infrared", "visible"), sqrt=False):
    a, b = names
    picture = [1, 1, height, width]

    def value(n, shape):
        return helper.make_tensor_value_info(n, TensorProto.FLOAT, shape)

    nodes = [helper.make_node("ReduceMean", ["guidance"], ["mean"], keepdims=1)]
    if sqrt:
        nodes += [
            helper.make_node("Sqrt", ["mean"], ["weight"]),
            helper.make_node("Mul", [a, "weight"], ["fused"]),
        ]
    else:
        nodes += [
            helper.make_node("Mul", ["mean", "four"], ["scaled"]),
            helper.make_node("Sigmoid", ["scaled"], ["weight"]),
            helper.make_node("Sub", ["one", "weight"], ["rest"]),
            helper.make_node("Mul", [a, "weight"], ["of_a"]),
            helper.make_node("Mul", [b, "rest"], ["of_b"]),
            helper.make_node("Add", ["of_a", "of_b"], ["sum"]),
            helper.make_node("SpaceToDepth", ["sum"], ["deep"], blocksize=4),
            helper.make_node("DepthToSpace", ["deep"], ["fused"], blocksize=4),
        ]
    graph = helper.make_graph(
        nodes,
        name,
        [value(a, picture), value(b, picture), value("guidance", [1, TOKENS, FEATURES])],
        [value("fused", picture)],
        [
            helper.make_tensor("four", TensorProto.FLOAT, [1], [4.0]),
            helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    data = model.SerializeToString(deterministic=True)
    with open(name + ".onnx", "wb") as out:
        out.write(data)
    return hashlib.sha256(data).hexdigest()


def network(name, digest):
    return f"""[[network]]
name = "{name}"
file = "{name}.onnx"
sha256 = "{digest}"
licence = "MIT OR Apache-2.0"
precision = "f32"
tasks = ["ivf", "mif", "mef", "mff"]
tokens = {TOKENS}
features = {FEATURES}
multiple_of = 8
parameters = 0
mac_per_pixel = 2.0
encoder = "tiny"

"""


def main():
    text = "# Made by make_tiny_onnx.py.\n\n"
    text += network("tiny", save("tiny"))
    text += network("tiny-sqrt", save("tiny-sqrt", sqrt=True))
    text += network("tiny-fixed", save("tiny-fixed", 16, 16))
    text += network("tiny-names", save("tiny-names", names=("left", "right")))
    # Means 0, 0.25, 0.5, 0.75: each task has its own weight.
    rows = 2
    neutral = np.zeros((len(TASKS), rows, FEATURES), "<f4")
    for i in range(len(TASKS)):
        neutral[i] = 0.25 * i * TOKENS / rows
    with open("neutral.f32", "wb") as out:
        out.write(neutral.tobytes())
    digest = hashlib.sha256(neutral.tobytes()).hexdigest()
    text += f"""[neutral]
file = "neutral.f32"
sha256 = "{digest}"
rows = {rows}
tasks = ["ivf", "mif", "mef", "mff"]
texts = ["Infrared and visible.", "Medical.", "Exposures.", "Focus."]

[[language_model]]
name = "tiny-llm"
role = "llm"
file = "tiny.gguf"
sha256 = "{hashlib.sha256(b"tiny").hexdigest()}"
bytes = 4
licence = "Apache-2.0"
package = "tiny"
version = "1.0"
package_sha256 = "{hashlib.sha256(b"package").hexdigest()}"
"""
    with open("manifest.toml", "w") as out:
        out.write(text)


if __name__ == "__main__":
    main()
