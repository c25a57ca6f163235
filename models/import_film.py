"""Turns a checkpoint of the published FILM network into an ONNX file for `filmd fuse --model`.

    python import_film.py --checkpoint IVF.pth --out film-ivf.onnx
    python import_film.py --random 1 --out film-random.onnx     # for tests and timing

filmd tells such a file by the entries that METADATA names; README.md, "The published network".
"""

from __future__ import annotations

import argparse
import io
import pickle
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from film_published import FEATURES, PublishedFilm, Shape, mac_per_pixel, parameters, stretched

OPSET = 17
TOLERANCE = 1e-4  # ONNX Runtime against PyTorch
INPUTS = ("infrared", "visible", "guidance")
TASKS = ("ivf", "mif", "mef", "mff")
SWAPPED = ("mif", "mef")  # there the public data hold filmd's source B (MRI, over-exposed) first
TINY = Shape(stages=2, channels=4, heads=2, hidden=4, depth=2, text_heads=2)
SIZES = ((37, 53, 5), (120, 160, 31))  # rows, columns, tokens of the check
# What `filmd fuse` takes with the published sizes: 577 MB at 320x240 and 1525 MB at 640x480.
BYTES, BYTES_PER_PIXEL = 280_000_000, 4300


class Imported(nn.Module):
    """The network with filmd's order of sources and the public test script's last step."""

    def __init__(self, net: PublishedFilm, swap: bool, raw: bool) -> None:
        super().__init__()
        self.net, self.swap, self.raw = net, swap, raw

    def forward(self, infrared: Tensor, visible: Tensor, guidance: Tensor) -> Tensor:
        a, b = (visible, infrared) if self.swap else (infrared, visible)
        fused = self.net(a, b, guidance)
        return fused if self.raw else stretched(fused)


def load(path: Path) -> PublishedFilm:
    """A checkpoint's network; ends with what is missing where it is another network's."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SystemExit(f"cannot read the checkpoint {path}: {error.strerror}") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError):
        # PyTorch's own words advise to run the file's code.
        raise SystemExit(
            f"{path} is no checkpoint of tensors: damaged, of another kind, or with code in it, "
            "which is not run; save the network's state_dict() alone"
        ) from None
    if isinstance(state, dict) and isinstance(state.get("model"), dict):
        state = state["model"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise SystemExit(f"{path} holds no state dict, neither by itself nor under 'model'")
    state = {name.removeprefix("module."): weight for name, weight in state.items()}
    shape = Shape.of(state)
    if shape.depth * 288 * 384 % shape.hidden or shape.channels % shape.heads:
        raise SystemExit(f"{path} is of sizes that make no network: {shape}")
    net = PublishedFilm(shape)
    compare(path, net.state_dict(), state)
    net.load_state_dict(state)
    if not all(torch.isfinite(weight).all() for weight in net.state_dict().values()):
        raise SystemExit(f"{path} has weights that are not finite; it is damaged")
    return net.eval()


def compare(path: Path, wanted: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    """Ends with the names and shapes that differ."""
    missing = sorted(wanted.keys() - found.keys())
    unexpected = sorted(found.keys() - wanted.keys())
    shapes = [
        f"{name} {list(found[name].shape)} instead of {list(wanted[name].shape)}"
        for name in sorted(wanted.keys() & found.keys())
        if wanted[name].shape != found[name].shape
    ]
    lists = (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
    said = [
        f"  {len(names)} {what}: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
        for what, names in lists
        if names
    ]
    if said:
        raise SystemExit("\n".join([f"{path} is not of the published FILM network:", *said]))


def random(seed: int, shape: Shape) -> PublishedFilm:
    """Random weights, some larger than at a usual start, so that every part moves the output: the
    text would else change it by less than a hundredth of a grey level."""
    torch.manual_seed(seed)
    net = PublishedFilm(shape)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if name.endswith("bias"):
                weight.uniform_(-0.3, 0.3)
            elif name.endswith("temperature"):
                weight.uniform_(0.5, 4.0)
            elif name.endswith("in_proj_weight"):
                weight.mul_(3.0)
            elif name.endswith(("convA2.weight", "convB2.weight")):
                weight.mul_(shape.hidden)
            elif name == "conv2.weight":
                weight.mul_(10.0)
    return net.eval()


def graph(model: Imported, task: str) -> bytes:
    """ONNX bytes with free height, width and number of tokens."""
    shape = model.net.shape
    image, text = torch.rand(1, 1, 40, 56), torch.rand(1, 7, FEATURES)
    sides = {2: "height", 3: "width"}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns that it is the older one
        torch.onnx.export(
            model,
            (image, image, text),
            buffer,
            opset_version=OPSET,
            dynamo=False,
            input_names=list(INPUTS),
            output_names=["fused"],
            dynamic_axes={"guidance": {1: "tokens"}} | dict.fromkeys((*INPUTS[:2], "fused"), sides),
        )
    made = onnx.load_from_string(buffer.getvalue())
    shorten(made.graph)
    made.producer_name = "filmd"
    made.doc_string = "the FILM network (arXiv 2402.02235); see models/README.md of filmd"
    size = shape.channels / Shape().channels
    metadata = {
        "filmd.kind": "film",
        "filmd.task": task,
        "filmd.features": str(FEATURES),
        "filmd.multiple_of": "1",
        "filmd.parameters": str(parameters(model.net)),
        "filmd.mac_per_pixel": str(round(mac_per_pixel(shape, 480, 640, 64))),
        "filmd.bytes": str(round(BYTES * size)),
        "filmd.bytes_per_pixel": str(round(BYTES_PER_PIXEL * size)),
        "filmd.output": "raw" if model.raw else "stretched",
    }
    onnx.helper.set_model_props(made, metadata)
    onnx.checker.check_model(made)
    return made.SerializeToString(deterministic=True)


def shorten(made: onnx.GraphProto) -> None:
    """Each computation once, numbers instead of the exporter's long names, and no notes that name
    its machine's files."""
    names = {name: name for name in (*INPUTS, "fused")}

    def short(name: str) -> str:
        return name and names.setdefault(name, f"v{len(names)}")

    for weight in made.initializer:
        weight.name = short(weight.name)
    nodes, seen = list(made.node), {}
    del made.node[:], made.value_info[:]
    for node in nodes:
        node.name, node.doc_string = "", ""
        node.input[:] = [short(name) for name in node.input]
        outputs, node.output[:] = list(node.output), []
        if node.op_type == "Identity":
            names[outputs[0]] = node.input[0]
            continue
        same = seen.setdefault(node.SerializeToString(deterministic=True), outputs)
        if same is not outputs:
            names |= {name: short(earlier) for name, earlier in zip(outputs, same)}
            continue
        node.output[:] = [short(name) for name in outputs]
        node.name = f"{node.op_type}{len(made.node)}"
        made.node.append(node)


