#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is left out: hidden files, symbolic links, what --exclude says; told with --verbose and counted.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir -p "$root/pool" "$root/.git" "$T/outside"
echo one >"$root/a.txt"
echo two >"$root/pool/b.txt"
echo hidden >"$root/.htaccess"
echo hidden >"$root/.git/config"
echo hidden >"$root/pool/.hidden"
echo secret >"$T/outside/secret.txt"
ln -s ../outside/secret.txt "$root/link.txt"
ln -s "$T/outside" "$root/pool/outside"
ln -s nowhere "$root/dangling"
ln -s . "$root/loop"
echo log >"$root/build.log"
echo part >"$root/pool/x.part"
mkdir "$root/private"
echo private >"$root/private/x"
options=(--exclude '*.log' --exclude 'pool/*.part' --exclude private)

expect 0 '' -- release update "${PUBLISHER[@]}" "${options[@]}" --json "$root"
json "(lambda r: r['n_packages'] == 2 and r['n_skipped'] >= 9)(o['repositories'][0])"
expect 0 '' -- consume list "$root"
[ "$(cut -f 1 "$T/stdout" | tr '\n' ' ')" = "a.txt pool/b.txt " ] || fail "listed: $(cat "$T/stdout")"
! grep -qE 'secret|outside|hidden|loop|log|part|private' "$root/Release" || fail "left in: $(cat "$root/Release")"

echo more >"$root/c.txt"
expect 0 '*' -- release update "${PUBLISHER[@]}" "${options[@]}" --verbose "$root"
for name in .htaccess .git link.txt pool/outside dangling loop build.log pool/x.part private pool/.hidden; do
    cat "$T/stdout" "$T/stderr" | grep -qF "$name" || fail "--verbose does not tell of $name"
done

# A root that is itself a link is what the administrator has chosen.
ln -s root "$T/linked"
expect 0 '' -- release update "${PUBLISHER[@]}" "${options[@]}" --state "$T/state2" "$T/linked"
expect 0 '' -- consume check "$T/linked"
expect 0 '' -- consume check "$root"
