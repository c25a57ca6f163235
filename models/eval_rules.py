"""Fusion rules without a network: the yardstick's, and one more decision map for focus pairs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from validate import yardstick

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]
GUIDED = "GFF (own)"  # the yardstick's guided filter: a decision map, smoothed by the sources
DECISION = "decision map"
DECISION_RULES = (GUIDED, DECISION)
FOCUS_SIGMA, SMALLEST_ISLAND = 4.0, 0.005  # pixels; share of the picture


def focus(x: np.ndarray) -> np.ndarray:
    """Local sum of the modified Laplacian (Nayar & Nakagawa 1994) of a grey picture, f32."""
    x = cv2.GaussianBlur(x.astype(np.float32), (0, 0), 0.7)
    second = np.array([[-1, 2, -1]], np.float32)
    size = sum(np.abs(cv2.filter2D(x, -1, k)) for k in (second, second.T))
    return cv2.GaussianBlur(size, (0, 0), FOCUS_SIGMA)


def without_islands(mask: np.ndarray) -> np.ndarray:
    """Turns regions of either value that are smaller than SMALLEST_ISLAND over to the other."""
    mask = mask.astype(np.uint8)
    for value in (1, 0):
        count, label, stats, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8))
        for i in range(1, count):
            if stats[i, cv2.CC_STAT_AREA] < SMALLEST_ISLAND * mask.size:
                mask[label == i] = 1 - value
    return mask.astype(bool)


def decision_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """uint8 pair -> uint8: the sharper source by region, with edge-following soft borders."""
    energy = [focus(x) for x in (a, b)]
    mask = without_islands(energy[0] > energy[1]).astype(np.float32)
    mean = (a.astype(np.float32) + b) / 510
    weight = np.clip(yardstick("baselines").guided(mean, mask, 5, np.float32(1e-3)), 0, 1)
    return np.clip(np.rint(weight * a + (1 - weight) * b), 0, 255).astype(np.uint8)


def of_task(task: str) -> dict[str, Rule]:
    """Every rule that the task is compared with; the yardstick's deliberate cheats are not."""
    baselines = yardstick("baselines")
    rules: dict[str, Rule] = dict(baselines.BASELINES)
    if task == "mef":
        rules["Mertens"] = baselines.mertens
    if task == "ivf":
        rules.update(yardstick("reach").grid())
    if task == "mff":
        rules[DECISION] = decision_map
    return rules


def digest() -> str:
    """Changes with the code of any rule, so that kept pictures are not taken for today's."""
    files = [Path(yardstick(n).__file__) for n in ("baselines", "reach")] + [Path(__file__)]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:12]
