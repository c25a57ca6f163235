"""Scores the exported network and the classic rules on the held-out part, on 8-bit outputs.

    python evaluate.py [--model film-edge.onnx] [--limit N]

Prints Markdown: one table a set, and what the text changes.  The yardstick and the rules come from
FILMD_EVAL, the sets from FILMD_DATA.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Callable

import numpy as np
import onnxruntime

import data
import facts
import samples
import texts
from bank import Bank
from validate import guidance_of, pad, spread, to_u8, yardstick

HERE = Path(__file__).resolve().parent
METRICS = ("EN", "SD", "SF", "AG", "VIFF", "QABF", "SSIM", "SCD", "DOMQ", "NABF", "CLIP", "CORE")
RULES = {"lp (yardstick)": "lp", "pixel max": "pmax", "average": "average", "guided filter": "gff"}
SIGMA = 5.0  # of the noise for the noise gain, grey levels
Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Network:
    """The ONNX graph on uint8 pairs of any size."""

    def __init__(self, path: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def fuse(self, a: np.ndarray, b: np.ndarray, guidance: np.ndarray) -> np.ndarray:
        """uint8 [H,W] twice and f32 [64,384] -> uint8 [H,W]."""
        h, w = a.shape
        feed = {
            n: pad(x).astype(np.float32)[None, None] / 255
            for n, x in (("infrared", a), ("visible", b))
        }
        feed["guidance"] = guidance[None]
        return to_u8(self.session.run(None, feed)[0][0, 0, :h, :w])


def noise_gain(rule: Rule, a: np.ndarray, b: np.ndarray) -> float:
    """Standard deviation of what independent noise in both sources changes, over the noise's own."""
    random_ = np.random.default_rng(7)
    noisy = [
        np.clip(np.rint(x + random_.normal(0, SIGMA, x.shape)), 0, 255).astype(np.uint8)
        for x in (a, b)
    ]
    came = np.sqrt(np.mean([np.var(n.astype(float) - x) for n, x in zip(noisy, (a, b))]))
    return float(np.std(rule(*noisy).astype(float) - rule(a, b)) / came)


def score(pairs: list[data.Pair], rule_of: Callable[[data.Pair], Rule]) -> list[float]:
    """Mean of METRICS over the pairs, and the noise gain over the first six."""
    metrics = yardstick("fusion_metrics")
    rows, gains = [], []
    for pair in pairs:
        rule = rule_of(pair)
        found = metrics.Pair(pair.a, pair.b).evaluate(rule(pair.a, pair.b), METRICS)
        rows.append([found[m] for m in METRICS])
        if len(gains) < 6:
            gains.append(noise_gain(rule, pair.a, pair.b))
    return [*map(float, np.mean(rows, 0)), float(np.mean(gains))]


def classic(pairs: list[data.Pair], cache: Path) -> dict[str, list[float]]:
    """Scores of the classic rules; they never change, so they are kept in `cache`."""
    rules = {**RULES, **({"Mertens": "mertens"} if pairs[0].task == "mef" else {})}
    known = json.loads(cache.read_text()) if cache.exists() else {}
    for name, function in rules.items():
        key = f"{name} {pairs[0].set} {len(pairs)}"
        if key not in known:
            rule = getattr(yardstick("baselines"), function)
            known[key] = score(pairs, lambda _: rule)
            cache.write_text(json.dumps(known))
    return {name: known[f"{name} {pairs[0].set} {len(pairs)}"] for name in rules}


def show(title: str, columns: tuple[str, ...], rows: dict[str, list[float]]) -> None:
    """One Markdown table."""
    print(f"\n**{title}**\n\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, values in rows.items():
        cells = (f"{v:.2f}" if abs(v) >= 10 else f"{v:.3f}" for v in values)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def wrong_text(net: Network, held: list[data.Pair], bank: Bank) -> None:
    """QABF + VIFF of each task's pairs under each task's neutral sentence."""
    metrics, rows = yardstick("fusion_metrics"), {}
    for task in texts.TASKS:
        pairs = spread([p for p in held if p.task == task], 8)
        scores = []
        for told in texts.TASKS:
            found = []
            for p in pairs:
                f = net.fuse(p.a, p.b, bank.neutral(told).numpy())
                found.append(sum(metrics.Pair(p.a, p.b).evaluate(f, ("QABF", "VIFF")).values()))
            scores.append(float(np.mean(found)))
        rows[f"{task} pairs"] = scores
    show("QABF + VIFF of a task's pairs under the neutral sentence of ...", texts.TASKS, rows)


def told(net: Network, held: list[data.Pair], bank: Bank) -> None:
    """What a text that names a fault changes: distance to the clean fusion, or the wished lift."""
    rows: dict[str, list[list[float]]] = {}
    rng, noise = random.Random(3), np.random.default_rng(3)
    for pair in spread([p for p in held if p.task == "ivf"], 10):
        a, b = pair.a / np.float32(255), pair.b / np.float32(255)
        neutral = bank.neutral("ivf").numpy()
        clean = net.fuse(pair.a, pair.b, neutral).astype(float)
        for name in texts.CONDITIONS:
            faulty = [to_u8(x) for x in samples.degrade(name, a, b, rng, noise)]
            key = facts.measure("ivf", pair.set, *(x / 255 for x in faulty))
            text = bank.condition(name, key, rng).numpy()
            without, with_ = (net.fuse(*faulty, g).astype(float) for g in (neutral, text))
            if name == "highlight":
                warm = a > max(0.6, float(a.mean() + a.std()))
                result = [(x[warm].mean() - x[~warm].mean()) for x in (without, with_)]
            else:
                where = (
                    np.abs(faulty[1].astype(float) - pair.b) > 24 if name == "glare" else clean >= 0
                )
                result = [float(np.abs(x - clean)[where].mean()) for x in (without, with_)]
            rows.setdefault(name, []).append(result)
    labels = {
        n: "warm minus rest, grey levels (more is better)"
        if n == "highlight"
        else f"distance to the fusion of the clean pair{', in the glare' * (n == 'glare')} "
        "(less is better)"
        for n in rows
    }
    show(
        "What a text that names the condition changes (RoadScene)",
        ("neutral text", "text says so"),
        {f"{n}: {labels[n]}": list(np.mean(r, 0)) for n, r in rows.items()},
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=HERE / "film-edge.onnx")
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--limit", type=int, default=1000, help="pairs a set at most")
    parser.add_argument("--sets", nargs="*", help="only these sets, and no text tables")
    parser.add_argument("--rules", action="store_true", help="only the classic rules")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    options = parser.parse_args()
    folder, bank = data.root(options.data), Bank(options.work)
    net = Network(options.model, options.threads)
    held = [p for name in data.SETS for p in data.load(folder, name, "val")]

    def ours(described: bool) -> Callable[[data.Pair], Rule]:
        def rule_of(pair: data.Pair) -> Rule:
            text = guidance_of(bank, pair, described).numpy()
            return lambda a, b: net.fuse(a, b, text)

        return rule_of

    for name in options.sets or data.SETS:
        pairs = spread([p for p in held if p.set == name], options.limit)
        rows = (
            {}
            if options.rules
            else {
                "ours, neutral text": score(pairs, ours(False)),
                "ours, described": score(pairs, ours(True)),
            }
        )
        rows.update(classic(pairs, options.work / "rules.json"))
        show(f"{name} ({data.SETS[name]}), {len(pairs)} pairs", (*METRICS, "noise gain"), rows)
    if options.rules or options.sets:
        return
    wrong_text(net, held, bank)
    told(net, held, bank)


if __name__ == "__main__":
    main()
