"""Whether the text works: degraded pairs under right, neutral and wrong texts, through filmd.

The target is what the same network makes of the clean pair under its neutral text.  Differences
are paired (same picture, same fault); their intervals resample whole scenes.
"""

from __future__ import annotations

import random
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import data
import facts
import samples
import texts
from eval_methods import Filmd, read, write
from eval_scores import psnr, to_u8
from validate import yardstick

WISHES = ("people", "texture", "edges", "highlight")  # no fault of a source: not scored here
RIGHT, NEUTRAL, OTHER, TASK = "right text", "neutral", "another condition's", "another task's"
COMPARED = ((RIGHT, NEUTRAL), (NEUTRAL, OTHER), (NEUTRAL, TASK))
KINDS = (RIGHT, NEUTRAL, OTHER, TASK)
ALL = "all conditions"
DRAWS = 4000


@dataclass(frozen=True)
class Job:
    """A pair to be fused under a text; None is the manifest's neutral guidance."""

    a: np.ndarray
    b: np.ndarray
    text: str | None
    task: str = "ivf"


@dataclass(frozen=True)
class Effect:
    """A mean paired difference with its 95 % intervals, by scene and by picture."""

    condition: str
    metric: str
    compared: tuple[str, str]
    mean: float
    by_scene: tuple[float, float]
    by_picture: tuple[float, float]

    @property
    def positive(self) -> bool:
        """Whether the whole interval by scene lies above zero."""
        return self.by_scene[0] > 0


class TextFuser:
    """Fuses jobs by one network, one start of the program for each text."""

    def __init__(self, filmd: Filmd, arguments: tuple[str, ...], work: Path) -> None:
        self.filmd, self.arguments, self.work = filmd, arguments, work
        self.starts = 0

    def fuse(self, jobs: list[Job]) -> list[np.ndarray]:
        """uint8 [H,W] a job."""
        groups: dict[tuple[str, str | None], list[int]] = {}
        for i, job in enumerate(jobs):
            groups.setdefault((job.task, job.text), []).append(i)
        fused: dict[int, np.ndarray] = {}
        for (task, text), members in groups.items():
            shutil.rmtree(self.work, ignore_errors=True)
            for i in members:
                write(self.work / "a" / f"{i}.png", jobs[i].a)
                write(self.work / "b" / f"{i}.png", jobs[i].b)
            told = () if text is None else ("--text", text)
            self.filmd.fuse(self.work, self.work / "f", task, (*self.arguments, *told))
            self.starts += 1
            fused.update((i, read(self.work / "f" / f"{i}.png")) for i in members)
        return [fused[i] for i in range(len(jobs))]


def interval(
    above: np.ndarray, below: np.ndarray, clusters: list[str], seed: int = 1
) -> tuple[float, float]:
    """95 % percentile bootstrap of sum(above) / sum(below), drawing whole clusters."""
    names = sorted(set(clusters))
    member = np.array([[c == n for c in clusters] for n in names], float)
    sums = np.stack([member @ above, member @ below], 1)
    draws = np.random.default_rng(seed).multinomial(
        len(names), [1 / len(names)] * len(names), DRAWS
    )
    found = draws @ sums
    low, high = np.percentile(found[:, 0] / found[:, 1], (2.5, 97.5))
    return float(low), float(high)


def faults() -> list[str]:
    """The conditions that are a fault of a source."""
    return [name for name in texts.CONDITIONS if name not in WISHES]


