#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror is synced while its source publishes all the time, and is read while it is synced: what is copied is one
# publication, whole, and so is what readers get.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
need dpkg-deb

ROOT=$T/root M=$T/mirror
SETTINGS=(--layout apt --suite stable --component main --architecture amd64 --keep-generations 100)
for i in 0 1 2 3; do
    make_package "$T/debs/hello_1.${i}_amd64.deb" "$i"
done
mkdir -p "$ROOT/pool/stable"
cp "$T/debs/hello_1.0_amd64.deb" "$ROOT/pool/stable"
publish "${SETTINGS[@]}" "$ROOT"
expect 0 '' -- mirror sync "$ROOT" "$M"

# Publishes, as fast as it can, packages that it had and new ones; none is removed meanwhile.
(
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
        cp "$T/debs/hello_1.$((i % 4))_amd64.deb" "$ROOT/pool/stable/.new"
        mv "$ROOT/pool/stable/.new" "$ROOT/pool/stable/hello_1.$((i % 4))_amd64.deb"
        release "$([ $((i % 3)) = 0 ] && echo resign || echo update)" "${PUBLISHER[@]}" "${SETTINGS[@]}" "$ROOT"
    done >"$T/publisher.log" 2>&1 || touch "$T/publisher.failed"
    touch "$T/publisher.done"
) &
# Reads the mirror all the time, as a client does: the manifest, an index by its hash, a package.
(
    n=0
    while [ ! -e "$T/mirror.done" ]; do
        verify unpack --quiet --keyring "$KEYS/signer.gpg" --no-state --into "$T/read" "$M" hello:amd64 \
            >>"$T/reader.log" 2>&1 || touch "$T/reader.failed"
        rm -rf "$T/read"
        n=$((n + 1))
        echo $n >"$T/reader.count"
    done
) &
reader=$!

n=0 tried=0
while [ ! -e "$T/publisher.done" ] || [ $n = 0 ]; do
    status=0
    mirror sync --verbose "$ROOT" "$M" >"$T/stdout" 2>"$T/stderr" || status=$?
    # The three documents are read one after another: that can fail twice, and says so.
    if [ $status = 7 ]; then
        grep -q 'Release is not the text of InRelease' "$T/stderr" || { show_output && fail "status 7"; }
    elif [ $status != 0 ]; then
        show_output
        fail "status $status"
    fi
    ! grep -q 'trying once more' "$T/stderr" || tried=$((tried + 1))
    n=$((n + 1))
    expect 0 '' -- mirror check --quiet "$M"
done
touch "$T/mirror.done"
wait "$reader"
[ ! -e "$T/publisher.failed" ] || fail "the publisher: $(tail -n 3 "$T/publisher.log")"
[ ! -e "$T/reader.failed" ] || fail "a reader of the mirror: $(tail -n 3 "$T/reader.log")"
expect 0 '' -- mirror sync "$ROOT" "$M"
diff -r -x by-hash -x .hallmark "$ROOT" "$M" >&2 || fail "the mirror is not what its source is"
echo "$n runs, $tried of them tried again; $(cat "$T/reader.count") readers"
echo "attack F10-mirror: A"

# ---- The same, step by step: an index changes after the manifest was read, and is there by its hash ------------
mkdir "$T/mixed"
cp -a "$ROOT/." "$T/mixed"
make_package "$ROOT/pool/stable/other_1.0_amd64.deb"
publish "${SETTINGS[@]}" "$ROOT"
S=.hallmark/$(readlink "$ROOT/.hallmark/current")/dists/stable
OLD=$T/mixed/.hallmark/$(readlink "$T/mixed/.hallmark/current")/dists/stable
for index in Packages Packages.gz Packages.xz; do
    new=$ROOT/$S/main/binary-amd64/$index
    [ ! -e "$new" ] || cp --remove-destination "$new" "$OLD/main/binary-amd64/$index"
done
expect 0 '' -- mirror sync --state "$T/s" "$T/mixed" "$T/other"
expect 0 '' -- mirror check --state "$T/s" "$T/other"
rm -r "$OLD"/main/binary-amd64/by-hash
rm -rf "$T/other" "$T/s"
expect 7 'binary-amd64/Packages' -- mirror sync --state "$T/s" "$T/mixed" "$T/other"
echo "attack F09-mirror-mixed: 7"
