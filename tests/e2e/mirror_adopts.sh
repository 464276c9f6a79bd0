#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A copy that rsync has made becomes a mirror: what is right is not fetched again, what is wrong is replaced, and
# dists changes in one step. A run that is interrupted goes on where it was.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt_archive.sh"
setup
need apt-ftparchive dpkg-deb zstd bzip2 xz

ROOT=$T/archive M=$T/mirror
mkdir "$ROOT"
make_pool "$ROOT"
make_indexes "$ROOT" stable
sign_archive "$ROOT" stable

# ---- What another tool has copied -------------------------------------------------------------
cp -a "$ROOT" "$M"
flip "$M/pool/main/h/hello_1.0_amd64.deb" 200
flip "$M/dists/stable/main/binary-amd64/Packages.xz" 50
rm -r "$M/dists/stable/main/binary-amd64/by-hash" "$M/pool/main/f"
echo more >"$M/pool/notes"
ln -s stable "$M/dists/latest"
expect 2 'dists/latest: is served by this mirror.*--accept-loss$' -- mirror sync "$ROOT" "$M" --suite stable
expect 0 '' -- mirror sync --suite stable --accept-loss --json "$ROOT" "$M"
json "o['n_replaced'] == 1 and o['n_fetched'] == 1 + 2 + 1 and o['n_hashed'] == 8"
diff -r "$ROOT/pool" "$M/pool" >"$T/diff" || :
[ "$(cat "$T/diff")" = "Only in $M/pool: notes" ] || fail "$(cat "$T/diff")"
diff -r -x by-hash "$ROOT/dists/stable" "$M/dists/stable" || fail "dists"
[ "$(readlink "$M/dists")" = .hallmark/current/dists ] || fail "dists was not taken over"
[ -f "$M/.hallmark/taken-over/stable/InRelease" ] || fail "what was there is not kept"
expect 0 '' -- mirror check "$M"
expect 0 '' -- mirror sync --json "$ROOT" "$M"
json "not o['published']"

# What was adopted is known from now on, once it has been at rest.
expect 0 '' -- mirror sync --full "$ROOT" "$M"
sleep 2.1
expect 0 '' -- mirror sync --full "$ROOT" "$M"
make_package "$ROOT/pool/main/n/new_1.0_amd64.deb" new
find "$ROOT/dists/stable" -name 'Packages*' -delete -o -name 'Sources*' -delete
make_indexes "$ROOT" stable
sign_archive "$ROOT" stable
expect 0 '' -- mirror sync --json "$ROOT" "$M"
json "o['n_hashed'] == 0 and o['n_fetched'] == 1 + 6 + 1"

# A record that somebody has damaged is no reason to believe anything.
printf 'x' >>"$T"/mirror-state/mirrors/*/cache
flip "$M/pool/main/h/hello_1.0_amd64.deb" 200
touch "$ROOT/pool/main/n"
sleep 1.1
sign_archive "$ROOT" stable
expect 0 'cache: is truncated or too long; all files are read$' -- mirror sync --json -v "$ROOT" "$M"
json "o['n_hashed'] == 11 and o['n_replaced'] == 1"
cmp "$ROOT/pool/main/h/hello_1.0_amd64.deb" "$M/pool/main/h/hello_1.0_amd64.deb" || fail "damage was believed"
printf 'x' >>"$T"/mirror-state/mirrors/*/mirror
expect 8 'mirror: .*' -- mirror sync "$ROOT" "$M"
rm "$T"/mirror-state/mirrors/*/mirror
expect 0 '' -- mirror sync --json "$ROOT" "$M"
json "o['published'] and o['n_fetched'] == 0"

# ---- Interrupted ------------------------------------------------------------------------------
# A file that cannot be had ends the run; those that came stay.
rm -rf "$T/slow"
mv "$ROOT/pool/main/h/hello_2.0_arm64.deb" "$T"
expect 7 'hello_2.0_arm64.deb: is missing' -- mirror sync --state "$T/s" "$ROOT" "$T/slow"
[ ! -e "$T/slow/dists" ] || fail "a manifest is served before its files are there"
[ "$(find "$T/slow/pool" -type f | wc -l)" = 10 ] || fail "what was fetched is gone"
[ "$(stat -c %a "$T/slow/.hallmark/.stage")" = 700 ] || fail "what was staged is not there, or not for us alone"
mv "$T/hello_2.0_arm64.deb" "$ROOT/pool/main/h/"
expect 0 '' -- mirror sync --state "$T/s" --json "$ROOT" "$T/slow"
json "o['n_hashed'] == 10 and o['n_replaced'] == 0 and o['n_fetched'] == 1"
[ ! -e "$T/slow/.hallmark/.stage" ] || fail "the stage is still there"
cmp "$ROOT/pool/main/h/hello_2.0_arm64.deb" "$T/slow/pool/main/h/hello_2.0_arm64.deb" || fail "the last file"
expect 0 '' -- mirror check --state "$T/s" "$T/slow"
