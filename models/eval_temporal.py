"""Flicker on a synthetic video of known motion, and the jump at a change of the text.

The video is a held-out pair that pans by a fraction of a pixel a frame, with fresh sensor noise in
both sources; the text is fixed.  The daemon's own loops are not run.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

import data
import texts
from eval_scores import to_u8
from eval_text import Job, TextFuser, told

STEP = (1.3, 0.7)  # pixels a frame, right and down
FRAMES, MARGIN, NOISE = 8, 24, 2.0  # frames, pixels, grey levels


@dataclass(frozen=True)
class Temporal:
    """Grey levels."""

    fused: float  # mean absolute change after warping
    sources: tuple[float, float]
    swap: float  # mean absolute change of a frame from neutral to the text that changes it most
    swap_text: str

    @property
    def mean_of_sources(self) -> float:
        return sum(self.sources) / 2


def shifted(x: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """The picture moved by a fraction of pixels, f32."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size, mode = (x.shape[1], x.shape[0]), cv2.BORDER_REFLECT
    return cv2.warpAffine(
        x.astype(np.float32), matrix, size, flags=cv2.INTER_CUBIC, borderMode=mode
    )


def pan(x: np.ndarray, seed: int) -> list[np.ndarray]:
    """uint8 frames."""
    noise = np.random.default_rng(seed)
    return [
        to_u8(shifted(x, t * STEP[0], t * STEP[1]) + noise.normal(0, NOISE, x.shape))
        for t in range(FRAMES)
    ]


def flicker(frames: list[np.ndarray]) -> float:
    """Mean absolute difference of each frame from the one before, warped by the motion."""
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    return float(
        np.mean(
            [
                np.abs(shifted(x, *STEP) - y.astype(np.float32))[inside].mean()
                for x, y in itertools.pairwise(frames)
            ]
        )
    )


def measure(fuser: TextFuser, pairs: list[data.Pair]) -> Temporal:
    """Over a few infrared-visible pairs."""
    found = []
    for i, pair in enumerate(pairs):
        sources = [pan(x, 2 * i + k) for k, x in enumerate((pair.a, pair.b))]
        fused = fuser.fuse([Job(a, b, None) for a, b in zip(*sources)])
        found.append([flicker(frames) for frames in (fused, *sources)])
    mean, a, b = np.mean(found, 0)
    neutral = fuser.fuse([Job(p.a, p.b, None) for p in pairs])
    jumps = {}
    for name in texts.CONDITIONS:
        jobs = [Job(p.a, p.b, told(name, p, (p.a, p.b), 0)) for p in pairs]
        change = [np.abs(f.astype(float) - g).mean() for f, g in zip(fuser.fuse(jobs), neutral)]
        jumps[name] = float(max(change))
    worst = max(jumps, key=jumps.__getitem__)
    return Temporal(float(mean), (float(a), float(b)), jumps[worst], worst)
