#!/usr/bin/env bash
# Cross-compiles for aarch64 Linux: board/cross.sh cargo-arguments..., as `build --release --bin filmd`.
# The target comes from the toolchain, or rustup, or else board/arm-rust.sh (Debian's packages).
#
# CARGO_TARGET_DIR  where it is built (default target/arm: other flags than the native build's)
# ARM_RUST          where board/arm-rust.sh keeps its compiler (default CARGO_TARGET_DIR/arm-rust)
# ARM_ARCH          for the C and C++ of llama.cpp, whose build pins armv8-a: what the board has,
#                   default armv8.2-a+dotprod+fp16 (Cortex-A55, A76 and later), armv8-a for Cortex-A53 and A72
#                   filmd itself finds out what the processor has when it starts.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=aarch64-unknown-linux-gnu
bash "$here/setup.sh" gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross
cd "$here/.."
arch=${ARM_ARCH:-armv8.2-a+dotprod+fp16}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target/arm}
mkdir -p "$CARGO_TARGET_DIR"
folder=$(cd "$CARGO_TARGET_DIR" && pwd)
has_target() { [[ -d $(rustc --print sysroot)/lib/rustlib/$target/lib ]]; }
has_target || rustup target add "$target" 2>/dev/null || true
if ! has_target; then
    RUSTC=$(bash "$here/arm-rust.sh" "${ARM_RUST:-$folder/arm-rust}")
    export RUSTC
fi
tools=$folder/aarch64-$arch
mkdir -p "$tools"
for name in gcc g++; do
    cat >"$tools/$name.new" <<WRAPPER
#!/bin/sh
for argument; do
    shift
    [ "\$argument" = -march=armv8-a ] && argument=-march=$arch
    set -- "\$@" "\$argument"
done
exec aarch64-linux-gnu-$name "\$@"
WRAPPER
    chmod +x "$tools/$name.new"
    # Written only where it differs, or everything that depends on it would be built again.
    cmp -s "$tools/$name.new" "$tools/$name" || cp "$tools/$name.new" "$tools/$name"
    rm "$tools/$name.new"
done
export CC_aarch64_unknown_linux_gnu=$tools/gcc CXX_aarch64_unknown_linux_gnu=$tools/g++
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu="--sysroot=/usr/aarch64-linux-gnu -I/usr/aarch64-linux-gnu/include"
exec cargo "${@:1:1}" --target "$target" "${@:2}"
