"""Writes film-edge-int8.onnx from film-edge.onnx, and its [[network]] in manifest.toml.

    python quantise.py [--model film-edge.onnx] [--data DIR] [--pairs 6] [--percentile 99.99] [--out DIR]

The trunk at quarter resolution and the guides' convolutions at 1/16 become operators of the domain
"filmd", which src/fuse/int8 runs: signed 8-bit features [height, width, channels], weights per
output channel, both within +-127. Attention and what the text becomes before it are operators in f32.
Roundings stand where training had them: the points of Rounded in film.py.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import data
from bank import Bank
from film import CELL, CLOSED, DEAD_ZONE, DETAIL, SLOPE, Activity, Shape
from refine import LEVELS, levels_of, refine, session
from validate import guidance_of, pad, spread

HERE = Path(__file__).resolve().parent
DOMAIN = "filmd"
HEADS = Shape().heads
STEPS = 255  # of an input: an 8-bit pixel less 128 is its level


class Float:
    """The float graph: its weights, and who reads what."""

    def __init__(self, path: Path) -> None:
        self.model = onnx.load(path)
        graph = self.model.graph
        self.weights = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        self.producer = {o: n for n in graph.node for o in n.output}

    def conv(self, name: str) -> str:
        """Output of the convolution with these weights."""
        return self.reader(f"{name}.weight", "Conv")

    def reader(self, value: str, kind: str) -> str:
        """Output of the only node of a kind that reads a value."""
        found = [n for n in self.model.graph.node if value in n.input and n.op_type == kind]
        if len(found) != 1:
            raise SystemExit(f"{len(found)} nodes {kind} read {value}; one was expected")
        return found[0].output[0]

    def other(self, value: str, than: str) -> str:
        """The second input of the node that gives a value."""
        return next(i for i in self.producer[value].input if i != than)

    def linear(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Weights [in, out] and bias of a layer for rows, whose weights the exporter names anew."""
        bias = f"{name}.bias"
        product = self.producer[self.other(self.reader(bias, "Add"), bias)]
        weight = next(i for i in product.input if i in self.weights)
        return self.weights[weight], self.weights[bias]


@dataclass(frozen=True)
class GuideNames:
    """Values of a guide at which features are quantised."""

    pooled: str
    entered: str
    attended: str
    left: str
    guided: str  # trunk and guide

    def features(self) -> list[str]:
        """Those that get a scale."""
        names = (self.pooled, self.entered, self.attended, self.left, self.guided)
        return list(names)


class Names:
    """The float graph's values at which features are quantised, in the order of the trunk."""

    def __init__(self, net: Float, half: int) -> None:
        self.modulated, self.guides, self.wide, self.mixed = [], [], [], []
        x = net.reader(net.conv("stem"), "Relu")
        for guide, part in enumerate(("early", "late")):
            x = net.reader(net.reader(x, "Mul"), "Add")
            self.modulated.append(x)
            self.guides.append(self.guide(net, f"guides.{guide}", x))
            x = self.guides[-1].guided
            for block in range(half):
                name = f"{part}.{block}"
                self.wide.append(net.reader(net.conv(f"{name}.wide"), "Relu"))
                x = net.reader(net.conv(f"{name}.mix"), "Add")
                self.mixed.append(x)

    @staticmethod
    def guide(net: Float, name: str, x: str) -> GuideNames:
        """The guide that reads x."""
        entered = net.reader(net.conv(f"{name}.enter"), "Relu")
        attended = net.reader(entered, "Add")
        fine = net.reader(net.conv(f"{name}.fine.taps"), "DepthToSpace")
        return GuideNames(
            pooled=net.reader(x, "AveragePool"),
            entered=entered,
            attended=attended,
            left=net.conv(f"{name}.leave"),
            guided=net.reader(fine, "Add"),
        )

    @staticmethod
    def convolutions(half: int) -> list[str]:
        """Those that run in 8 bit."""
        blocks = [
            f"{part}.{i}.{kind}"
            for part in ("early", "late")
            for i in range(half)
            for kind in ("wide", "mix")
        ]
        guides = [f"guides.{g}.{kind}" for g in range(2) for kind in ("enter", "leave")]
        return ["stem", *blocks, *guides, "head"]

    def features(self) -> list[str]:
        """Every value that gets a scale."""
        guides = [name for guide in self.guides for name in guide.features()]
        return self.modulated + guides + self.wide + self.mixed


