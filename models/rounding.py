"""Rounding to signed 8 bit inside training, so that the weights get used to it.

Weights per output channel, features per tensor, both within +-127, as quantise.py writes them.  The
gradient passes as if nothing were rounded (straight-through; Jacob et al., CVPR 2018, section 3).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 127


def _through(x: Tensor, scale: Tensor) -> Tensor:
    """x on the grid of `scale`, with the gradient of x inside the grid's range."""
    level = torch.clamp(x / scale, -LEVELS, LEVELS)
    return (level + (torch.round(level) - level).detach()) * scale


class Rounded(nn.Module):
    """One feature tensor; keeps a running bound of its magnitude."""

    def __init__(self) -> None:
        super().__init__()
        self.on = False
        self.register_buffer("bound", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if not self.on:
            return x
        if self.training:
            with torch.no_grad():
                # Every eighth value is enough for a maximum that few outliers decide.
                found = x.flatten()[::8].abs().max()
                known = torch.where(self.bound > 0, self.bound, found)
                self.bound.copy_(0.98 * known + 0.02 * found)
        return _through(x, self.bound.clamp(min=1e-4) / LEVELS)  # all zero: any grid will do


def conv(layer: nn.Conv2d, x: Tensor, on: bool) -> Tensor:
    """The convolution, with rounded weights while `on`."""
    if not on:
        return layer(x)
    with torch.no_grad():
        scale = layer.weight.abs().amax((1, 2, 3), keepdim=True) / LEVELS + 1e-12
    return F.conv2d(x, _through(layer.weight, scale), layer.bias, padding=layer.padding)
