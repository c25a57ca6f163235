# time: 120
# Buttons on lines of gpio-sim: modes, palettes, snapshots, a held picture, nudges.
gpio_lines 8
for line in 0 1 2; do let_go $line; done
cat >/tmp/filmd.toml <<TOML
[source]
kind = "synthetic"
fps = 4
$(plain_tables)
[present]
overlay = false
[buttons]
chip = "/dev/$gpio_chip"
debounce_ms = 200
long_ms = 1000
snapshots = "/tmp/snapshots"
button = [
    { line = 0, short = "mode" },
    { line = 1, short = "palette", long = "freeze" },
    { line = 2, short = "snapshot" },
]
chord = [{ lines = [1, 2], action = "nudge-left" }]
TOML
start_filmd /tmp/filmd.toml
check "pictures are shown" wait_for 40 is presented -gt 3
check "it begins with the fused picture" is mode = fused

differ() { ! cmp -s "$1" "$2"; }
saved() { ls /tmp/snapshots/snapshot-*.png; }
nudged() { filmctl status --json | tr -d ' \n' | grep -q '"nudge":\[-1,0\]'; }

click() {
    press "$1"
    sleep 0.5
    let_go "$1"
}

for expected in visible thermal blend edges picture-in-picture fused visible; do
    press 0
    wait_for 3 is mode = $expected || check "a press shows $expected" false
    let_go 0
    sleep 0.5
done
check "seven presses went round all modes" is mode = visible
# The log has, of each press, the frame that was being made, and the first in the new mode.
later() {
    awk '/a button did Mode after frame/ { after[++presses] = $NF }
        / is the first in mode / { sub(/.* frame /, ""); first[++changes] = $1 + 0 }
        END {
            for (i = 1; i <= presses; i++) {
                frames = first[i] - after[i]
                printf " %d", frames
                if (frames < 0 || frames > 1) bad = 1
            }
            exit bad || presses != 7 || changes != 7
        }' /share/out/filmd.log
}
figure "frames from the one being made at a press to the first in the new mode:$(later)"
check "a press shows in the next frame" later
check "a button that was held down did no more" is mode = visible

# Bounce, of steps that are shorter than what counts also on a slow machine.
for _ in 1 2 3 4 5; do
    press 0
    let_go 0
done
press 0
sleep 0.5
let_go 0
check "a press that bounces counts once" wait_for 3 is mode = thermal
sleep 0.5
check "and no more than once" is mode = thermal

click 1
check "a short press changes the palette" wait_for 3 is palette = black-hot
press 1
check "a long one holds the picture" wait_for 5 is frozen = true
let_go 1
sleep 0.5
check "and not the palette" is palette = black-hot
filmctl snapshot /tmp/held-1.png
sleep 1
filmctl snapshot /tmp/held-2.png
check "the held picture stays" cmp -s /tmp/held-1.png /tmp/held-2.png
filmctl snapshot /share/out/held.png
before=$(field presented)
check "frames go on under it" wait_for 10 is presented -gt $((before + 3))
press 1
check "another long press lets it go on" wait_for 5 is frozen = false
let_go 1
sleep 1
filmctl snapshot /tmp/free-1.png
sleep 1
filmctl snapshot /tmp/free-2.png
check "the picture moves again" differ /tmp/free-1.png /tmp/free-2.png

click 2
check "a press saves a snapshot" wait_for 5 saved
cp /tmp/snapshots/*.png /share/out/

press 1
sleep 0.2
press 2
check "two buttons together nudge" wait_for 5 nudged
let_go 2
let_go 1
sleep 0.5
check "and do nothing else" is palette = black-hot
check "nor save a picture" test "$(ls /tmp/snapshots | wc -l)" -eq 1
check "filmctl does the same" filmctl palette ironbow
check "at once" is palette = ironbow
filmctl nudge -- -7 3
filmctl status >/share/out/status.txt
check "the log says what the buttons did" grep -q "a button did NudgeLeft" /share/out/filmd.log
stop_filmd
