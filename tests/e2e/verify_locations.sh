#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a repository may be: a directory or its file:// URL; for the manifest also a file. Everything else is
# refused by name.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/'my root'
mkdir "$root"
echo one >"$root/a.txt"
publish "$root"
url=file://$T/my%20root

for location in "$root" "$root/" "$url" "$url/" "file://localhost$T/my%20root"; do
    expect 0 '' -- consume check "$location"
    expect 0 '' -- consume manifest "$location"
done
(cd "$root" && expect 0 '' -- consume check .)
(cd "$T" && expect 0 '' -- consume check "my root")
# All of them are one and the same repository.
[ "$(remembered)" = 1 ] || fail "remembered: $(ls "$T/consumer/verified")"

expect 0 '' -- consume manifest "$root/InRelease"
stdout_has "$KEY"
mkdir "$T/alone"
cp "$root/InRelease" "$T/alone/some-name"
cp "$root/Release" "$root/Release.gpg" "$T/alone"
expect 0 '' -- consume manifest "$T/alone/some-name" --no-state
expect 0 '' -- consume manifest "$T/alone/Release" --no-state --json
json "o['manifest']['document'] == 'Release'"
rm "$T/alone/Release.gpg"
expect 3 'Release' -- consume manifest "$T/alone/Release" --no-state

# One that lists its files itself is found below dists as well, and its paths start there.
mkdir -p "$T/site/dists/stable"
echo two >"$T/site/dists/stable/b.txt"
publish "$T/site/dists/stable" --suite stable
expect 0 '' -- consume check "$T/site" --suite stable
expect 0 '' -- consume check "$T/site" --suite stable b.txt

# Without state nothing is written, not even where the program happens to be.
mkdir "$T/idle"
(cd "$T/idle" && expect 0 '' -- verify --no-state --keyring "$KEYS/signer.gpg" check "$root")
[ -z "$(ls -A "$T/idle")" ] || fail "written without state: $(ls -A "$T/idle")"

for scheme in ftp data gopher httpx; do
    expect 2 "$scheme://example.org/x" -- consume check "$scheme://example.org/x"
done
expect 2 'file://host' -- consume check "file://host/x"
expect 1 'nowhere' -- consume check "$T/nowhere"
expect 3 'README has no signature' -- consume check "$srcdir/README"
mkdir "$T/empty"
expect 3 'Release' -- consume check "$T/empty"
