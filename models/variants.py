"""What can be trained: the shipped network, and what ablate.py takes away from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import targets
from film import Shape

SEED = 20240204


# What the base of the shipped network learnt by, in side_by_side.py; its rest learnt by targets.WEIGHTS.
BASE_WEIGHTS = {
    "ivf": targets.Weights(
        level=0.25, structure=0.2, edges=2.5, whole=0.6, information=1.0, differences=0.25
    ),
    "mif": targets.Weights(
        level=1.5, structure=0.4, edges=2.2, whole=0.1, information=1.2, black=20.0
    ),
    "mef": targets.WEIGHTS["mef"],
    "mff": targets.WEIGHTS["mff"],
}


@dataclass(frozen=True)
class Variant:
    """Sizes, weights of the losses and switches of one run."""

    shape: Shape = field(default_factory=Shape)
    weights: Mapping[str, targets.Weights] = field(default_factory=lambda: targets.WEIGHTS)
    text: bool = True  # guidance as it is; without, all rows are zero
    told: float = 4.0  # weight of the samples whose text names a fault or a wish
    stable: float = 60.0  # weight of the stability loss
    seed: int = SEED


def without(loss: str) -> Variant:
    """No weight on one loss, in any task."""
    if loss in ("told", "stable"):
        return Variant(**{loss: 0.0})
    return Variant(weights={t: replace(w, **{loss: 0.0}) for t, w in targets.WEIGHTS.items()})


SETTINGS = ("whole", "steep")  # of the loss of edges
LOSSES = (*(f.name for f in fields(targets.Weights) if f.name not in SETTINGS), "told", "stable")
VARIANTS = {
    "everything": Variant(),
    "another seed": Variant(seed=SEED + 1),
    "no text": Variant(text=False),
    "no activity plane": Variant(Shape(activity=False)),
    "no bands": Variant(Shape(bands=False)),
    **{f"no {loss} loss": without(loss) for loss in LOSSES},
    "24 channels": Variant(Shape(channels=24)),
    "40 channels": Variant(Shape(channels=40)),
    "2 blocks": Variant(Shape(blocks=2)),
}
BASE = {"base": Variant(weights=BASE_WEIGHTS, told=1.0)}
