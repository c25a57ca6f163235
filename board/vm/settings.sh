# Pieces of configurations that scenarios share; read by the guest's shell after lib.sh.

# camera_source SKEW_MS: a configuration with cameras begins so; a camera_table of each follows.
camera_source() { printf '[source]\nkind = "cameras"\nmax_skew_ms = %s\n' "$1"; }

# camera_table ROLE DEVICE FORMAT WIDTHxHEIGHT [LINE...]: a camera, with more lines of its table.
camera_table() {
    printf '[source.%s]\ndevice = "%s"\nformat = "%s"\n' "$1" "$2" "$3"
    printf 'width = %s\nheight = %s\n' "${4%x*}" "${4#*x}"
    shift 4
    [ $# -eq 0 ] || printf '%s\n' "$@"
}

# plain_tables [WIDTHxHEIGHT] [MODE]: what most configurations end with: a picture of that size
# (160x120) in that mode (fused), fused without network and text.
plain_tables() {
    size=${1:-160x120}
    cat <<TOML
[output]
width = ${size%x*}
height = ${size#*x}
[fuse]
engine = "classic"
mode = "${2:-fused}"
[describe]
enabled = false
TOML
}

# usb_pair VISIBLE_SIZE: the cameras "thermal" (Y16 160x120) and "visible" (YUYV) of uvc-tool.
usb_pair() {
    camera_source 10000
    camera_table infrared card:thermal Y16 160x120
    camera_table visible card:visible YUYV "$1"
}

# vivid_pair INFRARED VISIBLE INFRARED_FORMAT VISIBLE_FORMAT MODE [LINE...]: two devices of vivid, by
# their numbers, without the moving text in their pictures, in /tmp/filmd.toml; more lines for the
# visible one.
vivid_pair() {
    infrared=$1 visible=$2 infrared_format=$3 visible_format=$4 mode=$5
    shift 5
    {
        camera_source 5000
        camera_table infrared "card:vivid-00$infrared-vid-cap" "$infrared_format" 320x180
        camera_table visible "card:vivid-00$visible-vid-cap" "$visible_format" 320x180 \
            'controls = { osd_text_mode = 2 }' "$@"
        plain_tables 320x180 "$mode"
        printf '[present]\noverlay = false\n'
    } >/tmp/filmd.toml
}
