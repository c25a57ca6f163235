# film-describe under real systemd: its own control group, its own memory. Sourced after lib.sh.
export XDG_RUNTIME_DIR=/run/filmd RUNTIME_DIRECTORY=/run/filmd
modprobe 9pnet_virtio
mkdir -p /share && mount -t 9p -o trans=virtio,version=9p2000.L share /share

show() { systemctl show filmd -p "$1" --value; }
describer() { pidof film-describe; }
running_describer() { [ -n "$(describer)" ]; }
# A text takes the emulated processor minutes: slower cameras leave it the time.
for name in thermal visible; do echo unplug >/tmp/$name; done
sleep 2
service_cameras 2
sed -i 's/^enabled = false/enabled = true\ndeadline_s = 3600.0\ntime_to_live_s = 900.0\npause_when_late = false/' \
    /etc/filmd/filmd.toml
systemctl restart filmd
check "filmd says that it is ready" wait_for 90 [ "$(show ActiveState)" = active ]
check "film-describe runs" wait_for 60 running_describer
base=/sys/fs/cgroup$(show ControlGroup)
group=$base/describe
check "in a group of its own" grep -q "$(describer)" "$group/cgroup.procs"
check "filmd in the other" grep -q "$(show MainPID)" "$base/frames/cgroup.procs"
models=$(stat -c %s /var/lib/filmd/models/*.gguf | awk '{ sum += $1 } END { print sum }')
check "its memory is limited to its models' size and 160 MB" \
    test "$(cat "$group/memory.max")" -le $((models + 160 * 1024 * 1024)) -a "$(cat "$group/memory.max")" -gt "$models"
check "its share of the processor is a fifth of filmd's" test "$(cat "$group/cpu.weight")" = 20
filmctl status >/share/out/early.txt
# In a fifth's share it would take an hour, and each look at the status costs time as well: now that
# the share was seen, it has more meanwhile, and looks are few.
echo 300 >"$group/cpu.weight"
writes() {
    sleep 10
    filmctl status >/share/out/written.txt
    is origin = llm
}
check "the language model writes" wait_for 50 writes
echo 20 >"$group/cpu.weight"
figure "$(filmctl status | grep -i 'text' | head -n 2 | tr '\n' ' ')"
figure "memory of the group: $(cat "$group/memory.current") bytes, at most $(cat "$group/memory.peak" 2>/dev/null)"
check "both cameras are there meanwhile" wait_for 30 both
check "and the display" test "$(field screen | cut -d' ' -f1)" = /dev/dri/card0
systemd-analyze security filmd.service --no-pager >/share/out/security.txt 2>/dev/null
figure "with cameras, display and language model: $(tail -1 /share/out/security.txt)"
score=$(sed -n 's/.*level for filmd.service: \([0-9.]*\).*/\1/p' /share/out/security.txt)
check "the exposure is at most 1.5" awk "BEGIN{exit !($score <= 1.5)}"

main=$(show MainPID)
old=$(describer)
# As a leak would: the kernel ends film-describe alone.
echo 40M >"$group/memory.max"
another() { running_describer && [ "$(describer)" != "$old" ] || ! running_describer; }
check "film-describe beyond its memory is ended" wait_for 60 another
check "by the kernel, in its group" grep -q 'oom_kill [1-9]' "$group/memory.events"
shown=$(field presented)
check "the picture goes on" wait_for 30 is presented -gt $((shown + 5))
check "filmd is the same process" test "$(show MainPID)" = "$main"
check "and its service stays active" test "$(show ActiveState)" = active
echo max >"$group/memory.max"
check "film-describe comes back without a restart of filmd" wait_for 120 running_describer
check "into its group" sh -c "sleep 1; grep -q \"\$(pidof film-describe)\" $group/cgroup.procs"
check "filmd is still the same process" test "$(show MainPID)" = "$main"
filmctl status >/share/out/status.txt
journalctl -u filmd --no-pager -o short-monotonic >/share/out/filmd.log
shot display
result
code=$?
sync
echo "SCENARIO-EXIT $code after $(cut -d' ' -f1 /proc/uptime) s"
systemctl poweroff --force --force
