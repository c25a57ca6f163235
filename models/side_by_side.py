"""Trains many variants at once on one CUDA device: what ablate.py does, with longer runs.

    python side_by_side.py --minutes 9 [--work DIR] [--only NAME...]
    python ablate.py --measure [--work DIR]

A network of this size leaves a large device idle: a step is thousands of small kernels.  So each
variant's steps are recorded once as CUDA graphs, and the graphs of all variants run side by side, each
on a stream of its own.  Samples are made beforehand by all processor cores and drawn by the device.
What is learnt is train.py's `step_loss`, with GROUPS samples of each of samples.TASKS a step.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import os
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

import data
import samples
import targets
import train
from bank import Bank
from film import Film
from samples import Batch, Sampler
from variants import BASE, SEED, VARIANTS, Variant

GROUPS = 4  # samples of each of TASKS in a step
PLANES = 5  # of a stored sample: both inputs, both clean sources, what a wish adds
ROWS = 2**20  # of an order in which samples are drawn
AHEAD = 8  # steps of a run that may wait on the device
TERMS = ("ivf", "mif", "mef", "mff", "told", "stable")


class Store:
    """Samples of one size on the device: f16 planes, row of the text, whether it is told, sharpening."""

    def __init__(self, folder: Path, size: int, count: int, device: str) -> None:
        rows = len(samples.TASKS)
        shape = (count, rows, PLANES, size, size)
        self.planes = torch.empty(shape, dtype=torch.float16, device=device)
        for i in range(0, count, 256):
            part = np.load(folder / f"planes-{size}.npy", mmap_mode="r")[i : i + 256]
            self.planes[i : i + 256] = torch.from_numpy(np.array(part)).to(device)
        about = np.load(folder / f"about-{size}.npy")
        self.about = torch.from_numpy(about).to(device)

    def batch(self, step: Tensor, order: Tensor, features: Tensor) -> Batch:
        """GROUPS rows, the next ones of `order` (one full turn of it); the host need not know `step`."""
        along = step * GROUPS + torch.arange(GROUPS, device=step.device)
        chosen = order[along % len(order)] % len(self.about)
        planes = self.planes[chosen].float().transpose(0, 1)  # [tasks,groups,planes,s,s]
        about = self.about[chosen].transpose(0, 1)  # [tasks,groups,3]
        p = planes.reshape(-1, *planes.shape[2:])
        a = about.reshape(-1, 3)
        return Batch(
            inputs=[p[:, :1], p[:, 1:2]],
            clean=[p[:, 2:3], p[:, 3:4]],
            guidance=features[a[:, 0].long()].float(),
            told=about[1, :, 1],
            add=p[:, 4:],
            sharpen=a[:, 2].view(-1, 1, 1, 1),
        )


def _make(job: tuple[Path, Path, int, int, int, int]) -> None:
    """Fills rows first..last of the store of one size."""
    folder, source, size, first, last, seed = job
    torch.set_num_threads(1)
    pairs = [p for name in data.SETS for p in data.load(source, name, "train")]
    bank = Bank(folder)
    bank.features = torch.arange(len(bank.lines)).view(-1, 1, 1)  # rows in place of features
    sampler = Sampler(pairs, bank, seed)
    planes = np.load(folder / f"planes-{size}.npy", mmap_mode="r+")
    about = np.load(folder / f"about-{size}.npy", mmap_mode="r+")
    for i in range(first, last):
        batch = sampler.batch(size)
        found = [*batch.inputs, *batch.clean, batch.add]
        planes[i] = torch.cat(found, 1).half().numpy()
        told = torch.zeros(len(samples.TASKS))
        told[1] = batch.told[0]
        columns = (batch.guidance.flatten(), told, batch.sharpen.flatten())
        about[i] = torch.stack(columns, 1).numpy()


def prepare(folder: Path, source: Path, sizes: dict[int, int]) -> None:
    """Makes the samples of each size, by all cores."""
    Bank(folder)  # encodes the texts once
    tasks, jobs, workers = len(samples.TASKS), [], os.cpu_count() or 1
    for size, count in sizes.items():
        for name, shape, kind in (
            ("planes", (count, tasks, PLANES, size, size), "f2"),
            ("about", (count, tasks, 3), "f4"),
        ):
            file = folder / f"{name}-{size}.npy"
            np.lib.format.open_memmap(file, "w+", dtype=kind, shape=shape).flush()
        edges = np.linspace(0, count, workers + 1).astype(int)
        for i in range(workers):
            seed = SEED + 1000 * size + i
            jobs.append((folder, source, size, int(edges[i]), int(edges[i + 1]), seed))
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(_make, jobs, 1)


class Run:
    """One variant: its networks, its stream and its recorded steps."""

    seen: ClassVar[set[object]] = set()  # shapes whose kernels are loaded

    def __init__(self, name: str, variant: Variant, device: str) -> None:
        self.name, self.variant = name, variant
        torch.manual_seed(variant.seed)
        self.net = Film(variant.shape).to(device).train()
        self.mean = copy.deepcopy(self.net)
        self.plan = targets.Plan(
            tuple(t for t in samples.TASKS for _ in range(GROUPS)), variant.weights, device
        )
        self.optimizer = train.optimiser(self.net, capturable=True)
        for group in self.optimizer.param_groups:
            group["lr"] = torch.zeros((), device=device)
        shuffled = torch.randperm(ROWS, generator=torch.Generator().manual_seed(variant.seed))
        self.order = shuffled.to(device)
        self.step = torch.zeros((), dtype=torch.long, device=device)
        self.sums = torch.zeros(len(TERMS), device=device)
        self.used = torch.zeros((), device=device)
        self.graphs: dict[tuple[int, int, bool], torch.cuda.CUDAGraph] = {}
        self.done = self.logged = 0
        self.events: list[torch.cuda.Event] = []

    def learn(self, store: Store, bank: Bank, turn: int) -> None:
        """One step; `self.used` [] is the share of the run's time that is gone."""
        used = self.used
        batch = store.batch(self.step, self.order, bank.features)
        if not self.variant.text:
            batch.guidance = batch.guidance * 0
        rate = train.rate(used, self.step, train.PEAK, train.WARM)
        for group in self.optimizer.param_groups:
            group["lr"].copy_(rate * group["share"])
        late, neutral = train.late(used), bank.neutral("ivf")
        found = train.step_loss(
            self.net, self.mean, batch, neutral, self.plan, self.variant, late, self.step, turn
        )
        self.optimizer.zero_grad()
        (sum(found.values()) / len(samples.TASKS)).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        train.follow(self.mean, self.net, self.step)
        parts = [found[t].detach() if t in found else self.sums.new_zeros(()) for t in TERMS]
        self.sums += torch.stack(parts)
        self.step += 1

    def record(self, stores: dict[int, Store], bank: Bank) -> None:
        """Records every kind of step, then forgets what recording has changed."""
        self.stream = torch.cuda.Stream()
        pool, first = torch.cuda.graph_pool_handle(), True
        small, large = min(stores), max(stores)
        kinds = [(0, small, False), (1, small, False), (2, small, False), (0, large, False)]
        kinds += [(0, large, True), (1, small, True), (2, small, True)]
        start = [p.detach().clone() for p in [*self.net.parameters(), *self.net.buffers()]]
        torch.cuda.synchronize()
        for turn, size, rounds in kinds:
            self.net.quantised(rounds)
            if (
                first or self.variant.shape not in Run.seen
            ):  # loads kernels, makes the optimizer's state
                with torch.cuda.stream(self.stream):
                    self.learn(stores[size], bank, turn)
                    self.optimizer.zero_grad(set_to_none=True)
                torch.cuda.synchronize()
            first = False
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=pool, stream=self.stream):
                self.learn(stores[size], bank, turn)
            self.graphs[turn, size, rounds] = graph
            self.optimizer.zero_grad(set_to_none=True)
        Run.seen.add(self.variant.shape)
        torch.cuda.synchronize()
        with torch.no_grad():
            for net in (self.net, self.mean):
                for p, s in zip([*net.parameters(), *net.buffers()], start):
                    p.copy_(s)
            for v in [v for s in self.optimizer.state.values() for v in s.values()]:
                v.zero_()
            self.step.zero_()
            self.sums.zero_()

    def play(self, used: float) -> None:
        """The next step; used: share of the run's time that is gone."""
        self.used.fill_(used)
        turn, rounds = self.done % 4, used > train.ROUND_FROM
        size = train.crops(used, self.done)
        with torch.cuda.stream(self.stream):
            self.graphs[(1 if turn == 3 else turn), size, rounds].replay()
            self.events.append(torch.cuda.Event())
            self.events[-1].record(self.stream)
        self.done += 1
        if len(self.events) > AHEAD:  # a schedule by the clock must not run ahead of the device
            self.events.pop(0).synchronize()


