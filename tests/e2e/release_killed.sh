#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G01, G25: killed at any moment, update leaves what was published before or what is new, never a mixture, and the next
# run works and cleans up.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
echo 0 >"$root/a.txt"
for i in $(seq 1 30); do echo "$i" >"$root/file$i.txt"; done
publish "$root"
echo 1 >"$root/a.txt"
began=$(date +%s%N)
publish "$root"
took=$((($(date +%s%N) - began) / 1000000))

# What a reader gets: the three files agree, and the manifest is of one state of a.txt.
whole()
{
    local gpgv=$T/gpgv
    gpgv --keyring "$KEYS/signer.gpg" --output "$T/inside" "$root/InRelease" 2>"$gpgv" ||
        fail "$1: InRelease: $(cat "$gpgv")"
    cmp -s "$T/inside" "$root/Release" || fail "$1: InRelease and Release differ"
    gpgv --keyring "$KEYS/signer.gpg" "$root/Release.gpg" "$root/Release" 2>"$gpgv" ||
        fail "$1: Release.gpg: $(cat "$gpgv")"
    rm "$T/inside"
}

old=0 new=0
for i in $(seq 1 20); do
    echo "$((i + 1))" >"$root/a.txt"
    before=$(readlink "$root/.hallmark/current")
    delay=$((took * i / 18))
    "$REPO_RELEASE" update "${PUBLISHER[@]}" "$root" 2>/dev/null &
    pid=$!
    sleep "$((delay / 1000)).$(printf '%03d' $((delay % 1000)))"
    kill -9 $pid 2>/dev/null || :
    wait $pid 2>/dev/null || :
    whole "killed after $delay ms"
    if [ "$(readlink "$root/.hallmark/current")" = "$before" ]; then
        old=$((old + 1))
    else
        new=$((new + 1))
        grep -q "$(sha256sum <"$root/a.txt" | cut -c 1-64)" "$root/Release" || fail "new, but not what is there"
    fi
done
echo "killed $((old + new)) times within $took ms: $old times it was still old, $new times already new"
[ $old -ge 3 ] || fail "it was hardly ever killed in time"

publish "$root" --lock-wait 20s
whole "the next run"
expect 0 '' -- consume check "$root"
find "$root/.hallmark" -mindepth 1 -maxdepth 1 -type d -exec touch -d '3 days ago' {} +
expect 0 '' -- release prune "${PUBLISHER[@]}" --keep-generations 1 --keep-for 1s "$root"
[ "$(find "$root/.hallmark" -mindepth 1 | wc -l)" = 5 ] || fail "left behind: $(find "$root/.hallmark")"
[ "$(find "$root" -mindepth 1 -maxdepth 1 | wc -l)" = 35 ] || fail "left behind: $(ls -A "$root")"
expect 0 '' -- consume check "$root"

# At each change of the file system that a run makes, by system call.
need strace
killed=0
for calls in rename,renameat,renameat2 symlink,symlinkat mkdir,mkdirat fsync,fdatasync link,linkat unlink,unlinkat,rmdir; do
    for nth in 1 2 3 4 5 6 7 8; do
        echo "$calls $nth" >"$root/a.txt"
        status=0
        (strace -qq -o /dev/null -e "trace=$calls" -e "inject=$calls:signal=KILL:when=$nth" \
            "$REPO_RELEASE" update "${PUBLISHER[@]}" "$root") >/dev/null 2>&1 || status=$?
        whole "killed at $calls number $nth"
        [ $status != 0 ] || break
        killed=$((killed + 1))
    done
done
echo "killed at $killed system calls"
[ $killed -ge 8 ] || fail "it was killed at $killed system calls only"
publish "$root" --lock-wait 20s
expect 0 '' -- consume check "$root"
