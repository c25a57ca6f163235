"""Draws training.jsonl (or another log) as a small PNG: loss by task, and QABF of the quick validation."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

HERE = Path(__file__).resolve().parent
TASKS = ("ivf", "mif", "mef", "mff")


def main(log: Path, out: Path) -> None:
    """JSON lines to a PNG."""
    records = [json.loads(line) for line in log.read_text().splitlines()]
    behind, last = 0, {"step": 0}
    for record in records:  # the parts of a run follow each other
        if record.get("part") != last.get("part"):
            behind = last["step"]
        record["step"] += behind
        last = record
    steps = [r for r in records if "ivf" in r]
    tables = [r for r in records if "val" in r]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), dpi=80)
    for task in TASKS:
        left.plot([r["step"] for r in steps], [r[task] for r in steps], label=task, linewidth=0.8)
    left.set(xlabel="step", ylabel="training loss", yscale="log")
    for name in tables[0]["val"]:
        right.plot(
            [r["step"] for r in tables], [r["val"][name][0] for r in tables], ".-", label=name
        )
    right.set(xlabel="step", ylabel="QABF, held-out crops")
    for axes in (left, right):
        axes.legend(fontsize=6)
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    figure.tight_layout()
    figure.savefig(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "training.jsonl", HERE / "training.png")
