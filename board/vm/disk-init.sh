#!/bin/busybox sh
# Finds the disk and hands over to the systemd on it.
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in virtio_pci virtio_blk crc32c_generic ext4; do kload $module; done
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 100 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
mkdir -p /disk
mount -t ext4 -o noatime /dev/vda /disk || exec poweroff -f
echo "BOARD-UP $(cut -d' ' -f1 /proc/uptime) s, $(uname -m), Linux $(uname -r), systemd"
mount --move /dev /disk/dev
umount /proc /sys
exec switch_root /disk /sbin/init
