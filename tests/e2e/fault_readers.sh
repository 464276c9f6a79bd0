#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G29: readers fetch over HTTP, from nginx, during many publications: nothing torn, nothing stale, no failure.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"
PATH=$PATH:/usr/sbin
need nginx
setup_faults

publications=100
[ "${#LONG[@]}" = 0 ] || publications=1000
chmod 755 "$WORK"
mkdir "$WORK/nginx" "$WORK/root"
python3 "$FAULT/readers.py" --publications "$publications" --top "$WORK/nginx" --root "$WORK/root" -- \
    "$REPO_RELEASE" update "${PUBLISHER[@]}" --keep-generations 3 --keep-for 1s "$WORK/root" || fail "see above"
intact "$WORK/root"
