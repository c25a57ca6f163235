#!/usr/bin/env python3
"""Screenshots of the display against files, byte for byte: of a headless run, and of a held picture."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from pixels import compare, read_png

out = Path(sys.argv[1])
failed = False
for shown, file in (("display", "headless-file"), ("held", "held-file")):
    different, total = compare(out / f"{shown}.png", out / f"{file}.png")
    print(f"FIGURE {different} of {total} bytes of {shown}.png differ from {file}.png")
    failed |= different != 0
# The comparison means nothing where there is no picture, or the tone map changed none. The held
# picture says at its top that it is: below, in the lower half, only the tone map can differ.
pictures = (read_png(out / f"{name}-file.png")[2] for name in ("headless", "held"))
plain, toned = (picture[len(picture) // 2 :] for picture in pictures)
if len(set(plain)) < 32 or plain == toned:
    print("CHECK FAILED: the pictures are flat, or the tone map did nothing")
    failed = True
sys.exit(failed)