def log(runs: list[Run], work: Path, seconds: float) -> None:
    """Mean losses since the last call, one line a variant."""
    torch.cuda.synchronize()
    with open(work / "log.jsonl", "a") as file:
        for run in runs:
            shown = [round(v, 5) for v in (run.sums / max(1, run.done - run.logged)).tolist()]
            run.sums.zero_()
            run.logged = run.done
            record = {"variant": run.name, "step": run.done, "seconds": round(seconds)}
            file.write(json.dumps(record | dict(zip(TERMS, shown))) + "\n")


def play(runs: list[Run], ends: dict[str, float], work: Path, budget: float) -> None:
    """All steps that `budget` seconds allow; a run ends at its share of them.

    One thread starts all graphs: with eight of them the program once hung.
    """
    begun, logged = time.monotonic(), 0.0
    while (share := (time.monotonic() - begun) / budget) < 1:
        for run in runs:
            if share < (end := ends[run.name]):
                run.play(share / end)
        if share - logged > 0.04:
            log(runs, work, share * budget)
            logged = share
    log(runs, work, budget)


def save(runs: list[Run], work: Path) -> None:
    """Mean weights of each variant, where ablate.py looks for them."""
    for run in runs:
        folder = work / run.name.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        weights = {k: v.cpu() for k, v in run.mean.state_dict().items()}
        torch.save({"mean": weights, "step": run.done}, folder / "checkpoint.pt")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work/ablation")
    parser.add_argument("--minutes", type=float, default=9, help="of the program, set-up included")
    parser.add_argument("--whole", nargs="*", default=[], help="runs that last the whole time")
    parser.add_argument("--part", type=float, default=1.0, help="share of the time of the others")
    parser.add_argument("--small", type=int, default=8000, help="batches of 128 pixels")
    parser.add_argument("--large", type=int, default=2000, help="batches of 192 pixels")
    parser.add_argument("--only", nargs="*", choices=VARIANTS | BASE, default=list(VARIANTS))
    options = parser.parse_args()
    work, started = options.work.resolve(), time.monotonic()
    work.mkdir(parents=True, exist_ok=True)

    def say(what: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {what}", flush=True)

    sizes = {128: options.small, 192: options.large}
    prepare(work, data.root(options.data), sizes)
    say("samples made")
    bank = Bank(work)
    bank.features = bank.features.to("cuda")
    stores = {size: Store(work, size, count, "cuda") for size, count in sizes.items()}
    say("samples on the device")
    runs = [Run(name, (VARIANTS | BASE)[name], "cuda") for name in options.only]
    for run in runs:
        run.record(stores, bank)
    say(f"{len(runs)} variants recorded, {torch.cuda.memory_reserved() / 1e9:.1f} GB")
    ends = {run.name: 1.0 if run.name in options.whole else options.part for run in runs}
    play(runs, ends, work, 60 * options.minutes - (time.monotonic() - started))
    say(f"steps of {GROUPS * len(samples.TASKS)} samples: " + str({r.name: r.done for r in runs}))
    save(runs, work)


if __name__ == "__main__":
    main()
