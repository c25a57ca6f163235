#!/usr/bin/env bash
# Makes the disk of the virtual board that runs a real systemd: board/vm/rootfs.sh x86_64
# A minimal Debian of the distribution's packages (mmdebstrap), with filmd installed by
# board/install.sh. The Debian is cached, the rest is put in anew each time. $1 machine, $2 the folder
# with the programs, $3 the scenario of board/vm/service.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
machine=${1:?x86_64} programs=${2:?a folder} scenario=${3:?a scenario}
work=${VM_CACHE:-$root/target/vm}/$machine
[[ $machine == x86_64 ]] || { echo "board/vm/rootfs.sh: only x86_64 so far" >&2 && exit 2; }
bash "$root/board/setup.sh" mmdebstrap e2fsprogs
mkdir -p "$work/systemd"
tree=$work/systemd/root
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
if [[ ! -e $work/systemd/base.tar ]]; then
    mmdebstrap --format=tar --variant=minbase --include=systemd,systemd-sysv,udev,dbus,kmod \
        "$codename" "$work/systemd/base.tar.new"
    mv "$work/systemd/base.tar.new" "$work/systemd/base.tar"
fi

rm -rf "$tree" && mkdir -p "$tree"
tar -xf "$work/systemd/base.tar" -C "$tree"
kernel=$(basename "$(readlink "$work/kernel")" | sed 's/^vm[a-z]*-//')
# Only the modules that the scenario loads, with kmod's own index of them.
mkdir -p "$tree/lib/modules/$kernel/kernel"
python3 - "$here" "$work" "$tree/lib/modules/$kernel/kernel" <<'PY'
import sys
from pathlib import Path

here, work, target = map(Path, sys.argv[1:4])
sys.path.insert(0, str(here))
from kmodules import find_modules, needs_of, read_module  # noqa: E402

found, pending, done = find_modules([work / "root"]), [], set()
pending += "uvcvideo vhci_hcd virtio_gpu virtio_pci 9p 9pnet_virtio autofs4 configfs fuse".split()
while pending:
    name = pending.pop()
    if name in done or name not in found:
        continue
    done.add(name)
    data = read_module(found[name])
    (target / f"{name}.ko").write_bytes(data)
    pending += needs_of(data)
PY
touch "$tree/lib/modules/$kernel"/modules.{builtin,order,builtin.modinfo}
chroot "$tree" depmod "$kernel"

models=$work/systemd/no-models
mkdir -p "$models"
if grep -q '^# needs:.*describer' "$here/scenarios/$scenario.sh"; then
    models=${FILMD_CACHE:-$HOME/.cache/filmd/models}
fi
DESTDIR=$tree PROGRAMS=$programs FILMD_CACHE=$models bash "$root/board/install.sh" >/dev/null
install -m 755 "$programs/uvc-tool" -t "$tree/usr/bin"
mkdir -p "$tree/usr/lib/filmd-test"
install -m 644 "$here/service/filmd.toml" -t "$tree/etc/filmd"
install -m 755 "$here/lib.sh" -t "$tree/usr/lib/filmd-test"
install -m 755 "$here/service/$scenario.sh" "$tree/usr/lib/filmd-test/scenario.sh"
install -m 644 "$here"/service/*.service -t "$tree/etc/systemd/system"
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
for unit in "$tree"/etc/systemd/system/*.service; do
    ln -sf "../$(basename "$unit")" "$tree/etc/systemd/system/multi-user.target.wants/"
done
printf 'vhci_hcd\nuvcvideo\nvirtio_gpu\n' >"$tree/etc/modules-load.d/board.conf"
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer getty@tty1.service serial-getty@ttyS0.service systemd-firstboot.service; do
    ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
echo board >"$tree/etc/hostname"
: >"$tree/etc/fstab"
rm -rf "$tree"/usr/share/{doc,man,locale,i18n} "$tree/var/lib/apt/lists" "$tree/var/cache/apt"
rm -f "$work/systemd/disk.img"
truncate -s 700M "$work/systemd/disk.img"
/usr/sbin/mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 -d "$tree" "$work/systemd/disk.img"
busybox=$(find "$work/root/bin" "$work/root/usr/bin" -name busybox -print -quit)
python3 "$here/initramfs.py" --out "$work/systemd/initramfs.cpio" --init "$here/disk-init.sh" \
    --busybox "$busybox" --kernel "$work/root" --modules virtio_pci,virtio_blk,crc32c_generic,ext4
