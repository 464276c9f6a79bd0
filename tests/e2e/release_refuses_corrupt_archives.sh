#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Of the hostile archives, update signs those that are whole (what to make of their names is for who unpacks them)
# and refuses those that are truncated or corrupt, one by one; what is published stays as it is, to the time stamps. The
# names of the archives are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup
make_archives

root=$T/root
mkdir "$root"
n=0
while IFS=$'\t' read -r name _ status _; do
    [ "$status" = 0 ] || continue
    n=$((n + 1))
    case $name in
    *.deb) # all the same version of a package, so none beside another
        rm -rf "$T/alone"
        mkdir "$T/alone"
        cp "$ARCHIVES/$name" "$T/alone"
        publish "$T/alone" --state "$T/alone.state"
        passed "$name" "published alone"
        continue
        ;;
    esac
    cp "$ARCHIVES/$name" "$root"
    echo "$name" >>"$T/together"
done <"$ARCHIVES/list"
publish "$root"
expect 0 '' -- consume check "$root"
stdout_has "good: $(find "$root" -maxdepth 1 -type f | wc -l) packages"
while read -r name; do
    passed "$name" "published with others"
done <"$T/together"
served "$root" >"$T/served"
WATCHED=("$root/.hallmark")

mkdir "$root/new"
m=0
while IFS=$'\t' read -r name _ status _; do
    [ "$status" != 0 ] || continue
    m=$((m + 1))
    cp "$ARCHIVES/$name" "$root/new"
    refuses "$name" "$status" "repo-release: new/$name: " -- bounded 60 release update "${PUBLISHER[@]}" "$root"
    served_is "$root" "$T/served"
    rm "$root/new/$name"
done <"$ARCHIVES/list"
((n >= 30 && m >= 30)) || fail "only $n whole and $m broken archives"
