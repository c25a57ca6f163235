#!/usr/bin/env bash
# A Rust compiler with aarch64's standard library for machines where rustup can fetch none:
#   board/arm-rust.sh FOLDER    prints the path of its rustc
# From the distribution's packages (rustc-web, Debian 12: 126 MB), which apt checks against its own
# keys; they are unpacked in FOLDER and nothing is installed. Remove FOLDER to start anew.
set -euo pipefail

folder=$(mkdir -p "${1:?where to unpack it}" && cd "$1" && pwd)
rustc=$folder/rustc
wanted=1.91 # Cargo.toml's rust-version
[[ -x $rustc ]] && echo "$rustc" && exit 0
if ! command -v apt-get >/dev/null || [[ $(dpkg --print-architecture) != amd64 ]]; then
    echo "board/arm-rust.sh needs Debian's apt on amd64; elsewhere install Rust with rustup." >&2
    exit 1
fi

# Lists of both architectures, for this folder only.
mkdir -p "$folder"/{state/lists/partial,cache/archives/partial,deb,root}
touch "$folder/status"
options=(-o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o APT::Architectures::=arm64
    -o "Dir::State=$folder/state" -o "Dir::State::status=$folder/status"
    -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=)
apt-get "${options[@]}" update -q >&2
of() { # package pattern: the name among its dependencies
    apt-cache "${options[@]}" depends "$1" | sed -n "s/.*Depends: \($2\)\$/\1/p" | head -n 1
}
library=$(of libstd-rust-web-dev 'libstd-rust-web-[0-9.]*')
llvm=$([[ -n $library ]] && of "$library" 'libllvm[0-9]*')
if [[ -z $library || -z $llvm || $(printf '%s\n' "$wanted" "${library##*-}" | sort -V | head -n 1) != "$wanted" ]]; then
    echo "The distribution has no rustc-web $wanted or newer (found: ${library:-none});" \
        "install Rust with rustup, then run it again." >&2
    exit 1
fi
(cd "$folder/deb" && apt-get "${options[@]}" download -q rustc-web "$library" "$llvm" \
    libstd-rust-web-dev:amd64 libstd-rust-web-dev:arm64 >&2)
for package in "$folder"/deb/*.deb; do
    dpkg-deb -x "$package" "$folder/root"
    rm "$package"
done
cat >"$rustc.new" <<WRAPPER
#!/bin/sh
LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu exec $folder/root/usr/bin/rustc "\$@"
WRAPPER
chmod +x "$rustc.new"
"$rustc.new" --version >&2
mv "$rustc.new" "$rustc"
echo "$rustc"
