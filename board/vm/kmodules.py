"""Kernel modules of unpacked packages, and what they depend on."""

import lzma
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from cpio import Cpio


def module_name(name: str) -> str:
    return name.replace("-", "_")


def find_modules(folders: Iterable[Path]) -> dict[str, Path]:
    found = {}
    for folder in folders:
        for path in folder.rglob("*.ko*"):
            if match := re.fullmatch(r"(.+)\.ko(\.xz|\.zst)?", path.name):
                found[module_name(match[1])] = path
    return found


def read_module(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    return data


def needs_of(module: bytes) -> list[str]:
    """The modules that a module depends on, from its own section of facts."""
    match = re.search(rb"\0depends=([^\0]*)\0", module)
    return [module_name(n) for n in match[1].decode().split(",") if n] if match else []


def add_modules(archive: Cpio, wanted: Iterable[str], found: dict[str, Path]) -> None:
    """Puts the modules and what they depend on under /lib/kmods, with the order of loading."""
    orders: dict[str, list[str]] = {}

    def add(name: str) -> list[str]:
        if name in orders:
            return orders[name]
        data = read_module(found[name])
        order: list[str] = []
        for need in needs_of(data):
            # What is not there as a module is built into the kernel.
            for other in (*add(need), need) if need in found else ():
                if other not in order:
                    order.append(other)
        orders[name] = order
        archive.file(f"/lib/kmods/{name}.ko", data, 0o644)
        archive.file(f"/lib/kmods/{name}.deps", (" ".join(order) + "\n").encode(), 0o644)
        return order

    for name in map(module_name, wanted):
        if name in found:
            add(name)
        else:
            # Built in; `kload` must not fail because of it.
            archive.file(f"/lib/kmods/{name}.deps", b"\n", 0o644)
