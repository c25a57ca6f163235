#!/usr/bin/env python3
"""The screenshot of the display against the file of a headless run, byte for byte."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from pixels import compare

out = Path(sys.argv[1])
different, total = compare(out / "display.png", out / "headless-file.png")
print(f"FIGURE {different} of {total} bytes of the display differ from the headless picture")
sys.exit(different != 0)
