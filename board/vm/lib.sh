# What scenarios share; read by the guest's busybox shell.
failures=0
checks=0

# check TEXT COMMAND...: the command must succeed.
check() {
    text=$1
    shift
    checks=$((checks + 1))
    if "$@"; then
        echo "CHECK ok: $text"
    else
        failures=$((failures + 1))
        echo "CHECK FAILED: $text"
    fi
}

# figure TEXT: a number worth reporting.
figure() { echo "FIGURE $*"; }

# result: a scenario passes where it checked something and nothing failed.
result() { [ "$checks" -gt 0 ] && [ "$failures" -eq 0 ]; }

# wait_for SECONDS COMMAND...: until the command succeeds. Five tries a second are counted, not seconds:
# where each try takes long the board is slow, and is given longer.
wait_for() {
    tries=$(($1 * 5))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -le 0 ] && return 1
        sleep 0.2
    done
}

# shot NAME: the display as the host sees it, into NAME.png; at most one at a time.
shot() {
    rm -f "/share/out/$1.done"
    echo "@SHOT $1"
    wait_for 20 test -e "/share/out/$1.done"
}

# camera NAME ARGUMENTS...: plugs a camera of uvc-tool in; its commands are read from /tmp/NAME.
camera() {
    name=$1
    shift
    [ -p "/tmp/$name" ] || mkfifo "/tmp/$name"
    uvc-tool --control "/tmp/$name" --name "$name" "$@" 2>"/tmp/$name.log" &
    eval "pid_$name=$!"
    wait_for 20 node "$name"
}

# service_cameras FPS: the cameras that board/vm/service/filmd.toml names.
service_cameras() {
    set -- --width 160 --height 120 --fps "$1"
    uvc-tool --control /tmp/thermal --name thermal --port 0 --format y16 --id 1e4e:0100 "$@" &
    uvc-tool --control /tmp/visible --name visible --port 1 --format yuyv --id 046d:0825 "$@" &
}

# tell NAME COMMAND: to a camera, as "freeze", "resume", "tear", "unplug".
tell() { echo "$2" >"/tmp/$1"; }

# unplug NAME: a camera goes away.
unplug() {
    tell "$1" unplug
    eval "wait \$pid_$1"
}

# node NAME: the picture node of the camera whose name has NAME in it.
node() {
    for entry in /sys/class/video4linux/*; do
        [ "$(cat "$entry/index" 2>/dev/null)" = 0 ] || continue
        grep -q "$1" "$entry/name" && echo "/dev/${entry##*/}" && return 0
    done
    return 1
}

# link NAME: what udev's rule would do: a stable link to the camera's node.
link() { mkdir -p /dev/filmd && ln -sf "$(node "$1")" "/dev/filmd/$1"; }

# start_filmd CONFIG: runs the daemon; its log is /share/out/filmd.log, each line with the board's
# uptime before it.
start_filmd() {
    export XDG_RUNTIME_DIR=/run/filmd
    mkdir -p /run/filmd
    [ -p /tmp/filmd.lines ] || mkfifo /tmp/filmd.lines
    while read -r line; do
        read -r uptime _ </proc/uptime
        echo "$uptime $line"
    done </tmp/filmd.lines >>/share/out/filmd.log &
    clerk=$!
    filmd run --config "$1" >/tmp/filmd.lines 2>&1 &
    filmd=$!
}

# ended: waits for the daemon's end and its last line.
ended() { wait "$filmd"; wait "$clerk"; }

stop_filmd() { kill -TERM "$filmd" 2>/dev/null; ended; }

# field NAME: a number or word of filmd's status.
field() {
    filmctl status --json 2>/dev/null |
        sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p"  |
        head -n 1
}

# is NAME RELATION VALUE: `is presented -gt 3`, `is no_infrared = true`.
is() { [ "$(field "$1")" "$2" "$3" ] 2>/dev/null; }

# both: pictures of both cameras are there.
both() { is no_infrared = false && is no_visible = false; }

# clock ROLE NAME: of the clock of the infrared or the visible camera, as `clock infrared own_clock`.
clock() {
    filmctl status --json 2>/dev/null | sed -n '/"clocks"/,$p' |
        sed -n "/\"$1\": {/,/}/s/^ *\"$2\": \([^,]*\),\{0,1\}$/\1/p"
}

running() { kill -0 "$filmd" 2>/dev/null; }

# descriptors: how many files the daemon holds open.
descriptors() { ls "/proc/$filmd/fd" | wc -l; }

# losses: how often a camera was lost so far, by the log.
losses() { grep -c "lost:" /share/out/filmd.log; }

# gpio_lines COUNT: a GPIO chip of gpio-sim; sets gpio_chip, gpio_base (number of its first line)
# and gpio_lines (the folder in which line N has sim_gpioN/pull and sim_gpioN/value).
gpio_lines() {
    kload gpio_sim
    bank=/sys/kernel/config/gpio-sim/board/bank
    mkdir -p $bank
    echo "$1" >$bank/num_lines
    echo 1 >/sys/kernel/config/gpio-sim/board/live
    gpio_chip=$(cat $bank/chip_name)
    gpio_lines=/sys/devices/platform/$(cat /sys/kernel/config/gpio-sim/board/dev_name)/$gpio_chip
    gpio_base=$(sed -n "s/^$gpio_chip: GPIOs \([0-9]*\)-.*/\1/p" /sys/kernel/debug/gpio)
}

# press LINE, let_go LINE: a button between line and ground.
press() { echo pull-down >"$gpio_lines/sim_gpio$1/pull"; }
let_go() { echo pull-up >"$gpio_lines/sim_gpio$1/pull"; }

kload_cameras() {
    kload vhci_hcd
    kload uvcvideo "$@"
}
