#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Old generations go when they are old enough and there are enough younger ones; the current one never.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
generations()
{
    find "$root/.hallmark" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | tr '\n' ' '
}
for i in 1 2 3 4 5; do
    echo $i >"$root/file.txt"
    publish "$root" --keep-generations 3 --keep-for 1d
done
[ "$(generations | wc -w)" = 5 ] || fail "young generations were removed: $(generations)"
[ "$(readlink "$root/.hallmark/current")" = 00000005 ] || fail "current: $(readlink "$root/.hallmark/current")"
served "$root" >"$T/served"

expect 0 '' -- release prune "${PUBLISHER[@]}" --keep-generations 3 --keep-for 1d "$root"
[ "$(generations | wc -w)" = 5 ] || fail "young generations were removed: $(generations)"
touch -d '2 days ago' "$root/.hallmark/0000000"[1-5]
expect 0 '' -- release prune "${PUBLISHER[@]}" --keep-generations 3 --keep-for 1d "$root" --json
json "o['repositories'][0]['n_pruned'] == 2"
[ "$(generations)" = "00000003 00000004 00000005 " ] || fail "left: $(generations)"
expect 0 '' -- release prune "${PUBLISHER[@]}" --keep-generations 1 --keep-for 1s "$root"
[ "$(generations)" = "00000005 " ] || fail "left: $(generations)"
served_is "$root" "$T/served"
expect 0 '' -- consume check "$root"

# What a crashed run has left goes, too; what is somebody else's stays.
mkdir "$root/.hallmark/.new.abc"
echo half >"$root/.hallmark/.new.abc/Release"
touch -d '2 days ago' "$root/.hallmark/.new.abc"
publish "$root"
echo 6 >"$root/file.txt"
publish "$root"
expect 0 '' -- consume check "$root"
[ "$(generations | wc -w)" -le 3 ] || fail "left: $(generations)"
