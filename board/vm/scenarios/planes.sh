# time: 240
# A device that has V4L2's multi-planar interface only, beside one with the usual interface (both of
# vivid, with the same test picture): the same bytes come out of both.
kload vivid n_devs=2 multiplanar=1,2

config() { vivid_pair "$1" "$2" Y16 "$3" visible 'fps = 15'; }
pictures() { is presented -gt 3 && both; }

filmd cameras >/share/out/cameras.txt
check "filmd cameras lists what the multi-planar one offers" \
    sh -c "grep -A30 vivid-001-vid-cap /share/out/cameras.txt | grep -q NV12"
config 1 0 YUYV
start_filmd /tmp/filmd.toml
check "both kinds bring pictures" wait_for 40 pictures
for format in YUYV NV12 RGB24; do
    config 1 0 $format
    check "$format of the usual interface beside Y16 of the other is agreed on" filmctl reload
    check "both bring pictures" wait_for 40 pictures
    filmctl snapshot /share/out/single-$format.png
    config 0 1 $format
    check "$format of the multi-planar one is agreed on" filmctl reload
    check "both bring pictures, swapped" wait_for 40 pictures
    check "none is damaged" is damaged -eq 0
    filmctl snapshot /share/out/planes-$format.png
    check "$format: the same picture, byte for byte" cmp /share/out/single-$format.png /share/out/planes-$format.png
done

before=$(descriptors)
lost=$(losses)
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
was_lost() { [ "$(losses)" -ge $((lost + 2)) ]; }
check "both are lost" wait_for 20 was_lost
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
shown=$(field presented)
again() { is presented -gt $((shown + 5)) && both; }
check "and taken again" wait_for 60 again
check "without a descriptor more" test "$(descriptors)" -eq "$before"
config 0 1 H264
check "what no format is is refused" sh -c "! filmctl reload"
sed -i 's/H264/YUYV/; /source.visible/,/height/s/width = 320/width = 321/' /tmp/filmd.toml
check "a size that it has not leaves its side empty" filmctl reload
check "and marks it" wait_for 20 is no_visible = true
named() { filmctl status | grep "was asked for YUYV 321x180 and chose"; }
check "naming what it chose" wait_for 20 named
check "the other one goes on" wait_for 20 is no_infrared = false
filmctl status >/share/out/status.txt
stop_filmd
