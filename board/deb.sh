#!/usr/bin/env bash
# Debian packages: filmd for this processor, or for ARCH=arm64, and filmd-models for all.
#   board/deb.sh            into target/debian, after make build models
# cargo-deb (pinned) makes filmd's; filmd-models holds the two model files, so that a machine without a network
# gets them from a stick. The same sources give the same bytes: times come from the last commit.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
bash "$here/setup.sh" dpkg-dev binutils
arch=${ARCH:-$(dpkg --print-architecture)}
target=${CARGO_TARGET_DIR:-target}
cached=${FILMD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/filmd/models}
out=$target/debian
tools=$target/tools
version=3.8.0
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)}
export SOURCE_DATE_EPOCH

[[ -x $tools/bin/cargo-deb ]] || cargo install cargo-deb --version "=$version" --locked --root "$tools"
mkdir -p "$out"
rm -rf target/pages
"$target/release/filmd" pages target/pages
"$target/release/filmctl" pages target/pages

case $arch in
"$(dpkg --print-architecture)")
    "$tools/bin/cargo-deb" --no-build --dbgsym --output "$out/" ;;
arm64)
    bash "$here/cross.sh" build --release --no-default-features --features llm \
        --bin filmd --bin filmctl --bin film-describe
    "$tools/bin/cargo-deb" --no-build --dbgsym --target aarch64-unknown-linux-gnu --output "$out/" ;;
*)
    echo "board/deb.sh: ARCH=$arch is neither this machine's nor arm64" >&2
    exit 1 ;;
esac

# The model files as the manifest names them; they are dense already.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
release=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
install -d "$folder/DEBIAN" "$folder/usr/share/filmd/models" "$folder/usr/share/doc/filmd-models"
for model in $(sed -n 's/^file = "\(.*\.gguf\)"/\1/p' models/manifest.toml); do
    [[ -f $cached/$model ]] || {
        echo "board/deb.sh: $cached/$model is missing; run make models" >&2
        exit 1
    }
    install -m 644 "$cached/$model" "$folder/usr/share/filmd/models/"
done
install -m 644 board/debian/models-copyright "$folder/usr/share/doc/filmd-models/copyright"
sed 's/^filmd (/filmd-models (/' board/debian/changelog | gzip -9n >"$folder/usr/share/doc/filmd-models/changelog.Debian.gz"
cat >"$folder/DEBIAN/control" <<CONTROL
Package: filmd-models
Version: $release-1
Architecture: all
Maintainer: $(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml)
Installed-Size: $(du -ks "$folder/usr" | cut -f1)
Enhances: filmd
Section: video
Priority: optional
Description: language model and text encoder of filmd
 SmolLM2-135M-Instruct and all-MiniLM-L6-v2, quantised, as filmd's own
 manifest names them. With them filmd writes the texts that guide its fusion.
CONTROL
find "$folder" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Znone --build "$folder" "$out/filmd-models_$release-1_all.deb"
ls -l "$out"/*.deb
