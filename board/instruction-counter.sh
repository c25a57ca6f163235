#!/usr/bin/env bash
# A user-mode qemu for aarch64 that counts instructions, in a folder of the user's cache; prints the
# folder, which then holds `qemu-aarch64` and `libinsn.so`. The distribution's own qemu is built
# without plugins, so this builds its source once (about five minutes on one core).
set -euo pipefail

home=${XDG_CACHE_HOME:-$HOME/.cache}/filmd/instruction-counter
if [[ -x $home/qemu-aarch64 && -f $home/libinsn.so ]]; then
    echo "$home"
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "No apt-get here: build qemu with --enable-plugins yourself, and put qemu-aarch64 and" >&2
    echo "tests/plugin/libinsn.so into $home" >&2
    exit 1
fi
here=$(cd "$(dirname "$0")" && pwd)
bash "$here/setup.sh" build-essential bison dpkg-dev flex libglib2.0-dev meson ninja-build \
    pkg-config python3-venv xz-utils >&2

# The system's own list of mirrors, asked for source packages; the system keeps its own.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{sources.d,lists/partial,cache/archives/partial,source}
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $list ]] && sed -n 's/^deb /deb-src /p' "$list" >>"$work/sources.d/all.list"
done
for list in /etc/apt/sources.list.d/*.sources; do
    [[ -f $list ]] && sed 's/^Types:.*/Types: deb-src/' "$list" >"$work/sources.d/${list##*/}"
done
apt=(apt-get -q -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$work/sources.d"
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o "APT::Sandbox::User=")
"${apt[@]}" update >&2
cd "$work/source"
"${apt[@]}" source --only-source qemu >&2

mkdir "$work/build"
cd "$work/build"
"$work"/source/qemu-*/configure --target-list=aarch64-linux-user --enable-plugins \
    --without-default-features --disable-docs --disable-tools --disable-system >&2
nice ninja -j"${JOBS:-1}" qemu-aarch64 tests/plugin/libinsn.so >&2
mkdir -p "$home"
install -m 755 qemu-aarch64 "$home/qemu-aarch64.new"
install -m 644 tests/plugin/libinsn.so "$home/libinsn.so"
mv "$home/qemu-aarch64.new" "$home/qemu-aarch64"
echo "$home"
