# time: 240
# An SPI panel and an I2C status panel through the kernel's spidev and i2c-dev: the bytes on the
# buses decode to the picture and the words, also where every 50th transfer fails.
kload i2c_dev
kload spidev
gpio_lines 8
kload spi_mock data_gpio=$((gpio_base + 2))
kload i2c_mock
spi=/sys/module/spi_mock/parameters
i2c=/sys/module/i2c_mock/parameters
adapter=
for entry in /sys/class/i2c-dev/*; do
    grep -q i2c-mock "$entry/name" && adapter=/dev/${entry##*/}
done
check "there is an SPI device" wait_for 5 test -e /dev/spidev0.0
check "there is an I2C bus" test -e "$adapter"
figure "spidev takes $(cat /sys/module/spidev/parameters/bufsiz) bytes a transfer"

settings() { # CONTROLLER ROTATION
    cat >/tmp/filmd.toml <<TOML
[source]
kind = "synthetic"
fps = 4
$(plain_tables 320x240)
[present]
screen = "spi"
overlay = false
[present.spi]
controller = "$1"
rotation = $2
device = "/dev/spidev0.0"
hz = 40000000
chip = "/dev/$gpio_chip"
data_line = 2
reset_line = 3
backlight_line = 4
[status_panel]
enabled = true
device = "$adapter"
TOML
}

shown_on() { filmctl status | grep -q "^screen *$1 "; }

# still NAME: a held picture as a file, and the bytes on both buses so far.
still() {
    filmctl freeze
    sleep 3
    filmctl snapshot "/share/out/$1.png"
    sleep 3
    cat /sys/kernel/debug/spi-mock/log >"/share/out/$1.spi"
    cat /sys/kernel/debug/i2c-mock/log >"/share/out/$1.i2c"
    filmctl unfreeze
}

for panel in "st7789 90" "ili9341 270"; do
    echo 0 >/sys/kernel/debug/spi-mock/log
    echo 0 >/sys/kernel/debug/i2c-mock/log
    # shellcheck disable=SC2086
    settings $panel
    name=${panel%% *}
    start_filmd /tmp/filmd.toml
    check "$name: pictures are shown" wait_for 40 is presented -gt 5
    check "$name: the backlight is on" grep -q 1 "$gpio_lines/sim_gpio4/value"
    check "$name: the reset line is released" grep -q 1 "$gpio_lines/sim_gpio3/value"
    still "$name"
    check "$name: no transfer failed" is screen_retries -eq 0
    if [ "$name" = st7789 ]; then
        # The same for a while, undisturbed and disturbed.
        before=$(field presented)
        sleep 15
        calm=$(($(field presented) - before))
        echo 50 >$spi/fail_every
        echo 50 >$i2c/fail_every
        before=$(field presented)
        sleep 15
        disturbed=$(($(field presented) - before))
        still "$name-eio"
        echo 0 >$spi/fail_every
        echo 0 >$i2c/fail_every
        figure "frames in 15 s: $calm undisturbed, $disturbed where every 50th transfer fails"
        figure "transfers refused: SPI $(cat /sys/kernel/debug/spi-mock/refused), I2C $(cat /sys/kernel/debug/i2c-mock/refused); made again: $(field screen_retries), panel $(field panel_errors)"
        check "transfers were refused" test "$(cat /sys/kernel/debug/spi-mock/refused)" -ge 5
        check "and made again" is screen_retries -ge 5
        check "the screen was never lost" is screen_errors -eq 0
        check "the frame path did not stall" is stalls -eq 0
        check "as many frames as before, but for a tenth" test $((disturbed * 10)) -ge $((calm * 9))
        # A bus that fails for good: the picture goes on without, and comes back by itself.
        echo 1 >$spi/fail_every
        check "a dead bus loses the screen" wait_for 20 is screen_errors -gt 0
        before=$(field presented)
        check "frames go on without it" wait_for 20 is presented -gt $((before + 5))
        echo 0 >$spi/fail_every
        check "it comes back" wait_for 20 shown_on st7789
    fi
    filmctl status >"/share/out/$name-status.txt"
    stop_filmd
    check "$name: the backlight is off at the end" grep -q 0 "$gpio_lines/sim_gpio4/value"
done
