"""Writes described.jsonl: what filmd's own describer says about every training pair.

    python describe.py --filmd ../target/release/filmd [--data DIR] [--llm N]

One line a pair: set, stem, the template's paragraph, and for N pairs a set that of the language
model.  The sides hold pictures as filmd reads them.  Resumable: lines that are there are kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

import data
from validate import spread

HERE = Path(__file__).resolve().parent


def say(filmd: Path, folder: Path, pair: data.Pair, more: list[str]) -> str:
    """The paragraph of one pair."""
    files = [next((folder / pair.set / side).glob(f"{pair.stem}.*")) for side in "ab"]
    command = [filmd, "describe", *files, "--task", pair.task, "--stretch", "--json", *more]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["text"]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filmd", type=Path, default=HERE / "../target/release/filmd")
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--llm", type=int, default=0, help="pairs a set for the language model")
    parser.add_argument("--out", type=Path, default=HERE / "described.jsonl")
    options = parser.parse_args()
    folder = data.root(options.data)
    known: dict[tuple[str, str], dict[str, str]] = {}
    if options.out.exists():
        for line in options.out.read_text().splitlines():
            record = json.loads(line)
            known[record["set"], record["stem"]] = record
    for name in data.SETS:
        pairs = data.load(folder, name, "train")
        written = {p.stem for p in spread(pairs, options.llm)} if options.llm else set()
        for pair in pairs:
            record = known.setdefault((name, pair.stem), {"set": name, "stem": pair.stem})
            if "template" not in record:
                record["template"] = say(options.filmd, folder, pair, ["--no-llm"])
            if pair.stem in written and "llm" not in record:
                record["llm"] = say(options.filmd, folder, pair, [])
            new = options.out.with_suffix(".new")
        new.write_text("".join(json.dumps(r, sort_keys=True) + "\n" for r in known.values()))
        new.replace(options.out)
        print(f"{name}: {len(pairs)} pairs, {len(written)} by the language model", flush=True)


if __name__ == "__main__":
    main()
