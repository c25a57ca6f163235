"""Losses, all on [N,1,H,W] in 0..1; every function gives one number a sample [N].

Sources: signed gradients in place of FILM's absolute ones (our own study: absolute ones let a small
net copy one source); SSIM: Wang et al. 2004; well-exposedness: Mertens et al. 2007; edge
preservation (Qabf) and artefacts (Nabf): Xydeas and Petrovic 2000, 2005; visual information
fidelity (VIFp): Sheikh and Bovik 2006; correlation of differences: Aslantas and Bendes 2015.
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

BELOW = 1 / 255  # what a fusion may fall below zero, which clipping takes away


@cache
def _sobel(device: torch.device) -> Tensor:
    x = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=device)
    return torch.stack([x, x.T])[:, None]


def mean(x: Tensor) -> Tensor:
    """[N,...] -> [N]."""
    return x.flatten(1).mean(1)


def blur(x: Tensor, size: int) -> Tensor:
    """Box mean of odd `size`, one axis after the other; borders average what there is."""
    half = size // 2
    x = F.avg_pool2d(x, (size, 1), 1, (half, 0), count_include_pad=False)
    return F.avg_pool2d(x, (1, size), 1, (0, half), count_include_pad=False)


def level(x: Tensor, target: Tensor, size: int) -> Tensor:
    """L1 between the local levels of two images, on a grid of 4 pixels for speed."""
    return mean(blur(F.avg_pool2d(x - target, 4), size).abs())


def gradient(x: Tensor) -> Tensor:
    """Sobel [N,2,H,W]; edge-replicated."""
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), _sobel(x.device))


def strength(g: Tensor) -> Tensor:
    """Length of a gradient [N,1,H,W], smooth at zero."""
    return torch.sqrt((g * g).sum(1, keepdim=True) + 1e-8)


def stronger(ga: Tensor, gb: Tensor, size: int) -> Tensor:
    """Bool [N,1,H,W]: source a has the larger gradient energy in a window."""
    ea, eb = (blur((g * g).sum(1, keepdim=True), size) for g in (ga, gb))
    return ea >= eb


def structure(a: Tensor, b: Tensor, f: Tensor) -> Tensor:
    """2 - SSIM(f,a) - SSIM(f,b), 7x7 windows."""
    sources = torch.cat([a, b], 1)
    fixed = blur(torch.cat([sources, sources * sources], 1), 7)
    m, v = fixed[:, :2], fixed[:, 2:] - fixed[:, :2] ** 2
    moving = blur(torch.cat([f, f * f, sources * f], 1), 7)
    mf, vf = moving[:, :1], moving[:, 1:2] - moving[:, :1] ** 2
    cov = moving[:, 2:] - m * mf
    similar = (2 * m * mf + 1e-4) * (2 * cov + 9e-4) / ((m * m + mf * mf + 1e-4) * (v + vf + 9e-4))
    return 2 - 2 * mean(similar)


def _kept(g: Tensor, gf: Tensor, s: Tensor, sf: Tensor, steep: Tensor) -> Tensor:
    """Edge preservation [N,1,H,W] of Xydeas and Petrovic; slopes softer than theirs unless steep is 1.

    The angle is taken over a full turn: an inverted edge counts as lost, where Qabf forgives it.
    """
    ratio = torch.minimum(s, sf) / torch.maximum(s, sf)
    dot = (g * gf).sum(1, keepdim=True)
    cross = (g[:, :1] * gf[:, 1:] - g[:, 1:] * gf[:, :1]).abs()
    turn = 1 - torch.atan2(cross + 1e-6, dot) * (2 / math.pi)
    steep = steep.view(-1, 1, 1, 1)
    return torch.sigmoid((10 + 5 * steep) * (ratio - 0.5)) * torch.sigmoid(
        (14 + 8 * steep) * (turn - 0.8)
    )


def edges(
    ga: Tensor, gb: Tensor, gf: Tensor, share: Tensor, steep: Tensor
) -> tuple[Tensor, Tensor]:
    """(1 - Qabf, Nabf-like artefacts); steep [N]: see `_kept`.

    `share` [N] of Qabf counts both sources together; the rest the source that loses more of its edges
    where it dominates, so that copying the other one does not pay.
    """
    sa, sb, sf = strength(ga), strength(gb), strength(gf)
    qa, qb = _kept(ga, gf, sa, sf, steep), _kept(gb, gf, sb, sf, steep)
    total = mean(sa + sb)
    whole = mean(qa * sa + qb * sb) / total
    wa, wb = sa * (sa > sb), sb * (sb > sa)
    dominant = [mean(q * w) / (mean(w) + 1e-3) for q, w in ((qa, wa), (qb, wb))]
    missing = [1e-3 / (mean(w) + 1e-3) for w in (wa, wb)]  # a source that never dominates
    alone = torch.minimum(*(d + m for d, m in zip(dominant, missing)))
    kept = share * whole + (1 - share) * alone
    excess = mean(F.relu(sf - torch.maximum(sa, sb))) / total
    return 1 - kept, excess


@cache
def _gauss(size: int, device: torch.device) -> Tensor:
    x = torch.arange(size, device=device) - (size - 1) / 2
    g = torch.exp(-x * x / (2 * (size / 5) ** 2))
    return g / g.sum()


def _filter(x: Tensor, g: Tensor) -> Tensor:
    """Valid separable filtering of every channel."""
    n = x.shape[1]
    x = F.conv2d(x, g.view(1, 1, -1, 1).repeat(n, 1, 1, 1), groups=n)
    return F.conv2d(x, g.view(1, 1, 1, -1).repeat(n, 1, 1, 1), groups=n)


def information(a: Tensor, b: Tensor, f: Tensor) -> Tensor:
    """2 - VIFp(a,f) - VIFp(b,f); a gain above one earns nothing, so that stretching does not pay."""
    x = torch.cat([a, b, f], 1) * 255
    found, possible = [], []
    for size in (17, 9, 5, 3):
        window = _gauss(size, x.device)
        if size < 17:
            x = _filter(x, window)[:, :, ::2, ::2]
        s, d = x[:, :2], x[:, 2:]
        m = _filter(torch.cat([x, x * x, s * d], 1), window)
        var = F.relu(m[:, 3:6] - m[:, :3] ** 2)
        cov = m[:, 6:8] - m[:, :2] * m[:, 2:3]
        gain = (cov / (var[:, :2] + 1e-2)).clamp(0, 1)
        rest = F.relu(var[:, 2:] - gain * cov)
        found.append(torch.log(1 + gain * gain * var[:, :2] / (rest + 2)).sum((2, 3)))
        possible.append(torch.log(1 + var[:, :2] / 2).sum((2, 3)))
    return 2 - (sum(found) / (sum(possible) + 1e-3)).sum(1)


def differences(a: Tensor, b: Tensor, f: Tensor) -> Tensor:
    """2 - SCD: what f adds to one source should be the other source."""

    def correlation(x: Tensor, y: Tensor) -> Tensor:
        x, y = (v - v.mean((2, 3), keepdim=True) for v in (x, y))
        return mean(x * y) / torch.sqrt(mean(x * x) * mean(y * y) + 1e-6)

    return 2 - correlation(f - b, a) - correlation(f - a, b)


def outside(f: Tensor) -> Tensor:
    """How far f leaves 0..1, one grey level allowed below; clipping is kept out of training."""
    return mean(F.relu(f - 1) + F.relu(-f - BELOW))


def black(a: Tensor, b: Tensor, f: Tensor) -> Tensor:
    """How far f is above black, and half a level below it, where both sources are black.

    The blend clips at zero, so that a detail a little below zero survives 8-bit rounding as black.
    """
    both = torch.maximum(a, b) < 0.5 / 255
    return mean(F.relu(f + 0.5 / 255) * both)
