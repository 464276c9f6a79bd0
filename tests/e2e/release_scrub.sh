#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# --scrub: a share of the unchanged files is read again in each run, all of them in turn; one whose bytes the disk has
# changed stops the publication.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

fill()
{
    mkdir -p "$1"
    local i
    for i in $(seq 10 29); do echo "the content of file $i" >"$1/file$i.txt"; done
    sleep 2.5 # to be believed
}
hashed()
{
    local n=$1
    shift
    expect 0 '' -- release update "${PUBLISHER[@]}" --json "$@" "$root"
    json "o['repositories'][0]['n_hashed'] == $n"
}

root=$T/root
fill "$root"
hashed 20
hashed 0
hashed 1 --scrub=1%
hashed 1 --scrub=5%
hashed 2 --scrub=6%
hashed 20 --scrub=100%
hashed 0
for share in 1 0% 101% -1% 1.5% % '' x% '1 %'; do
    expect 2 'share' -- release update "${PUBLISHER[@]}" --scrub="$share" "$root"
done
expect 2 'not for "status"' -- release status "${PUBLISHER[@]}" --scrub=1% "$root"

# In twenty runs, each file has its turn.
need strace
seen=
for _ in $(seq 20); do
    traced open,openat,openat2 "$REPO_RELEASE" update "${PUBLISHER[@]}" --scrub=5% "$root"
    seen+=$(grep -o 'file[0-9]*[.]txt' "$T/trace" | sort -u)$'\n'
done
[ "$(sort -u <<<"$seen" | grep -c txt)" = 20 ] || fail "not every file was read in 20 runs: $seen"
[ "$(grep -c txt <<<"$seen")" = 20 ] || fail "files were read more than once: $seen"

# A byte that changes on the disk, below the file system.
[ "$(id -u)" = 0 ] || skip "without root, bytes on a disk are not changed"
need mkfs.ext4 losetup
disk=$T/disk
mkdir "$disk"
truncate -s 20M "$T/image"
mkfs.ext4 -q -F "$T/image"
loop=$(losetup -f --show "$T/image" 2>/dev/null) || skip "there is no loop device, so bytes on a disk are not changed"
at_exit "umount '$disk' 2>/dev/null; losetup -d '$loop'"
mount "$loop" "$disk" 2>/dev/null || skip "nothing can be mounted, so bytes on a disk are not changed"
root=$disk/root
PUBLISHER+=(--state "$T/state2")
fill "$root"
hashed 20
umount "$disk"
sed -i 's/the content of file 17/the kontent of file 17/' "$T/image" # in a new file:
losetup -d "$loop"
losetup "$loop" "$T/image"
mount "$loop" "$disk"
grep -q kontent "$root/file17.txt" || fail "the byte was not changed"
cp "$root/Release" "$T/before"
hashed 0
expect 7 'file17.txt: has other bytes than on .*disk' -- release update "${PUBLISHER[@]}" --scrub=100% "$root"
cmp "$T/before" "$root/Release" || fail "it was published"
echo "the content of file 17" >"$root/file17.txt"
sleep 2.5
hashed 20 --scrub=100%
