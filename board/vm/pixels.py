"""Reads 8-bit PNG files with the standard library alone, to compare pictures."""

import struct
import zlib
from pathlib import Path

CHANNELS = {0: 1, 2: 3, 6: 4}


def read_png(path: Path) -> tuple[int, int, bytes]:
    """Width, height and RGB bytes; grey is spread over the channels, transparency is dropped."""
    data = path.read_bytes()
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise SystemExit(f"{path}: not a PNG file")
    at, packed, header = 8, b"", b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth != 8 or colour not in CHANNELS or interlaced:
        raise SystemExit(f"{path}: not a plain 8-bit picture")
    channels = CHANNELS[colour]
    rows = unfilter(zlib.decompress(packed), width * channels, channels, height)
    if channels == 1:
        return width, height, bytes(v for v in rows for _ in range(3))
    if channels == 4:
        return width, height, b"".join(rows[i : i + 3] for i in range(0, len(rows), 4))
    return width, height, rows


def write_png(path: Path, width: int, height: int, rgb: bytes) -> None:
    """RGB bytes as a file to look at."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    stride = 3 * width
    rows = b"".join(b"\0" + rgb[y * stride : (y + 1) * stride] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def unfilter(data: bytes, stride: int, step: int, height: int) -> bytes:
    """Undoes the five filters of PNG (specification, section 9.2)."""
    out, before = bytearray(), bytearray(stride)
    for y in range(height):
        at = y * (stride + 1)
        kind, row = data[at], bytearray(data[at + 1 : at + 1 + stride])
        for x in range(stride):
            left = row[x - step] if x >= step else 0
            up = before[x]
            corner = before[x - step] if x >= step else 0
            if kind == 1:
                row[x] = (row[x] + left) & 255
            elif kind == 2:
                row[x] = (row[x] + up) & 255
            elif kind == 3:
                row[x] = (row[x] + (left + up) // 2) & 255
            elif kind == 4:
                guess = left + up - corner
                distances = abs(guess - left), abs(guess - up), abs(guess - corner)
                row[x] = (row[x] + (left, up, corner)[distances.index(min(distances))]) & 255
        out += row
        before = row
    return bytes(out)


def compare(a: Path, b: Path) -> tuple[int, int]:
    """How many bytes differ, of how many; pictures of unlike size differ in all of them."""
    (width, height, left), (other_width, other_height, right) = read_png(a), read_png(b)
    if (width, height) != (other_width, other_height):
        print(f"{a.name} is {width}x{height}, {b.name} is {other_width}x{other_height}")
        return len(left), len(left)
    return sum(x != y for x, y in zip(left, right, strict=True)), len(left)
