"""Evaluates filmd on the held-out parts: fuses folders by the real program, scores them by the
project's yardstick, and holds the result against what a release must reach.

    python eval.py [--sets roadscene171 ...] [--limit N] [--parts domains sets text wish temporal size]
    python eval.py --grid OUT.png
    python eval.py --macs

Prints Markdown.  FILMD_DATA: the sets, FILMD_EVAL: the yardstick, FILMD_PROGRAM: filmd.  Texts
need film-describe beside filmd and its encoder (`make -C models fetch`).
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from pathlib import Path

import data
import eval_domains
import eval_grid
import eval_macs
import eval_report
import eval_temporal
import eval_text
import eval_verdict
import eval_wish
import texts
from eval_methods import Filmd, of_filmd, program, rules_of
from eval_scores import Scorer, evaluate
from validate import spread

HERE = Path(__file__).resolve().parent
PARTS = ("domains", "sets", "text", "wish", "temporal", "size")
TEMPORAL_PAIRS, TASK_PAIRS = 4, 8


def arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="*", choices=tuple(data.SETS), default=tuple(data.SETS))
    parser.add_argument(
        "--limit", type=int, default=1000, help="pairs a set at most, spread evenly"
    )
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--no-rules", action="store_true", help="only filmd's own rows")
    parser.add_argument("--described", action="store_true", help="a row guided by the LLM's texts")
    parser.add_argument("--seeds", type=int, default=3, help="of each condition")
    parser.add_argument("--grid", type=Path, metavar="OUT.png", help="only draw four domains under eight texts")
    parser.add_argument("--scene", help="of the grid; default: the one with most warm targets")
    parser.add_argument("--macs", action="store_true", help="only count the networks' MAC/px")
    parser.add_argument(
        "--strict", action="store_true", help="exit code 1 if a threshold is missed"
    )
    parser.add_argument("--f32", default="film-edge", help="name in the manifest, or an ONNX file")
    parser.add_argument("--int8", default="film-edge-int8", help="the same")
    parser.add_argument("--manifest", type=Path, default=HERE / "manifest.toml")
    parser.add_argument(
        "--filmd", help="the program (default: FILMD_PROGRAM, or the release build)"
    )
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--work", type=Path, default=HERE / "work/eval")
    return parser.parse_args()


def onnx_file(manifest: Path, model: str) -> Path:
    """The file of a network given by name or as a file."""
    if model.endswith(".onnx"):
        return Path(model)
    for network in tomllib.loads(manifest.read_text())["network"]:
        if network["name"] == model:
            return manifest.parent / network["file"]
    raise SystemExit(f"{manifest} has no network {model}")


class Run:
    """One evaluation."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.folder = options, data.root(options.data)
        self.filmd = Filmd(program(options.filmd), options.manifest)
        self.found = eval_verdict.Measured()
        work = options.work / "texts"
        self.fuser = eval_text.TextFuser(self.filmd, ("--model", options.int8), work)

    def held(self, name: str, limit: int | None = None) -> list[data.Pair]:
        """Held-out pairs of a set."""
        return spread(data.load(self.folder, name, "val"), limit or self.options.limit)

    def domains(self) -> None:
        """Every set in one table, worst first."""
        options = self.options
        found = eval_domains.measure(
            self.filmd, self.folder, options.work, options.int8, options.limit
        )
        eval_domains.show(found)

    def sets(self) -> None:
        """The tables of the sets."""
        options = self.options
        scorer = Scorer(options.work / "scores.json")
        for name in options.sets:
            methods = of_filmd(options.f32, options.int8, options.described)
            methods += [] if options.no_rules else rules_of(data.SETS[name])
            result = evaluate(scorer, self.filmd, methods, self.held(name), options.work)
            eval_report.show_set(result)
            self.found.sets.append(result)
        eval_report.show_int8(self.found.sets)

    def text(self) -> None:
        """Right, neutral and wrong texts."""
        pairs, scenes = self.infrared_visible()
        starts, begun = self.fuser.starts, time.monotonic()
        scores, self.found.effects = eval_text.measure(
            self.fuser, pairs, scenes, self.options.seeds
        )
        eval_report.show_texts(scores, self.found.effects)
        count = len({scenes[p.stem] for p in pairs})
        print(
            f"\n{len(pairs)} pairs of {count} scenes, {self.options.seeds} seeds; "
            f"{self.fuser.starts - starts} starts of filmd, {time.monotonic() - begun:.0f} s."
        )
        by_task: dict[str, list[data.Pair]] = {}
        for name, task in data.SETS.items():
            by_task.setdefault(task, []).extend(self.held(name))
        by_task = {task: spread(found, TASK_PAIRS) for task, found in by_task.items()}
        rows = eval_text.task_sentences(self.fuser, by_task)
        eval_report.show_tasks(rows, texts.TASKS)

    def infrared_visible(self) -> tuple[list[data.Pair], dict[str, str]]:
        """The pairs that texts are tried on, and their scenes."""
        name = next(n for n, task in data.SETS.items() if task == "ivf")
        return self.held(name), eval_text.scene_of(self.folder, name)

    def wish(self) -> None:
        """Bringing out people."""
        pairs, scenes = self.infrared_visible()
        self.found.wishes = eval_wish.measure(self.fuser, pairs, scenes, self.options.seeds)
        eval_report.show_wishes(self.found.wishes)
        # No network was trained on degrees and places: any pair of the set will do.
        name = next(n for n, task in data.SETS.items() if task == "ivf")
        every = [p for part in ("train", "val") for p in data.load(self.folder, name, part)]
        both = [p for p in every if p.stem in eval_wish.BOTH_SIDES]
        self.found.degrees = eval_wish.measure_degrees(self.fuser, pairs)
        self.found.places = eval_wish.measure_places(self.fuser, both)
        eval_report.show_degrees(self.found.degrees, self.found.places)

    def temporal(self) -> None:
        """Flicker."""
        pairs = spread(self.infrared_visible()[0], TEMPORAL_PAIRS)
        self.found.temporal = eval_temporal.measure(self.fuser, pairs)
        eval_report.show_temporal(self.found.temporal)

    def size(self) -> None:
        """MAC/px, parameters, and whether the benchmark runs."""
        for model in (self.options.f32, self.options.int8):
            path = onnx_file(self.options.manifest, model)
            self.found.macs[path.name] = eval_macs.count(path)[:2]
        if not self.options.int8.endswith(".onnx"):
            self.found.bench = self.filmd.benches(self.options.int8)


def main() -> int:
    """Runs the parts that were asked for."""
    options = arguments()
    if options.macs:
        eval_macs.show([onnx_file(options.manifest, m) for m in (options.f32, options.int8)])
        return 0
    run = Run(options)
    if options.grid:
        eval_grid.draw(run.fuser, eval_grid.scenes(run.folder, options.scene), options.grid)
        return 0
    for part in options.parts:
        getattr(run, part)()
    checks = eval_verdict.verdict(run.found)
    eval_verdict.show(checks)
    return int(options.strict and not all(c.passed for c in checks))


if __name__ == "__main__":
    sys.exit(main())
