"""Per task: the intensity that the fused image should have, and the weights of the losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor

import losses
from losses import blur, gradient


@dataclass(frozen=True)
class Weights:
    """Weights of the loss terms of one task; see losses.py for the terms."""

    level: float = 0.4  # blurred intensity
    pixel: float = 0.2  # intensity of each pixel
    gradient: float = 5.0
    structure: float = 0.15
    edges: float = 1.0
    whole: float = 0.3  # share of edges that counts both sources together, as Qabf does
    steep: float = 0.0  # slopes of edges: 0 soft, 1 those of Qabf
    excess: float = 0.5
    information: float = 0.25
    differences: float = 0.05
    black: float = 0.0  # what is black in both sources stays black, by 8 bit as well
    choice: float = 0.0  # which source is the sharper one, and no detail of its own


WEIGHTS = {
    "ivf": Weights(
        level=0.1,
        pixel=0.0,
        gradient=2.0,
        structure=0.25,
        edges=8.0,
        whole=0.9,
        steep=1.0,
        excess=1.0,
        information=1.75,
        differences=0.15,
    ),
    # Black backgrounds must stay black; the fainter source must stay visible.
    "mif": Weights(level=1.2, structure=0.8, edges=5.0, whole=0.35, information=1.6, black=20.0),
    # The brighter pixel says nothing about exposure.
    "mef": Weights(
        level=0.1,
        structure=0.15,
        pixel=0.0,
        edges=7.0,
        whole=0.8,
        steep=1.0,
        information=1.0,
        differences=0.15,
    ),
    "mff": Weights(
        pixel=2.0, gradient=4.0, edges=1.8, information=0.8, differences=0.0, choice=1.5
    ),
}
WINDOW = {"ivf": 3, "mif": 3, "mef": 5, "mff": 7}  # of the stronger-source decision


def exposedness(x: Tensor) -> Tensor:
    """Mertens' well-exposedness of the local level, never zero."""
    return torch.exp(-((blur(x, 9) - 0.5) ** 2) / (2 * 0.25**2)) + 0.05


def sharper(a: Tensor, b: Tensor) -> Tensor:
    """Soft weight of a [N,1,H,W]: gradient energy at two scales, clean across boundaries."""
    ea, eb = ((gradient(x) ** 2).sum(1, keepdim=True) for x in (a, b))
    fine, wide = ((torch.log(blur(ea, n) + 1e-5) - torch.log(blur(eb, n) + 1e-5)) for n in (9, 25))
    return torch.sigmoid(3 * (0.5 * fine + 0.5 * wide))


def intensity(task: str, a: Tensor, b: Tensor) -> Tensor:
    """Target intensity [N,1,H,W]; ivf, mif and mef use it blurred, mff also pixel by pixel."""
    top, middle = torch.maximum(a, b), 0.5 * (a + b)
    if task == "ivf":
        # The second part widens the contrast of the mean: each source stays visible in the level.
        return 0.5 * (top + middle) + 0.1 * (middle - 0.5)
    if task == "mif":
        return 0.7 * top + 0.3 * middle
    if task == "mef":
        wa, wb = exposedness(a), exposedness(b)
        # Exposedness alone pulls everything to middle grey and the contrast of the scene is lost.
        return 0.2 * (wa * a + wb * b) / (wa + wb) + 0.8 * middle
    w = sharper(a, b)
    return w * a + (1 - w) * b


@torch.no_grad()
def _fixed(task: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What does not depend on the network: level target, pixel target, gradient target."""
    level = intensity(task, a, b)
    pixel = level if task in ("mff", "mef") else torch.maximum(a, b)
    ga, gb = gradient(a), gradient(b)
    return level, pixel, torch.where(losses.stronger(ga, gb, WINDOW[task]), ga, gb)


def choice(a: Tensor, b: Tensor, logit: Tensor, detail: Tensor) -> Tensor:
    """Cross-entropy [N] of the weight map against the sharper source, where one clearly is."""
    with torch.no_grad():
        wanted = sharper(a, b)
        sure = (2 * wanted - 1).abs()
    each = F.binary_cross_entropy_with_logits(logit, wanted.round(), reduction="none")
    return losses.mean(each * sure) / (losses.mean(sure) + 0.05) + losses.mean(detail.abs())


class Plan:
    """Which task each sample of a batch has, and the weights of its terms as tensors [N]."""

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: Mapping[str, Weights],
        device: torch.device | str = "cpu",
    ) -> None:
        self.runs = [(task, len(list(same))) for task, same in groupby(tasks)]
        self.choice = weights["mff"].choice
        self.weight = {
            field.name: torch.tensor(
                [getattr(weights[t], field.name) for t in tasks], device=device
            )
            for field in fields(Weights)
        }

    def fixed(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        """`_fixed` of every sample."""
        sizes = [n for _, n in self.runs]
        parts = zip(self.runs, a.split(sizes), b.split(sizes))
        return tuple(torch.cat(x) for x in zip(*(_fixed(t, u, v) for (t, _), u, v in parts)))


def loss(plan: Plan, a: Tensor, b: Tensor, f: Tensor, late: float | Tensor, turn: int) -> Tensor:
    """One number a sample [N].

    late (0..1) fades in the metric surrogates once the plain targets have shaped the output.  The two dearest
    terms take turns, with double weight: `turn` is the step number.
    """
    w, (level, pixel, chosen) = plan.weight, plan.fixed(a, b)
    begun = torch.is_tensor(late) or late > 0
    gf = gradient(f)
    total = w["level"] * (losses.level(f, level, 3) + 0.5 * losses.level(f, level, 7))
    total = total + w["pixel"] * losses.mean((f - pixel).abs())
    total = total + w["gradient"] * losses.mean((gf - chosen).abs())
    total = total + w["black"] * losses.black(a, b, f)
    total = total + 20 * losses.outside(f)
    if turn % 2 == 0:
        total = total + 2 * w["structure"] * losses.structure(a, b, f)
    elif begun:
        total = total + 2 * late * w["information"] * losses.information(a, b, f)
    if begun:
        kept, excess = losses.edges(gradient(a), gradient(b), gf, w["whole"], w["steep"])
        total = total + late * (
            w["edges"] * kept
            + w["excess"] * excess
            + w["differences"] * losses.differences(a, b, f)
        )
    return total


def told(f: Tensor, target: Tensor) -> Tensor:
    """[N]: how far f is from the picture that the text asks for."""
    pixel = losses.mean((f - target).abs())
    edges = losses.mean((gradient(f) - gradient(target)).abs())
    return 8 * pixel + 3 * edges + 0.5 * losses.structure(target, target, f)


def moved(x: Tensor, y0: Tensor, x0: Tensor, size: int) -> Tensor:
    """The square of `size` pixels of x [N,C,H,W] at a place that the device knows: y0, x0 []."""
    along = torch.arange(size, device=x.device)
    return x.index_select(2, along + y0).index_select(3, along + x0)


def stable(f: Tensor, again: Tensor) -> Tensor:
    """[N]: difference of a fusion, moved, and that of the same scene moved and a little noisy."""
    margin = 12
    return losses.mean((f - again)[..., margin:-margin, margin:-margin].abs())
