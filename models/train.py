"""Trains the fusion network within a time budget; resumable.

    python train.py --minutes 65 --data DIR --work DIR

The schedule (cosine learning rate, fade-in of the metric surrogates, crop size) follows the share
of the time budget that is used, so that a slow machine gives a shorter but complete run.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import data
import targets
import texts
from bank import Bank
from film import Film, mac_per_pixel, parameters
from samples import Sampler
from validate import quick_table

SEED = 20240204
PEAK, FLOOR, DECAY = 2e-3, 1e-5, 1e-4
AVERAGE = 0.998  # of the running mean of the weights, which is what is shipped


def rate(used: float, step: int) -> float:
    """Learning rate after `used` (0..1) of the budget."""
    return PEAK * min(1.0, (step + 1) / 150) * 0.5 * (1 + math.cos(math.pi * used)) + FLOOR


def crops(used: float, step: int) -> tuple[int, int]:
    """(samples a task, pixels): many small steps first, then larger batches and crops in turn."""
    if used < 0.55:
        return 1, 128
    return (1, 192) if step % 4 < 2 else (2, 128)


def late(used: float) -> float:
    """Weight of the metric surrogates: none at first, all of it from 30 % on."""
    return min(1.0, max(0.0, (used - 0.05) / 0.25))


def step_loss(
    net: Film, tasks: list[str], batch: list[Tensor], used: float, turn: int
) -> dict[str, Tensor]:
    """Mean loss of each task."""
    a, b, clean_a, clean_b, lift, guidance = batch
    logit, detail = net.maps(a, b, guidance)
    fused = b + torch.sigmoid(logit) * (a - b) + detail  # not clipped: see losses.outside
    each = targets.loss(tasks, clean_a, clean_b, fused, lift, late(used), turn)
    focus = [i for i, t in enumerate(tasks) if t == "mff"]
    chosen = targets.choice(clean_a[focus], clean_b[focus], logit[focus], detail[focus])
    each = each.index_add(0, torch.tensor(focus), targets.WEIGHTS["mff"].choice * chosen)
    found = {t: each[[i for i, u in enumerate(tasks) if u == t]].mean() for t in texts.TASKS}
    return found


def save(path: Path, state: dict) -> None:
    """Writes beside, then renames: a cut-off run never leaves half a checkpoint."""
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def follow(mean: Film, net: Film, step: int) -> None:
    """Running mean of the weights; faster in the beginning."""
    keep = min(AVERAGE, (step + 1) / (step + 20))
    with torch.no_grad():
        for m, p in zip(mean.parameters(), net.parameters()):
            m.mul_(keep).add_(p, alpha=1 - keep)


def report(work: Path, record: dict) -> None:
    """One JSON line a report, for the log and the curve."""
    with open(work / "log.jsonl", "a") as log:
        log.write(json.dumps(record) + "\n")
    print(json.dumps(record), flush=True)


def train(options: argparse.Namespace) -> None:
    """The whole run."""
    torch.manual_seed(SEED)
    torch.set_num_threads(options.threads)
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    folder = data.root(options.data)
    held = [p for name in data.SETS for p in data.load(folder, name, "val")]
    bank = Bank(work)
    sampler = Sampler(
        [p for name in data.SETS for p in data.load(folder, name, "train")], bank, SEED
    )
    net = Film().to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    mean = copy.deepcopy(net)
    print(
        f"parameters {parameters(net)}, MAC/pixel {mac_per_pixel(net):.0f}, "
        f"train {sum(map(len, sampler.by_set.values()))} pairs, val {len(held)}",
        flush=True,
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=PEAK, weight_decay=DECAY)
    step, spent, file = 0, 0.0, work / "checkpoint.pt"
    if options.start and not file.exists():
        net.load_state_dict(torch.load(options.start)["mean"])
        mean.load_state_dict(net.state_dict())
    if file.exists():
        state = torch.load(file)
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["mean"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
        sampler.rng.seed(SEED + step)
    budget, sums, last_save, last_table = options.minutes * 60, {}, time.monotonic(), spent
    started = time.monotonic() - spent
    net.train()
    while (spent := time.monotonic() - started) < budget and step < options.steps:
        used = spent / budget
        for group in optimizer.param_groups:
            group["lr"] = rate(used, step)
        found = step_loss(net, *sampler.batch(*crops(used, step)), used, step)
        total = sum(found.values()) / len(found)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        follow(mean, net, step)
        step += 1
        for task, value in found.items():
            sums.setdefault(task, []).append(value.item())
        if step % 100 == 0:
            losses = {t: round(float(np.mean(v)), 4) for t, v in sums.items()}
            report(work, {"step": step, "seconds": round(spent), **losses})
            sums = {}
        state = {
            "net": net.state_dict(),
            "mean": mean.state_dict(),
            "step": step,
            "spent": spent,
            "optimizer": optimizer.state_dict(),
        }
        if time.monotonic() - last_save > 120:
            save(file, state)
            last_save = time.monotonic()
        if spent - last_table > options.table * 60:
            report(work, {"step": step, "val": quick_table(mean, held, bank)})
            last_table = spent
    save(file, {**state, "spent": spent})
    report(work, {"step": step, "val": quick_table(mean, held, bank)})


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--work", default=str(Path(__file__).parent / "work"))
    parser.add_argument("--minutes", type=float, default=65)
    parser.add_argument("--start", help="checkpoint whose weights to start from")
    parser.add_argument("--steps", type=int, default=10**9, help="stop early, for a smoke test")
    parser.add_argument("--table", type=float, default=8, help="minutes between validation tables")
    parser.add_argument("--threads", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
