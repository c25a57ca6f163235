#!/usr/bin/env bash
# Builds the kernel modules that the distribution has not: board/vm/modules.sh MACHINE WORK KERNEL
#   WORK    the board's folder of prepare.sh
#   KERNEL  the kernel's version, as 6.1.0-56-amd64
# Headers and source come from the distribution's packages; nothing of them is installed. The
# modules lie in WORK/modules afterwards.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
machine=${1:?x86_64 or aarch64} work=${2:?the folder of prepare.sh} kernel=${3:?its version}
series=$(cut -d. -f1,2 <<<"$kernel") common=${kernel%-*}-common
build=$work/modules
inputs=("$here/modules.sh" "$here"/modules/*)
newest=$(ls -td "${inputs[@]}" | head -n 1)
if [[ -e $build/gpio-sim.ko && ! $newest -nt $build/gpio-sim.ko && $(cat "$build/kernel") == "$kernel" ]]; then
    exit 0
fi
make=(make -s)
if [[ $machine == aarch64 && $(uname -m) != aarch64 ]]; then
    make+=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-)
fi

rm -rf "$build" && mkdir -p "$build"
headers=$work/headers
if [[ ! -e $headers/unpacked-$kernel ]]; then
    rm -rf "$headers" && mkdir -p "$headers"
    # The packages of all machines and those of this one; the board's own headers are in deb/.
    for package in "linux-headers-$common" "linux-kbuild-$series" "linux-source-$series"; do
        compgen -G "$work/deb/${package}_*.deb" >/dev/null ||
            (cd "$work/deb" && apt-get download -q "$package")
    done
    for package in "linux-headers-$kernel" "linux-headers-$common" "linux-kbuild-$series"; do
        dpkg-deb -x "$work/deb/${package}"_*.deb "$headers"
    done
    # The packages know each other by their places in /usr.
    sed -i "s#/usr/src/#$headers/usr/src/#" "$headers/usr/src/linux-headers-$kernel/Makefile"
    dpkg-deb --fsys-tarfile "$work/deb/linux-source-${series}"_*.deb |
        tar -xO "./usr/src/linux-source-$series.tar.xz" |
        tar -xJ -C "$headers" --strip-components=1 "linux-source-$series/drivers/gpio" \
            "linux-source-$series/kernel/irq/irq_sim.c"
    touch "$headers/unpacked-$kernel"
fi

cp "$here"/modules/* "$build/"
cp "$headers/drivers/gpio/gpio-sim.c" "$build/gpio_sim_main.c"
cp "$headers"/drivers/gpio/gpiolib.h "$build/"
# As part of a module the simulator exports nothing, and calls what the kernel exports.
sed -e '/^EXPORT_SYMBOL/d' \
    -e 's/handle_simple_irq(irq_to_desc(\([a-z]*\)))/generic_handle_irq(\1)/' \
    "$headers/kernel/irq/irq_sim.c" >"$build/irq_sim_main.c"
"${make[@]}" -C "$headers/usr/src/linux-headers-$kernel" "M=$build" modules
echo "$kernel" >"$build/kernel"
