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
import queue
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import data
import losses
import targets
from bank import Bank
from film import Film, mac_per_pixel, parameters
from samples import TASKS, Batch, Sampler
from validate import quick_table
from variants import Variant

PEAK, FLOOR, DECAY = 1.5e-3, 1e-5, 1e-4
WARM = 500  # steps in which the learning rate rises; a fifth of them with --start
NOISE = 0.02  # most of it in the stability loss
KEPT = 4.0  # weight of what a refinement is to keep
GUIDES = 0.3  # their share of the learning rate
ROUND_FROM = 0.82  # share of the run after which the network learns with 8-bit rounding
AVERAGE = 0.999  # of the running mean of the weights, which is what is shipped


def clip(x: float | Tensor, low: float, high: float) -> float | Tensor:
    """x within low..high; a tensor stays on its device."""
    return x.clamp(low, high) if torch.is_tensor(x) else min(high, max(low, x))


def rate(used: float | Tensor, step: int | Tensor, peak: float, warm: int) -> float | Tensor:
    """Learning rate after `used` (0..1) of the budget; it rises for the first `warm` steps."""
    wave = torch.cos(math.pi * used) if torch.is_tensor(used) else math.cos(math.pi * used)
    return peak * clip((step + 1) / warm, 0.0, 1.0) * 0.5 * (1 + wave) + FLOOR


def optimiser(net: Film, capturable: bool = False) -> torch.optim.Optimizer:
    """AdamW; the guides, whose inputs are large and positive, go in smaller steps."""
    guides = [p for n, p in net.named_parameters() if n.startswith("guides.")]
    others = [p for n, p in net.named_parameters() if not n.startswith("guides.")]
    groups = [{"params": others, "share": 1.0}, {"params": guides, "share": GUIDES}]
    return torch.optim.AdamW(groups, lr=PEAK, weight_decay=DECAY, capturable=capturable)


def crops(used: float, step: int) -> int:
    """Pixels of a crop: small ones first, later some larger ones that see more of the scene."""
    return 192 if used > 0.5 and step % 4 == 0 else 128


def late(used: float | Tensor) -> float | Tensor:
    """Weight of the metric surrogates: none at first, all of it from 30 % on."""
    return clip((used - 0.05) / 0.25, 0.0, 1.0)


def told_target(mean: Film, batch: Batch, neutral: Tensor) -> Tensor:
    """What the texts of the degraded samples ask for: the clean pair's fusion, plus the wish."""
    with torch.no_grad():
        clean = [x[batch.degraded] for x in batch.clean]
        fused = mean(*clean, neutral[None].expand(len(clean[0]), -1, -1))
        edges = fused - losses.blur(fused, 5)
        return fused + batch.add[batch.degraded] + batch.sharpen[batch.degraded] * edges


def kept(before: Film, batch: Batch, fused: Tensor, each: Tensor) -> Tensor:
    """Loss a sample [N]: `each`, or where a sample is `kept` how far `fused` is from what the network made
    of the clean pair `before` it was refined."""
    chosen = batch.kept > 0
    if not chosen.any():
        return each
    with torch.no_grad():
        wanted = before(*(x[chosen] for x in batch.clean), batch.guidance[chosen])
    return each.masked_scatter(chosen, KEPT * targets.told(fused[chosen], wanted))


def stability(net: Film, batch: Batch, fused: Tensor, step: int | Tensor) -> Tensor:
    """Loss of the plain infrared-visible samples, moved by one to three pixels, with noise of up to 5
    grey levels in each source: more in one than in the other, as cameras have it."""
    y, x = 1 + step // 4 % 3, 1 + step // 12 % 3
    size, device = fused.shape[-1] - 16, fused.device
    first = slice(0, batch.groups)
    again = [targets.moved(v[first], y, x, size) for v in batch.inputs]
    again = [v + NOISE * torch.rand((), device=device) * torch.randn_like(v) for v in again]
    again = net.blend(*again, *net.maps(*again, batch.guidance[first]))
    return targets.stable(targets.moved(fused[first], y, x, size), again).mean()


def step_loss(
    net: Film,
    mean: Film,
    batch: Batch,
    neutral: Tensor,
    plan: targets.Plan,
    variant: Variant,
    late: float | Tensor,
    step: int | Tensor,
    turn: int,
    before: Film | None = None,
) -> dict[str, Tensor]:
    """Loss by name: one a task, `told` and `stable`; turn = step % 4 says which of the terms take part.

    before: the network that `kept` samples go by (--keep, or else --start).
    On a device nothing depends on the values of tensors, so that a step can be recorded as a graph.
    """
    logit, detail = net.maps(*batch.inputs, batch.guidance)
    fused = net.blend(*batch.inputs, logit, detail)  # not clipped: see losses.outside
    each = targets.loss(plan, *batch.clean, fused, late, turn)
    if before is not None:
        each = kept(before, batch, fused, each)
    each = each.view(len(TASKS), -1)
    told = batch.told  # [groups], of the second row
    # A degraded sample that the text speaks of has a target of its own.
    found = {"ivf": ((each[0] + (1 - told) * each[1]) / (2 - told)).mean()}
    found.update({task: row.mean() for task, row in zip(TASKS[2:], each[2:])})
    last = slice(-batch.groups, None)  # the multi-focus samples
    chosen = targets.choice(*(x[last] for x in batch.clean), logit[last], detail[last])
    found["mff"] = found["mff"] + plan.choice * chosen.mean()
    if told.is_cuda or told.any():  # a processor saves the time where nothing is told
        asked = targets.told(fused[batch.degraded], told_target(mean, batch, neutral))
        found["told"] = variant.told * late * (told * asked).mean()
    if turn == 0:
        found["stable"] = variant.stable * late * stability(net, batch, fused, step)
    return found


