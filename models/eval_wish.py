"""What a wish for people changes: contrast of warm targets, background, degrees and places.

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
DEGREES = (
    "Bring out the people slightly.",
    "Bring out the people.",
    "Bring out the people strongly.",
)
PLACES = {
    "left": "Bring out the people on the left.",
    "right": "Bring out the people on the right.",
}
# RoadScene pairs with people in the left and in the right third of the picture.
BOTH_SIDES = tuple(
    f"FLIR_{n:05}" for n in (6099, 6422, 6621, 7620, 8749, 8756, 9350, 9512, 9616, 9636)
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


def contrast(picture: np.ndarray, infrared: np.ndarray, columns: slice = slice(None)) -> float:
    """Mean of the warm targets less that of their surround, grey levels, within some columns."""
    target, ring, _ = (m[:, columns] for m in masks(infrared))
    if not target.any() or not ring.any():
        return float("nan")
    part = picture[:, columns].astype(float)
    return float(part[target].mean() - part[ring].mean())


@dataclass(frozen=True)
class Degrees:
    """Over pairs with people: what each of DEGREES gains, and how often each gains more."""

    pictures: int
    contrast: tuple[float, ...]  # relative change against neutral
    background: tuple[float, ...]  # mean absolute change, of full scale
    monotone: float  # share of the pictures


@dataclass(frozen=True)
class Places:
    """Gain of contrast in the named third and in the opposite one, a row a picture; grey levels."""

    side: str
    gains: tuple[tuple[float, float], ...]

    @property
    def kept(self) -> int:
        """Pictures whose named third gains at least twice what the opposite one does."""
        return sum(own > 0 and own >= 2 * other for own, other in self.gains)


def measure_degrees(fuser: TextFuser, pairs: list[data.Pair]) -> Degrees:
    """Gains by each of DEGREES, on pairs that have targets."""
    pairs = [p for p in pairs if masks(p.a)[0].sum() >= SMALLEST and masks(p.a)[1].any()]
    neutral = fuser.fuse([Job(p.a, p.b, None) for p in pairs])
    base = np.array([contrast(f, p.a) for f, p in zip(neutral, pairs, strict=True)])
    gains, moved = [], []
    for text in DEGREES:
        fused = fuser.fuse([Job(p.a, p.b, text) for p in pairs])
        gains.append([contrast(f, p.a) for f, p in zip(fused, pairs, strict=True)] - base)
        change = [np.abs(f.astype(float) - n) for f, n in zip(fused, neutral, strict=True)]
        outside = [c[masks(p.a)[2]].mean() for c, p in zip(change, pairs, strict=True)]
        moved.append(float(np.mean(outside) / 255))
    rises = np.all(np.diff(gains, axis=0) > 0, axis=0)
    total = tuple(float(np.sum(g) / base.sum()) for g in gains)
    return Degrees(len(pairs), total, tuple(moved), float(rises.mean()))


def measure_places(fuser: TextFuser, pairs: list[data.Pair]) -> list[Places]:
    """Gains by each of PLACES, on pairs with people in both thirds."""
    neutral = fuser.fuse([Job(p.a, p.b, None) for p in pairs])
    found = []
    for side, text in PLACES.items():
        fused = fuser.fuse([Job(p.a, p.b, text) for p in pairs])
        rows = []
        for f, n, p in zip(fused, neutral, pairs, strict=True):
            third = p.a.shape[1] // 3
            sides = [slice(0, third), slice(p.a.shape[1] - third, None)]
            rise = [contrast(f, p.a, s) - contrast(n, p.a, s) for s in sides]
            rows.append(tuple(rise if side == "left" else rise[::-1]))
        found.append(Places(side, tuple(rows)))
    return found


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
