"""Simple measured facts of a pair, as a small discrete key; texts.py turns the key into words.

Images are float arrays [H,W] in 0..1.  Sides are seen by the viewer.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDES = ("left", "centre", "right")
PLACES = ("top", "bottom", "left", "right", "centre")
Key = tuple[str, ...]


def _thirds(x: np.ndarray) -> np.ndarray:
    """Mean of the three vertical thirds."""
    return np.array([part.mean() for part in np.array_split(x, 3, axis=1)])


def _places(x: np.ndarray) -> np.ndarray:
    """Mean of the five PLACES."""
    h, w = x.shape
    parts = (
        x[: h // 3],
        x[-(h // 3) :],
        x[:, : w // 3],
        x[:, -(w // 3) :],
        x[h // 4 : -(h // 4), w // 4 : -(w // 4)],
    )
    return np.array([part.mean() for part in parts])


def infrared_visible(a: np.ndarray, b: np.ndarray) -> Key:
    """(where it is warm, how light the visible image is, where it glares)."""
    share = _thirds(a > max(0.6, a.mean() + 1.2 * a.std()))
    if share.max() < 0.03:
        warm = "none"
    elif min(share[0], share[2]) > 0.6 * share.max():
        warm = "both"
    else:
        warm = SIDES[int(share.argmax())]
    level = b.mean()
    light = "dark" if level < 0.22 else "dim" if level < 0.42 else "bright"
    glare = _thirds(b > 0.94)
    return warm, light, SIDES[int(glare.argmax())] if glare.max() > 0.03 else "none"


def medical(a: np.ndarray, modality: str) -> Key:
    """(modality, where the functional image or the CT is strong)."""
    level = _thirds(a)
    both = min(level[0], level[2]) > 0.8 * level.max()
    return modality, "both" if both else SIDES[int(level.argmax())]


def exposure(a: np.ndarray, b: np.ndarray) -> Key:
    """(where the under-exposed image is better, where the over-exposed one is)."""
    better = _places(np.abs(b - 0.5) - np.abs(a - 0.5))
    return PLACES[int(better.argmax())], PLACES[int(better.argmin())]


def focus(a: np.ndarray, b: np.ndarray) -> Key:
    """(where the first image is sharper, where the second one is)."""
    energy = [np.abs(cv2.Laplacian(x.astype(np.float32), cv2.CV_32F)) for x in (a, b)]
    better = _places(energy[0] - energy[1])
    return PLACES[int(better.argmax())], PLACES[int(better.argmin())]


def measure(task: str, name: str, a: np.ndarray, b: np.ndarray) -> Key:
    """Key of one pair (or of a crop of it); `name` is the set, which tells the modality."""
    if task == "ivf":
        return infrared_visible(a, b)
    if task == "mif":
        return medical(a, {"harvard_ct": "CT", "harvard_pet": "PET"}.get(name, "SPECT"))
    return exposure(a, b) if task == "mef" else focus(a, b)


def keys(task: str) -> list[Key]:
    """Every key that `measure` can give."""
    if task == "ivf":
        return [
            (w, light, g)
            for w in ("none", "both", *SIDES)
            for light in ("dark", "dim", "bright")
            for g in ("none", *SIDES)
        ]
    if task == "mif":
        return [(m, s) for m in ("CT", "PET", "SPECT") for s in ("both", *SIDES)]
    return [(p, q) for p in PLACES for q in PLACES]
