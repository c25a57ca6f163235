# time: 300
# A camera that comes late, and one that hangs and answers no request: neither ever holds the other one.
kload_cameras
{
    camera_source 1000
    camera_table infrared card:thermal Y16 160x120
    camera_table visible card:visible YUYV 160x120
    plain_tables
} >/tmp/filmd.toml

# fewest SECONDS: frames shown in each of so many seconds; the smallest number.
fewest() {
    least=999 last=$(field presented)
    for _ in $(seq "$1"); do
        sleep 1
        now=$(field presented)
        [ $((now - last)) -lt $least ] && least=$((now - last))
        last=$now
    done
    echo $least
}

# load COUNT: so many busy loops beside, until `idle`.
load() {
    loops=
    for _ in $(seq "$1"); do
        while :; do :; done &
        loops="$loops $!"
    done
}
# shellcheck disable=SC2086
idle() { kill $loops; }

camera visible --port 1 --format yuyv --width 160 --height 120 --fps 9
start_filmd /tmp/filmd.toml
check "one camera is enough" wait_for 30 is presented -gt 5
check "the other one is marked" is no_infrared = true
sleep 5
camera thermal --port 0 --format y16 --width 160 --height 120 --fps 9
check "a late camera is taken" wait_for 30 both

# It stops in mid-stream and answers no request: the kernel waits five seconds for each.
for beside in 0 2; do
    load $beside
    tell thermal freeze
    tell thermal wedge
    check "its side is marked ($beside busy loops)" wait_for 20 is no_infrared = true
    least=$(fewest 25)
    figure "a wedged camera beside $beside busy loops: at least $least frames shown in each of 25 s"
    check "the other one's pictures go on" test "$least" -ge 2
    check "filmd tried to open it again" grep -q "thermal" /share/out/filmd.log
    tell thermal answer
    tell thermal resume
    check "once it answers it is taken" wait_for 60 both
    [ $beside = 0 ] || idle
done
check "filmd runs on" running
stop_filmd
