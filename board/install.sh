#!/usr/bin/env bash
# Installs filmd as a service: programs, network, unit, user, udev rules; keeps a configuration that is
# there. PROGRAMS is the folder with filmd, filmctl and film-describe (default: target/release); with
# DESTDIR it fills a folder, as for a package or another board's disk, and starts nothing.
# Programs are stripped; their symbols go to /usr/lib/debug, where gdb and coredumpctl look for them.
# `board/install.sh remove` takes everything away but configuration and language models.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
programs=${PROGRAMS:-${CARGO_TARGET_DIR:-$root/target}/release}
to=${DESTDIR:-}
cached=${FILMD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/filmd/models}

if [[ -z $to && $(id -u) -ne 0 ]]; then
    echo "board/install.sh: writes below /usr and /etc; run it as root, or name a folder as DESTDIR" >&2
    exit 1
fi
# With a DESTDIR there is no service manager to tell.
running() { [[ -z $to && -d /run/systemd/system ]]; }

if [[ ${1:-} == remove ]]; then
    running && systemctl disable --now filmd.service || true
    rm -f "$to"/usr/bin/{filmd,filmctl,film-describe} "$to/usr/lib/systemd/system/filmd.service" \
        "$to/usr/lib/sysusers.d/filmd.conf" "$to/usr/lib/tmpfiles.d/filmd.conf" \
        "$to/usr/lib/udev/rules.d/60-filmd-cameras.rules"
    rm -f "$to"/usr/lib/debug/usr/bin/{filmd,filmctl,film-describe}.debug
    rm -rf "$to"/usr/share/filmd "$to"/usr/share/doc/filmd
    ! running || systemctl daemon-reload
    echo "Removed; ${to}/etc/filmd and ${to}/var/lib/filmd are left as they are."
    exit 0
fi

for program in filmd filmctl; do
    [[ -x $programs/$program ]] && continue
    echo "board/install.sh: $programs/$program is missing; run make build, or name their folder as PROGRAMS" >&2
    exit 1
done
# The tool for the processor that the programs are for, which may be another board's.
objcopy=objcopy
[[ $(od -An -tx1 -j18 -N1 "$programs/filmd") == *b7* && $(uname -m) != aarch64 ]] &&
    objcopy=aarch64-linux-gnu-objcopy
install_program() {
    local from=$programs/$1 into=$to/usr/bin/$1 symbols=$to/usr/lib/debug/usr/bin/$1.debug
    mkdir -p "${into%/*}" "${symbols%/*}"
    if ! command -v "$objcopy" >/dev/null; then
        echo "$objcopy is missing (package binutils): $1 is installed with its symbols in it"
        install -m 755 "$from" "$into"
        return
    fi
    "$objcopy" --only-keep-debug "$from" "$symbols"
    chmod 644 "$symbols"
    # Beside the old one and renamed: it may be running.
    "$objcopy" --strip-all --add-gnu-debuglink="$symbols" "$from" "$into.new"
    chmod 755 "$into.new"
    mv -f "$into.new" "$into"
}
install_program filmd
install_program filmctl
if [[ -x $programs/film-describe ]]; then
    install_program film-describe
else
    echo "film-describe is missing in $programs: guidance will stay neutral"
fi
install -D -m 644 "$root/models/manifest.toml" "$root"/models/*.onnx "$root"/models/*.f32 -t "$to/usr/share/filmd/models"
install -D -m 644 "$root"/systemd/filmd.service.d/*.conf -t "$to/usr/share/filmd/drop-ins"
install -D -m 644 "$root/README.md" -t "$to/usr/share/doc/filmd"
install -D -m 644 "$root/systemd/filmd.service" -t "$to/usr/lib/systemd/system"
install -D -m 644 "$root/systemd/filmd.sysusers" "$to/usr/lib/sysusers.d/filmd.conf"
install -D -m 644 "$root/systemd/filmd.tmpfiles" "$to/usr/lib/tmpfiles.d/filmd.conf"
install -D -m 644 "$root/board/60-filmd-cameras.rules" -t "$to/usr/lib/udev/rules.d"
if [[ ! -e $to/etc/filmd/filmd.toml ]]; then
    install -D -m 644 "$root/board/filmd.toml" -t "$to/etc/filmd"
fi
install -d -m 755 "$to/var/lib/filmd/models"
for model in "$cached"/*.gguf; do
    [[ -e $model ]] && install -m 644 "$model" -t "$to/var/lib/filmd/models"
done
if running; then
    systemd-sysusers filmd.conf
    systemd-tmpfiles --create filmd.conf
    udevadm control --reload
    udevadm trigger --subsystem-match=video4linux
    systemctl daemon-reload
fi
cat <<TEXT
Installed. $to/etc/filmd/filmd.toml has every key; \`filmd cameras\` prints what to put there for the cameras
that are plugged in, \`filmd check\` says what is wrong with it. Then: systemctl enable --now filmd
TEXT
