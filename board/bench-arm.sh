#!/usr/bin/env bash
# Counts the aarch64 instructions of one frame at 640x480 per stage, on a processor with dot products
# (Cortex-A76) and one without (Cortex-A72), and writes them into benches/README.md, with what llvm-mca
# says of the convolutions' inner loops. Counts are exact; they are no times.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target/arm}
bash "$here/setup.sh" binutils-aarch64-linux-gnu llvm-19 python3
counter=$(bash "$here/instruction-counter.sh")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
bash "$here/cross.sh" bench --no-run --no-default-features --bench instructions 2>&1 | tee "$log"
bench=$(sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$log" | tail -n 1)
exec python3 "$here/bench_arm.py" "$counter" "$bench" benches/README.md
