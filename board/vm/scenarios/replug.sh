# time: 400
# Cameras that are missing at the start, and each unplugged and plugged in again 20 times with their
# numbers swapped: always in the right role, controls set anew, nothing leaked.
kload_cameras

start_thermal() { camera thermal --port "$1" --format y16 --width 160 --height 120 --fps 9 --id 1e4e:0100 --serial T1; }
start_visible() { camera visible --port "$1" --format yuyv --width 160 --height 120 --fps 9 --id 046d:0825 --serial V1; }
{
    camera_source 1000
    camera_table infrared usb:1e4e:0100 Y16 160x120
    camera_table visible card:visible YUYV 160x120 'controls = { brightness = 77, contrast = 99 }'
    plain_tables
} >/tmp/filmd.toml

start_filmd /tmp/filmd.toml
check "without any camera filmd says what it looks for" wait_for 30 grep -q "no camera is USB 1e4e:0100; found: nothing" /share/out/filmd.log
check "and stays" running
start_thermal 0
check "it takes the first camera that comes" wait_for 30 is presented -gt 3
check "and says which is missing" is no_visible = true
start_visible 1
check "it takes the other one when it comes" wait_for 20 is no_visible = false
check "it set the camera's controls" grep -q "brightness = 77" /tmp/visible.log
check "and the other one" grep -q "contrast = 99" /tmp/visible.log
filmd cameras >/share/out/cameras.txt
check "filmd cameras gives the stanza of the thermal camera" grep -q 'device = "usb:1e4e:0100"' /share/out/cameras.txt
check "and the controls of the visible one" grep -q "brightness 0..=255" /share/out/cameras.txt

sleep 2
before=$(descriptors)
memory=$(field resident_bytes)
# Where the time goes from plugging in to a frame: by the kernel's log and filmd's.
note() { read -r uptime _ </proc/uptime; echo "$uptime $1 $2" >>/tmp/times; }
plug_in() { note plugged "$1"; "start_$1" "$([ "$1" = thermal ] && echo 0 || echo 1)"; }
missed() { wait_for 20 is "$1" = true || check "round $round: $1 is noticed" false; }
round=0
swapped=0
while [ $round -lt "${ROUNDS:-20}" ]; do
    round=$((round + 1))
    was=$(node visible)
    # In turn one or the other goes first; the other one goes on alone until it goes as well.
    if [ $((round % 2)) = 0 ]; then
        unplug thermal
        missed no_infrared
        unplug visible
    else
        unplug visible
        missed no_visible
        unplug thermal
    fi
    sleep 1
    # The first that is plugged in gets the lower number.
    if [ "$was" = /dev/video0 ]; then
        plug_in thermal
        plug_in visible
    else
        plug_in visible
        plug_in thermal
    fi
    [ "$(node visible)" = "$was" ] || swapped=$((swapped + 1))
    wait_for 20 both || check "round $round: both are back" false
    running || break
done
dmesg | sed -n 's/^\[ *\([0-9.]*\)\] .*Found UVC .* device \([a-z]*\) .*/\1 found \2/p' >>/tmp/times
sed -n -e 's/^\([0-9.]*\) .*usb:1e4e:0100: back: opened in \([0-9]*\) ms, a frame \([0-9]*\).*/\1 back thermal \2 \3/p' \
    -e 's/^\([0-9.]*\) .*card:visible: back: opened in \([0-9]*\) ms, a frame \([0-9]*\).*/\1 back visible \2 \3/p' \
    /share/out/filmd.log >>/tmp/times
sort -n /tmp/times >/share/out/times.txt
# Of each way back: plugged in to known to the kernel, then found by filmd, opened, a frame.
awk '$2 == "plugged" { plugged[$3] = $1; found[$3] = 0 }
    $2 == "found" { found[$3] = $1 }
    $2 == "back" && plugged[$3] && found[$3] {
        printf "%s %.2f %.2f %.2f %.2f\n", $3, found[$3] - plugged[$3],
            $1 - found[$3] - ($4 + $5) / 1000, $4 / 1000, $5 / 1000
        plugged[$3] = 0
    }' /share/out/times.txt >/share/out/replug.txt
median() { sort -n | awk '{ v[NR] = $1 } END { printf "%s (longest %s)", v[int((NR + 1) / 2)], v[NR] }'; }
column() { awk -v n="$1" '{ print $n }' /share/out/replug.txt | median; }
figure "$(wc -l </share/out/replug.txt) ways back, seconds: known to the kernel after $(column 2), then found by filmd after $(column 3), opened in $(column 4), first frame $(column 5) later"
took() { awk '{ print $3 + $4 + $5 }' /share/out/replug.txt; }
within() { took | awk '$1 <= 2 { n++ } END { print n + 0 }'; }
figure "from known to the kernel to a frame: $(took | median) s, $(within) within 2 s"
check "most are back within 2 s of that" test "$(within)" -gt "${ROUNDS:-20}"
check "each way back was timed" test "$(wc -l </share/out/replug.txt)" -eq $((2 * ${ROUNDS:-20}))
check "filmd is still the same process" running
check "all rounds were done" test $round -eq "${ROUNDS:-20}"
check "the numbers were swapped each time both were out" test $swapped -eq $round
check "controls were set at every opening" test "$(grep -c 'brightness = 77' /tmp/visible.log)" -ge 1
sleep 2
figure "descriptors $before before, $(descriptors) after $round rounds; resident $memory before, $(field resident_bytes) after; numbers swapped $swapped times"
check "no descriptor was leaked" test "$(descriptors)" -le "$before"
check "memory did not grow by 4 MB" test "$(field resident_bytes)" -lt $((memory + 4000000))
check "no frame was damaged" is damaged -eq 0
filmctl snapshot /share/out/after.png
stop_filmd
