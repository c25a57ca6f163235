# time: 200
# A Lepton 3.5 as PureThermal sends it: telemetry rows, each frame three times, the shutter; and the
# faults of a camera: freeze, torn frames, another format than agreed on.
# nodrop: uvcvideo hands on what it knows to be torn, marked; by default it keeps that to itself.
kload_cameras nodrop=1
lepton() { camera thermal --port 0 --format y16 --width 160 --height 122 --fps 27 --id 1e4e:0100 --telemetry-rows 2 --repeats 3 "$@"; }
lepton
camera visible --port 1 --format yuyv --width 160 --height 120 --fps 4 --id 046d:0825
filmd cameras >/share/out/cameras.txt
check "filmd cameras knows it by its profile" grep -q "FLIR Lepton 3.5 on PureThermal" /share/out/cameras.txt
check "and gives the rows of telemetry" grep -q "telemetry_rows = 2" /share/out/cameras.txt
{
    camera_source 300
    grep -A20 "Lepton 3.5" /share/out/cameras.txt | sed '/^$/,$d'
    camera_table visible usb:046d:0825 YUYV 160x120
    plain_tables
} >/tmp/filmd.toml
cp /tmp/filmd.toml /share/out/
check "the stanza makes a configuration" filmd check /tmp/filmd.toml
FILMD_VM_CONFIG=/tmp/filmd.toml FILMD_VM_SECONDS=100 vm_cameras --nocapture >/share/out/order.log 2>&1
code=$?
sed -n "s/.*FIGURE/FIGURE/p" /share/out/order.log
check "frames that were sent again are left out, the others are in order" test $code -eq 0

start_filmd /tmp/filmd.toml
fresh() { both && is infrared_stale = false; }
check "both cameras are shown" wait_for 40 fresh
tell thermal shutter
check "a closed shutter holds the picture and marks it" wait_for 10 is infrared_stale = true
check "it is not taken for a lost camera" is no_infrared = false
filmctl snapshot /share/out/shutter.png
tell thermal open
check "an open one ends that" wait_for 10 fresh
check "the log says so" grep -q "shutter closed (FFC)" /share/out/filmd.log

tell thermal freeze
check "a camera that brings nothing is held, then missed" wait_for 20 is no_infrared = true
lost() { grep -q "lost: it brings no frames" /share/out/filmd.log; }
check "and opened anew" wait_for 30 lost
tell thermal resume
check "it is back when it goes on" wait_for 30 fresh
shown=$(field presented)
for fault in tear garbage mix; do
    tell thermal $fault
    tell visible $fault
    sleep 1
done
more() { is presented -gt $((shown + 10)); }
check "torn frames and noise do not stop the picture" wait_for 30 more
check "torn frames are counted" is damaged -gt 0

unplug thermal
camera thermal --port 0 --format grey --width 80 --height 60 --fps 9 --id 1e4e:0100
refusal() { grep -q "refuses\|was asked for Y16 160x122 and chose" /share/out/filmd.log; }
check "a camera that comes back with another format is refused, naming what was found" wait_for 20 refusal
grep "was asked for\|refuses" /share/out/filmd.log | tail -1
shown=$(field presented)
check "the other one goes on" wait_for 30 more
unplug thermal
lepton
check "with the right format it is taken again" wait_for 40 fresh
figure "$(field presented) shown, $(field damaged) damaged, $(field dropped) dropped"
stop_filmd