def degraded(name: str, pair: data.Pair, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 sources with one fault; the same arguments give the same pixels."""
    label = f"{name} {pair.stem} {seed}"
    noise = np.random.default_rng(zlib.crc32(label.encode()))
    clean = (x / np.float32(255) for x in (pair.a, pair.b))
    a, b = samples.degrade(name, *clean, random.Random(label), noise)
    return to_u8(a * 255), to_u8(b * 255)


def told(name: str, pair: data.Pair, sources: tuple[np.ndarray, np.ndarray], seed: int) -> str:
    """The text that names a condition, with facts measured on the sources as they are."""
    key = facts.measure("ivf", pair.set, *(x / 255.0 for x in sources))
    if name == "glare" and key[2] == "none":
        key = (*key[:2], "left", *key[3:])  # a text about glare needs a side
    return texts.condition(name, key, seed)


def scene_of(folder: Path, name: str) -> dict[str, str]:
    """Stem -> first stem of its scene, by the whole set's frame numbers."""
    stems = [p.stem for p in (folder / name / "a").iterdir()]
    return {stem: scene[0] for scene in data.scenes(stems) for stem in scene}


def closeness(fused: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """PSNR in dB, and SSIM as the yardstick has it."""
    ssim = yardstick("fusion_metrics").Pair(target, target).ssim(fused)[0]
    return {"PSNR": psnr(fused, target), "SSIM": ssim}


def measure(
    fuser: TextFuser, pairs: list[data.Pair], scenes: dict[str, str], seeds: int
) -> tuple[dict[str, dict[str, list[float]]], list[Effect]]:
    """Mean (PSNR, SSIM) by condition and text, and every paired difference."""
    targets = dict(
        zip((p.stem for p in pairs), fuser.fuse([Job(p.a, p.b, None) for p in pairs]), strict=True)
    )
    names, others = faults(), [t for t in texts.TASKS if t != "ivf"]
    jobs, slots = [], []
    for at, name in enumerate(names):
        for seed in range(seeds):
            other = names[(at + 1 + seed % (len(names) - 1)) % len(names)]
            for pair in pairs:
                sources = degraded(name, pair, seed)
                for kind, text in (
                    (RIGHT, told(name, pair, sources, seed)),
                    (NEUTRAL, None),
                    (OTHER, told(other, pair, sources, seed)),
                    (TASK, texts.NEUTRAL[others[seed % len(others)]]),
                ):
                    jobs.append(Job(*sources, text))
                    slots.append((name, kind, pair.stem))
    found: dict[tuple[str, str, str], list[float]] = {}
    stems: dict[str, list[str]] = {}
    for (name, kind, stem), fused in zip(slots, fuser.fuse(jobs), strict=True):
        for metric, value in closeness(fused, targets[stem]).items():
            found.setdefault((name, kind, metric), []).append(value)
        if kind == RIGHT:
            stems.setdefault(name, []).append(stem)
    table = {
        name: {k: [float(np.mean(found[name, k, m])) for m in ("PSNR", "SSIM")] for k in KINDS}
        for name in names
    }
    return table, effects(found, stems, scenes)


def effects(
    found: dict[tuple[str, str, str], list[float]],
    stems: dict[str, list[str]],
    scenes: dict[str, str],
) -> list[Effect]:
    """Paired differences by condition, and over all of them."""
    out = []
    for name in (*stems, ALL):
        parts = list(stems) if name == ALL else [name]
        pictures = [stem for part in parts for stem in stems[part]]
        for metric in ("PSNR", "SSIM"):
            for better, worse in COMPARED:
                difference = np.concatenate(
                    [np.subtract(found[p, better, metric], found[p, worse, metric]) for p in parts]
                )
                ones = np.ones_like(difference)
                out.append(
                    Effect(
                        name,
                        metric,
                        (better, worse),
                        float(difference.mean()),
                        interval(difference, ones, [scenes[s] for s in pictures]),
                        interval(difference, ones, pictures),
                    )
                )
    return out


def task_sentences(fuser: TextFuser, by_task: dict[str, list[data.Pair]]) -> dict[str, list[float]]:
    """QABF + VIFF of each task's pairs under each task's neutral sentence."""
    metrics, rows = yardstick("fusion_metrics"), {}
    for task, pairs in by_task.items():
        scores = []
        for sentence in texts.TASKS:
            # --task stays: the words alone are to tell.
            jobs = [Job(p.a, p.b, texts.NEUTRAL[sentence], task) for p in pairs]
            found = [
                sum(metrics.Pair(p.a, p.b).evaluate(f, ("QABF", "VIFF")).values())
                for p, f in zip(pairs, fuser.fuse(jobs), strict=True)
            ]
            scores.append(float(np.mean(found)))
        rows[f"{task} pairs"] = scores
    return rows
