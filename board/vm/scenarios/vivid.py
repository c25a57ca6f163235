#!/usr/bin/env python3
"""The same test picture in every format: what filmd makes of each must look the same."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from pixels import read_png

out = Path(sys.argv[1])
failed = False


def difference(name: str, against: str) -> float:
    a, b = read_png(out / f"{against}.png")[2], read_png(out / f"{name}.png")[2]
    return sum(abs(x - y) for x, y in zip(a, b, strict=True)) / len(a)


for kind, formats, limit in (
    # Chroma of half the height, and the driver's own rounding, cost a little.
    ("visible", ["UYVY", "NV12", "YU12", "YV12", "RGB24"], 4.0),
    # 10 bits in place of 16 fall into other bins of the range mapping.
    ("thermal", ["Y12", "Y16-BE", "Y10"], 6.0),
):
    base = f"{kind}-{'YUYV' if kind == 'visible' else 'Y16'}"
    for name in formats:
        mean = difference(f"{kind}-{name}", base)
        failed |= mean > limit
        print(f"FIGURE {kind} {name} against {base}: mean difference {mean:.3f} of 255")
sys.exit(failed)