def feed(a: np.ndarray, b: np.ndarray, guidance: np.ndarray) -> dict[str, np.ndarray]:
    """The network's inputs from uint8 sources."""
    return {
        "infrared": pad(a).astype(np.float32)[None, None] / 255,
        "visible": pad(b).astype(np.float32)[None, None] / 255,
        "guidance": guidance[None],
    }


def middle(a: np.ndarray, b: np.ndarray, side: int = 320) -> tuple[np.ndarray, np.ndarray]:
    """The middle of both sources."""
    y, x = (max(0, (n - side) // 2) for n in a.shape)
    return a[y : y + side, x : x + side], b[y : y + side, x : x + side]


def cases(bank: Bank, pair: data.Pair) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A pair under its neutral and its described text; and, since neither may break the picture, in
    the dark under another task's."""
    tasks = list(dict.fromkeys(data.SETS.values()))
    other = tasks[(tasks.index(pair.task) + 1 + len(pair.stem) % 3) % len(tasks)]
    dark = ((x * 0.25).astype(np.uint8) for x in (pair.a, pair.b))
    own = [(pair.a, pair.b, guidance_of(bank, pair, d).numpy()) for d in (False, True)]
    return [*own, (*dark, bank.neutral(other).numpy())]


def calibrate(net: Float, names: list[str], pairs: list[tuple], percentile: float) -> dict:
    """Scale of each value: the largest percentile of magnitude over the pairs, to LEVELS."""
    model = onnx.ModelProto()
    model.CopyFrom(net.model)
    model.graph.output.extend(
        helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names
    )
    running = session(model.SerializeToString())
    largest = dict.fromkeys(names, 0.0)
    for pair in pairs:
        for name, value in zip(names, running.run(names, feed(*pair))):
            magnitude = float(np.percentile(np.abs(value), percentile))
            largest[name] = max(largest[name], magnitude)
    silent = [name for name, value in largest.items() if value < 1e-6]
    if silent:
        raise SystemExit(f"nothing comes out of {', '.join(silent)}: was the network trained?")
    return {name: value / LEVELS for name, value in largest.items()}


class Builder:
    """Nodes and constants of the quantised graph."""

    def __init__(self, net: Float) -> None:
        self.net = net
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: float) -> str:
        node = helper.make_node(kind, inputs, [output], name=output, domain=DOMAIN, **attributes)
        self.nodes.append(node)
        return output

    def conv(
        self,
        name: str,
        x: str,
        scales: tuple[float, float],
        *,
        offset: np.ndarray | float = 0.0,
        residual: tuple[str, float] | None = None,
        modulation: tuple[str, str] | None = None,
        relu: bool = False,
        raw: bool = False,
    ) -> str:
        """A convolution from one scale to another; `offset` is the inputs' value at level 0, by
        channel or for all."""
        weight = self.net.weights[f"{name}.weight"].astype(np.float64)
        levels, own = levels_of(weight)
        products = own * scales[0]
        bias = self.net.weights[f"{name}.bias"] + weight.sum((2, 3)) @ np.broadcast_to(
            offset, weight.shape[1]
        )
        inputs = [
            x,
            self.constant(f"{name}.levels", levels.astype(np.int8)),
            self.constant(f"{name}.start", np.rint(bias / products).astype(np.int32)),
            self.constant(f"{name}.multiplier", (products / scales[1]).astype(np.float32)),
        ]
        attributes = {"kernel": weight.shape[2], "relu": int(relu), "raw": int(raw)}
        if residual:
            inputs.append(residual[0])
            attributes["residual_scale"] = residual[1] / scales[1]
        if modulation:
            inputs.extend(modulation)
            attributes["shift_scale"] = 1 / scales[1]
        return self.node("ConvQuant", inputs, f"{name}.features", **attributes)

    def linear(
        self, name: str, x: str, layer: tuple[np.ndarray, np.ndarray], relu: bool = False
    ) -> str:
        """Rows of a text by weights [in, out] and a bias."""
        constants = [
            self.constant(f"{name}.{kind}", value.astype(np.float32))
            for kind, value in zip(("weight", "bias"), layer)
        ]
        return self.node("TextLinear", [x, *constants], name, relu=int(relu))


def build_pooled(out: Builder, guides: int) -> list[tuple[str, str]]:
    """The nodes from the text's mean to gain and shift of each guide's features."""
    of = out.net.weights
    mean = out.node("TextMean", ["guidance"], "text.mean", slope=SLOPE)
    layer = of["pooled.hidden.weight"].T, of["pooled.hidden.bias"]
    hidden = out.linear("text.hidden", mean, layer, relu=True)
    # A gain is trained as its difference from 1.
    start = [np.float32(1.0), np.float32(0.0)] * guides
    weights = np.split(of["pooled.out.weight"].T, len(start), 1)
    biases = np.split(of["pooled.out.bias"], len(start))
    names = [f"text.{kind}.{guide}" for guide in range(guides) for kind in ("gain", "shift")]
    made = [
        out.linear(name, hidden, (weight, bias + first))
        for name, weight, bias, first in zip(names, weights, biases, start)
    ]
    return list(zip(made[::2], made[1::2]))


def attention_weights(out: Builder, name: str) -> list[str]:
    """Constants: queries of all heads below each other, with the scores' scale; the output."""
    of = out.net.weights
    heads = [(of[f"{name}.query.{h}.weight"], of[f"{name}.query.{h}.bias"]) for h in range(HEADS)]
    scale = np.float32(heads[0][0].shape[0] ** -0.5)
    query = np.concatenate([w[:, :, 0, 0] for w, _ in heads]) * scale
    bias = np.concatenate([b for _, b in heads]) * scale
    return [
        out.constant(f"{name}.query.weight", query.astype(np.float32)),
        out.constant(f"{name}.query.bias", bias.astype(np.float32)),
        out.constant(f"{name}.out.weight", of[f"{name}.out.weight"][:, :, 0, 0]),
        out.constant(f"{name}.out.bias", of[f"{name}.out.bias"]),
    ]


def build_guide(
    out: Builder,
    names: GuideNames,
    scales: dict[str, float],
    name: str,
    trunk: tuple[str, float],
    closed: str,
) -> str:
    """The guide's nodes; gives the trunk with the guide added. `closed`: rows that are not used."""
    x, at = trunk
    told = [
        out.linear(
            f"{name}.{kind}s.{head}", "guidance", out.net.linear(f"{name}.attend.{kind}.{head}")
        )
        for kind in ("key", "value")
        for head in range(HEADS)
    ]
    pooled, entered, attended, left, guided = (scales[n] for n in names.features())
    y = out.node("PoolQuant", [x], f"{name}.pooled", factor=at / pooled)
    y = out.conv(f"{name}.enter", y, (pooled, entered), relu=True)
    y = out.node(
        "AttentionQuant",
        [y, *told, closed, *attention_weights(out, f"{name}.attend")],
        f"{name}.attended",
        heads=HEADS,
        input_scale=entered,
        scale=attended,
    )
    y = out.conv(f"{name}.leave", y, (attended, left))
    taps = f"{name}.fine.taps"
    weights = [
        out.constant(f"{taps}.{k}", out.net.weights[f"{taps}.{k}"]) for k in ("weight", "bias")
    ]
    return out.node(
        "UpsampleAdd",
        [x, y, *weights],
        f"{name}.features",
        factor=at / guided,
        scale=guided,
        grid_scale=left,
    )


def build(net: Float, names: Names, scales: dict[str, float], half: int) -> onnx.ModelProto:
    """The quantised graph."""
    out = Builder(net)
    modulation = build_pooled(out, len(names.guides))
    closed = out.node("TextClosed", ["guidance"], "text.closed", slope=SLOPE, closed=CLOSED)
    pixel, cells = 1 / STEPS, CELL * CELL
    x = out.node(
        "SpaceToDepthQuant",
        ["infrared", "visible"],
        "cells",
        steps=float(STEPS),
        floor=Activity.FLOOR,
    )
    then = scales[names.modulated[0]]
    # Level 0 is pixel 128, of which the float net takes 0.5 off; and no activity.
    offset = np.repeat([128 * pixel - 0.5, 128 * pixel - 0.5, 0.0], cells)
    x = out.conv("stem", x, (pixel, then), offset=offset, modulation=modulation[0], relu=True)
    block = 0
    for guide, part in enumerate(("early", "late")):
        at = scales[names.modulated[guide]]
        x = build_guide(out, names.guides[guide], scales, f"guides.{guide}", (x, at), closed)
        at = scales[names.guides[guide].guided]
        for i in range(half):
            wide = scales[names.wide[block]]
            y = out.conv(f"{part}.{i}.wide", x, (at, wide), relu=True)
            last = guide == 0 and i == half - 1
            then = scales[names.modulated[1] if last else names.mixed[block]]
            x = out.conv(
                f"{part}.{i}.mix",
                y,
                (wide, then),
                residual=(x, at),
                modulation=modulation[1] if last else None,
            )
            at, block = then, block + 1
    maps = out.conv("head", x, (at, 1.0), raw=True)
    limits = {"detail": DETAIL, "dead_zone": DEAD_ZONE}
    out.node("BlendOutput", [maps, "infrared", "visible"], "fused", **limits)
    graph = helper.make_graph(
        ordered(out.nodes, {c.name for c in out.constants}),
        "film-edge-int8",
        list(net.model.graph.input),
        list(net.model.graph.output),
        out.constants,
    )
    opset = net.model.opset_import[0].version
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)],
        producer_name="filmd",
        doc_string="text-guided image fusion, signed 8-bit convolutions; see README.md",
    )
    model.ir_version = net.model.ir_version
    return model


