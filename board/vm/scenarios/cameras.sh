# time: 250
# needs: display=640x480
# Both cameras, driven by the kernel's own uvcvideo: order, wholeness, and the picture on the display.
kload_cameras
kload virtio_gpu

camera thermal --port 0 --format y16 --width 160 --height 120 --fps 9
camera visible --port 1 --format yuyv --width 640 --height 480 --fps 4
{
    usb_pair 640x480
    plain_tables
} >/tmp/order.toml
[ -e /bin/vm_cameras ] && FILMD_VM_CONFIG=/tmp/order.toml FILMD_VM_SECONDS=200 vm_cameras --nocapture >/share/out/order.log 2>&1
code=$?
sed -n "s/.*FIGURE/FIGURE/p" /share/out/order.log
grep -A3 panicked /share/out/order.log
check "numbers of all fused frames rise, none is torn" test $code -eq 0
unplug thermal
unplug visible

# A picture that does not change: what the display shows must be what the headless run writes. Without
# the tone map, whose gains follow the time that has passed, and that is never the same in two runs.
camera thermal --port 0 --format y16 --width 160 --height 120 --fps 9 --still 1234
camera visible --port 1 --format yuyv --width 640 --height 480 --fps 4 --still 4321
config() { # SCREEN TONE
    {
        usb_pair 640x480
        plain_tables 640x480
        printf '[tone]\nmode = "%s"\n[present]\nscreen = "%s"\noverlay = false\n' "$2" "$1"
    } >/tmp/filmd.toml
}
for screen in headless drm; do
    config $screen off
    start_filmd /tmp/filmd.toml
    check "$screen: pictures are shown" wait_for 30 is presented -gt 12
    check "$screen: no frame is damaged" is damaged -eq 0
    filmctl snapshot /share/out/$screen-file.png
    [ $screen = drm ] && check "there is a screenshot" shot display
    figure "$screen: $(field fps) fps, $(field presented) shown"
    filmctl status >/share/out/$screen-status.txt
    [ $screen = headless ] && stop_filmd
done
# With the tone map, then, the display against the file of the same picture, which is held.
config drm on
check "the tone map can be had without a restart" filmctl reload
check "pictures are shown" wait_for 30 is presented -gt 6
filmctl freeze
sleep 3
filmctl snapshot /share/out/held-file.png
check "there is a screenshot of the picture that is held" shot held
stop_filmd
