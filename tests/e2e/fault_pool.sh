#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G09, G10: the pool changes while it is read: never a manifest that lists bytes which were not there, never a
# crash: exit status 0, or 1 and one line.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"
setup_faults

for i in 1 2 3; do
    make_package "$T/p/$i/package-1.0.tar.gz" "version $i"
done
changes=1500
[ "${#LONG[@]}" = 0 ] || changes=10000
mkdir "$WORK/pool"
python3 "$FAULT/hostile_pool.py" --changes "$changes" --root "$WORK/pool" --keyring "$FAULT_KEYRING" \
    --archive "$T/p/1/package-1.0.tar.gz" --archive "$T/p/2/package-1.0.tar.gz" \
    --archive "$T/p/3/package-1.0.tar.gz" ${FAULT_SEED:+--seed "$FAULT_SEED"} -- \
    "$REPO_RELEASE" update "${PUBLISHER[@]}" --accept-loss "$WORK/pool" || fail "see above"
