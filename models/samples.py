"""Training batches: crops with texts, and a small share of degraded pairs with texts that say so."""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

import data
import facts
import texts
from bank import Bank

CONDITION_SHARE = 0.4  # of the infrared-visible samples
TOLD_SHARE = 0.7  # of those: the text names the fault, and the target is the clean pair
HIGHLIGHT = 0.2  # lift of warm pixels that a text asks for, of full scale


@dataclass
class Sample:
    """Inputs, the pair that the target is made from, the text features, a lift of the target."""

    inputs: tuple[np.ndarray, np.ndarray]
    clean: tuple[np.ndarray, np.ndarray]
    guidance: Tensor
    lift: np.ndarray


def _spot(shape: tuple[int, int], rng: random.Random) -> np.ndarray:
    """A soft bright disc [H,W] in 0..1."""
    h, w = shape
    y, x = np.mgrid[:h, :w]
    cy, cx, r = rng.uniform(0, h), rng.uniform(0, w), rng.uniform(0.12, 0.25) * h
    distance = np.hypot(y - cy, x - cx) / r
    return (1 / (1 + np.exp(6 * (distance - 1)))).astype(np.float32)


def degrade(
    name: str, a: np.ndarray, b: np.ndarray, rng: random.Random, noise: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The pair as a faulty camera would give it."""
    if name == "noise":
        a = a + noise.normal(0, rng.uniform(0.03, 0.08), a.shape).astype(np.float32)
    elif name == "low light":
        b = rng.uniform(0.15, 0.4) * b + noise.normal(0, 0.008, b.shape).astype(np.float32)
    elif name == "glare":
        b = np.maximum(b, b + _spot(b.shape, rng) * rng.uniform(0.7, 1.0))
    return np.clip(a, 0, 1), np.clip(b, 0, 1)


def _infrared_visible(
    name: str,
    a: np.ndarray,
    b: np.ndarray,
    bank: Bank,
    rng: random.Random,
    noise: np.random.Generator,
) -> Sample:
    """A sample with a fault (or a wish), named by the text or not."""
    faulty = degrade(name, a, b, rng, noise)
    key = facts.measure("ivf", "roadscene171", *faulty)
    if rng.random() >= TOLD_SHARE:
        return Sample(faulty, faulty, bank.describe("ivf", key, rng), np.zeros_like(a))
    lift = np.zeros_like(a)
    if name == "highlight":
        warm = 1 / (1 + np.exp(-20 * (a - max(0.6, float(a.mean() + a.std())))))
        lift = HIGHLIGHT * cv2.blur(warm.astype(np.float32), (5, 5))
    return Sample(faulty, (a, b), bank.condition(name, key, rng), lift)


class Sampler:
    """Endless batches with the four tasks in equal parts."""

    def __init__(self, pairs: list[data.Pair], bank: Bank, seed: int) -> None:
        self.by_set: dict[str, list[data.Pair]] = {}
        for pair in pairs:
            self.by_set.setdefault(pair.set, []).append(pair)
        self.sets = {t: [s for s in self.by_set if data.SETS[s] == t] for t in texts.TASKS}
        self.bank, self.rng = bank, random.Random(seed)
        self.noise = np.random.default_rng(seed)

    def _one(self, task: str, size: int) -> Sample:
        rng = self.rng
        for _ in range(8):
            pair = rng.choice(self.by_set[rng.choice(self.sets[task])])
            a, b = data.crop(pair, size, rng)
            if data.usable(a, b):
                break
        if task == "ivf" and rng.random() < CONDITION_SHARE:
            return _infrared_visible(rng.choice(texts.CONDITIONS), a, b, self.bank, rng, self.noise)
        key = facts.measure(task, pair.set, a, b)
        return Sample((a, b), (a, b), self.bank.describe(task, key, rng), np.zeros_like(a))

    def batch(self, each: int, size: int) -> tuple[list[str], list[Tensor]]:
        """Tasks of the 4*each samples, and [inputs a, b, clean a, b, lift, guidance]."""
        tasks = [t for t in texts.TASKS for _ in range(each)]
        samples = [self._one(t, size) for t in tasks]
        planes = [
            np.stack([f(s) for s in samples])[:, None]
            for f in (
                lambda s: s.inputs[0],
                lambda s: s.inputs[1],
                lambda s: s.clean[0],
                lambda s: s.clean[1],
                lambda s: s.lift,
            )
        ]
        tensors = [torch.from_numpy(np.ascontiguousarray(p, np.float32)) for p in planes]
        return tasks, [*tensors, torch.stack([s.guidance for s in samples])]
