#!/usr/bin/env bash
# The aarch64 build under a user-mode emulator, as Cortex-A53 and A72 (no dot products) and A76:
#   board/test-arm.sh kernels   the kernels' tests, without tract: a minute
#   board/test-arm.sh           also the library's tests, and `filmd fuse` against the native build
# Not `-cpu max`: it has SVE and SME, which no such board has.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
cpus=(cortex-a53 cortex-a72 cortex-a76)
bash "$here/setup.sh" qemu-user-static
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target/arm}
triple=aarch64-unknown-linux-gnu

emulate() { # cpu command...
    qemu-aarch64-static -cpu "$1" -L /usr/aarch64-linux-gnu "${@:2}"
}

# The test binary that `cargo test --no-run` names.
built() {
    sed -n 's/^ *Executable .*(\(.*\))$/\1/p' | head -n 1
}

log=$(mktemp)
work=$(mktemp -d)
trap 'rm -rf "$log" "$work"' EXIT
absolute=$(mkdir -p "$CARGO_TARGET_DIR" && cd "$CARGO_TARGET_DIR" && pwd)
CARGO_TARGET_DIR=$absolute/kernels bash "$here/cross.sh" test --release --no-run \
    --manifest-path tests/kernels/Cargo.toml 2>&1 | tee "$log"
tests=$(built <"$log")
for cpu in "${cpus[@]}"; do
    echo "== kernels as $cpu"
    emulate "$cpu" "$tests" --quiet
done
[[ ${1:-all} == kernels ]] && exit 0

bash "$here/cross.sh" test --release --no-run --no-default-features --package filmd --lib 2>&1 | tee "$log"
tests=$(built <"$log")
for cpu in "${cpus[@]}"; do
    echo "== library as $cpu"
    emulate "$cpu" "$tests" --quiet
done

bash "$here/cross.sh" build --release --no-default-features --bin filmd
native=${NATIVE:-target/release/filmd}
if [[ ! -x $native ]]; then
    CARGO_TARGET_DIR=target cargo build --release --bin filmd
fi
pair=(tests/golden/thermal.png tests/golden/visible.png)
failed=0
for what in "--engine classic" "--model film-edge-int8" "--model film-edge"; do
    read -ra options <<<"$what"
    options+=(--manifest models/manifest.toml)
    "$native" fuse "${pair[@]}" --out "$work/native.png" "${options[@]}" >"$log"
    for cpu in "${cpus[@]}"; do
        emulate "$cpu" "$absolute/$triple/release/filmd" fuse "${pair[@]}" \
            --out "$work/arm.png" "${options[@]}" >"$log"
        if cmp -s "$work/native.png" "$work/arm.png"; then
            echo "filmd fuse $what as $cpu: the bytes of the native build"
        elif [[ $what == "--model film-edge" ]]; then
            # tract orders the sums of f32 products by processor: no promise there.
            echo "filmd fuse $what as $cpu: differs from the native build, as f32 may"
        else
            echo "filmd fuse $what as $cpu: DIFFERS from the native build" >&2
            failed=1
        fi
    done
done
exit $failed
