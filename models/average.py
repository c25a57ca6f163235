"""Weighted mean of checkpoints of one run of refinements: between two of them what the network does changes
smoothly, and what one has lost and the other gained can be weighed (Wortsman et al., "Robust fine-tuning of
zero-shot models", CVPR 2022).

    python average.py OUT.pt FILE.pt:SHARE FILE.pt:SHARE...
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor


def part(argument: str) -> tuple[Path, float]:
    """FILE:SHARE."""
    file, _, share = argument.rpartition(":")
    try:
        return Path(file), float(share)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{argument}: FILE.pt:SHARE was expected") from error


def average(parts: list[tuple[Path, float]]) -> dict[str, Tensor]:
    """Mean weights; the shares sum to 1."""
    total = sum(share for _, share in parts)
    if abs(total - 1) > 1e-6:
        raise SystemExit(f"the shares sum to {total:g}, not to 1")
    found: dict[str, Tensor] = {}
    for file, share in parts:
        for name, value in torch.load(file)["mean"].items():
            found[name] = found.get(name, 0) + share * value
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("parts", type=part, nargs="+", metavar="FILE.pt:SHARE")
    options = parser.parse_args()
    torch.save({"mean": average(options.parts)}, options.out)
