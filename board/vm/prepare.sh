#!/usr/bin/env bash
# Makes what the virtual board boots from: board/vm/prepare.sh x86_64|aarch64
# Kernel, modules, busybox and v4l2-ctl are unpacked from the distribution's packages; nothing of
# them is installed here. Cached under $VM_CACHE (default target/vm); remove that to start anew.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
machine=${1:?x86_64 or aarch64}
cache=${VM_CACHE:-$root/target/vm}
case $machine in
x86_64) arch=amd64 triple=x86_64-linux-gnu qemu=qemu-system-x86 ;;
aarch64) arch=arm64 triple=aarch64-linux-gnu qemu=qemu-system-arm ;;
*) echo "board/vm/prepare.sh: $machine is no board here: x86_64 or aarch64" >&2 && exit 2 ;;
esac
packages=("$qemu" python3 xz-utils make gcc)
[[ $machine == aarch64 ]] && packages+=(gcc-aarch64-linux-gnu)
bash "$root/board/setup.sh" "${packages[@]}"
cache=$(mkdir -p "$cache/$machine" && cd "$cache" && pwd)
work=$cache/$machine

# Options that make apt-get read the lists of the board's architecture, and only for itself.
apt_options=()
if [[ $arch != $(dpkg --print-architecture) ]]; then
    state=$cache/apt-$arch
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    touch "$state/status"
    apt_options=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$state"
        -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache")
    [[ -e $state/updated ]] || { apt-get "${apt_options[@]}" update -q && touch "$state/updated"; }
fi

fetch() { # package...: its files under $work/root
    local package
    for package in "$@"; do
        compgen -G "$work/deb/${package}_*.deb" >/dev/null ||
            (cd "$work/deb" && apt-get "${apt_options[@]}" download -q "$package")
    done
}

kernel=$(apt-cache "${apt_options[@]}" depends "linux-image-$arch" |
    sed -n 's/.*Depends: linux-image-//p' | head -n 1)
[[ -n $kernel ]] || { echo "No kernel package linux-image-$arch: run apt-get update." >&2 && exit 1; }
tools=(busybox-static v4l-utils libv4l-0 libv4lconvert0 libv4l2rds0 libjpeg62-turbo libudev1)
if [[ ! -e $work/unpacked-$kernel ]]; then
    mkdir -p "$work/deb" "$work/root"
    fetch "linux-image-$kernel" "${tools[@]}"
    # Of the kernel only the drivers that a scenario may load.
    dpkg-deb --fsys-tarfile "$work/deb/linux-image-$kernel"_*.deb |
        tar -x -C "$work/root" --wildcards --wildcards-match-slash './boot/vmlinuz*' \
            '*/kernel/drivers/media/*' '*/kernel/drivers/usb/*' '*/kernel/drivers/virtio/*' \
            '*/kernel/drivers/gpu/drm/*helper.ko' '*/kernel/drivers/gpu/drm/*drm.ko' \
            '*/kernel/drivers/gpu/drm/virtio/*' \
            '*/kernel/drivers/char/*' '*/kernel/drivers/i2c/*' '*/kernel/drivers/spi/*' \
            '*/kernel/drivers/block/*' '*/kernel/drivers/input/*' '*/kernel/lib/*' \
            '*/kernel/net/9p/*' '*/kernel/net/core/*' '*/kernel/fs/*' '*/kernel/crypto/*'
    for package in "${tools[@]}"; do
        dpkg-deb -x "$work/deb/${package}"_*.deb "$work/root"
    done
    touch "$work/unpacked-$kernel"
fi
fetch "linux-headers-$kernel"
bash "$here/modules.sh" "$machine" "$work" "$kernel"

busybox=$(find "$work/root/bin" "$work/root/usr/bin" -name busybox -print -quit)
modules=configfs,virtio_pci,virtio_mmio,9p,9pnet_virtio,vivid,virtio_gpu,vhci_hcd,uvcvideo
modules+=,i2c_dev,spidev,virtio_blk,ext4,crc32c_generic,spi_mock,i2c_mock,gpio_sim
inputs=("$here"/{initramfs,cpio,kmodules}.py "$here/init.sh" "$here/prepare.sh" "$work/unpacked-$kernel"
    "$work/modules/kernel")
newest=$(ls -td "${inputs[@]}" | head -n 1)
if [[ ! -e $work/initramfs.cpio || $newest -nt $work/initramfs.cpio ]]; then
    # C library: this machine's own, or the cross compiler's; the rest from the packages.
    libraries=("/usr/$triple/lib" "/lib/$triple" "/usr/lib/$triple"
        "$work/root/usr/lib/$triple" "$work/root/lib/$triple")
    [[ $machine == x86_64 ]] && libraries=("${libraries[@]:1}")
    python3 "$here/initramfs.py" --out "$work/initramfs.cpio" --init "$here/init.sh" \
        --busybox "$busybox" --kernel "$work/root" --modules "$modules" \
        --modules-from "$work/modules" \
        --program "$work/root/usr/bin/v4l2-ctl" --libraries "$(IFS=:; echo "${libraries[*]}")" \
        --also libc.so.6,libm.so.6,libgcc_s.so.1
fi
if [[ $machine == x86_64 && ! -e $work/vmlinux-$kernel ]]; then
    python3 "$here/vmlinux.py" "$work/root/boot/vmlinuz-$kernel" "$work/vmlinux-$kernel"
fi
case $machine in
x86_64) ln -sf "vmlinux-$kernel" "$work/kernel" ;;
aarch64) ln -sf "root/boot/vmlinuz-$kernel" "$work/kernel" ;;
esac
