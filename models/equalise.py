"""Brings the channels of each trunk feature to like ranges; what the network computes stays the same.

    python equalise.py IN.pt OUT.pt [--data DIR]

A feature has one 8-bit scale for all channels, set by the largest; a channel of a tenth of that range has a
tenth of the levels. The trunk's channels are scaled from the stem to the text's second gain and from there
to the head, and every layer that reads or writes them takes the scale back (Nagel et al., "Data-free
quantization through weight equalization and bias correction", ICCV 2019, section 4.1).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

import data
from bank import Bank
from film import Film, Guide
from quantise import cases, feed, middle
from rounding import Rounded
from validate import spread

MOST = 8.0  # times that a channel is made larger
PAIRS = 4  # training pairs a set


def ranges(net: Film, folder: Path, bank: Bank) -> list[Tensor]:
    """Largest magnitude of each channel [C], of the features before the second gain and from it on."""
    half = net.shape.blocks // 2 + 1  # the last of the first half is measured behind the gain
    found = [torch.zeros(net.shape.channels) for _ in range(2)]

    def keep(number: int):
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            part = found[number >= half]
            torch.maximum(part, output.abs().amax((0, 2, 3)), out=part)

        return hook

    hooks = [f.register_forward_hook(keep(i)) for i, f in enumerate(net.features)]
    with torch.no_grad():
        for name in data.SETS:
            for pair in spread(data.load(folder, name, "train"), PAIRS):
                for a, b, guidance in cases(bank, pair):
                    inputs = feed(*middle(a, b), guidance)
                    net(*(torch.from_numpy(x) for x in inputs.values()))
    for hook in hooks:
        hook.remove()
    return found


def _written(layer: nn.Conv2d, by: Tensor) -> None:
    """What a layer writes, times `by` [C]."""
    layer.weight.mul_(by.view(-1, 1, 1, 1))
    layer.bias.mul_(by)


def _read(layer: nn.Conv2d, by: Tensor) -> None:
    """Takes `by` [C] out of what a layer reads."""
    layer.weight.div_(by.view(1, -1, 1, 1))


def _segment(guide: Guide, blocks: nn.ModuleList, by: Tensor) -> None:
    """The guide and the blocks of a part of the trunk whose channels are scaled."""
    _read(guide.enter, by)
    _written(guide.fine.taps, by.repeat_interleave(guide.fine.factor**2))
    for block in blocks:
        _read(block.wide, by)
        _written(block.mix, by)


@torch.no_grad()
def equalise(net: Film, found: list[Tensor]) -> None:
    """Scales the channels of both parts of the trunk to the largest range of each."""
    first, second = ((x.max() / x.clamp(min=1e-6)).clamp(1, MOST) for x in found)
    _written(net.stem, first)
    _segment(net.guides[0], net.early, first)
    _segment(net.guides[1], net.late, second)
    _read(net.head, second)
    out = net.pooled.out  # rows: scale and shift of the first part, scale and shift of the second
    _, shift, gain, last = (slice(i * len(first), (i + 1) * len(first)) for i in range(4))
    ratio = second / first
    for rows, by in ((shift, first), (gain, ratio), (last, second)):
        out.weight[rows] *= by[:, None]
        out.bias[rows] *= by
    out.bias[gain] += ratio - 1  # the gain is 1 + what comes out


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work")
    options = parser.parse_args()
    net = Film().eval()
    net.load_state_dict(torch.load(options.source)["mean"])
    found = ranges(net, data.root(options.data), Bank(options.work))
    example = [torch.rand(1, 1, 64, 96), torch.rand(1, 1, 64, 96), torch.rand(1, 64, 384) - 0.5]
    with torch.no_grad():
        before = net(*example)
        equalise(net, found)
        difference = (net(*example) - before).abs().max().item()
    if difference > 1e-4:
        raise SystemExit(f"the network changed by {difference:g}")
    for feature in net.modules():
        if isinstance(feature, Rounded):
            feature.bound.zero_()  # of the old ranges; training finds the new ones
    torch.save({"mean": net.state_dict()}, options.out)
    for name, x in zip(("to the second gain", "from it on"), found):
        print(f"{name}: channels of {x.min():.2f} to {x.max():.2f}, median {x.median():.2f}")
    print(f"equalised; the picture changed by {difference:.1e} of full scale")


if __name__ == "__main__":
    main()
