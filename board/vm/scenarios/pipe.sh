# time: 240
# A camera behind a program that writes raw frames: its crash, its silence, a torn frame, its absence.
kload_cameras
cat >/tmp/stand-in <<'SH'
#!/bin/sh
# Frames of 160x120 grey, five a second; what to do comes from files.
echo "started $$" >>/tmp/stand-in.log
n=0
while :; do
    [ -e /tmp/crash ] && rm /tmp/crash && exit 3
    [ -e /tmp/silence ] && rm /tmp/silence && sleep 1000
    if [ -e /tmp/tear ]; then
        rm /tmp/tear
        head -c 5000 /dev/zero
        exit 0
    fi
    head -c 19200 /dev/zero | tr '\000' "$(printf '\\%03o' $((64 + n % 64)))" || exit
    n=$((n + 1))
    sleep 0.2
done
SH
chmod +x /tmp/stand-in
camera thermal --port 0 --format y16 --width 160 --height 120 --fps 9
{
    camera_source 1000
    camera_table infrared card:thermal Y16 160x120
    cat <<TOML
[source.visible]
program = ["/tmp/stand-in"]
format = "GREY"
width = 160
height = 120
fps = 5
TOML
    plain_tables
} >/tmp/filmd.toml

starts() { test "$(grep -c started /tmp/stand-in.log)" "$1" "$2"; }

start_filmd /tmp/filmd.toml
check "the program's frames and the camera's are paired" wait_for 40 both
check "pictures are shown" wait_for 20 is presented -gt 10
check "it was started once" starts -eq 1
for fault in crash silence tear; do
    had=$(grep -c started /tmp/stand-in.log)
    touch "/tmp/$fault"
    check "$fault: the side is marked" wait_for 30 is no_visible = true
    check "$fault: the camera goes on alone" wait_for 10 is no_infrared = false
    check "$fault: the program is started again" wait_for 30 starts -gt "$had"
    check "$fault: both are back" wait_for 30 both
done
check "no torn frame was taken" is damaged -eq 0
mv /tmp/stand-in /tmp/away
touch /tmp/crash
named() { filmctl status | grep -q "/tmp/stand-in.*No such file"; }
check "a program that is gone is named" wait_for 40 named
check "and its side is marked" wait_for 20 is no_visible = true
mv /tmp/away /tmp/stand-in
check "it is taken when it is there again" wait_for 40 both
check "filmd runs on" running
stop_filmd
