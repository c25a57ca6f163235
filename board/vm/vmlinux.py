#!/usr/bin/env python3
"""Unpacks the ELF kernel from an x86 bzImage: QEMU boots that directly, which saves seconds."""

import lzma
import struct
import subprocess
import sys
import zlib
from pathlib import Path

# Linux x86 boot protocol: setup sectors, then the offset and length of the packed kernel.
SETUP_SECTORS = 0x1F1
PAYLOAD = 0x248


def unpack(image: bytes) -> bytes:
    """The kernel in `image`, whose packing is told by its first bytes."""
    sectors = image[SETUP_SECTORS] or 4
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    packed = image[(sectors + 1) * 512 + offset :][:length]
    if packed.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor().decompress(packed)
    if packed.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(31).decompress(packed)
    if packed.startswith(b"\x28\xb5\x2f\xfd"):
        # The last four bytes are the unpacked length, not zstd's.
        done = subprocess.run(["zstd", "-dc"], input=packed[:-4], capture_output=True, check=True)
        return done.stdout
    raise SystemExit(f"a kernel packed in an unknown way: {packed[:8].hex()}")


def main() -> None:
    source, target = map(Path, sys.argv[1:3])
    kernel = unpack(source.read_bytes())
    if not kernel.startswith(b"\x7fELF"):
        raise SystemExit(f"{source}: what was unpacked is no ELF file")
    target.write_bytes(kernel)


if __name__ == "__main__":
    main()
