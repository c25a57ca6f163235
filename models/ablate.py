"""What each part is worth: short runs of the same length, each without one part.

    python ablate.py [--steps 1500] [--jobs 2] [--only NAME...] [--work DIR]

A run is short, so figures are lower than the shipped network's; what counts is the
difference to "everything", next to that of the same run with another seed. Columns: QABF and VIFF
of quick_table (neutral text), and PSNR of degraded RoadScene pairs to what the network itself makes
of the clean pair: under the right text, and how much it loses under none and under a wrong one.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import data
import samples
import train
from bank import Bank
from eval_text import faults
from film import Film, mac_per_pixel, parameters
from validate import QUICK, fuse_torch, quick_table, spread
from variants import VARIANTS

FAULTY = 2  # RoadScene pairs a condition


def run(variant: str, options: argparse.Namespace) -> None:
    """Trains one variant and writes its row."""
    work = options.work / variant.replace(" ", "-")
    given = train.arguments().parse_args(["--work", str(work), "--steps", str(options.steps)])
    given.minutes, given.table, given.data = 1e6, 1e6, options.data
    given.variant = VARIANTS[variant]
    work.mkdir(parents=True, exist_ok=True)
    borrow(options.work, work)
    train.train(given)
    measure(variant, options)


def borrow(whole: Path, work: Path) -> None:
    """The texts' features are the same for all."""
    for cached in whole.glob("texts-*.npy"):
        if not (work / cached.name).exists():
            (work / cached.name).symlink_to(cached)


def measure(variant: str, options: argparse.Namespace) -> None:
    """Writes the row of a variant that is trained."""
    work = options.work / variant.replace(" ", "-")
    torch.set_num_threads(1)
    net = Film(VARIANTS[variant].shape)
    net.load_state_dict(torch.load(work / "checkpoint.pt")["mean"])
    (work / "row.json").write_text(json.dumps(measured(net.eval(), options)))


def measured(net: Film, options: argparse.Namespace) -> dict:
    """The row of one trained network."""
    folder, bank = data.root(options.data), Bank(options.work)
    held = [p for name in data.SETS for p in data.load(folder, name, "val")]
    table = quick_table(net, held, bank)
    road = spread([p for p in held if p.set == "roadscene171"], FAULTY)
    scores = {kind: [] for kind in ("right", "neutral", "wrong")}
    for name, pair, guidance in told(road, bank):
        clean = fuse_torch(net, pair.a, pair.b, bank.neutral("ivf")).astype(float)
        faulty = degraded(name, pair)
        for kind, rows in guidance.items():
            error = fuse_torch(net, *faulty, rows) - clean
            scores[kind].append(10 * np.log10(255**2 / max(np.mean(error**2), 1e-9)))
    return {
        "table": {name: row[: len(QUICK)] for name, row in table.items()},
        "text": {kind: float(np.mean(found)) for kind, found in scores.items()},
        "parameters": parameters(net),
        "mac": round(mac_per_pixel(net)),
    }


def degraded(name: str, pair: data.Pair) -> tuple[np.ndarray, np.ndarray]:
    """uint8 sources with one fault, always the same."""
    noise = np.random.default_rng(len(pair.stem) + len(name))
    clean = (x / np.float32(255) for x in (pair.a, pair.b))
    faulty = samples.degrade(name, *clean, random.Random(f"{name} {pair.stem}"), noise)
    return tuple(np.rint(x * 255).astype(np.uint8) for x in faulty)


def told(road: list[data.Pair], bank: Bank) -> Iterator[tuple[str, data.Pair, dict]]:
    """(fault, pair, guidance under three kinds of text)."""
    named = faults()
    for i, name in enumerate(named):
        wrong = named[(i + 3) % len(named)]
        for pair in road:
            key, rng = ("none", "any", "centre"), random.Random(1)
            yield (
                name,
                pair,
                {
                    "right": bank.condition(name, key, rng),
                    "neutral": bank.neutral("ivf"),
                    "wrong": bank.condition(wrong, key, rng),
                },
            )


def show(work: Path) -> str:
    """The table in Markdown, of the rows that there are."""
    sets = list(data.SETS)
    head = ["", "parameters", "MAC/px", *sets, "right", "- none", "- wrong"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for variant in VARIANTS:
        file = work / variant.replace(" ", "-") / "row.json"
        if not file.exists():
            continue
        row = json.loads(file.read_text())
        cells = [variant, str(row["parameters"]), str(row["mac"])]
        cells += ["{:.3f} / {:.3f}".format(*row["table"][name][:2]) for name in sets]
        right, none, wrong = (row["text"][k] for k in ("right", "neutral", "wrong"))
        cells += [f"{right:.2f}", f"{right - none:+.2f}", f"{right - wrong:+.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work/ablation")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--measure", action="store_true", help="of runs that side_by_side.py made")
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.work = options.work.resolve()
    if options.variant:
        return (measure if options.measure else run)(options.variant, options)
    options.work.mkdir(parents=True, exist_ok=True)
    Bank(options.work)  # encodes the texts once
    waiting, running = list(options.only), []
    while waiting or running:
        while waiting and len(running) < options.jobs:
            command = [sys.executable, __file__, "--variant", waiting.pop(0)]
            command += ["--work", str(options.work), "--steps", str(options.steps)]
            command += ["--data", options.data] if options.data else []
            command += ["--measure"] if options.measure else []
            running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        running[0].wait()
        running = [job for job in running if job.poll() is None]
        (options.work / "table.md").write_text(show(options.work) + "\n")
    print(show(options.work))
    return None


if __name__ == "__main__":
    main()
