# time: 60
# The board boots, filmd runs on it, and its display is a DRM card.
# needs: display=640x480
kload virtio_gpu
check "there is a DRM card" wait_for 5 test -e /dev/dri/card0
check "filmd says its version" filmd --version
figure "user space after $(cut -d' ' -f1 /proc/uptime) s"
