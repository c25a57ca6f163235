"""Training batches: crops with texts, and degraded pairs (or wishes) with texts that say so."""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

import cameras
import data
import facts
import texts
from bank import Bank

TOLD_SHARE = 0.8  # of the degraded samples: the text names the fault, the target is the clean pair
# What the network mends or raises by a text.
MENDED = ("glare", "texture", "edges")
# What stages before and behind it do: the network takes no notice.
ELSEWHERE = (
    "low light",
    "over-exposure",
    "haze",
    "low contrast in infrared",
    "noise in visible",
    "noise in infrared",
    "blur",
    "people",
)
UNHEARD = 0.5  # share of the degraded samples whose text is one of ELSEWHERE or a whole paragraph
ABSENT = 0.2  # share of texts that name what is not there, or nothing at all: neutral is the target
KEPT_SHARE = {  # of the plain samples of a set, see Batch.kept
    "harvard_ct": 0.85,
    "harvard_pet": 1.0,
    "harvard_spect": 1.0,
    "mfifb_half": 0.5,
}
MADE = 0.35  # share of the multi-exposure samples that are made of one well-exposed picture
SHAKEN = 0.3  # share of them that do not lie quite over each other
LIFT, DIM = 0.3, 0.08  # what the wish for people adds to what is warm, and takes from around it
TEXTURE, SHARPEN = 0.6, 0.5  # what the wishes for texture and edges add
RARE = {"tno_rest": 0.5}  # weight of a small set beside the others of its task
TASKS = ("ivf", "ivf", "mif", "mef", "mff")  # of a batch; the second is the degraded one


@dataclass
class Sample:
    """Inputs, the pair that the target is made from, the text features; see train.told."""

    inputs: tuple[np.ndarray, np.ndarray]
    clean: tuple[np.ndarray, np.ndarray]
    guidance: Tensor
    told: bool = False  # the target is the network's own neutral fusion of `clean`, plus:
    add: np.ndarray | None = None  # [H,W]
    sharpen: float = 0.0
    kept: bool = False  # see Batch


def _spot(shape: tuple[int, int], rng: random.Random) -> np.ndarray:
    """A soft bright disc [H,W] in 0..1."""
    h, w = shape
    y, x = np.mgrid[:h, :w]
    cy, cx, r = rng.uniform(0, h), rng.uniform(0, w), rng.uniform(0.12, 0.25) * h
    distance = np.hypot(y - cy, x - cx) / r
    return (1 / (1 + np.exp(6 * (distance - 1)))).astype(np.float32)


def warm(a: np.ndarray) -> np.ndarray:
    """Soft mask [H,W] 0..1 of what is warm and warmer than its surroundings (61 pixels wide)."""
    around = cv2.blur(a, (61, 61), borderType=cv2.BORDER_REPLICATE)
    mask = 1 / ((1 + np.exp(-30 * (a - around - 0.12))) * (1 + np.exp(-30 * (a - 0.5))))
    return cv2.blur(mask.astype(np.float32), (3, 3), borderType=cv2.BORDER_REPLICATE)


def wish(name: str, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, float]:
    """What a wish adds to the target: a plane [H,W], and the share of sharpening."""
    if name == "people":
        # Most are nearly white already: their surround has to make room.
        mask = warm(a)
        near = np.clip(3 * cv2.blur(mask, (27, 27), borderType=cv2.BORDER_REPLICATE), 0, 1)
        return LIFT * mask - DIM * near * (1 - mask), 0.0
    if name == "texture":
        return TEXTURE * (b - cv2.blur(b, (9, 9))), 0.0
    return np.zeros_like(a), SHARPEN if name == "edges" else 0.0


