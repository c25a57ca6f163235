#!/usr/bin/env python3
"""The bytes on the buses, decoded as the data sheets of the controllers say, against the picture of
`filmctl snapshot` and the words expected; pictures of both are left in the folder."""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from pixels import read_png, write_png

WIDTH, HEIGHT = 240, 320


def records(path: Path) -> Iterator[tuple[str, int, bytes]]:
    """Kind, clock in Hz and bytes of each transfer (board/vm/modules/transfer-log.h)."""
    data, at = path.read_bytes(), 0
    while at + 8 <= len(data):
        kind, _, clock, length = struct.unpack_from("<cBHI", data, at)
        yield kind.decode(), clock * 10_000, data[at + 8 : at + 8 + length]
        at += 8 + length


class Controller:
    """ST7789 and ILI9341 alike: memory of 240x320 pixels of two bytes, seen through MADCTL."""

    def __init__(self) -> None:
        self.logical = bytearray()
        self.width = self.height = 0
        self.columns, self.rows = (0, WIDTH - 1), (0, HEIGHT - 1)
        self.madctl = self.command = self.written = self.refused = self.longest = 0
        self.clocks: set[int] = set()

    def feed(self, kind: str, clock: int, data: bytes) -> None:
        self.clocks.add(clock)
        self.longest = max(self.longest, len(data))
        if kind == "E":
            self.refused += 1
        elif kind == "C":
            self.command = data[0]
            self.written = 0
        elif self.command == 0x36:
            self.madctl = data[0]
            turned = bool(self.madctl & 0x20)
            self.width, self.height = (HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT)
            self.logical = bytearray(2 * WIDTH * HEIGHT)
        elif self.command == 0x2A:
            self.columns = struct.unpack(">HH", data)
        elif self.command == 0x2B:
            self.rows = struct.unpack(">HH", data)
        elif self.command == 0x2C:
            self.pixels(data)

    def pixels(self, data: bytes) -> None:
        """filmd writes whole rows: the window is then one run of memory."""
        if self.columns != (0, self.width - 1):
            raise SystemExit(f"a window of columns {self.columns}")
        at = 2 * self.rows[0] * self.width + self.written
        self.logical[at : at + len(data)] = data
        self.written += len(data)

    def on_glass(self) -> bytes:
        """RGB bytes as the upright 240x320 glass shows them."""
        out = bytearray(3 * WIDTH * HEIGHT)
        for row in range(self.height):
            for column in range(self.width):
                x, y = (row, column) if self.madctl & 0x20 else (column, row)
                x = WIDTH - 1 - x if self.madctl & 0x40 else x
                y = HEIGHT - 1 - y if self.madctl & 0x80 else y
                at = 2 * (row * self.width + column)
                value = self.logical[at] << 8 | self.logical[at + 1]
                to = 3 * (y * WIDTH + x)
                out[to : to + 3] = bytes((value >> 8 & 0xF8, value >> 3 & 0xFC, value << 3 & 0xF8))
        return bytes(out)


def turned(picture: bytes, width: int, height: int, degrees: int) -> bytes:
    """An RGB picture turned clockwise onto the 240x320 glass, to the bits that a panel has."""
    out = bytearray(3 * WIDTH * HEIGHT)
    for y in range(height):
        for x in range(width):
            column, row = (height - 1 - y, x) if degrees == 90 else (y, width - 1 - x)
            at, to = 3 * (y * width + x), 3 * (row * WIDTH + column)
            r, g, b = picture[at : at + 3]
            out[to : to + 3] = bytes((r & 0xF8, g & 0xFC, b & 0xF8))
    return bytes(out)


def oled(path: Path) -> tuple[bytes, int]:
    """The SSD1306's 128x64 memory as RGB bytes, and how many writes were refused. Bytes fill the
    window of columns and pages that the last commands set, columns first (data sheet, 10.1.3-5)."""
    memory, refused = bytearray(1024), 0
    columns, pages, column, page = (0, 127), (0, 7), 0, 0
    for kind, _, data in records(path):
        if kind == "E":
            refused += 1
        elif data[:2] == b"\x00\x21":
            columns = (data[2], data[3])
            column = data[2]
        elif data[:2] == b"\x00\x22":
            pages = (data[2], data[3])
            page = data[2]
        elif data[0] == 0x40:
            for byte in data[1:]:
                memory[128 * page + column] = byte
                column += 1
                if column > columns[1]:
                    column, page = columns[0], page + 1
                if page > pages[1]:
                    page = pages[0]
    lit = (memory[y // 8 * 128 + x] >> (y % 8) & 1 for y in range(64) for x in range(128))
    return b"".join(b"\xff\xff\xff" if on else b"\0\0\0" for on in lit), refused


def cells_of(words: bytes, line: int) -> list[bytes]:
    """The cells of 6x10 pixels of a line, to its last that is not dark."""
    cells = []
    for column in range(21):
        rows = (3 * ((10 * line + y) * 128 + 6 * column) for y in range(10))
        cells.append(b"".join(words[at : at + 18 : 3] for at in rows))
    while cells and not any(cells[-1]):
        cells.pop()
    return cells


def could_be(cells: list[bytes], text: str) -> bool:
    """Without the font: equal letters look equal, unlike ones do not, and a space is dark."""
    if len(cells) != len(text):
        return False
    pairs = set(zip(text, cells, strict=True))
    letters, shapes = {letter for letter, _ in pairs}, {cell for _, cell in pairs}
    dark = all(not any(cell) for letter, cell in pairs if letter == " ")
    return dark and len(pairs) == len(letters) == len(shapes)


def main() -> int:
    out, failures = Path(sys.argv[1]), 0

    def check(text: str, holds: bool) -> None:
        nonlocal failures
        failures += not holds
        print(f"CHECK {'ok' if holds else 'FAILED'}: {text}")

    for name, degrees, failing in (
        ("st7789", 90, False),
        ("st7789-eio", 90, True),
        ("ili9341", 270, False),
    ):
        chip, count = Controller(), 0
        for count, record in enumerate(records(out / f"{name}.spi"), 1):
            chip.feed(*record)
        glass = chip.on_glass()
        write_png(out / f"{name}-glass.png", WIDTH, HEIGHT, glass)
        width, height, picture = read_png(out / f"{name}.png")
        expected = turned(picture, width, height, degrees)
        different = sum(a != b for a, b in zip(glass, expected, strict=True))
        print(
            f"FIGURE {name}: {count} transfers, {chip.refused} refused, "
            f"the longest {chip.longest} bytes"
        )
        check(f"{name}: {different} of {len(glass)} bytes differ from the picture", different == 0)
        check(f"{name}: no transfer is longer than spidev takes", chip.longest <= 4096)
        check(f"{name}: the clock is 40 MHz", chip.clocks == {40_000_000})
        check(f"{name}: {chip.refused} transfers were refused", (chip.refused > 0) == failing)
        words, refused = oled(out / f"{name}.i2c")
        write_png(out / f"{name}-words.png", 128, 64, words)
        lines = [sum(words[3 * 128 * 10 * n : 3 * 128 * 10 * (n + 1)]) // 765 for n in range(6)]
        print(f"FIGURE {name}: {refused} I2C writes refused; lit pixels of each line {lines}")
        check(f"{name}: two lines of words on the status panel", min(lines[:2]) > 60)
        held = could_be(cells_of(words, 1), "PICTURE FROZEN")
        check(f"{name}: the second line says PICTURE FROZEN", held)
        check(f"{name}: I2C writes were refused", (refused > 0) == failing)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
