#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Files that have not changed are not read again; what is too fresh is; a damaged, foreign or lying cache is
# noticed and made anew, and never decides what is signed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
for i in $(seq 1 20); do echo "file $i" >"$root/file$i.txt"; done
hashed()
{
    expect 0 '' -- release update "${PUBLISHER[@]}" "$root" --json
    json "o['repositories'][0]['n_hashed'] $1"
    expect 0 '' -- consume check "$root"
}
hashed "== 24"
# At once again: all of them are younger than the cache believes.
hashed "== 24"
# Two seconds later a run that has something to publish makes them known.
echo more >"$root/more.txt"
sleep 2.5
hashed "== 25"
hashed "== 0"

# Those that change are read, and no others: a new text, one of the size and time of before (ctime tells),
# another file moved into its place (the inode tells), and a name that was not there.
echo changed >"$root/file3.txt"
touch -r "$root/file4.txt" "$T/time"
printf 'FILE 4\n' >"$root/file4.txt"
touch -r "$T/time" "$root/file4.txt"
printf 'fILE 5\n' >"$root/.new"
touch -r "$root/file5.txt" "$root/.new"
mv "$root/.new" "$root/file5.txt"
mv "$root/file6.txt" "$root/renamed.txt"
sleep 2.5
hashed "== 4"
hashed "== 0"
grep -qE "$(sha256sum <"$root/file3.txt" | cut -c 1-64) +8 file3.txt" "$root/Release" || fail "an old hash"

# Damage: everything is read again, and all is right.
cache=$T/publisher/cache
[ -f "$cache" ] || fail "no cache: $(ls "$T/publisher")"
cp "$cache" "$T/good-cache"
size=$(size_of "$cache")
damage()
{
    echo "case $1"
    ! cmp -s "$cache" "$T/good-cache" || fail "$1: the case changes nothing"
    hashed "== 25"
    hashed "== 0"
}
for at in 0 $((size / 3)) $((size / 2)) $((size - 1)); do
    cp "$T/good-cache" "$cache"
    flip "$cache" "$at"
    damage "flipped at $at"
done
truncate -s $((size / 2)) "$cache"
damage "cut"
: >"$cache"
damage "empty"
head -c "$size" /dev/urandom >"$cache"
damage "random"
truncate -s 200M "$cache"
damage "large"
rm "$cache"
damage "missing"
# Of another repository.
mkdir "$T/other"
cp -a "$root/file"*.txt "$T/other"
expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/state2" "$T/other"
cp "$T/state2/cache" "$cache"
expect 0 '' -- release update "${PUBLISHER[@]}" "$root"
expect 0 '' -- consume check "$root"
# A cache that cannot be read or written is no reason to sign nothing, but an error, or done without.
rm "$cache"
mkdir "$cache"
status=0
release update "${PUBLISHER[@]}" "$root" 2>"$T/stderr" || status=$?
case $status in
0) ;;
1) grep -q 'cache' "$T/stderr" || fail "$(cat "$T/stderr")" ;;
*) fail "status $status with a directory for a cache: $(cat "$T/stderr")" ;;
esac
rmdir "$cache" 2>/dev/null || :

# By system call: an unchanged package is not opened.
need strace
echo known >"$root/known.txt"
sleep 2.5
hashed ">= 0"
echo again >"$root/file7.txt"
traced open,openat,openat2 "$REPO_RELEASE" update "${PUBLISHER[@]}" "$root"
grep -q 'file7.txt' "$T/trace" || fail "the changed file was not opened"
! grep -E 'hello-1|world-2|file8' "$T/trace" || fail "an unchanged package was opened"