def ordered(nodes: list[onnx.NodeProto], known: set[str]) -> list[onnx.NodeProto]:
    """Every node behind those whose outputs it reads."""
    known = known | {"infrared", "visible", "guidance", ""}
    waiting, done = list(nodes), []
    while waiting:
        ready = [n for n in waiting if all(i in known for i in n.input)]
        if not ready:
            raise SystemExit(f"nothing gives an input of {waiting[0].name}")
        done.extend(ready)
        known.update(o for n in ready for o in n.output)
        waiting = [n for n in waiting if n not in ready]
    return done


def enter(manifest: Path, file: str, digest: str) -> None:
    """Adds or renews the [[network]] in 8 bit, before the float one: the first is the default."""
    text = manifest.read_text()
    start, end = text.index("[[network]]"), text.index("# Guidance used")
    tables = text[start:end].split("[[network]]")
    wide = next(t for t in tables if 'precision = "f32"' in t)
    narrow = wide.replace('name = "film-edge"', 'name = "film-edge-int8"')
    narrow = narrow.replace('file = "film-edge.onnx"', f'file = "{file}"')
    narrow = narrow.replace('precision = "f32"', 'precision = "int8"')
    old = next(line for line in narrow.splitlines() if line.startswith("sha256"))
    narrow = narrow.replace(old, f'sha256 = "{digest}"')
    both = "".join(f"[[network]]{table.rstrip()}\n\n" for table in (narrow, wide))
    manifest.write_text(text[:start] + both + text[end:])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=HERE / "film-edge.onnx")
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--pairs", type=int, default=6, help="training pairs a set")
    parser.add_argument("--percentile", type=float, default=99.99)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    net, folder, bank = Float(options.model), data.root(options.data), Bank(options.work)
    half = sum(name.startswith("early.") and name.endswith(".mix.bias") for name in net.weights)
    names = Names(net, half)
    pairs = [
        case
        for name in data.SETS
        for p in spread(data.load(folder, name, "train"), options.pairs)
        for case in cases(bank, p)
    ]
    scales = calibrate(net, names.features(), pairs, options.percentile)
    feeds = [feed(*middle(a, b), guidance) for a, b, guidance in pairs]
    scales = refine(net.model, scales, names.convolutions(half), feeds, len(data.SETS))
    model = build(net, names, scales, half)
    onnx.checker.check_model(model)
    written = model.SerializeToString(deterministic=True)
    (options.out / "film-edge-int8.onnx").write_bytes(written)
    digest = hashlib.sha256(written).hexdigest()
    enter(options.out / "manifest.toml", "film-edge-int8.onnx", digest)
    print(f"film-edge-int8.onnx: {len(written)} bytes, {digest}")
    for name, scale in scales.items():
        print(f"  {name:40} +-{scale * LEVELS:.3f}")


if __name__ == "__main__":
    main()
