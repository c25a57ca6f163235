#!/usr/bin/env bash
# The virtual board: an emulated machine that boots the distribution's kernel with filmd on it.
#   board/vm/vm.sh test [SCENARIO...]   runs scenarios (default: all), exit code 1 where one fails
#   board/vm/vm.sh shell                a shell on the board
#
# VM_MACHINE   x86_64 (default, quicker) or aarch64
# VM_CACHE     where the board is kept (default target/vm)
# VM_PROGRAMS  a folder of ready programs in place of building them
# VM_FEATURES  features of filmd on the board (default: as make build, whose programs are taken; ARM: none)
# VM_PATIENCE  how many times longer than usual a scenario may take (default 1)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
machine=${VM_MACHINE:-x86_64}
export VM_CACHE=${VM_CACHE:-$root/target/vm}
cd "$root"

# Builds what runs on the board and strips it.
programs() {
    local triple=$machine-unknown-linux-gnu strip=strip
    local cargo=(cargo) target=${CARGO_TARGET_DIR:-target}
    if [[ $machine == aarch64 ]]; then
        strip=aarch64-linux-gnu-strip cargo=(bash board/cross.sh)
        target=${CARGO_TARGET_DIR:-target/arm}
    fi
    # The ARM build leaves llama.cpp out.
    local own= && [[ $machine == aarch64 ]] && own=--no-default-features
    local features=${VM_FEATURES-$own} built=$target/release
    [[ $machine == aarch64 ]] && built=$target/$triple/release
    local into=$VM_CACHE/$machine/programs
    rm -rf "$into" && mkdir -p "$into"
    "${cargo[@]}" build --release $features --bin filmd --bin filmctl
    "${cargo[@]}" test --release $features --no-run --test vm_cameras \
        --message-format=json >"$VM_CACHE/$machine/tests.json"
    CARGO_TARGET_DIR=$target "${cargo[@]}" build --release --manifest-path board/uvc-tool/Cargo.toml
    local tests
    tests=$(sed -n 's/.*"name":"vm_cameras".*"executable":"\([^"]*\)".*/\1/p' \
        "$VM_CACHE/$machine/tests.json")
    local program
    for program in filmd filmctl uvc-tool; do
        "$strip" -o "$into/$program" "$built/$program"
    done
    "$strip" -o "$into/vm_cameras" "$tests"
}

# film-describe, for the scenario that needs it: llama.cpp takes minutes the first time.
describer() {
    [[ -e $VM_PROGRAMS/film-describe ]] && return
    cargo build --release --bin film-describe
    strip -o "$VM_PROGRAMS/film-describe" "${CARGO_TARGET_DIR:-target}/release/film-describe"
}

bash "$here/prepare.sh" "$machine"
if [[ -z ${VM_PROGRAMS:-} ]]; then
    programs
    VM_PROGRAMS=$VM_CACHE/$machine/programs
fi
run=(python3 "$here/run.py" --machine "$machine" --work "$VM_CACHE" --programs "$VM_PROGRAMS")

case ${1:-} in
shell) exec "${run[@]}" --shell ;;
test) shift ;;
*) sed -n '2,4p' "$0" >&2 && exit 2 ;;
esac
scenarios=("$@")
if [[ ${#scenarios[@]} -eq 0 ]]; then
    for file in "$here"/scenarios/*.sh; do
        scenarios+=("$(basename "$file" .sh)")
    done
fi
failed=() left_out=0 started=$SECONDS
for scenario in "${scenarios[@]}"; do
    echo "== $scenario"
    begun=$SECONDS
    if grep -q '^# needs:.*systemd' "$here/scenarios/$scenario.sh"; then
        if [[ $machine != x86_64 ]]; then
            echo "$scenario: left out, there is a systemd disk for x86_64 only"
            left_out=$((left_out + 1))
            continue
        fi
        if grep -q '^# needs:.*describer' "$here/scenarios/$scenario.sh"; then
            describer
        fi
        bash "$here/rootfs.sh" "$machine" "$VM_PROGRAMS" "$scenario"
    fi
    "${run[@]}" "$scenario" || failed+=("$scenario")
    echo "$scenario took $((SECONDS - begun)) s"
done
echo "$((${#scenarios[@]} - left_out)) scenarios on $machine in $((SECONDS - started)) s," \
    "$left_out left out, ${#failed[@]} failed ${failed[*]:-}"
[[ ${#failed[@]} -eq 0 ]]
