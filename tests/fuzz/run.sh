#!/usr/bin/env bash
# Runs each fuzz target for so many seconds (default 60). Needs a nightly toolchain and cargo-fuzz.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "cargo-fuzz is not installed: cargo install cargo-fuzz (and a nightly toolchain)" >&2
    exit 1
fi
for target in config calibration control protocol png jpeg tiff bmp; do
    echo "== $target, $seconds s"
    cargo +nightly fuzz run --fuzz-dir . "$target" -- -max_total_time="$seconds" -max_len=4096
done