def degrade(
    name: str, a: np.ndarray, b: np.ndarray, rng: random.Random, noise: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The pair [H,W] in 0..1 as a faulty camera would give it; wishes leave it as it is."""

    def grain(sigma: float) -> np.ndarray:
        return noise.normal(0, sigma, a.shape).astype(np.float32)

    if name == "low light":
        b = rng.uniform(0.15, 0.4) * b + grain(0.008)
    elif name == "over-exposure":
        b = rng.uniform(1.8, 3.0) * b + rng.uniform(0.05, 0.2)
    elif name == "glare":
        b = b + _spot(b.shape, rng) * rng.uniform(0.7, 1.0)
    elif name == "haze":
        clear, air = rng.uniform(0.2, 0.45), rng.uniform(0.7, 0.9)
        b = clear * b + (1 - clear) * air + grain(0.004)
    elif name == "noise in visible":
        b = b + grain(rng.uniform(0.04, 0.09))
    elif name == "noise in infrared":
        a = a + grain(rng.uniform(0.04, 0.09))
    elif name == "low contrast in infrared":
        a = a.mean() + rng.uniform(0.15, 0.35) * (a - a.mean()) + grain(0.004)
    elif name == "blur":
        b = cv2.GaussianBlur(b, (0, 0), rng.uniform(1.5, 3.0))
    return np.clip(a, 0, 1), np.clip(b, 0, 1)


def _absent(a: np.ndarray, b: np.ndarray, bank: Bank, rng: random.Random) -> Sample:
    """A pair under a text that asks for nothing, or to mend what is not there."""
    key = facts.measure("ivf", "roadscene171", a, b)
    if rng.random() < 0.4 or float((b > 0.93).mean()) > 0.02:
        return Sample((a, b), (a, b), bank.nothing(rng), True)
    return Sample((a, b), (a, b), bank.condition("glare", key, rng), True)


def _unheard(a: np.ndarray, b: np.ndarray, bank: Bank, rng: random.Random) -> Sample:
    """A pair, faulty or not, under a text that other stages act on, or that only says what is to be seen."""
    key = facts.measure("ivf", "roadscene171", a, b)
    if rng.random() < 0.5:
        return Sample((a, b), (a, b), bank.said(key, rng), True)
    return Sample((a, b), (a, b), bank.condition(rng.choice(ELSEWHERE), key, rng), True)


def _degraded(
    a: np.ndarray, b: np.ndarray, bank: Bank, rng: random.Random, noise: np.random.Generator
) -> Sample:
    """An infrared-visible sample with a fault (or a wish), named by the text or not."""
    if rng.random() < ABSENT:
        return _absent(a, b, bank, rng)
    if rng.random() < UNHEARD:
        return _unheard(a, b, bank, rng)
    name = rng.choice(MENDED)
    faulty = degrade(name, a, b, rng, noise)
    key = facts.measure("ivf", "roadscene171", *faulty)
    if rng.random() >= TOLD_SHARE:
        return Sample(faulty, faulty, bank.describe("ivf", key, rng))
    add, sharpen = wish(name, a, b)
    return Sample(faulty, (a, b), bank.condition(name, key, rng), True, add, sharpen)


class Sampler:
    """Endless batches of TASKS."""

    def __init__(self, pairs: list[data.Pair], bank: Bank, seed: int) -> None:
        self.by_set: dict[str, list[data.Pair]] = {}
        for pair in pairs:
            self.by_set.setdefault(pair.set, []).append(pair)
        self.sets = {t: [s for s in self.by_set if data.SETS[s] == t] for t in texts.TASKS}
        self.bank, self.rng = bank, random.Random(seed)
        self.noise = np.random.default_rng(seed)

    def _pick(self, task: str, size: int) -> tuple[data.Pair, np.ndarray, np.ndarray]:
        """A pair of the task and a crop of it that has something in it."""
        rng, sets = self.rng, self.sets[task]
        weights = [RARE.get(name, 1.0) for name in sets]
        for _ in range(8):
            pair = rng.choice(self.by_set[rng.choices(sets, weights)[0]])
            a, b = data.crop(pair, size, rng)
            if data.usable(a, b):
                break
        return pair, a, b

    def _exposures(self, size: int) -> Sample:
        """A multi-exposure sample from one picture of another task's pair."""
        _, _, well = self._pick(self.rng.choice(("ivf", "mff")), size)
        a, b = cameras.exposures(well, self.rng)
        if self.rng.random() < SHAKEN:
            a = cameras.shaken(a, self.rng, 1.2)
        key = facts.measure("mef", "mefb_half", a, b)
        return Sample((a, b), (a, b), self.bank.describe("mef", key, self.rng))

    def _one(self, task: str, size: int, degraded: bool) -> Sample:
        rng = self.rng
        if task == "mef" and rng.random() < MADE:
            return self._exposures(size)
        pair, a, b = self._pick(task, size)
        if task == "ivf":
            before = a, b
            a, b = (cameras.source(x, rng, self.noise, x is before[0]) for x in before)
        elif task == "mef" and rng.random() < SHAKEN:
            a = cameras.shaken(a, rng, 0.8)
        if degraded:
            return _degraded(a, b, self.bank, rng, self.noise)
        key = facts.measure(task, pair.set, a, b)
        guidance = self.bank.describe(task, key, rng, pair)
        kept = rng.random() < KEPT_SHARE.get(pair.set, 0.0)
        return Sample((a, b), (a, b), guidance, kept=kept)

    def batch(self, size: int) -> Batch:
        """One sample of each of TASKS."""
        samples = [self._one(t, size, i == 1) for i, t in enumerate(TASKS)]
        nothing = np.zeros((size, size), np.float32)

        def stack(planes: list[np.ndarray]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(np.stack(planes)[:, None], np.float32))

        return Batch(
            inputs=[stack([s.inputs[i] for s in samples]) for i in range(2)],
            clean=[stack([s.clean[i] for s in samples]) for i in range(2)],
            guidance=torch.stack([s.guidance for s in samples]),
            told=torch.tensor([float(samples[1].told)]),
            add=stack([nothing if s.add is None else s.add for s in samples]),
            sharpen=torch.tensor([s.sharpen for s in samples]).view(-1, 1, 1, 1),
            kept=torch.tensor([float(s.kept) for s in samples]),
        )


@dataclass
class Batch:
    """Tensors of a batch: images [N,1,H,W], guidance [N,64,384].

    N is `groups` times len(TASKS), all samples of the first of TASKS before those of the second.
    """

    inputs: list[Tensor]
    clean: list[Tensor]
    guidance: Tensor
    told: Tensor  # [groups] 0 or 1, of the degraded samples
    add: Tensor
    sharpen: Tensor
    kept: Tensor | None = None  # [N] 0 or 1: a refinement keeps what it was

    @property
    def groups(self) -> int:
        return len(self.told)

    @property
    def degraded(self) -> slice:
        return slice(self.groups, 2 * self.groups)
