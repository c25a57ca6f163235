# time: 500
# The kernel's virtual cameras (vivid): every pixel format, and the faults that they can inject.
kload vivid n_devs=2 no_error_inj=0

config() { vivid_pair 0 1 "$1" "$2" "$3"; }
for number in 0 1; do v4l2-ctl -d "$(node vivid-00$number-vid-cap)" -c osd_text_mode=2 >/dev/null; done
config Y16 YUYV visible
start_filmd /tmp/filmd.toml
check "both cameras bring pictures" wait_for 40 is presented -gt 5
for format in YUYV UYVY NV12 YU12 YV12 RGB24; do
    config Y16 $format visible
    check "visible $format is agreed on" filmctl reload
    check "visible $format is shown" wait_for 30 is presented -gt 3
    check "visible $format: none is damaged" is damaged -eq 0
    filmctl snapshot /share/out/visible-$format.png
done
for format in Y10 Y12 Y16 Y16-BE GREY; do
    config $format YUYV thermal
    check "thermal $format is agreed on" filmctl reload
    check "thermal $format is shown" wait_for 30 is presented -gt 6
    check "thermal $format: none is damaged" is damaged -eq 0
    filmctl snapshot /share/out/thermal-$format.png
done

config Y16 YUYV fused
filmctl reload
wait_for 30 is presented -gt 3
thermal=$(node vivid-000-vid-cap)
inject() { v4l2-ctl -d "$thermal" -c "$1" >/dev/null; }
goes_on() { # the picture goes on with both cameras
    from=$(field presented)
    more() { is presented -gt $((from + 5)) && both; }
    wait_for 30 more
}
check "before any fault both are there" goes_on

lost=$(losses)
inject inject_fatal_streaming_error=1
was_lost() { [ "$(losses)" -gt "$lost" ]; }
check "a fatal error of the stream is noticed" wait_for 20 was_lost
check "and the camera is opened anew" goes_on

damaged=$(field damaged)
inject inject_v4l2_buf_flag_error=1
hurt() { is damaged -gt "$damaged"; }
check "a buffer that the driver marks as broken is counted" wait_for 20 hurt
check "and the picture goes on" goes_on

dropped=$(field dropped)
inject percentage_of_dropped_buffers=40
fewer() { is dropped -gt $((dropped + 5)); }
check "buffers that the driver drops are counted" wait_for 30 fewer
check "and the picture goes on without them" goes_on
inject percentage_of_dropped_buffers=0

dropped=$(field dropped)
inject wrap_sequence_number=1
check "a running number that wraps does not stop the picture" goes_on
sleep 8
check "it is not taken for millions of lost frames" is dropped -lt $((dropped + 2000))
inject wrap_sequence_number=0
# The driver looks at this when a stream begins: stamps of another clock, an age ahead of the board's
# (1: and beyond what 64 bits hold, 16 s later).
anew() {
    lost=$(losses)
    inject wrap_timestamp=$1
    inject inject_fatal_streaming_error=1
    check "the stream begins anew with clock $1" wait_for 20 was_lost
}
of_one_moment() { is infrared_stale = false && is visible_stale = false; }
stamped_by() { [ "$(clock infrared own_clock)" = "$1" ]; }
set_anew() { [ "$(clock infrared steps)" -gt 0 ]; }
anew 1
check "a clock that wraps: the picture goes on" goes_on
check "the wrap is noticed" wait_for 60 set_anew
check "and frames are of one moment" wait_for 20 of_one_moment
anew 2
check "a clock that is decades ahead: the picture goes on" goes_on
check "it is known to be another than the board's" wait_for 20 stamped_by true
check "and followed: frames are of one moment" of_one_moment
figure "it is behind the board's by $(clock infrared offset_ms) ms, drift $(clock infrared drift_ppm) ppm"
anew 0
check "with the board's clock again the picture goes on" goes_on
check "and stamps are the board's" wait_for 20 stamped_by false
check "the other camera's always were" test "$(clock visible own_clock)" = false

# The driver has the device back as soon as nobody holds it: it goes away and comes again.
lost=$(losses)
inject disconnect=1
check "a camera that goes away is noticed" wait_for 30 was_lost
check "and taken again when it is back" goes_on
# A part of the driver is unbound and bound again: both are gone, then back.
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
sleep 3
check "filmd survives the loss of both" running
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
check "and takes both again" goes_on
figure "$(field presented) shown, $(field dropped) dropped, $(field damaged) damaged, $(field stalls) stalls"
filmctl status >/share/out/status.txt
stop_filmd
