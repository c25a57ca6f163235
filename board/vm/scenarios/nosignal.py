#!/usr/bin/env python3
"""The display without cameras, with them, and in their silence: three pictures that cannot be taken for each other."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from pixels import compare, read_png

out = Path(sys.argv[1])
mean = {}
for name in ("card", "live", "silent", "later"):
    data = read_png(out / f"{name}.png")[2]
    mean[name] = sum(data) / len(data)
    print(f"FIGURE mean of {name}.png: {mean[name]:.1f}")
checks = {
    "the card has words on it": 0 < mean["card"] < 60,
    "the picture in silence is dimmed": 0.2 * mean["live"] < mean["silent"] < 0.8 * mean["live"],
    "the seconds go on": compare(out / "silent.png", out / "later.png")[0] > 0,
}
for text, holds in checks.items():
    print(f"CHECK {'ok' if holds else 'FAILED'}: {text}")
sys.exit(not all(checks.values()))
