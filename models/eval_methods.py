"""Folders of pairs, and the methods that fuse them: filmd's own program, or a rule.

filmd gets 8-bit luma PNG files and gives PNG files; rules read and write the same folders.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import data
import eval_rules

HERE = Path(__file__).resolve().parent
FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]
OURS, FLOAT, TONE, CLASSIC = "ours int8", "ours f32", "ours int8 + tone map", "classic"
SIGMA = 5.0  # of the noise for the noise gain, grey levels
NOISY_PAIRS = 6


@dataclass(frozen=True)
class Method:
    """One row of the tables: arguments of `filmd fuse`, or a rule."""

    name: str
    arguments: tuple[str, ...] = ()
    rule: eval_rules.Rule | None = None

    @property
    def slug(self) -> str:
        """Its folder's name; `+` and `>` may tell two methods apart, so they stay as words."""
        words = self.name.replace("+", " plus ").replace(">", " to ")
        return re.sub(r"[^\w.]+", "-", words).strip("-")


def write(path: Path, picture: np.ndarray) -> None:
    """A lossless picture file; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), picture, FAST):
        raise SystemExit(f"cannot write {path}")


def read(path: Path) -> np.ndarray:
    """uint8 [H,W] as stored; a fused picture in colour would mean that luma was not what went in."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 2 or picture.dtype != np.uint8:
        raise SystemExit(f"{path} is not an 8-bit grey picture")
    return picture


def program(argument: str | None) -> Path:
    """filmd: the argument, FILMD_PROGRAM, or this checkout's release build."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or HERE.parent / "target")
    path = Path(argument or os.environ.get("FILMD_PROGRAM") or target / "release/filmd")
    if not path.is_file():
        raise SystemExit(f"no filmd at {path}; `cargo build --release`, or --filmd FILE")
    return path.resolve()


class Filmd:
    """The program, with one manifest."""

    def __init__(self, path: Path, manifest: Path) -> None:
        self.path, self.manifest = path, manifest.resolve()
        self.usage = self.run("fuse", "--help")

    def run(self, *arguments: str) -> str:
        """Standard output; ends the evaluation with filmd's own words where it fails."""
        done = subprocess.run(
            [str(self.path), *arguments], check=False, capture_output=True, text=True
        )
        if done.returncode:
            said = done.stderr.strip() or f"exit code {done.returncode}, nothing said"
            raise SystemExit(f"{self.path} {' '.join(arguments)} failed:\n{said}")
        return done.stdout

    def knows(self, method: Method) -> bool:
        """Whether this build has every long option of the method."""
        return all(
            re.search(rf"{option}\b", self.usage)
            for option in method.arguments
            if option.startswith("--")
        )

    def benches(self, model: str) -> bool:
        """Whether a short `filmd bench` of a named network ends well."""
        command = [str(self.path), "bench", "--model", model, "--frames", "20"]
        home = {**os.environ, "FILMD_MODELS": str(self.manifest)}
        return subprocess.run(command, check=False, env=home, capture_output=True).returncode == 0

    def fuse(self, folder: Path, out: Path, task: str, arguments: tuple[str, ...]) -> None:
        """Fuses folder/a with folder/b into an emptied `out`."""
        shutil.rmtree(out, ignore_errors=True)
        sources = (str(folder / "a"), str(folder / "b"))
        manifest = () if "classic" in arguments else ("--manifest", str(self.manifest))
        self.run("fuse", *sources, "--out", str(out), "--task", task, *manifest, *arguments)


def of_filmd(f32: str, int8: str, described: bool) -> list[Method]:
    """filmd's rows."""
    rows = {
        OURS: ("--model", int8),
        FLOAT: ("--model", f32),
        TONE: ("--model", int8, "--tone", "auto"),
        CLASSIC: ("--engine", "classic"),
    }
    if described:
        rows["ours int8, described"] = ("--model", int8, "--describe")
    return [Method(name, arguments) for name, arguments in rows.items()]


def rules_of(task: str) -> list[Method]:
    """The rules' rows."""
    return [Method(name, rule=rule) for name, rule in eval_rules.of_task(task).items()]


def noisy(pair: data.Pair) -> data.Pair:
    """The pair with independent noise of SIGMA in both sources."""
    random = np.random.default_rng(7)
    a, b = (
        np.clip(np.rint(x + random.normal(0, SIGMA, x.shape)), 0, 255).astype(np.uint8)
        for x in (pair.a, pair.b)
    )
    return data.Pair(pair.set, pair.stem, a, b)


class Sources:
    """One set's pairs as folders a and b, and the folders that methods fused them into."""

    def __init__(self, work: Path, pairs: list[data.Pair], part: str) -> None:
        self.pairs, self.part = pairs, part
        self.work, self.folder = work, work / "sources" / pairs[0].set / part
        shutil.rmtree(self.folder, ignore_errors=True)
        for pair in pairs:
            write(self.folder / "a" / f"{pair.stem}.png", pair.a)
            write(self.folder / "b" / f"{pair.stem}.png", pair.b)

    def fused(self, filmd: Filmd, method: Method) -> list[np.ndarray]:
        """uint8 [H,W] a pair. filmd always runs; pictures of rules are kept."""
        name = self.pairs[0].set
        if method.rule is None:
            out = self.work / "fused" / name / self.part / method.slug
            filmd.fuse(self.folder, out, self.pairs[0].task, method.arguments)
            return [read(out / f"{pair.stem}.png") for pair in self.pairs]
        out = self.work / "rules" / eval_rules.digest() / name / self.part / method.slug
        pictures = []
        for pair in self.pairs:
            path = out / f"{pair.stem}.png"
            if not path.exists():
                write(path, method.rule(pair.a, pair.b))
            pictures.append(read(path))
        return pictures
