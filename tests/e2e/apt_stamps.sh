#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Published indexes that have not changed are known by their stamps: a run that has nothing to do, and resign, do not
# read them. What was written to since is noticed whatever its times are, and mended; what the disk has changed below
# the file system is found by --scrub and by check, and never becomes a part of a new index.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
need dpkg-deb xz

root=$T/root
stamps=$T/publisher/stamps
settings=(--layout apt --suite stable --state "$T/publisher")
index=$root/dists/stable/main/binary-amd64/Packages
for name in one two three; do
    make_package "$root/pool/${name}_1_amd64.deb"
done
update()
{
    expect 0 '' -- release update "${PUBLISHER[@]}" "${settings[@]}" --json "$@" "$root"
}
published()
{
    update "${@:2}"
    json "o['repositories'][0]['published'] == $1"
}
resign()
{
    expect "$1" "$2" -- release resign "${PUBLISHER[@]}" "${settings[@]}" "$root"
}
forms_are_good()
{
    xz -dc "$index.xz" | cmp - "$index" || fail "xz"
    gzip -dc "$index.gz" | cmp - "$index" || fail "gzip"
    expect 0 '' -- consume check "$root"
}

published True
n=$(find "$root/dists/stable/main" -type f ! -path '*/by-hash/*' | wc -l)
[ "$(sed 1d "$stamps" | wc -l)" -ge "$n" ] || fail "not all of $n files are in the record: $(cat "$stamps")"
published False

# A change that a stamp tells: with the time of writing, and with the time put back.
for back in '' yes; do
    for file in "$index.xz" "$index"; do
        time=$(stat -c %Y "$file")
        flip "$(readlink -f "$file")" 20
        [ -z "$back" ] || touch -d "@$time" "$file"
        resign 7 'not what was published last'
        published True
        forms_are_good
        published False
    done
done

# After a resign, which gives the files other names, and after pruning, which takes some, they are still known.
resign 0 ''
resign 0 ''
if have strace; then
    opened()
    {
        local command=$1
        shift
        traced open,openat,openat2 "$REPO_RELEASE" "$command" "${PUBLISHER[@]}" "${settings[@]}" "$@" "$root" ||
            fail "$command under strace: status $?"
        grep -q '"state"' "$T/trace" || fail "strace saw nothing"
        grep -q '/Packages[.]xz"' "$T/trace"
    }
    ! opened resign || fail "resign read an index"
    ! opened update || fail "update read a compressed index"
    cp -p "$stamps" "$T/stamps"
    opened update --scrub=1% || fail "--scrub read no index"
    # A damaged record, one of others, and one of another manifest have everything read.
    for damage in 'printf x >>"$stamps"' 'sed -i "2s/ / 1/" "$stamps"' 'sed -i "1s/ 1 ./ 1 x/" "$stamps"' \
        'chmod 666 "$stamps"' ': >"$stamps"' 'rm "$stamps"'; do
        eval "$damage"
        opened update || fail "nothing was read after: $damage"
        rm -f "$stamps"
        cp -p "$T/stamps" "$stamps"
        ! opened update || fail "an index was read that is known"
    done
    sleep 2.1
    expect 0 '' -- release prune "${PUBLISHER[@]}" "${settings[@]}" --keep-generations 1 --keep-for 1s "$root"
    [ "$(find "$root/.hallmark" -maxdepth 1 -name '0*' | wc -l)" = 1 ] || fail "nothing was pruned"
    ! opened update || fail "update read an index after prune"
    rm "$stamps"
    mkdir "$stamps"
    expect 0 'stamps of indexes cannot be kept' -- release resign "${PUBLISHER[@]}" "${settings[@]}" "$root"
    rmdir "$stamps"
    resign 0 ''
    ! opened resign || fail "resign has read an index"
fi

# Bytes that change on the disk, below the file system.
[ "$(id -u)" = 0 ] || skip "without root, bytes on a disk are not changed"
need mkfs.ext4 losetup
disk=$T/disk
mkdir "$disk"
truncate -s 20M "$T/image"
mkfs.ext4 -q -F "$T/image"
loop=$(losetup -f --show "$T/image" 2>/dev/null) || skip "there is no loop device, so bytes on a disk are not changed"
at_exit "umount '$disk' 2>/dev/null; losetup -d '$loop'"
mount "$loop" "$disk" 2>/dev/null || skip "nothing can be mounted, so bytes on a disk are not changed"
cp -a "$root/pool" "$disk"
root=$disk
index=$root/dists/stable/main/binary-amd64/Packages
settings=(--layout apt --suite stable --state "$T/publisher2")
stamps=$T/publisher2/stamps
published True
# rot: changes what the index says of one package, not its stamp.
rot()
{
    umount "$disk"
    sed -i 's/^Package: two$/Package: twx/' "$T/image" # in a new file:
    losetup -d "$loop"
    losetup "$loop" "$T/image"
    mount "$loop" "$disk"
    grep -q twx "$index" || fail "the byte was not changed"
}
rot
published False
resign 0 ''
expect 7 '*' -- consume check "$root"
grep -q 'Packages: SHA256 is' "$T/stderr" || fail "check has not found it"
published True --scrub=1%
forms_are_good
published False
# Unnoticed until something is added: then nothing is published, and the next run mends it.
rot
make_package "$root/pool/four_1_amd64.deb"
expect 7 'Packages: was changed meanwhile' -- release update "${PUBLISHER[@]}" "${settings[@]}" "$root"
[ ! -e "$stamps" ] || fail "the record is still there"
published True
forms_are_good
! grep -q twx "$index" || fail "damage was published"