def check(model: Imported, data: bytes) -> float:
    """Largest difference between ONNX Runtime and PyTorch over some sizes."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    worst, noise = 0.0, np.random.default_rng(1)
    for height, width, tokens in SIZES:
        feed = {name: noise.random((1, 1, height, width), np.float32) for name in INPUTS[:2]}
        feed["guidance"] = noise.standard_normal((1, tokens, FEATURES)).astype(np.float32)
        found = session.run(None, feed)[0]
        with torch.no_grad():
            wanted = model(*(torch.from_numpy(feed[name]) for name in INPUTS)).numpy()
        if not np.isfinite(found).all() or found.min() < 0 or found.max() > 1:
            raise SystemExit("the fused image leaves 0..1; the checkpoint is damaged")
        worst = max(worst, float(np.abs(found - wanted).max()))
    if worst > TOLERANCE:
        raise SystemExit(f"ONNX Runtime and PyTorch differ by {worst:g}, more than {TOLERANCE:g}")
    return worst


def task_of(options: argparse.Namespace) -> str:
    """As told, else by the checkpoint's name (the authors call theirs IVF.pth, MEF.pth, ...)."""
    if options.task:
        return options.task
    if options.checkpoint is None:
        return TASKS[0]
    name = options.checkpoint.stem.lower()
    if name not in TASKS:
        raise SystemExit(
            f"--task is needed: {options.checkpoint.name} does not say which of "
            f"{', '.join(TASKS)} it was trained for"
        )
    return name


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=Path, help="a .pth of the public implementation")
    source.add_argument("--random", type=int, metavar="SEED", help="random weights")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file")
    parser.add_argument("--task", choices=TASKS, help="what the checkpoint was trained for")
    parser.add_argument("--raw", action="store_true", help="do not stretch the output to 0..1")
    parser.add_argument("--tiny", action="store_true", help="with --random: for a test's fixture")
    options = parser.parse_args()
    task = task_of(options)
    if options.checkpoint is not None:
        net = load(options.checkpoint)
    else:
        net = random(options.random, TINY if options.tiny else Shape())
    model = Imported(net, task in SWAPPED, options.raw)
    data = graph(model, task)
    difference = check(model, data)
    options.out.write_bytes(data)
    print(
        f"{options.out}: {len(data)} bytes, task {task}, {parameters(net)} parameters, "
        f"{mac_per_pixel(net.shape, 480, 640, 64) / 1e3:.1f} kMAC/px at 640x480 with 64 tokens, "
        f"{difference:.1e} from PyTorch"
    )


if __name__ == "__main__":
    main()
