#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G03, G28: no space, or a limit on file sizes: status 1 with a reason, what is published stays, nothing is left behind, and
# the next run works.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
for i in $(seq 1 200); do echo "$i" >"$root/file$i.txt"; done
publish "$root"
served "$root" >"$T/served"
for i in $(seq 1 100); do echo "more $i" >"$root/more$i.txt"; done

status=0
(
    ulimit -f 2
    trap '' XFSZ
    exec "$REPO_RELEASE" update "${PUBLISHER[@]}" "$root" 2>"$T/stderr"
) </dev/null || status=$?
[ $status = 1 ] || fail "status $status with a limit on file sizes: $(cat "$T/stderr")"
served_is "$root" "$T/served"
[ "$(find "$root/.hallmark" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ] || fail "left behind: $(ls -A "$root/.hallmark")"
publish "$root"
expect 0 '' -- consume check "$root"

# A file system of its own that is full.
[ "$(id -u)" = 0 ] || skip "needs root to mount a small file system; the limit on file sizes was tested"
mkdir "$T/small"
mount -t tmpfs -o size=256k,mode=755 none "$T/small" 2>/dev/null || skip "no file system can be mounted here"
at_exit "umount '$T/small'"
mkdir "$T/small/root"
cp "$root"/file*.txt "$T/small/root" 2>/dev/null || :
rm -f "$T/small/root"/file{60..200}.txt
small=(--key "$KEY" --gnupg-home "$GNUPG" --state "$T/small-state" --config "$T/etc" "$T/small/root")
expect 0 '' -- release update "${small[@]}"
served "$T/small/root" >"$T/served"
head -c 1M /dev/zero >"$T/small/root/.filler" 2>/dev/null || :
rm "$T/small/root/file1.txt"
head -c 1M /dev/zero >"$T/small/root/.filler2" 2>/dev/null || :
expect 1 'space' -- release update "${small[@]}"
served_is "$T/small/root" "$T/served"
# Unpacking into it, too.
make_package "$T/big/big-1.0.tar.xz" big
expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/big-state" "$T/big"
expect 1 'space' -- consume unpack "$T/big" big-1.0.tar.xz --into "$T/small/unpacked"
[ "$(ls -A "$T/small")" = root ] || fail "left behind: $(ls -A "$T/small")"
rm "$T/small/root/.filler" "$T/small/root/.filler2"
expect 0 '' -- release update "${small[@]}"
expect 0 '' -- consume check "$T/small/root"
