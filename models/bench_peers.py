"""filmd's network beside other runtimes: the same network, the same frame, the same threads.

    python bench_peers.py [--filmd PATH] [--rounds 5] [--frames 10] [--published-rounds 2] [--cpu] [--json]

Each engine runs in a process of its own, one after another, round by round, so that whatever else
the machine does meets all of them. Ratios of the medians are what counts; milliseconds are this
machine's. --cpu takes processor time in the place of time, for one thread: what other programs
take of a busy machine then does not count, though they still share caches and units with it. ONNX
Runtime's 8-bit graph is made here by its own static quantisation (QDQ, unsigned activations,
weights per channel), calibrated on the frame: good for time, not for pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT, TOKENS, FEATURES, NEUTRAL_ROWS = 640, 480, 64, 384, 24
NETWORKS = {"filmd int8": "film-edge-int8", "tract f32": "film-edge"}
FLOAT, INT8, PUBLISHED = "ONNX Runtime f32", "ONNX Runtime int8", "published FILM, ONNX Runtime f32"
FILES = {FLOAT: "float.onnx", INT8: "int8.onnx", PUBLISHED: "published.onnx"}
OURS = "filmd int8"
# Peer, and by how much it has to be slower; the second one may even be a little faster.
WANTED = (("tract f32", 6.0), (INT8, 1 / 1.3), (PUBLISHED, 400.0))


def session(path: Path, threads: int) -> ort.InferenceSession:
    """With all optimisations."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feeds(planes: Path, tokens: int, features: int = FEATURES) -> dict[str, np.ndarray]:
    """Both pictures of the frame and the neutral guidance of the first task; the published network
    takes longer rows, whose rest is zero."""
    a, b = np.fromfile(planes, np.uint8).reshape(2, 1, 1, HEIGHT, WIDTH).astype(np.float32) / 255
    rows = np.fromfile(HERE / "neutral.f32", np.float32)[: NEUTRAL_ROWS * FEATURES]
    guidance = np.zeros((1, tokens, features), np.float32)
    guidance[0, :NEUTRAL_ROWS, :FEATURES] = rows.reshape(NEUTRAL_ROWS, FEATURES)
    return {"infrared": a, "visible": b, "guidance": guidance}


