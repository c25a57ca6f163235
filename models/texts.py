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
FAULTS = (  # of a source, task ivf
    "low light",
    "over-exposure",
    "glare",
    "haze",
    "noise in visible",
    "noise in infrared",
    "low contrast in infrared",
    "blur",
)
CONDITIONS = (*FAULTS, "people", "texture", "edges")
COMMANDS = (
    0.3  # share of the texts on a condition that are no more than a command, as a user types it
)

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


_SAID = {  # of the visible image, of the infrared image, what the fused image should do
    "low light": (
        ("is very dark", "is dark", "was taken in low light"),
        (),
        ("brighten the dark {t}", "brighten the dark areas and keep the visible texture"),
    ),
    "over-exposure": (
        ("is over-exposed", "is too bright", "is overexposed and washed out"),
        (),
        ("reduce the over-exposure and keep the {t}", "darken the over-exposed {t}"),
    ),
    "glare": (
        ("has glare {p}", "has strong glare {p}", "is blinded by glare {p}"),
        (),
        ("suppress the glare and keep the visible texture", "reduce the glare and keep the {t}"),
    ),
    "haze": (
        ("has haze", "is hazy", "is full of smoke", "has haze or smoke {p}"),
        (),
        ("suppress the haze and keep the visible texture", "see through the smoke, show the {t}"),
    ),
    "noise in visible": (
        ("is noisy", "is full of noise", "is grainy"),
        (),
        ("suppress the noise and keep the visible texture", "reduce the noise of the {t}"),
    ),
    "noise in infrared": (
        (),
        ("is noisy", "is full of noise", "is grainy"),
        ("suppress the noise of the infrared image", "reduce the thermal noise and keep the {t}"),
    ),
    "low contrast in infrared": (
        (),
        ("has low contrast", "is flat", "is faint"),
        ("strengthen the infrared contrast", "raise the contrast of the warm objects"),
    ),
    "blur": (
        ("is blurred", "is out of focus", "is not sharp"),
        (),
        ("sharpen the blurred {t}", "restore the edges of the {t}"),
    ),
    "people": (
        (),
        (),
        (
            "bring out the people",
            "strongly highlight the warm objects",
            "bring out the warm objects",
            "make the warm {w} stand out",
            "highlight people and animals strongly",
        ),
    ),
    "texture": (
        (),
        (),
        ("strengthen the visible texture", "bring out the texture of the {t}"),
    ),
    "edges": (
        (),
        (),
        ("sharpen the edges", "keep the edges crisp and strong", "bring out the edges of the {t}"),
    ),
}


_TYPED = {  # bare commands beside those of _SAID; {o} is one of _LIVING or _HOT
    "low light": ("brighten the picture", "it is too dark, make it lighter", "lift the shadows"),
    "over-exposure": ("make it darker", "too bright, bring the {t} back", "recover the highlights"),
    "glare": ("remove the glare", "less glare", "the lamp blinds the camera, take it out"),
    "haze": ("remove the haze", "clear the smoke", "less fog", "see through the fog"),
    "noise in visible": (
        "denoise the picture",
        "remove the grain",
        "less noise in the visible image",
    ),
    "noise in infrared": ("denoise the thermal image", "less noise in the infrared image"),
    "low contrast in infrared": ("more thermal contrast", "the infrared image is too flat"),
    "blur": ("sharpen the visible image", "deblur", "make the {t} sharp again"),
    "people": (
        "highlight {o}",
        "emphasise {o}",
        "make {o} stand out",
        "make {o} brighter",
        "make {o} clearly visible",
        "let {o} catch the eye",
        "draw attention to {o}",
        "show {o} more clearly",
        "help me find {o}",
        "I am looking for {o}",
        "focus on {o}",
        "where are {o}?",
        "search for {o}",
        "{o} must be seen at once",
    ),
    "texture": ("more texture", "more detail in the {t}", "show the surface of the {t}"),
    "edges": ("sharper", "crisper edges", "make the outlines clear"),
}
_LIVING = (
    "people",
    "the people",
    "the persons",
    "persons",
    "the humans",
    "the pedestrians",
    "the men and women",
    "the animals",
    "people and animals",
    "persons and dogs",
    "survivors",
    "living beings",
    "wildlife",
    "the firefighters",
)
_HOT = ("the warm objects", "everything warm", "hot things", "heat sources", "the warm {w}")


NOTHING = (  # what people may type that asks for nothing, or to leave the picture as it is
    "Hello",
    "hi there",
    "7",
    "31",
    "red",
    "blue sky",
    "x",
    "test",
    "ok",
    "yes",
    "no",
    "zzz",
    "asdf qwer",
    "Lorem ipsum dolor sit amet.",
    "The quick brown fox jumps over the lazy dog.",
    "Bonjour tout le monde.",
    "Il fait beau aujourd'hui.",
    "Guten Morgen, wie geht es dir?",
    "Das Wetter ist schön.",
    "Buenos días a todos.",
    "Me llamo Ana y vivo en Madrid.",
    "Ciao, come stai?",
    "Dzień dobry.",
    "你好",
    "今天天气很好。",
    "こんにちは、元気ですか。",
    "Доброе утро.",
    "مرحبا",
    "https://example.com/a?b=c",
    "SELECT * FROM frames;",
    "fn main() { println!(1); }",
    "My name is Anna.",
    "The weather is nice today.",
    "What time is it?",
    "I like trains.",
    "Call me at 555 0199.",
    "Keep it dark.",
    "Keep the night look.",
    "Make it darker.",
    "Do not brighten.",
    "Do not change anything.",
    "Leave it as it is.",
    "dark",
    "night",
    "Do not show people.",
    "No people.",
    "It is a dark and stormy story.",
    "This is fine.",
    "Thank you very much.",
    "nothing",
)


def condition(name: str, key: Key, seed: int) -> str:
    """An infrared-visible text that names a fault of a source, or a wish, and what to do."""
    rng = random.Random(f"{name} {key} {seed}")
    visible, infrared, wanted = _SAID[name]
    said, _ = _warm(key[0], rng)
    words = {
        "t": rng.choice(_TEXTURE),
        "p": _place(key[2]) if key[2] in ("left", "centre", "right") else "in the centre",
        "w": rng.choice(("people", "persons", "cars", "objects")),
    }
    if rng.random() < COMMANDS:
        words["o"] = rng.choice(_LIVING + _HOT).format(**words)
        typed = rng.choice(wanted + _TYPED[name] * (3 if name == "people" else 1)).format(**words)
        return typed[:1].upper() + typed[1:] + ("" if typed.endswith("?") else ".")
    should = rng.choice(wanted).format(**words)
    should = f"The fused image should {should}."
    if not visible and not infrared and rng.random() < 0.3:
        return should  # a wish stands alone
    first = f"The infrared image shows {said}"
    if infrared:
        first += f" and {rng.choice(infrared)}"
    second = f"The visible image shows the {words['t']}"
    if visible:
        second = f"The visible image {rng.choice(visible).format(**words)}"
        if rng.random() < 0.5:
            second += f" and shows the {words['t']}"
    return f"{first}. {second}. {should}"
