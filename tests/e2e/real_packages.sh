#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Real upstream tarballs and Debian packages: published, checked, and every one unpacked like GNU tar and dpkg-deb do
# it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../packages.sh"
setup
need apt-get dpkg-deb gpgv

fetch_packages

root=$T/root
mkdir -p "$root/pool"
archives "$PACKAGES/pool" >"$T/packages"
while read -r package; do
    cp "$PACKAGES/pool/$package" "$root/pool/${package//[^A-Za-z0-9._+~-]/_}"
done <"$T/packages"
n=$(wc -l <"$T/packages")
for kind in tar.gz tar.xz tar.bz2 deb; do
    grep -q "\.$kind\$" "$T/packages" || fail "no .$kind among: $(cat "$T/packages")"
done
[ "$(upstream "$root/pool")" -ge 10 ] || fail "fewer than ten upstream tarballs: $(cat "$T/packages")"

publish "$root" --hash SHA512
expect 0 '' -- consume check "$root"
stdout_has "good: $n packages"
gpgv --quiet --keyring "$KEYS/signer.gpg" "$root/InRelease" 2>/dev/null || fail "gpgv refuses InRelease"
gpgv --quiet --keyring "$KEYS/signer.gpg" "$root/Release.gpg" "$root/Release" 2>/dev/null ||
    fail "gpgv refuses Release.gpg"
awk '/^SHA256:/ { on = 1; next } /^[^ ]/ { on = 0 }
     on && $3 !~ /^(Packages|Unpacked-Sizes)/ { print $1 "  " $3 }' "$root/Release" >"$T/sums"
[ "$(wc -l <"$T/sums")" = "$n" ] || fail "$(wc -l <"$T/sums") lines for $n packages"
(cd "$root" && sha256sum --check --strict --quiet "$T/sums") || fail "sha256sum disagrees"

mkdir "$T/out" "$T/reference"
while read -r package; do
    expect 0 '' -- consume unpack "$root" "$package" --into "$T/out/x"
    unpack_reference "$root/$package" "$T/reference/x"
    same_tree "$T/out/x" "$T/reference/x"
    echo "$package: $(find "$T/out/x" | wc -l) entries, the same"
    rm -rf "$T/out/x" "$T/reference/x"
done < <(awk '{ print $2 }' "$T/sums")
[ -z "$(ls -A "$T/out")" ] || fail "left behind: $(ls -A "$T/out")"
