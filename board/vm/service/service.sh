# Under real systemd: readiness, watchdog, sandbox, devices. Sourced after lib.sh.
export XDG_RUNTIME_DIR=/run/filmd RUNTIME_DIRECTORY=/run/filmd
modprobe 9pnet_virtio
mkdir -p /share && mount -t 9p -o trans=virtio,version=9p2000.L share /share

show() { systemctl show filmd -p "$1" --value; }
state_is() { [ "$(show ActiveState)" = "$1" ]; }

check "filmd says that it is ready" wait_for 90 state_is active
check "the picture goes on" wait_for 60 is presented -gt 5
check "both cameras are there, one by its udev link" wait_for 20 both
check "the link is that of the node with pictures" test "$(readlink -f /dev/filmd/infrared)" = "$(node thermal)"
check "its display is the card" test "$(field screen | cut -d' ' -f1)" = /dev/dri/card0
check "it runs as its own user" test "$(ps -o user= -p "$(show MainPID)" 2>/dev/null || stat -c %U "/proc/$(show MainPID)")" = filmd
check "it has no capability" grep -q "CapEff:.*0000000000000000" "/proc/$(show MainPID)/status"
check "and gains no privileges" grep -q "NoNewPrivs:.*1" "/proc/$(show MainPID)/status"
check "system calls are filtered" grep -q "Seccomp:.*2" "/proc/$(show MainPID)/status"
check "there is no network but a loopback that is down" test "$(nsenter -t "$(show MainPID)" -n cat /proc/net/dev | grep -c ':')" -eq 1
figure "main process: $(show MainPID), status: $(show StatusText)"
figure "$(systemd-analyze security filmd.service --no-pager 2>/dev/null | tail -1)"
score=$(systemd-analyze security filmd.service --no-pager 2>/dev/null | sed -n 's/.*level for filmd.service: \([0-9.]*\).*/\1/p')
check "the exposure is at most 1.5" awk "BEGIN{exit !($score <= 1.5)}"

check "a device that it does not need cannot be opened" sh -c '! systemd-run --wait --pipe -q -p User=root -p DevicePolicy=closed -p "DeviceAllow=char-video4linux rw" dd if=/dev/vda of=/dev/null count=1 2>/dev/null'

before=$(show NRestarts)
pid=$(show MainPID)
kill -STOP "$pid"
figure "stopped at $(cut -d' ' -f1 /proc/uptime) s"
other_process() { [ "$(show MainPID)" != "$pid" ] && state_is active; }
check "a filmd that hangs is killed by the watchdog and comes back" wait_for 90 other_process
figure "back at $(cut -d' ' -f1 /proc/uptime) s"
check "because of the watchdog" sh -c "journalctl -u filmd --no-pager -o cat | grep -qi 'watchdog timeout'"
check "one restart is counted" test "$(show NRestarts)" -gt "$before"
check "the picture goes on again" wait_for 60 is presented -gt 5

echo unplug >/tmp/thermal
check "an unplugged camera is missed" wait_for 30 is no_infrared = true
uvc-tool --control /tmp/thermal --name thermal --port 0 --format y16 --width 160 --height 120 --fps 9 --id 1e4e:0100 &
check "and taken again when it is back, by its udev link" wait_for 30 is no_infrared = false
shot display
check "reload keeps it running" systemctl reload filmd
check "the picture goes on after a reload" wait_for 60 is presented -gt 3
echo 'task = "nonsense"' >/etc/filmd/filmd.toml
systemctl restart filmd
sleep 3
check "a configuration that cannot be used is not tried for ever" test "$(show ExecMainStatus)" = 78
check "and filmd stays down" sh -c '[ "$(systemctl show filmd -p ActiveState --value)" = failed ]'
journalctl -u filmd --no-pager -o short-monotonic >/share/out/filmd.log
systemd-analyze security filmd.service --no-pager >/share/out/security.txt
systemd-analyze blame --no-pager >/share/out/blame.txt 2>&1
result
code=$?
sync
echo "SCENARIO-EXIT $code after $(cut -d' ' -f1 /proc/uptime) s"
systemctl poweroff --force --force
