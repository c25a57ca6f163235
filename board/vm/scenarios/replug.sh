# time: 300
# A camera that is missing at the start, and both unplugged and plugged in again with their numbers
# swapped: always in the right role, controls set anew, nothing leaked.
kload_cameras

start_thermal() { camera thermal --port "$1" --format y16 --width 160 --height 120 --fps 9 --id 1e4e:0100 --serial T1; }
start_visible() { camera visible --port "$1" --format yuyv --width 160 --height 120 --fps 9 --id 046d:0825 --serial V1; }
pull() {
    tell "$1" unplug
    eval "wait \$pid_$1"
}

cat >/tmp/filmd.toml <<TOML
[source]
kind = "cameras"
max_skew_ms = 1000
[source.infrared]
device = "usb:1e4e:0100"
format = "Y16"
width = 160
height = 120
[source.visible]
device = "card:visible"
format = "YUYV"
width = 160
height = 120
controls = { brightness = 77, contrast = 99 }
$(plain_tables)
TOML

start_filmd /tmp/filmd.toml
wait "$filmd"
check "without any camera filmd ends and says what it looked for" grep -q "no camera is USB 1e4e:0100; found: nothing" /share/out/filmd.log
start_thermal 0
start_filmd /tmp/filmd.toml
check "it starts with one camera" wait_for 30 is presented -gt 3
check "and says which is missing" is no_visible = true
start_visible 1
check "it takes the other one when it comes" wait_for 20 is no_visible = false
check "it set the camera's controls" grep -q "brightness = 77" /tmp/visible.log
check "and the other one" grep -q "contrast = 99" /tmp/visible.log
filmd cameras >/share/out/cameras.txt
check "filmd cameras gives the stanza of the thermal camera" grep -q 'device = "usb:1e4e:0100"' /share/out/cameras.txt
check "and the controls of the visible one" grep -q "brightness 0..=255" /share/out/cameras.txt

descriptors() { ls "/proc/$filmd/fd" | wc -l; }
sleep 2
before=$(descriptors)
memory=$(field resident_bytes)
round=0
swapped=0
while [ $round -lt "${ROUNDS:-20}" ]; do
    round=$((round + 1))
    # In turn: one, the other, and both at once, plugged in again in the other order.
    case $((round % 3)) in
    0)
        pull thermal
        wait_for 20 is no_infrared = true || check "round $round: the thermal camera is missed" false
        start_thermal 0
        ;;
    1)
        pull visible
        wait_for 20 is no_visible = true || check "round $round: the visible camera is missed" false
        start_visible 1
        ;;
    2)
        was=$(node visible)
        pull thermal
        pull visible
        sleep 1
        # The first that is plugged in gets the lower number.
        if [ "$was" = /dev/video0 ]; then
            start_thermal 0
            start_visible 1
        else
            start_visible 1
            start_thermal 0
        fi
        [ "$(node visible)" = "$was" ] || swapped=$((swapped + 1))
        ;;
    esac
    begin=$(cut -d' ' -f1 /proc/uptime)
    back() { is no_infrared = false && is no_visible = false; }
    wait_for 20 back || check "round $round: both are back" false
    echo "round $round: back after $(echo "$(cut -d' ' -f1 /proc/uptime) $begin" | awk '{print $1-$2}') s, thermal $(node thermal), visible $(node visible)"
    running || break
done
check "filmd is still the same process" running
check "all rounds were done" test $round -eq "${ROUNDS:-20}"
check "the numbers were swapped each time both were out" test $swapped -eq $(((${ROUNDS:-20} + 1) / 3))
check "controls were set at every opening" test "$(grep -c 'brightness = 77' /tmp/visible.log)" -ge 1
sleep 2
figure "descriptors $before before, $(descriptors) after $round rounds; resident $memory before, $(field resident_bytes) after; numbers swapped $swapped times"
check "no descriptor was leaked" test "$(descriptors)" -le "$before"
check "memory did not grow by 4 MB" test "$(field resident_bytes)" -lt $((memory + 4000000))
check "no frame was damaged" is damaged -eq 0
filmctl snapshot /share/out/after.png
stop_filmd
