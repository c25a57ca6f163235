"""Counts instructions of benches/instructions and writes the table: see bench-arm.sh."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CPUS = {"cortex-a76": "with dotprod", "cortex-a72": "without"}
MODELS = ["neoverse-n1", "cortex-a72", "cortex-a55", "cortex-a53"]  # n1: the A76 of servers
STAGES = {
    "unpack": "acquire: YUYV 640x480, Y16 160x120",
    "clean-on": "acquire: clean-up of Y16 160x120, every part at work",
    "clean-auto": "the same, found clean (instead)",
    "clean-visible": "acquire: grain of the visible picture (one frame in 8)",
    "align": "align: both pictures",
    "luma": "fuse: luma of both",
    "network-int8": "fuse: the network, int8",
    "network-f32": "fuse: the network, f32 (instead)",
    "classic": "fuse: classic (instead)",
    "compose": "compose: fused",
    "overlay": "present: overlay",
    "xrgb": "present: XRGB8888",
}
# `stage` is these, the tone map, and what colours that do not fit cost.
PARTS = ("align", "luma", "network-int8", "compose")
FRAME = ("unpack", "clean-on", "stage", "xrgb")  # without overlay
KERNELS = {
    "cells-quantise": "pixels to cells, activity",
    "cells-pool": "means for a guide",
    "cells-upsample": "a guide's upsampling",
    "cells-blend": "blend",
}
CONVOLUTIONS = {
    "conv-32-32-3": "3x3, 32 to 32",
    "conv-32-32-1r": "1x1, 32 to 32, residual",
    "conv-32-48-3": "3x3, 48 to 32",
    "conv-48-48-3": "3x3, 48 to 48",
    "conv-48-48-1r": "1x1, 48 to 48, residual",
}
PIXELS = 640 * 480
CELLS = PIXELS // 16
MAC_PER_STEP = {"sdot": 5 * 16 * 16, "sadalp": 5 * 4 * 16}


def run(counter: Path, bench: str, cpu: str, stage: str, times: int) -> int:
    command = [counter / "qemu-aarch64", "-cpu", cpu, "-L", "/usr/aarch64-linux-gnu"]
    command += ["-plugin", f"{counter / 'libinsn.so'},inline=on", "-d", "plugin"]
    done = subprocess.run(
        [*command, bench, stage, str(times)], capture_output=True, text=True, check=False
    )
    found = re.findall(r"insns: (\d+)", done.stderr + done.stdout)
    if done.returncode or not found:
        sys.exit(f"{stage} as {cpu}: {done.stderr}")
    return int(found[-1])


def count(counter: Path, bench: str, cpu: str, stage: str) -> float:
    """Instructions of one repetition, once everything is warm."""
    first, second = (run(counter, bench, cpu, stage, times) for times in (2, 4))
    return (second - first) / 2


def inner_loops(bench: str) -> dict[str, list[str]]:
    """The shortest loop with each multiply instruction."""
    command = ["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", bench]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^ +([0-9a-f]+):\t(.*?)(?: *//.*)?$", text, re.MULTILINE)
    places = {address: i for i, (address, _) in enumerate(lines)}
    loops: dict[str, list[str]] = {}
    for i, (address, instruction) in enumerate(lines):
        back = re.match(r"b\.ne\t([0-9a-f]+)", instruction)
        start = places.get(back[1], i) if back else i
        if not i - 200 < start < i:
            continue
        body = [text for _, text in lines[start:i]]
        for multiply in MAC_PER_STEP:
            multiplies = any(text.startswith(multiply) for text in body)
            if multiplies and len(body) < len(loops.get(multiply, [""] * 1000)):
                loops[multiply] = body
    return loops


def cycles(body: list[str], model: str) -> float:
    command = ["llvm-mca-19", "-march=aarch64", "-mattr=+dotprod", f"-mcpu={model}"]
    text = "\n".join(body)
    done = subprocess.run(
        [*command, "-iterations=200"], input=text, capture_output=True, text=True, check=True
    )
    return int(re.findall(r"Total Cycles: +(\d+)", done.stdout)[0]) / 200


def mac(name: str) -> int:
    outputs, inputs, kernel = (int(n) for n in name.rstrip("r").split("-")[1:])
    return outputs * inputs * kernel * kernel * CELLS


def network_mac() -> int:
    text = Path("models/manifest.toml").read_text()
    return int(re.findall(r"mac_per_pixel = (\d+)", text)[0]) * PIXELS


def table(counter: Path, bench: str) -> str:
    rows = [
        "| million instructions a frame | " + " | ".join(CPUS.values()) + " |",
        "|---|---|---|",
    ]
    counts: dict[str, list[float]] = {}
    for stage in (*STAGES, "stage", "network-text"):
        counts[stage] = [count(counter, bench, cpu, stage) for cpu in CPUS]
        print(stage, counts[stage], flush=True)

    def add(
        words: str, values: list[float], cell: Callable[[float], str] = "{:.1f}".format
    ) -> None:
        rows.append(f"| {words} | " + " | ".join(cell(n / 1e6) for n in values) + " |")

    def sums(stages: tuple[str, ...]) -> list[float]:
        return [sum(each) for each in zip(*(counts[stage] for stage in stages))]

    def difference(a: list[float], b: list[float]) -> list[float]:
        return [x - y for x, y in zip(a, b)]

    def with_macs(millions: float) -> str:
        return f"{millions:.1f} ({network_mac() / millions / 1e6:.2f})"

    for stage, words in STAGES.items():
        add(words, counts[stage], with_macs if stage.startswith("network") else "{:.1f}".format)
        if stage == "compose":
            add("fuse: tone map; colours that do not fit", difference(counts["stage"], sums(PARTS)))
    add("a frame, without overlay and what stands instead", sums(FRAME))
    add(
        "more in a frame of a fade: the text",
        difference(counts["network-text"], counts["network-int8"]),
    )
    for stage, words in KERNELS.items():
        add(f"in the network: {words}", [count(counter, bench, cpu, stage) for cpu in CPUS])
        print(rows[-1], flush=True)
    rows += ["", "In brackets: GMAC per 10^9 instructions, of all of the network's MACs.", ""]
    rows += ["| GMAC per 10^9 instructions | " + " | ".join(CPUS.values()) + " |", "|---|---|---|"]
    for stage, words in CONVOLUTIONS.items():
        values = [count(counter, bench, cpu, stage) for cpu in CPUS]
        rows.append(f"| {words} | " + " | ".join(f"{mac(stage) / n:.2f}" for n in values) + " |")
        print(rows[-1], flush=True)
    rows += ["", "Inner loops by llvm-mca 19 (a model, from level 1 cache):", ""]
    rows += ["| MAC a cycle | " + " | ".join(MODELS) + " |", "|---" * (len(MODELS) + 1) + "|"]
    for multiply, body in inner_loops(bench).items():
        values = []
        for model in MODELS:
            has = multiply != "sdot" or model in ("neoverse-n1", "cortex-a55")
            figure = f"{MAC_PER_STEP[multiply] / cycles(body, model):.1f}" if has else "-"
            values.append(figure)
        rows.append(f"| {multiply} ({len(body) + 1} instructions) | " + " | ".join(values) + " |")
        print(rows[-1], flush=True)
    return "\n".join(rows)


def main() -> None:
    counter, bench, readme = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    begin, end = "<!-- bench-arm: begin -->", "<!-- bench-arm: end -->"
    text = readme.read_text()
    before, rest = text.split(begin)
    _, after = rest.split(end)
    readme.write_text(f"{before}{begin}\n{table(counter, bench)}\n{end}{after}")


if __name__ == "__main__":
    main()
