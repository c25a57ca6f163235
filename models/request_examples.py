"""Writes the vectors of the example requests that a user's text is compared with.

    python3 request_examples.py WHEEL

WHEEL is the text encoder's package, which fetch.py keeps in the cache.  Reads
src/describe/request/examples.txt and writes examples.bin beside it: the text's SHA-256, then for
each line a scale (f32, little-endian) and 384 signed bytes, the mean of its tokens' features.
Needs requirements-train.txt.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from pathlib import Path

import numpy as np
from encoder import MiniLm

FOLDER = Path(__file__).resolve().parent.parent / "src" / "describe" / "request"


def vector(encoder: MiniLm, text: str) -> np.ndarray:
    """[384], length 1."""
    mean = encoder.rows(text).numpy().mean(0)
    return mean / np.linalg.norm(mean)


def main() -> None:
    encoder = MiniLm(Path(sys.argv[1]))
    texts = (FOLDER / "examples.txt").read_bytes()
    out = bytearray(hashlib.sha256(texts).digest())
    for line in texts.decode().splitlines():
        mean = vector(encoder, line.split(": ", 1)[1])
        scale = float(np.abs(mean).max()) / 127
        out += struct.pack("<f", scale) + np.round(mean / scale).astype(np.int8).tobytes()
    (FOLDER / "examples.bin").write_bytes(out)


if __name__ == "__main__":
    main()
