"""One scene under eight texts, as a labelled picture. It shows a training set's scene: for looking
at, not for keeping in the project."""

from __future__ import annotations

import textwrap
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot

import data
import texts
from eval_text import Job, TextFuser, told
from eval_wish import masks

# Label -> names in texts.CONDITIONS, the first that is there, and words where none is.
TEXTS = {
    "low light": (("low light",), "The visible image is very dark. Brighten it."),
    "glare": (("glare",), "The visible image has strong glare. Suppress the glare."),
    "noise": (("noise in infrared", "noise"), "The infrared image is noisy. Suppress the noise."),
    "haze": (("haze",), "The visible image is hazy. Look through the haze."),
    "bring out people": (("people", "highlight"), "Bring out the people."),
    "keep texture": (("texture",), "Keep the texture of the visible image."),
}


def lines(pair: data.Pair) -> dict[str, str | None]:
    """Label -> text, neutral first and another task's last."""
    found: dict[str, str | None] = {"neutral": None}
    for label, (names, plain) in TEXTS.items():
        known = next((n for n in names if n in texts.CONDITIONS), None)
        found[label] = told(known, pair, (pair.a, pair.b), 0) if known else plain
    found["wrong task"] = texts.NEUTRAL["mff"]
    return found


def pick(pairs: list[data.Pair], stem: str | None) -> data.Pair:
    """The scene of that name, or the one with most warm targets."""
    if stem is None:
        return max(pairs, key=lambda p: masks(p.a)[0].mean())
    named = [p for p in pairs if p.stem == stem]
    if not named:
        raise SystemExit(f"no held-out pair {stem}; there are {', '.join(p.stem for p in pairs)}")
    return named[0]


def draw(fuser: TextFuser, pair: data.Pair, out: Path) -> None:
    """Sources and eight fusions with their texts, and how far each is from neutral (mean absolute
    difference in grey levels)."""
    said = lines(pair)
    fused = fuser.fuse([Job(pair.a, pair.b, text) for text in said.values()])
    panels = [("infrared", f"{pair.stem}", pair.a), ("visible", "", pair.b)]
    for (label, text), picture in zip(said.items(), fused, strict=True):
        away = np.abs(picture.astype(float) - fused[0]).mean()
        label = label if text is None else f"{label}: {away:.1f} from neutral"
        panels.append((label, text or texts.NEUTRAL["ivf"], picture))
    high = 5 * pair.a.shape[0] / pair.a.shape[1] + 1.1  # inches a panel with its words
    figure, axes = pyplot.subplots(2, 5, figsize=(25, 2 * high))
    for axis, (label, text, picture) in zip(axes.flat, panels, strict=True):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
        axis.set_title(label, fontsize=14, fontweight="bold")
        axis.set_xlabel("\n".join(textwrap.wrap(text, 58)), fontsize=11)
        axis.set_xticks([])
        axis.set_yticks([])
    figure.tight_layout()
    figure.savefig(out, dpi=80)
    pyplot.close(figure)
