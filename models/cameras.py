"""What other cameras make of a scene: each source of an infrared-visible crop drawn widely.

A network that has seen one pair of cameras takes their sharpness, contrast and noise for the scene's.
Every change here is made to the pair itself, so the target is made from the changed pair: nothing is
to be mended, the network only meets other sources.  Images are float32 [H,W] in 0..1.
"""

from __future__ import annotations

import random

import cv2
import numpy as np

CHANGED = 0.75  # share of the sources that are changed at all
GRAIN = 0.02  # most noise that is left behind a clean-up, of full scale
STRIPES = 0.012  # the same of column offsets


def _resolution(x: np.ndarray, rng: random.Random, most: float) -> np.ndarray:
    """Fewer pixels on the sensor than in the picture, brought up by one of the usual ways."""
    factor = rng.uniform(1.2, most)
    h, w = x.shape
    small = (max(8, round(w / factor)), max(8, round(h / factor)))
    up = rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC))
    return cv2.resize(cv2.resize(x, small, interpolation=cv2.INTER_AREA), (w, h), interpolation=up)


def _agc(x: np.ndarray, rng: random.Random) -> np.ndarray:
    """Histogram equalisation in part, of the whole picture or of tiles, as thermal cameras do it."""
    levels = np.clip(np.rint(x * 255), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        out = cv2.equalizeHist(levels)
    else:
        out = cv2.createCLAHE(rng.uniform(1.0, 4.0), (4, 4)).apply(levels)
    share = rng.uniform(0.2, 0.8)
    return (1 - share) * x + share * out.astype(np.float32) / 255


def _vignette(x: np.ndarray, rng: random.Random) -> np.ndarray:
    """Lighter or darker towards one side or the corners."""
    h, w = x.shape
    y, z = np.mgrid[:h, :w].astype(np.float32)
    far = np.hypot(y / h - rng.uniform(0, 1), z / w - rng.uniform(0, 1))
    return x * (1 - rng.uniform(-0.25, 0.35) * far * far)


def _tone(x: np.ndarray, rng: random.Random) -> np.ndarray:
    """Gamma, contrast about the mean, black level."""
    x = np.clip(x, 0, 1) ** np.float32(np.exp(rng.uniform(-0.6, 0.6)))
    if rng.random() < 0.5:
        x = x.mean() + rng.uniform(0.4, 1.3) * (x - x.mean())
    if rng.random() < 0.4:
        x = x * (1 - (black := rng.uniform(0, 0.2))) + black
    return x


def source(
    x: np.ndarray, rng: random.Random, noise: np.random.Generator, thermal: bool
) -> np.ndarray:
    """One source as another camera would give it."""
    if rng.random() > CHANGED:
        return x
    if rng.random() < (0.6 if thermal else 0.25):
        x = _resolution(x, rng, 4.0 if thermal else 2.2)
    elif rng.random() < 0.25:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.5, 1.2))
    if rng.random() < 0.6:
        x = _tone(x, rng)
    if rng.random() < (0.3 if thermal else 0.1):
        x = _agc(x, rng)
    if rng.random() < 0.15:
        x = _vignette(x, rng)
    if rng.random() < 0.2:
        x = x + rng.uniform(0.2, 0.8) * (x - cv2.GaussianBlur(x, (0, 0), rng.uniform(0.7, 1.5)))
    if rng.random() < 0.3:
        x = x + noise.normal(0, rng.uniform(0, GRAIN), x.shape)
    if thermal and rng.random() < 0.15:
        x = x + noise.normal(0, rng.uniform(0, STRIPES), (1, x.shape[1]))
    return np.clip(x, 0, 1).astype(np.float32)


def exposures(x: np.ndarray, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """An under- and an over-exposed picture of one well-exposed one, through a camera's curve."""
    curve = rng.uniform(1.8, 2.6)
    light = np.clip(x, 0, 1) ** curve  # what the sensor saw
    under, over = (2.0 ** rng.uniform(low, high) for low, high in ((-4.0, -1.0), (0.7, 3.5)))
    shoulder = rng.uniform(0.0, 0.3)

    def shot(gain: float) -> np.ndarray:
        y = light * gain
        y = (1 - shoulder) * np.minimum(y, 1) + shoulder * y / (1 + y) * 2
        return np.clip(y, 0, 1).astype(np.float32) ** np.float32(1 / curve)

    return shot(under), shot(over)


def shaken(x: np.ndarray, rng: random.Random, most: float) -> np.ndarray:
    """Moved by up to `most` pixels each way, as what registration leaves."""
    move = np.float32([[1, 0, rng.uniform(-most, most)], [0, 1, rng.uniform(-most, most)]])
    size = (x.shape[1], x.shape[0])
    return cv2.warpAffine(x, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
