#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Of the hostile archives, update signs those that are whole (what to make of their names is for who unpacks them)
# and refuses those that are truncated or corrupt, one by one.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
make_archives

root=$T/root
mkdir "$root"
n=0
while IFS=$'\t' read -r name _ status _; do
    [ "$status" = 0 ] || continue
    cp "$ARCHIVES/$name" "$root"
    n=$((n + 1))
done <"$ARCHIVES/list"
publish "$root"
expect 0 '' -- consume check "$root"
stdout_has "good: $n packages"
served "$root" >"$T/served"

mkdir "$root/new"
m=0
while IFS=$'\t' read -r name _ status _; do
    [ "$status" != 0 ] || continue
    m=$((m + 1))
    cp "$ARCHIVES/$name" "$root/new"
    expect "$status" "repo-release: new/$name: " -- bounded 60 release update "${PUBLISHER[@]}" "$root"
    served_is "$root" "$T/served"
    rm "$root/new/$name"
done <"$ARCHIVES/list"
((n >= 30 && m >= 30)) || fail "only $n whole and $m broken archives"
