#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G29: readers fetch over HTTP, from nginx, and real apt does, during many publications: nothing torn, nothing
# stale, no failure.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"
PATH=$PATH:/usr/sbin
need nginx
setup_faults

publications=40
[ "${#LONG[@]}" = 0 ] || publications=1000
apt=()
if have apt-get && have dpkg; then
    apt=(--apt-keyring "$KEYS/signer.asc")
else
    echo "not tried: apt-get update, which is not here" >&2
fi
chmod 755 "$WORK"
mkdir "$WORK/nginx" "$WORK/root"
# A reader may be put to sleep between two files that belong together.
python3 "$FAULT/readers.py" --publications "$publications" --top "$WORK/nginx" --root "$WORK/root" "${apt[@]}" -- \
    "$REPO_RELEASE" update "${PUBLISHER[@]}" --keep-generations 3 --keep-for 20s "$WORK/root" || fail "see above"
intact "$WORK/root"
