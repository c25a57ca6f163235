"""Writes the files beside this script: the published FILM network with few channels and random
weights, by the same exporter as a real one; two pictures, text features, and what PyTorch's own
operators make of them.

    python tests/data/film/make_tiny_film.py       # with models/requirements-train.txt
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "models"))

import check_import
import import_film
from film_published import FEATURES, stretched

TASK = "mif"  # here filmd's order of sources is not the network's
HEIGHT, WIDTH, TOKENS = 30, 40, 3

net = import_film.random(3, import_film.TINY)
model = import_film.Imported(net, swap=True, raw=False)
data = import_film.graph(model, TASK)
import_film.check(model, data)
(HERE / "tiny-film.onnx").write_bytes(data)
pictures = [check_import.greys(HEIGHT, WIDTH, seed) for seed in (1, 2)]
text = torch.randn(1, TOKENS, FEATURES, generator=torch.Generator().manual_seed(1))
np.save(HERE / "text.npy", text.numpy().astype("<f4"))
with torch.no_grad():
    reference = check_import.Reference(net.state_dict(), net.shape)
    fused = stretched(reference(*map(check_import.tensor, reversed(pictures)), text))
pictures.append(np.rint(255 * fused[0, 0].numpy()).astype(np.uint8))
for name, picture in zip(("a", "b", "expected"), pictures):
    cv2.imwrite(str(HERE / f"{name}.png"), picture)
