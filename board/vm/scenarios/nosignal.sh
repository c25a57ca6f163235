# time: 240
# needs: display=640x480
# Two cameras that are absent at the start, come, fall silent together and go on: the display always says so.
kload_cameras
kload virtio_gpu
{
    usb_pair 640x480
    plain_tables 640x480
    printf '[present]\nscreen = "drm"\n'
} >/tmp/filmd.toml

start_filmd /tmp/filmd.toml
check "without a camera the service answers" wait_for 30 is no_infrared = true
check "both are marked" is no_visible = true
check "the frame rate is 0" is fps = 0.0
check "there is a screenshot of the card" shot card
check "health says that there is no picture" test "$(filmctl health >/dev/null 2>&1 || echo ill)" = ill
check "filmd runs on" running

camera thermal --port 0 --format y16 --width 160 --height 120 --fps 9 --still 1234
camera visible --port 1 --format yuyv --width 640 --height 480 --fps 4 --still 4321
check "pictures come with the cameras" wait_for 40 both
check "and go on" wait_for 20 is presented -gt 8
check "there is a screenshot of them" shot live
check "health is well" filmctl health

tell thermal freeze
tell visible freeze
read -r begun _ </proc/uptime
check "silence of both is marked" wait_for 10 is no_visible = true
read -r ended _ </proc/uptime
figure "both silent: marked after $(echo "$begun $ended" | awk '{ print $2 - $1 }') s, with the board's own reading of status"
check "of both" is no_infrared = true
check "the frame rate is 0 again" wait_for 5 is fps = 0.0
check "there is a screenshot of the silence" shot silent
sleep 3
check "and a later one" shot later
tell thermal resume
tell visible resume
check "the picture goes on" wait_for 30 both
check "filmd was never started again" test "$(grep -c 'runs; control socket' /share/out/filmd.log)" = 1
stop_filmd
