#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G01: updates are killed on other file systems than the one that all other tests use: ext4, XFS, Btrfs and overlayfs
# hold what the manual says; FAT cannot, and says so. Tries those that this kernel has.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"

# All mounts end with the namespace.
if [ -z "${FAULT_NAMESPACE:-}" ]; then
    [ "$(id -u)" = 0 ] || skip "mounting file systems needs root"
    need unshare
    unshare --mount --propagation private true 2>/dev/null || skip "no mount namespace can be made here"
    FAULT_NAMESPACE=1 unshare --mount --propagation private "$0" || exit $?
    exit 0
fi
PATH=$PATH:/usr/sbin
setup_faults
disk=$WORK/disk
mkdir "$disk"
AT_EXIT=("umount -l '$disk' 2>/dev/null" "${AT_EXIT[@]}")

# mount_image MIB MKFS...: an image in memory, at $disk; false where it cannot be had.
mount_image()
{
    local mib=$1
    shift
    rm -f "$WORK/image"
    truncate -s "${mib}M" "$WORK/image"
    have "$1" && "$@" "$WORK/image" >"$T/mkfs" 2>&1 && mount -o loop "$WORK/image" "$disk" 2>"$T/mount"
}

mount_overlay()
{
    mkdir -p "$WORK/lower" "$WORK/upper" "$WORK/worked"
    mount -t overlay -o "lowerdir=$WORK/lower,upperdir=$WORK/upper,workdir=$WORK/worked" overlay "$disk" 2>"$T/mount"
}

stride=9
[ "${#LONG[@]}" = 0 ] || stride=1
n_tried=0
# sweep NAME COMMAND...: where COMMAND can mount it.
sweep()
{
    local name=$1
    shift
    "$@" || {
        echo "not tried: $name, which cannot be made or mounted here" >&2
        return 0
    }
    echo "$name:"
    python3 "$FAULT/sweep.py" kill --work "$disk" --only '^(changed|unpack)$' --stride "$stride" ||
        fail "$name: there are points where a kill leaves something that is neither old nor new"
    umount "$disk"
    n_tried=$((n_tried + 1))
}
sweep ext4 mount_image 100 mkfs.ext4 -q -F
sweep XFS mount_image 300 mkfs.xfs -q -f
sweep Btrfs mount_image 200 mkfs.btrfs -q
sweep overlayfs mount_overlay

# No links, so nothing can be published: a reason, and nothing is left.
if mount_image 50 mkfs.vfat; then
    mkdir "$disk/root"
    echo one >"$disk/root/a.txt"
    expect 1 '.' -- release update "${PUBLISHER[@]}" "$disk/root"
    [ "$(ls -A "$disk/root")" = a.txt ] || fail "left behind: $(ls -A "$disk/root")"
    umount "$disk"
    n_tried=$((n_tried + 1))
else
    echo "not tried: FAT, which cannot be made or mounted here" >&2
fi
[ $n_tried -gt 0 ] || skip "none of these file systems can be mounted here"
