"""Computes golden.json: what the Python yardstick says about generated pictures.

Run in this folder: python3 make_golden.py PATH/TO/fusion_metrics.py   (needs numpy and scipy)

The pictures are made by the formulas below, and by the same ones in
tests/quality_matches_yardstick.rs; only the numbers are kept.
"""

import importlib.util
import json
import os
import sys

import numpy as np

os.environ["FUSION_METRICS_NO_CV2"] = "1"

SIZES = [(41, 41), (64, 48), (97, 61), (160, 120)]
RULES = ["copy", "mean", "max", "overshoot"]


def source(width, height, seed):
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    far = (x - 10 * seed) ** 2 + (y - 7 * seed) ** 2
    blob = np.maximum(180 - far // (5 + seed), 0)
    stripes = np.where((x + seed * y) // 6 % 2 == 0, 40, 0)
    noise = ((x * 73856093) ^ (y * 19349663) ^ (seed * 83492791)) // 8192 % 16
    return np.minimum(blob + stripes + noise, 255)


def fuse(rule, a, b):
    if rule == "copy":
        return a
    mean = (a + b) // 2
    if rule == "mean":
        return mean
    high = np.maximum(a, b)
    if rule == "max":
        return high
    return np.clip(3 * high - 2 * mean - 20, 0, 255)


def main():
    spec = importlib.util.spec_from_file_location("yardstick", sys.argv[1])
    yardstick = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(yardstick)
    cases = []
    for width, height in SIZES:
        a, b = source(width, height, 1), source(width, height, 4)
        for rule in RULES:
            scores = yardstick.evaluate(fuse(rule, a, b).astype(np.uint8), a, b)
            cases.append({"width": width, "height": height, "rule": rule, "scores": scores})
    with open("golden.json", "w") as out:
        json.dump(cases, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
