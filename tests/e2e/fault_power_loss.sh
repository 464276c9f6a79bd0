#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G02: the power is cut at every system call that changes the file system, and just after exit status 0: what
# is there after the journal's recovery is entirely old or entirely new, and new after exit status 0. ext4; in the long
# form XFS, too.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"

# All mounts end with the namespace.
if [ -z "${FAULT_NAMESPACE:-}" ]; then
    [ "$(id -u)" = 0 ] || skip "cutting the power of a file system needs root"
    need unshare mkfs.ext4
    unshare --mount --propagation private true 2>/dev/null || skip "no mount namespace can be made here"
    FAULT_NAMESPACE=1 unshare --mount --propagation private "$0" || exit $?
    exit 0
fi
setup_faults
# What a failure leaves mounted would not be removed.
AT_EXIT=("sed -n 's|^[^ ]* \($WORK/[^ ]*\) .*|\1|p' /proc/self/mounts | xargs -r umount -l" "${AT_EXIT[@]}")
python3 "$FAULT/power.py" --work "$WORK" --probe 2>"$T/why" ||
    skip "no ext4 image can be mounted and shut down here: $(head -n 1 "$T/why")"

power()
{
    python3 "$FAULT/power.py" --work "$WORK" --filesystem "$1" "${LONG[@]}" ${FAULT_ONLY:+--only "$FAULT_ONLY"} ||
        fail "$1: there are power cuts after which it is neither old nor new"
}
power ext4
if [ "${#LONG[@]}" = 0 ]; then
    exit 0
fi
python3 "$FAULT/power.py" --work "$WORK" --filesystem xfs --probe 2>"$T/why" || {
    echo "not tried: XFS: $(head -n 1 "$T/why")" >&2
    exit 0
}
power xfs
