"""The archive that an initial root file system is."""

from pathlib import Path


class Cpio:
    """A "newc" archive (Linux Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.inode = 0
        self.folders: set[str] = set()

    def _entry(
        self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)
    ) -> None:
        self.inode += 1
        path = name.lstrip("/").encode() + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0]
        self.bytes += b"070701" + b"".join(b"%08x" % field for field in fields) + path
        self.bytes += b"\0" * (-len(self.bytes) % 4) + data
        self.bytes += b"\0" * (-len(self.bytes) % 4)

    def folder(self, path: Path) -> None:
        name = str(path).strip("/")
        if name in ("", ".") or name in self.folders:
            return
        self.folder(path.parent)
        self.folders.add(name)
        self._entry(name, 0o040755)

    def file(self, name: str, data: bytes, mode: int = 0o755) -> None:
        self.folder(Path(name).parent)
        self._entry(name, 0o100000 | mode, data)

    def link(self, name: str, target: str) -> None:
        self.folder(Path(name).parent)
        self._entry(name, 0o120777, target.encode())

    def node(self, name: str, major: int, minor: int) -> None:
        self.folder(Path(name).parent)
        self._entry(name, 0o020600, b"", (major, minor))

    def finish(self) -> bytes:
        self._entry("TRAILER!!!", 0)
        return bytes(self.bytes + b"\0" * (-len(self.bytes) % 512))
