"""Texts for training: paragraphs in the style of filmd's describer, from the keys of facts.py.

Three sentences: what the first source shows, what the second shows, what the fused image should
do.  `condition` gives texts that also name a fault of a source, whose target train.py cleans up.
"""

from __future__ import annotations

import random

from facts import Key

TASKS = ("ivf", "mif", "mef", "mff")
NEUTRAL = {
    "ivf": "Fuse the infrared image and the visible image. Keep the warm objects and the texture.",
    "mif": "Fuse the medical images. Keep the activity or the bone and the soft tissue of the MRI.",
    "mef": "Fuse the under-exposed image and the over-exposed image. Keep the details of both.",
    "mff": "Fuse the two images with different focus. Keep the sharp parts of both images.",
}
CONDITIONS = ("noise", "low light", "glare", "highlight")  # all of task ivf

_COUNT = ("one", "two", "three", "several")
_WARM = ("person", "car", "object")
_TEXTURE = ("road", "trees", "buildings", "ground", "sky", "signs")


def _plural(count: str, noun: str) -> str:
    many = {"person": "persons"}.get(noun, noun + "s")
    return f"{count} warm {noun if count == 'one' else many}"


def _place(side: str) -> str:
    return (
        "in the centre"
        if side == "centre"
        else f"at the {side}"
        if side in ("top", "bottom")
        else f"on the {side}"
    )


def _warm(side: str, rng: random.Random) -> tuple[str, str]:
    """Fact and the noun that may be highlighted."""
    noun = rng.choice(_WARM)
    many = {"person": "persons"}.get(noun, noun + "s")
    if side == "none":
        return "no warm objects", "contrast"
    if side == "both":
        left, right = (_plural(rng.choice(_COUNT), noun) for _ in range(2))
        return f"{left} on the left and {right} on the right", f"warm {many}"
    return f"{_plural(rng.choice(_COUNT), noun)} {_place(side)}", f"warm {many}"


def _ivf(key: Key, rng: random.Random) -> str:
    warm, noun = _warm(key[0], rng)
    shows = rng.choice(("shows", "reveals", "contains"))
    light = {
        "dark": "is dark",
        "dim": rng.choice(("is dim", "has low contrast")),
        "bright": rng.choice(("is bright", "is well lit")),
    }[key[1]]
    texture = rng.choice(_TEXTURE)
    glare = "" if key[2] == "none" else f", with glare {_place(key[2])}"
    keep = rng.choice(
        (f"keep the texture of the {texture}", f"preserve the details of the {texture}")
    )
    bring = rng.choice(("highlight", "keep", "preserve"))
    return (
        f"The infrared image {shows} {warm}. The visible image {light}{glare} and shows the "
        f"{texture}. The fused image should {bring} the {noun} and {keep}."
    )


def _mif(key: Key, rng: random.Random) -> str:
    modality, side = key
    where = "on both sides" if side == "both" else _place(side)
    what = rng.choice(
        ("bright bone", "dense structures", "the skull")
        if modality == "CT"
        else ("high activity", "strong uptake", "high metabolic activity")
    )
    keep = "bone" if modality == "CT" else rng.choice(("activity", "brightness of the activity"))
    tissue = rng.choice(("the soft tissue", "the structure of the brain", "fine anatomical detail"))
    shows = rng.choice(("shows", "reveals", "contains"))
    return (
        f"The {modality} image {shows} {what} {where}. The MRI image shows {tissue}. The fused "
        f"image should {rng.choice(('keep', 'highlight', 'preserve'))} the {keep} and "
        f"{rng.choice(('keep', 'preserve'))} the structure of the soft tissue."
    )


def _mef(key: Key, rng: random.Random) -> str:
    dark = rng.choice(("the bright parts", "the details", "the sky", "the lights"))
    bright = rng.choice(("the shadows", "the details", "the dark parts"))
    keep = rng.choice(("keeps", "shows"))
    return (
        f"The under-exposed image {keep} {dark} {_place(key[0])}. The over-exposed image {keep} "
        f"{bright} {_place(key[1])}. The fused image should "
        f"{rng.choice(('keep', 'combine', 'preserve'))} the details of both and stay "
        f"{rng.choice(('well exposed', 'balanced', 'natural'))}."
    )


def _mff(key: Key, rng: random.Random) -> str:
    first, second = rng.choice((("first", "second"), ("near-focus", "far-focus")))
    sharp = rng.choice(("is sharp", "is in focus"))
    return (
        f"The {first} image {sharp} {_place(key[0])}. The {second} image {sharp} "
        f"{_place(key[1])}. The fused image should {rng.choice(('keep', 'preserve'))} the "
        f"{rng.choice(('sharp parts of both', 'sharpness of both', 'edges of both'))}."
    )


_BY_TASK = {"ivf": _ivf, "mif": _mif, "mef": _mef, "mff": _mff}


def describe(task: str, key: Key, seed: int) -> str:
    """One paraphrase of the facts in `key`; the same arguments give the same text."""
    return _BY_TASK[task](key, random.Random(f"{task} {key} {seed}"))


def condition(name: str, key: Key, seed: int) -> str:
    """An infrared-visible text that names a fault and what to do about it."""
    rng = random.Random(f"{name} {key} {seed}")
    warm, noun = _warm(key[0], rng)
    texture = rng.choice(_TEXTURE)
    first = f"The infrared image shows {warm}"
    if name == "noise":
        return (
            f"{first} and is {rng.choice(('noisy', 'full of noise', 'grainy'))}. The visible "
            f"image shows the {texture}. The fused image should suppress the noise and keep the "
            f"texture of the {texture}."
        )
    if name == "low light":
        return (
            f"{first}. The visible image is {rng.choice(('very dark', 'taken in low light'))}. "
            f"The fused image should brighten the dark {texture} and keep the texture."
        )
    if name == "glare":
        return (
            f"{first}. The visible image has {rng.choice(('glare', 'strong glare'))} "
            f"{_place(key[2])}. The fused image should suppress the glare and keep the {texture}."
        )
    noun = "warm objects" if noun == "contrast" else noun
    return (
        f"{first}. The visible image shows the {texture}. The fused image should "
        f"{rng.choice(('strongly highlight', 'bring out'))} the {noun}."
    )
