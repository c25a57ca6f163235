"""Pairs, their split by scene or patient, and augmented crops.

Images are kept as uint8 luma [H,W] (BT.601, as the yardstick reads them).  Source a is infrared,
CT, PET, SPECT, under-exposed or first focus; b is visible, MRI, over-exposed or second focus.
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SETS = {
    "roadscene171": "ivf",
    "tno_rest": "ivf",
    "harvard_ct": "mif",
    "harvard_pet": "mif",
    "harvard_spect": "mif",
    "mefb_half": "mef",
    "mfifb_half": "mff",
}
HELD_PATIENTS = {"22", "28", "30"}  # whole Harvard cases, in every modality
LARGE = 3  # times the size of RoadScene's larger visible pictures
SCENE_GAP = 100  # RoadScene frame numbers closer than this are one scene


@dataclass(frozen=True)
class Pair:
    """One registered pair, luma uint8 [H,W] each."""

    set: str
    stem: str
    a: np.ndarray
    b: np.ndarray
    large: np.ndarray | None = None  # b at LARGE times the size, where there is one

    @property
    def task(self) -> str:
        return SETS.get(self.set, "ivf")


def root(argument: str | None = None) -> Path:
    """Folder of the sets: the argument, FILMD_DATA, or the usual place beside the checkout."""
    default = Path(__file__).resolve().parent / "../../shared/data/train"
    return Path(argument or os.environ.get("FILMD_DATA") or default)


def luma(path: Path) -> np.ndarray:
    """uint8 [H,W] BT.601 luma of an image file."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise OSError(f"not an image: {path}")
    return np.clip(np.rint(bgr @ np.array([0.114, 0.587, 0.299])), 0, 255).astype(np.uint8)


def scenes(stems: list[str]) -> list[list[str]]:
    """RoadScene: neighbouring frame numbers form a scene."""
    found: list[list[str]] = []
    last = ("", -SCENE_GAP)
    for stem in sorted(stems):
        name, number = re.fullmatch(r"(.*_)(\d+)", stem).groups()
        if name != last[0] or int(number) - last[1] > SCENE_GAP:
            found.append([])
        found[-1].append(stem)
        last = (name, int(number))
    return found


def held_out(name: str, stems: list[str]) -> set[str]:
    """Stems of the validation part of one set."""
    if name == "roadscene171":
        # Every tenth scene.
        return {stem for scene in scenes(stems)[4::10] for stem in scene}
    if name.startswith("harvard"):
        return {stem for stem in stems if stem[:-3] in HELD_PATIENTS}
    return set(sorted(stems)[2::5])


def load(folder: Path, name: str, part: str) -> list[Pair]:
    """All pairs of one set; part is "train" or "val"."""
    sides = [{p.stem: p for p in sorted((folder / name / s).iterdir())} for s in ("a", "b")]
    stems = sorted(sides[0].keys() & sides[1].keys())
    held = held_out(name, stems)
    pairs = []
    for stem in stems:
        if (stem in held) == (part == "val"):
            a, b = luma(sides[0][stem]), luma(sides[1][stem])
            if a.shape == b.shape:
                pairs.append(Pair(name, stem, a, b, _large(folder / name, stem, b)))
    if not pairs:
        raise SystemExit(f"no {part} pairs of {name} under {folder}; set FILMD_DATA or --data")
    return pairs


def _large(folder: Path, stem: str, b: np.ndarray) -> np.ndarray | None:
    """The larger visible picture, where it shows just what `b` shows."""
    found = sorted((folder / "b_hr").glob(f"{stem}.*"))
    if not found:
        return None
    large = luma(found[0])
    return large if large.shape == tuple(LARGE * n for n in b.shape) else None


def _zoomed(pair: Pair, size: int, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """Infrared-visible crops [size,size], uint8, at another scale: fewer pixels a scene make it sharper;
    a larger visible picture beside an enlarged infrared one is what most boards have."""
    most = 2.5 if pair.large is not None else 1.0
    least = max(0.45, size / min(pair.a.shape) + 1e-3)
    sharper = rng.random() < 0.6  # than the set's pictures are
    low, high = (least, 1.0) if sharper or most == 1 else (1.0, most)
    scale = 1.0 if least >= 1 else np.exp(rng.uniform(np.log(low), np.log(high)))
    n = min(int(np.ceil(size / scale)), *pair.a.shape)
    y, x = (rng.randint(0, m - n) for m in pair.a.shape)
    a, b = pair.a[y : y + n, x : x + n], pair.b[y : y + n, x : x + n]
    if pair.large is not None:
        b = pair.large[LARGE * y : LARGE * (y + n), LARGE * x : LARGE * (x + n)]

    def fit(v: np.ndarray) -> np.ndarray:
        if v.shape == (size, size):
            return v
        way = cv2.INTER_AREA if v.shape[0] > size else cv2.INTER_CUBIC
        return cv2.resize(v, (size, size), interpolation=way)

    return fit(a), fit(b)


def _warp(x: np.ndarray, scale: float) -> np.ndarray:
    size = (round(x.shape[1] * scale), round(x.shape[0] * scale))
    return cv2.resize(x, size, interpolation=cv2.INTER_AREA)


def crop(pair: Pair, size: int, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 crops [size,size] in 0..1 of one place: scaled, flipped, turned, re-toned."""
    a, b = pair.a, pair.b
    small = size / min(a.shape)
    if small > 1:
        a, b = (np.pad(x, [(0, max(0, size - n)) for n in x.shape], mode="reflect") for x in (a, b))
    elif pair.task in ("mef", "mff") and small < 0.7 and rng.random() < 0.4:
        scale = rng.uniform(max(small, 0.5), 1.0)
        a, b = (_warp(x, scale + 1e-3) for x in (a, b))
    if pair.task == "ivf" and small <= 1 and rng.random() < 0.6:
        a, b = (v.astype(np.float32) / 255 for v in _zoomed(pair, size, rng))
    else:
        y, x = rng.randint(0, a.shape[0] - size), rng.randint(0, a.shape[1] - size)
        a, b = (v[y : y + size, x : x + size].astype(np.float32) / 255 for v in (a, b))
    turns = rng.choice((0, 0, 1, 2, 3)) if pair.task != "ivf" else 0
    mirror, flip = rng.random() < 0.5, rng.random() < 0.25
    tone = [rng.uniform(0.8, 1.25) if rng.random() < 0.25 else 1.0 for _ in range(2)]
    out = []
    for v, gamma in zip((a, b), tone):
        v = np.rot90(v, turns)
        v = v[:, ::-1] if mirror else v
        v = v[::-1] if flip else v
        # Focus pairs share one tone curve; anything else would be another task.
        out.append(np.ascontiguousarray(v) ** (tone[0] if pair.task == "mff" else gamma))
    if pair.task == "mff" and rng.random() < 0.5:
        out.reverse()
    return out[0], out[1]


def usable(a: np.ndarray, b: np.ndarray) -> bool:
    """False for the near-empty borders of medical images, which teach nothing."""
    return float(max(a.std(), b.std())) > 0.03
