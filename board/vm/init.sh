#!/bin/busybox sh
# The virtual board's init: mounts, the host's folder as /share, then the scenario in it, or a shell.
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/bin HOME=/root TERM=linux
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t debugfs debug /sys/kernel/debug 2>/dev/null
echo "BOARD-UP $(cut -d' ' -f1 /proc/uptime) s, $(uname -m), Linux $(uname -r)"
kload configfs && mount -t configfs config /sys/kernel/config 2>/dev/null
kload virtio_pci
kload 9pnet_virtio
kload 9p
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 share /share || echo "no /share"
# Programs run from memory: reading pages of them over the share would stall what is measured.
cp /share/bin/* /bin/ 2>/dev/null
cd /tmp
. /share/lib.sh
. /share/settings.sh
if grep -qw shell /proc/cmdline; then
    echo "A shell on the virtual board; 'exit' ends it. /share is the host's folder."
    setsid cttyhack sh
    rc=0
else
    # A scenario ends with `result`; one that does not get there has failed.
    (. /share/scenario.sh; result)
    rc=$?
fi
sync
echo "SCENARIO-EXIT $rc after $(cut -d' ' -f1 /proc/uptime) s"
umount /share 2>/dev/null
poweroff -f