def prefetch(sampler: Sampler, sizes: Iterator[int]) -> Iterator[Batch]:
    """Batches, made by a second thread while the network learns from the one before."""
    ready: queue.Queue[Batch] = queue.Queue(4)

    def work() -> None:
        for size in sizes:
            ready.put(sampler.batch(size))

    threading.Thread(target=work, daemon=True).start()
    while True:
        yield ready.get()


def save(path: Path, state: dict) -> None:
    """Writes beside, then renames: a cut-off run never leaves half a checkpoint."""
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def follow(mean: Film, net: Film, step: int | Tensor) -> None:
    """Running mean of the weights; faster in the beginning."""
    keep = clip((step + 1) / (step + 20), 0.0, AVERAGE)
    with torch.no_grad():
        means = list(mean.parameters())
        ahead = torch._foreach_sub(list(net.parameters()), means)
        torch._foreach_mul_(ahead, 1 - keep)
        torch._foreach_add_(means, ahead)
        for m, p in zip(mean.buffers(), net.buffers()):
            m.copy_(p)


def used_share(spent: float, step: int, options: argparse.Namespace) -> float:
    """How far the run is, 0..1, by whichever limit comes first."""
    return max(spent / (60 * options.minutes), step / options.steps)


def report(work: Path, record: dict) -> None:
    """One JSON line a report, for the log and the curve."""
    with open(work / "log.jsonl", "a") as log:
        log.write(json.dumps(record) + "\n")
    print(json.dumps(record), flush=True)


def train(options: argparse.Namespace) -> None:
    """The whole run."""
    variant = options.variant
    torch.manual_seed(variant.seed)
    torch.set_num_threads(options.threads)
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    folder = data.root(options.data)
    held = [p for name in data.SETS for p in data.load(folder, name, "val")]
    bank = Bank(work)
    sampler = Sampler(
        [p for name in data.SETS for p in data.load(folder, name, "train")], bank, variant.seed
    )
    net = Film(variant.shape).to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    mean = copy.deepcopy(net)
    print(
        f"parameters {parameters(net)}, MAC/pixel {mac_per_pixel(net):.0f}, "
        f"train {sum(map(len, sampler.by_set.values()))} pairs, val {len(held)}",
        flush=True,
    )
    optimizer = optimiser(net)
    step, spent, file, before = 0, 0.0, work / "checkpoint.pt", None
    if options.start:
        net.load_state_dict(torch.load(options.start)["mean"])
        mean.load_state_dict(net.state_dict())
        before = Film(variant.shape).to(memory_format=torch.channels_last).eval()
        before.load_state_dict(torch.load(options.keep or options.start)["mean"])
    if file.exists():
        known = torch.load(file)
        net.load_state_dict(known["net"])
        mean.load_state_dict(known["mean"])
        optimizer.load_state_dict(known["optimizer"])
        step, spent = known["step"], known["spent"]
        sampler.rng.seed(variant.seed + step)
    budget, sums, last_save, last_table = options.minutes * 60, {}, time.monotonic(), spent
    neutral, plan = bank.neutral("ivf"), targets.Plan(TASKS, variant.weights)
    at = [used_share(spent, step, options)]  # where the schedule is, for the sampling thread
    batches = prefetch(sampler, (crops(at[0], i) for i in count(step)))
    started = time.monotonic() - spent

    def state() -> dict:
        return {
            "net": net.state_dict(),
            "mean": mean.state_dict(),
            "step": step,
            "spent": spent,
            "optimizer": optimizer.state_dict(),
        }

    net.train()
    while (spent := time.monotonic() - started) < budget and step < options.steps:
        used = at[0] = used_share(spent, step, options)
        if options.start:  # surrogates, rounding and large crops from the first step on
            at[0] = max(used, ROUND_FROM + 0.01)
        net.quantised(at[0] > ROUND_FROM)
        for group in optimizer.param_groups:
            group["lr"] = group["share"] * rate(
                used, step, options.peak, WARM // 5 if options.start else WARM
            )
        batch = next(batches)
        if not variant.text:
            batch.guidance.zero_()
        found = step_loss(
            net, mean, batch, neutral, plan, variant, late(at[0]), step, step % 4, before
        )
        total = sum(found.values()) / len(TASKS)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        follow(mean, net, step)
        step += 1
        for task, value in found.items():
            sums.setdefault(task, []).append(value.item())
        if step % 100 == 0:
            shown = {t: round(float(np.mean(v)), 4) for t, v in sums.items()}
            report(work, {"step": step, "seconds": round(spent), **shown})
            sums = {}
        if time.monotonic() - last_save > 120:
            save(file, state())
            last_save = time.monotonic()
        if spent - last_table > options.table * 60:
            report(work, {"step": step, "val": quick_table(mean, held, bank)})
            last_table = spent
    save(file, state())
    report(work, {"step": step, "val": quick_table(mean, held, bank)})


def arguments() -> argparse.ArgumentParser:
    """Command line; ablate.py adds what only it sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--work", default=str(Path(__file__).parent / "work"))
    parser.add_argument("--minutes", type=float, default=65)
    parser.add_argument("--steps", type=int, default=10**9, help="a budget in steps instead")
    parser.add_argument("--table", type=float, default=8, help="minutes between validation tables")
    parser.add_argument("--start", type=Path, help="begin with the mean weights of a checkpoint")
    parser.add_argument("--keep", type=Path, help="what `kept` samples go by (default: --start)")
    parser.add_argument("--peak", type=float, default=PEAK, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=1)
    parser.set_defaults(variant=Variant())
    return parser


if __name__ == "__main__":
    train(arguments().parse_args())
