#!/usr/bin/env python3
"""Runs one scenario on the virtual board and brings back its checks, console and screenshots.

    run.py --machine x86_64 --work FOLDER --programs FOLDER SCENARIO
    run.py --machine x86_64 --work FOLDER --programs FOLDER --shell

The exit code is the scenario's: 0 where all its checks held, 1 where one did not, 2 where the board
did not get so far, 3 where the time was up. Everything lies under FOLDER/out/SCENARIO afterwards.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from qemu import MACHINES, Monitor, command_line

HERE = Path(__file__).parent


def options_of(scenario: Path) -> dict[str, str]:
    """`# NAME: value` lines at the top of a scenario: `needs` (devices), `time` (seconds)."""
    found = {}
    for line in scenario.read_text().splitlines():
        if not line.startswith("#"):
            break
        name, colon, value = line[1:].partition(":")
        if colon:
            found[name.strip()] = value.strip()
    return found


def prepare_share(options: argparse.Namespace, share: Path) -> None:
    """The folder that the guest sees: programs, scenario, and `out` for what it leaves."""
    shutil.rmtree(share, ignore_errors=True)
    (share / "out").mkdir(parents=True)
    shutil.copytree(options.programs, share / "bin")
    for name in ("lib.sh", "settings.sh"):
        shutil.copy(HERE / name, share / name)
    if options.scenario:
        shutil.copy(HERE / "scenarios" / f"{options.scenario}.sh", share / "scenario.sh")
        data = HERE / "scenarios" / options.scenario
        if data.is_dir():
            shutil.copytree(data, share / "data")


def follow(board: subprocess.Popen, monitor: Monitor, share: Path, console: Path) -> int:
    """Passes the console on, takes screenshots when asked, and finds the result."""
    started, result = time.monotonic(), 2
    with console.open("w") as log:
        for raw in board.stdout:
            line = raw.decode(errors="replace").rstrip("\r\n")
            text = f"{time.monotonic() - started:7.2f} {line}"
            log.write(text + "\n")
            log.flush()
            if line.startswith(("CHECK", "FIGURE", "BOARD-UP", "SCENARIO-EXIT")):
                print(text, flush=True)
            if line.startswith("@SHOT "):
                name = line.split()[1]
                picture = (share / "out" / f"{name}.png").resolve()
                reply = monitor.ask("screendump", filename=str(picture), format="png")
                log.write(f"        screenshot {name}: {reply}\n")
                (share / "out" / f"{name}.done").touch()
            if line.startswith("SCENARIO-EXIT "):
                result = int(line.split()[1])
    board.wait()
    return result


def run(options: argparse.Namespace) -> int:
    name = options.scenario or "shell"
    share = options.work / options.machine / "share" / name
    prepare_share(options, share)
    scenario = share / "scenario.sh"
    about = options_of(scenario) if options.scenario else {"needs": "display=640x480"}
    command = command_line(options, share, about.get("needs", ""))
    if options.shell:
        return subprocess.call(command)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "qmp"
        command += ["-qmp", f"unix:{path},server=on,wait=off"]
        board = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        late = threading.Event()
        limit = float(about.get("time", "120")) * options.patience
        timer = threading.Timer(limit, lambda: (late.set(), board.kill()))
        timer.daemon = True
        timer.start()
        result = follow(board, Monitor(path), share, share / "out" / "console.log")
        timer.cancel()
    out = options.work / options.machine / "out" / name
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(share / "out", out, ignore=shutil.ignore_patterns("*.done"))
    check = HERE / "scenarios" / f"{name}.py"
    if result == 0 and check.exists():
        # What only the host can compare: the screenshot with the file.
        result = subprocess.call([sys.executable, check, out])
    if late.is_set():
        print(f"{name}: not done after {limit:.0f} s")
        result = 3
    print(
        f"{name} on {options.machine}: {'passed' if result == 0 else f'FAILED ({result})'}; see {out}"
    )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--machine", choices=MACHINES, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where prepare.sh put the board")
    parser.add_argument(
        "--programs", type=Path, required=True, help="what becomes /bin in the guest"
    )
    parser.add_argument("--patience", type=float, default=float(os.environ.get("VM_PATIENCE", "1")))
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("scenario", nargs="?")
    options = parser.parse_args()
    options.work = options.work.resolve()
    if not options.shell and not options.scenario:
        parser.error("name a scenario, or ask for a --shell")
    sys.exit(run(options))


if __name__ == "__main__":
    main()
