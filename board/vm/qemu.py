"""The emulator: its command line, and its control socket."""

import argparse
import json
import socket
from pathlib import Path

MACHINES = {
    # Emulation on both: a /dev/kvm that is there may still not boot a kernel.
    "x86_64": ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max"],
    "aarch64": ["qemu-system-aarch64", "-M", "virt", "-accel", "tcg", "-cpu", "cortex-a72"],
}
CONSOLES = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}


class Monitor:
    """QEMU's own control socket (QMP)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream = None

    def ask(self, command: str, **arguments: object) -> dict:
        if self.stream is None:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(self.path))
            self.stream = connection.makefile("rw")
            self.stream.readline()
            self.ask("qmp_capabilities")
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            reply = json.loads(self.stream.readline())
            if "event" not in reply:
                return reply


def command_line(options: argparse.Namespace, share: Path, needs: str) -> list[str]:
    work = options.work / options.machine
    append = (
        f"console={CONSOLES[options.machine]} panic=-1 quiet loglevel=3 mitigations=off nokaslr"
        # On a busy machine the emulated timer may be late for the kernel's test of it.
        " no_timer_check"
    )
    if options.shell:
        append += " shell"
    wanted = [n.removeprefix("processors=") for n in needs.split() if n.startswith("processors=")]
    command = [*MACHINES[options.machine], "-m", "1024", "-smp", *(wanted or ["1"])]
    command += ["-nic", "none", "-no-reboot"]
    command += (
        ["-display", "none", "-vga", "none"]
        if options.machine == "x86_64"
        else ["-display", "none"]
    )
    command += ["-serial", "mon:stdio" if options.shell else "stdio"]
    command += [
        "-kernel",
        str((work / "kernel").resolve()),
        "-initrd",
        str(work / "initramfs.cpio"),
    ]
    command += ["-virtfs", f"local,path={share},mount_tag=share,security_model=none"]
    for need in needs.split():
        # systemd: the disk of rootfs.sh, which is left as it is.
        if need == "systemd":
            command[command.index("-initrd") + 1] = str(work / "systemd" / "initramfs.cpio")
            disk = f"file={work / 'systemd' / 'disk.img'},format=raw,if=none,id=disk,snapshot=on"
            command += [
                "-drive",
                disk,
                "-device",
                "virtio-blk-pci,drive=disk",
                "-device",
                "virtio-rng-pci",
            ]
            append += " systemd.show_status=0 systemd.log_level=warning"
        # display=640x480: a panel of that size, which the guest sees as a DRM card.
        if need.startswith("display="):
            width, height = need.removeprefix("display=").split("x")
            command += ["-device", f"virtio-gpu-pci,xres={width},yres={height}"]
    return [*command, "-append", append]
