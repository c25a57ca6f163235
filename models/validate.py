"""Scores by the project's yardstick (FILMD_EVAL: a folder with fusion_metrics.py, baselines.py)."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Callable

import numpy as np
import torch

import data
import facts
from bank import Bank
from film import MULTIPLE_OF, Film

Fuse = Callable[[data.Pair], np.ndarray]
QUICK = ("QABF", "VIFF", "SCD", "DOMQ", "SSIM", "NABF")
QUICK_SIDE, QUICK_PAIRS = 256, 4


def yardstick(name: str) -> ModuleType:
    """Imports fusion_metrics or baselines from FILMD_EVAL."""
    default = Path(__file__).resolve().parent / "../../shared/eval"
    folder = Path(os.environ.get("FILMD_EVAL") or default).resolve()
    if not (folder / f"{name}.py").exists():
        raise SystemExit(f"no {name}.py under {folder}; set FILMD_EVAL")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module(name)


def pad(x: np.ndarray) -> np.ndarray:
    """Edge replication to the next multiple of 16, as the daemon does."""
    h, w = x.shape
    return np.pad(x, ((0, -h % MULTIPLE_OF), (0, -w % MULTIPLE_OF)), mode="edge")


def to_u8(fused: np.ndarray) -> np.ndarray:
    """0..1 to rounded uint8."""
    return np.clip(np.rint(fused * 255), 0, 255).astype(np.uint8)


def fuse_torch(net: Film, a: np.ndarray, b: np.ndarray, guidance: torch.Tensor) -> np.ndarray:
    """uint8 [H,W] pair and f32 [64,384] -> uint8 [H,W]."""
    h, w = a.shape
    planes = [torch.from_numpy(pad(x).astype(np.float32) / 255)[None, None] for x in (a, b)]
    with torch.no_grad():
        return to_u8(net(*planes, guidance[None])[0, 0, :h, :w].numpy())


def guidance_of(bank: Bank, pair: data.Pair, described: bool) -> torch.Tensor:
    """Neutral sentence, or the first paraphrase of the pair's own facts."""
    if not described:
        return bank.neutral(pair.task)
    key = facts.measure(pair.task, pair.set, pair.a / 255.0, pair.b / 255.0)
    return bank.features[bank.index[(pair.task, key)][0]].float()


def spread(pairs: list[data.Pair], count: int) -> list[data.Pair]:
    """Up to `count` pairs, evenly over the list."""
    if len(pairs) <= count:
        return pairs
    return [pairs[i] for i in np.linspace(0, len(pairs) - 1, count).round().astype(int)]


def quick_table(net: Film, held: list[data.Pair], bank: Bank) -> dict[str, list[float]]:
    """Means of QUICK on the middle of a few held-out pairs a set, neutral text."""
    metrics = yardstick("fusion_metrics")
    training, table = net.training, {}
    net.eval()
    for name in data.SETS:
        rows = []
        for pair in spread([p for p in held if p.set == name], QUICK_PAIRS):
            y, x = (max(0, (n - QUICK_SIDE) // 2) for n in pair.a.shape)
            a, b = (v[y : y + QUICK_SIDE, x : x + QUICK_SIDE] for v in (pair.a, pair.b))
            found = metrics.Pair(a, b).evaluate(fuse_torch(net, a, b, bank.neutral(pair.task)))
            rows.append([found[m] for m in QUICK])
        table[name] = [round(float(v), 3) for v in np.mean(rows, 0)]
    net.train(training)
    return table
