"""What "bring out people" changes: contrast of warm targets, and the background.

Masks come from the infrared source alone, so that every method is measured at the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

import data
import texts
from eval_text import Job, TextFuser, interval, told

# As a user would type it: the first is among the training's texts, the others are not.
PLAIN = (
    "Bring out the people.",
    "Make persons and animals easier to see.",
    "I need to spot anybody who is out there.",
    "Is there someone? Show them to me.",
)
NEAR, RING = 3, 13  # pixels around a target: left out, then its surround up to here
SMALLEST = 40  # pixels of all targets of a picture, to count


def disc(radius: int) -> np.ndarray:
    """A round structuring element."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def masks(infrared: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(warm targets, their surround, background) of a uint8 infrared picture, bool [H,W].

    Warm: above half of full scale and 0.12 above the mean of 61 pixels around; what a disc of
    2 pixels radius does not fit in is taken off.
    """
    a = infrared.astype(np.float32) / 255
    warm = ((a - cv2.blur(a, (61, 61)) > 0.12) & (a > 0.5)).astype(np.uint8)
    target = cv2.morphologyEx(warm, cv2.MORPH_OPEN, disc(2))
    near, far = (cv2.dilate(target, disc(r)).astype(bool) for r in (NEAR, RING))
    # A neighbour that is warm itself is no surround.
    return target.astype(bool), far & ~near & ~warm.astype(bool), ~far


@dataclass(frozen=True)
class WishEffect:
    """Over the pictures that have targets; shares, not percent."""

    words: str
    pictures: int
    contrast: float  # of warm targets, relative change against neutral
    by_scene: tuple[float, float]
    by_picture: tuple[float, float]
    background_scale: float  # mean absolute change, of full scale
    background_own: float  # the same, of the background's own mean under neutral text
    background_shift: float  # signed change of the background's mean, of that mean


def wish() -> str | None:
    """The condition's name in texts.py."""
    return next((n for n in ("people", "highlight") if n in texts.CONDITIONS), None)


def effect(
    words: str,
    fused: list[tuple[np.ndarray, np.ndarray]],
    pairs: list[data.Pair],
    scenes: dict[str, str],
) -> WishEffect:
    """Compares (with the wish, neutral) pictures, one of each for every pair."""
    rise, base, moved, level, shift = ([] for _ in range(5))
    for (wished, neutral), pair in zip(fused, pairs, strict=True):
        target, ring, background = masks(pair.a)
        f, g = wished.astype(float), neutral.astype(float)
        contrast = [x[target].mean() - x[ring].mean() for x in (f, g)]
        rise.append(contrast[0] - contrast[1])
        base.append(contrast[1])
        moved.append(np.abs(f - g)[background].mean())
        shift.append((f - g)[background].mean())
        level.append(g[background].mean())
    stems = [p.stem for p in pairs]
    above, below = np.array(rise), np.array(base)
    return WishEffect(
        words,
        len(set(stems)),
        float(above.sum() / below.sum()),
        interval(above, below, [scenes[s] for s in stems]),
        interval(above, below, stems),
        float(np.mean(moved) / 255),
        float(np.sum(moved) / np.sum(level)),
        float(np.sum(shift) / np.sum(level)),
    )


def measure(
    fuser: TextFuser, pairs: list[data.Pair], scenes: dict[str, str], seeds: int
) -> list[WishEffect]:
    """The trained wording (several paraphrases) and plain commands, on clean pairs."""
    pairs = [p for p in pairs if masks(p.a)[0].sum() >= SMALLEST and masks(p.a)[1].any()]
    if not pairs:
        return []
    neutral = fuser.fuse([Job(p.a, p.b, None) for p in pairs])
    out, name = [], wish()
    wordings = [(f"plain: {text}", [text] * len(pairs), 1) for text in PLAIN]
    if name:
        told_all = [told(name, p, (p.a, p.b), s) for s in range(seeds) for p in pairs]
        wordings.insert(0, (f"wish “{name}”, {seeds} wordings", told_all, seeds))
    for words, lines, times in wordings:
        repeated = pairs * times
        wished = fuser.fuse([Job(p.a, p.b, t) for p, t in zip(repeated, lines, strict=True)])
        fused = list(zip(wished, neutral * times, strict=True))
        out.append(effect(words, fused, repeated, scenes))
    return out
