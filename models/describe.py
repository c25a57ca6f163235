"""Writes described.jsonl: what filmd's own describer says about every training pair.

    python describe.py --filmd ../target/release/filmd [--data DIR] [--llm SET ...] [--work DIR]

One line a pair: set, stem, the template's paragraph, and for the sets named by --llm that of the
language model.  `filmd describe` goes on where a run was cut off.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

import data

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filmd", type=Path, default=HERE / "../target/release/filmd")
    parser.add_argument("--data", help="folder of the sets (default: FILMD_DATA)")
    parser.add_argument("--llm", nargs="*", default=[], help="sets for the language model")
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--out", type=Path, default=HERE / "described.jsonl")
    options = parser.parse_args()
    folder, lines = data.root(options.data), []
    options.work.mkdir(parents=True, exist_ok=True)
    for name, task in data.SETS.items():
        writer = "llm" if name in options.llm else "template"
        said = options.work / f"{name}-{writer}.jsonl"
        command = [options.filmd, "describe", folder / name / "a", folder / name / "b"]
        command += ["--task", task, "--stretch", "--out", said]
        subprocess.run(command + ["--no-llm"] * (writer == "template"), check=True)
        of_training = {p.stem for p in data.load(folder, name, "train")}
        for record in map(json.loads, said.read_text().splitlines()):
            if record["name"] in of_training:
                line = {"set": name, "stem": record["name"], "template": record["template"]}
                if record["origin"] == "llm":
                    line["llm"] = record["text"]
                lines.append(json.dumps(line, sort_keys=True) + "\n")
    options.out.write_text("".join(lines))
    print(f"{len(lines)} pairs")


if __name__ == "__main__":
    main()