def child(path: Path, planes: Path, threads: int, frames: int, cpu: bool) -> None:
    """Times one graph in this process."""
    from time import perf_counter, process_time

    clock = process_time if cpu else perf_counter
    peer = session(path, threads)
    tokens = NEUTRAL_ROWS if path.name == FILES[PUBLISHED] else TOKENS
    width = next(i.shape[2] for i in peer.get_inputs() if i.name == "guidance")
    inputs, times = feeds(planes, tokens, width), []
    # The published network takes seconds a frame; its first is as good as its second.
    for _ in range(0 if path.name == FILES[PUBLISHED] else frames // 10 + 1):
        peer.run(None, inputs)
    for _ in range(frames):
        start = clock()
        peer.run(None, inputs)
        times.append((clock() - start) * 1e3)
    print(json.dumps(times))


class Frame:
    """Hands one frame to the calibration."""

    def __init__(self, planes: Path) -> None:
        self.left = [feeds(planes, TOKENS)]

    def get_next(self) -> dict[str, np.ndarray] | None:
        return self.left.pop() if self.left else None


def quantised(planes: Path, folder: Path, cpu: bool) -> str:
    """Writes int8.onnx: the faster of what ONNX Runtime makes of all operators and of the
    convolutions alone."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = folder / "prepared.onnx"
    quant_pre_process(str(folder / FILES[FLOAT]), str(prepared), skip_symbolic_shape=True)
    found: list[tuple[float, str]] = []
    for name, kinds in (("all operators", None), ("convolutions alone", ["Conv"])):
        out = folder / f"int8 {name}.onnx"
        quantize_static(
            str(prepared), str(out), Frame(planes),
            quant_format=QuantFormat.QDQ, per_channel=True, op_types_to_quantize=kinds,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        found.append((statistics.median(run_peer(out, planes, 1, 5, cpu)), name))
    name = min(found)[1]
    (folder / f"int8 {name}.onnx").rename(folder / FILES[INT8])
    return name + "".join(f"; {name}: {ms:.1f} ms" for ms, name in found)


def output(command: list[str]) -> str:
    """What a command prints; its complaint where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def run_peer(path: Path, planes: Path, threads: int, frames: int, cpu: bool) -> list[float]:
    """Milliseconds of each frame, from a process of its own."""
    arguments = ["--child", str(path), str(planes), str(threads), str(frames), str(int(cpu))]
    return json.loads(output([sys.executable, __file__, *arguments]))


def run_filmd(filmd: Path, name: str, frames: int, more: list[str]) -> list[float]:
    """As run_peer, by `filmd-bench --network`."""
    command = [str(filmd), "bench", "--network", "--model", NETWORKS[name], "--json"]
    command += ["--width", str(WIDTH), "--height", str(HEIGHT), "--frames", str(frames), *more]
    return json.loads(output(command))["frame_ms"]


def filmd_cpu(filmd: Path, name: str, frames: int) -> list[float]:
    """Processor time of a frame in one thread, milliseconds: what more frames take more."""

    def spent(frames: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_filmd(filmd, name, frames, ["--threads", "1"])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3

    few, many = frames, 5 * frames
    more = many + many // 10 - few - few // 10  # with those that warm up
    return [(spent(many) - spent(few)) / more]


def measure(options: argparse.Namespace, folder: Path, threads: int) -> dict[str, list[float]]:
    """All engines in turn, `rounds` times; medians of each process."""
    planes = folder / "planes"
    medians: dict[str, list[float]] = {}

    def add(name: str, times: list[float]) -> None:
        medians.setdefault(name, []).append(statistics.median(times))

    for round_ in range(options.rounds):
        for name in NETWORKS:
            more = ["--threads", str(threads)]
            if name == OURS or threads == 1:  # tract has no threads in filmd
                add(
                    name,
                    filmd_cpu(options.filmd, name, options.frames)
                    if options.cpu
                    else run_filmd(options.filmd, name, options.frames, more),
                )
        for name in (FLOAT, INT8):
            add(name, run_peer(folder / FILES[name], planes, threads, options.frames, options.cpu))
        if round_ < options.published_rounds:
            add(PUBLISHED, run_peer(folder / FILES[PUBLISHED], planes, threads, 1, options.cpu))
    return medians


def table(medians: dict[str, list[float]], threads: int) -> list[str]:
    """A table for people and README.md; the ratio is taken round by round."""
    ours = medians[OURS]
    lines = [
        "",
        f"| {threads} thread{'s' * (threads > 1)} | ms a frame | times filmd int8 | wanted |",
    ]
    lines.append("|---|---|---|---|")
    wanted = dict(WANTED)
    for name, values in medians.items():
        ratio = statistics.median(theirs / our for theirs, our in zip(values, ours))
        want = f"at least {wanted[name]:.2f}" if name in wanted else ""
        lines.append(f"| {name} | {statistics.median(values):.1f} | {ratio:.2f} | {want} |")
    return lines


def idle_cores() -> int:
    """Cores that nobody computes on, by the mean load of the last minute."""
    return len(os.sched_getaffinity(0)) - round(os.getloadavg()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    parser.add_argument("--filmd", type=Path, default=target / "release/filmd")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--published-rounds", type=int, default=2, help="0: leave it out")
    parser.add_argument("--threads", type=int, nargs="*", help="default: 1, and 2 where 2 are idle")
    parser.add_argument("--cpu", action="store_true", help="processor time of one thread")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.cpu and options.threads not in (None, [], [1]):
        parser.error("--cpu measures one thread")
    threads = [1] if options.cpu else options.threads or ([1, 2] if idle_cores() >= 2 else [1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_filmd(options.filmd, OURS, 1, ["--threads", "1", "--planes", str(folder / "planes")])
        (folder / FILES[FLOAT]).write_bytes((HERE / "film-edge.onnx").read_bytes())
        chosen = quantised(folder / "planes", folder, options.cpu)
        if options.published_rounds:
            importer = [sys.executable, str(HERE / "import_film.py"), "--random", "1"]
            out = ["--out", str(folder / FILES[PUBLISHED])]
            output([*importer, *out])
        results = {count: measure(options, folder, count) for count in threads}
    if options.json:
        print(json.dumps(results))
        return
    print(f"ONNX Runtime {ort.__version__}, int8: {chosen}")
    for count, medians in results.items():
        print("\n".join(table(medians, count)))
    if threads == [1]:
        print("\n2 threads were not measured: no two cores are idle, or --threads says so.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), Path(sys.argv[3]), *map(int, sys.argv[4:7]))
    else:
        main()
