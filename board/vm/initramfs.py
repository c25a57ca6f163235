#!/usr/bin/env python3
"""Makes the virtual board's root file system: a cpio archive, without root, kmod or depmod.

In the guest `kload NAME [arguments]` loads a module after those that it depends on.
"""

import argparse
import struct
from collections.abc import Iterable
from pathlib import Path

from cpio import Cpio
from kmodules import add_modules, find_modules

KLOAD = b"""#!/bin/sh
# kload NAME [arguments]: loads a kernel module after those that it depends on.
name=$(echo "$1" | tr - _); shift
for other in $(cat /lib/kmods/$name.deps); do
    [ -d /sys/module/$other ] || insmod /lib/kmods/$other.ko
done
[ -d /sys/module/$name ] || insmod /lib/kmods/$name.ko "$@"
"""


def elf_needs(data: bytes) -> tuple[str | None, list[str]]:
    """The interpreter and the libraries that a 64-bit little endian ELF file asks for."""
    offset, size, count = (
        *struct.unpack_from("<Q", data, 32),
        *struct.unpack_from("<HH", data, 54),
    )
    headers = [struct.unpack_from("<IIQQQQQQ", data, offset + i * size) for i in range(count)]
    loads = [h for h in headers if h[0] == 1]

    def position(address: int) -> int:
        for _, _, at, virtual, _, length, _, _ in loads:
            if virtual <= address < virtual + length:
                return at + address - virtual
        raise SystemExit("an ELF file whose addresses lead nowhere")

    def text(at: int) -> str:
        return data[at : data.index(b"\0", at)].decode()

    interpreter = next((text(h[2]) for h in headers if h[0] == 3), None)
    dynamic = next((h for h in headers if h[0] == 2), None)
    if dynamic is None:
        return interpreter, []
    entries = [struct.unpack_from("<qQ", data, dynamic[2] + i) for i in range(0, dynamic[5], 16)]
    strings = position(next(value for tag, value in entries if tag == 5))
    return interpreter, [text(strings + value) for tag, value in entries if tag == 1]


def add_libraries(
    archive: Cpio, programs: Iterable[Path], also: Iterable[str], folders: list[Path]
) -> None:
    """Puts the libraries of `programs`, those named, and the dynamic linker in their places."""
    pending = [*also]
    interpreters: set[str] = set()

    def read(data: bytes) -> None:
        interpreter, libraries = elf_needs(data)
        pending.extend(libraries)
        if interpreter:
            interpreters.add(interpreter)

    for program in programs:
        read(program.read_bytes())
    done: set[str] = set()
    while pending:
        name = pending.pop()
        if name in done or name.startswith(("ld-", "linux-vdso")):
            continue
        done.add(name)
        path = next((f / name for f in folders if (f / name).exists()), None)
        if path is None:
            raise SystemExit(f"no {name} in {', '.join(map(str, folders))}")
        data = path.read_bytes()
        archive.file(f"/lib/{name}", data)
        read(data)
    for interpreter in interpreters:
        name = Path(interpreter).name
        path = next(f / name for f in folders if (f / name).exists())
        archive.file(interpreter, path.read_bytes())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--init", type=Path, required=True)
    parser.add_argument("--busybox", type=Path, required=True)
    parser.add_argument("--kernel", type=Path, required=True, help="an unpacked kernel package")
    parser.add_argument("--modules", default="", help="names, with commas between")
    parser.add_argument("--modules-from", type=Path, action="append", default=[])
    parser.add_argument("--program", type=Path, action="append", default=[])
    parser.add_argument("--libraries", default="", help="folders, with colons between")
    parser.add_argument("--also", default="", help="more libraries, with commas between")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    archive = Cpio()
    for name in ("proc", "sys", "dev", "tmp", "run", "share", "etc", "root", "var"):
        archive.folder(Path(name))
    archive.node("/dev/console", 5, 1)
    archive.node("/dev/null", 1, 3)
    archive.file("/bin/busybox", options.busybox.read_bytes())
    for name in ("sh", "mount", "insmod"):
        archive.link(f"/bin/{name}", "busybox")
    archive.file("/init", options.init.read_bytes())
    archive.file("/bin/kload", KLOAD)
    archive.file(
        "/etc/passwd", b"root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n", 0o644
    )
    archive.file("/etc/group", b"root:x:0:\nvideo:x:44:\nnogroup:x:65534:\n", 0o644)
    modules = find_modules([options.kernel, *options.modules_from])
    add_modules(archive, filter(None, options.modules.split(",")), modules)
    for program in options.program:
        archive.file(f"/bin/{program.name}", program.read_bytes())
    also = filter(None, options.also.split(","))
    folders = [Path(f) for f in options.libraries.split(":") if f]
    add_libraries(archive, options.program, also, folders)
    options.out.write_bytes(archive.finish())
    print(f"{options.out.name}: {len(archive.bytes) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
