# time: 250
# needs: display=640x480
# Both cameras, driven by the kernel's own uvcvideo: order, wholeness, and the picture on the display.
kload_cameras
kload virtio_gpu

camera thermal --port 0 --format y16 --width 160 --height 120 --fps 9
camera visible --port 1 --format yuyv --width 640 --height 480 --fps 4
cat >/tmp/order.toml <<TOML
[source]
kind = "cameras"
max_skew_ms = 10000
[source.infrared]
device = "card:thermal"
format = "Y16"
width = 160
height = 120
[source.visible]
device = "card:visible"
format = "YUYV"
width = 640
height = 480
$(plain_tables)
TOML
[ -e /bin/vm_cameras ] && FILMD_VM_CONFIG=/tmp/order.toml FILMD_VM_SECONDS=200 vm_cameras --nocapture >/share/out/order.log 2>&1
code=$?
grep FIGURE /share/out/order.log
grep -A3 panicked /share/out/order.log
check "numbers of all fused frames rise, none is torn" test $code -eq 0
tell thermal unplug
tell visible unplug
wait

# A picture that does not change: what the display shows must be what the headless run writes.
camera thermal --port 0 --format y16 --width 160 --height 120 --fps 9 --still 1234
camera visible --port 1 --format yuyv --width 640 --height 480 --fps 4 --still 4321
for screen in drm headless; do
    cat >/tmp/$screen.toml <<TOML
[source]
kind = "cameras"
max_skew_ms = 10000
[source.infrared]
device = "card:thermal"
format = "Y16"
width = 160
height = 120
[source.visible]
device = "card:visible"
format = "YUYV"
width = 640
height = 480
[fuse]
engine = "classic"
[tone]
mode = "on"
[describe]
enabled = false
[present]
screen = "$screen"
overlay = false
TOML
    start_filmd /tmp/$screen.toml
    check "$screen: pictures are shown" wait_for 30 is presented -gt 12
    check "$screen: no frame is damaged" is damaged -eq 0
    filmctl snapshot /share/out/$screen-file.png
    [ $screen = drm ] && check "there is a screenshot" shot display
    figure "$screen: $(field fps) fps, $(field presented) shown"
    filmctl status >/share/out/$screen-status.txt
    stop_filmd
done
