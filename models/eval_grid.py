"""One scene of each of four domains under eight texts, as a labelled picture. It shows pictures of the
sets: for looking at, not for keeping in the project."""

from __future__ import annotations

import textwrap
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot

import data
import eval_domains
from eval_text import Job, TextFuser
from eval_wish import masks

TEXTS = (
    None,
    "The visible image is dark. Brighten it.",
    "Suppress the glare.",
    "The infrared image is noisy. Remove the noise.",
    "The visible image is hazy.",
    "Bring out the people.",
    "Strongly bring out the people on the left.",
    "Hello",
)
SETS = ("roadscene171", "harvard_pet")  # and two other cameras


def pick(pairs: list[data.Pair], stem: str | None) -> data.Pair:
    """The scene of that name, or the one with most warm targets."""
    named = [p for p in pairs if p.stem == stem]
    return named[0] if named else max(pairs, key=lambda p: masks(p.a)[0].mean())


def scenes(folder: Path, stem: str | None) -> list[data.Pair]:
    """One held-out pair a domain."""
    found = [pick(data.load(folder, name, "val"), stem) for name in SETS]
    others = (eval_domains.few(folder), eval_domains.video(folder))
    return [*found, *(pick(pairs, stem) for pairs in others if pairs)]


def draw(fuser: TextFuser, pairs: list[data.Pair], out: Path) -> None:
    """Sources and fusions, a row a domain; each with how far it is from neutral (mean absolute difference
    in grey levels, and the change of the mean)."""
    figure, axes = pyplot.subplots(len(pairs), 2 + len(TEXTS), figsize=(32, 3.4 * len(pairs)))
    for row, pair in zip(axes, pairs, strict=True):
        fused = fuser.fuse([Job(pair.a, pair.b, text, pair.task) for text in TEXTS])
        panels = [(f"{pair.set} {pair.stem}: A", pair.a), ("B", pair.b)]
        for text, picture in zip(TEXTS, fused, strict=True):
            change = picture.astype(float) - fused[0]
            said = f"{text}\n{np.abs(change).mean():.1f} ({change.mean():+.1f})"
            panels.append(("neutral" if text is None else said, picture))
        for axis, (label, picture) in zip(row, panels, strict=True):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
            lines = [line for part in label.split("\n") for line in textwrap.wrap(part, 34)]
            axis.set_title("\n".join(lines), fontsize=9)
            axis.set_xticks([])
            axis.set_yticks([])
    figure.tight_layout()
    figure.savefig(out, dpi=70)
    pyplot.close(figure)
