#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# G14: names that could be misread in a manifest, or that hallmark keeps for itself: exit status 8 that names the
# file, and what is published stays as it is.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir -p "$root/dir"
echo one >"$root/a.txt"
publish "$root"
served "$root" >"$T/served"

refused()
{
    local name=$1 regex=$2
    printf 'case %q\n' "$name"
    echo x >"$root/$name" || fail "cannot make the file"
    expect 8 "$regex" -- release update "${PUBLISHER[@]}" "$root"
    served_is "$root" "$T/served"
    rm "$root/$name"
}
refused "$(printf 'line\nbreak')" 'line\\nbreak|line\\x0abreak'
refused "a blank" 'a blank'
refused "$(printf 'tab\there')" 'tab\\(t|x09)here'
refused "$(printf 'esc\033[31m')" 'esc\\(e|x1b)'
refused "$(printf 'del\177')" 'del\\x7f'
refused "ümlaut" 'mlaut'
refused "$(printf 'latin\374')" 'latin\\xfc'
refused 'back\slash' 'back'
refused "$(printf 'n%.0s' {1..254})$(printf '\033')" 'nnn\\(e|x1b)'
refused "-dash" '[-]dash'
refused "dir/-dash" 'dir/-dash'
refused "A.txt" '[Aa]\.txt'
mkdir "$root/DIR"
echo two >"$root/dir/b.txt"
refused "DIR/b.txt" '(DIR|dir)/b\.txt'
rm -r "$root/DIR" "$root/dir/b.txt"
for name in Packages Packages.gz Sources Sources.xz by-hash dists; do
    refused "$name" "$name"
done
mkdir "$root/dists"
expect 8 'dists' -- release update "${PUBLISHER[@]}" "$root"
rmdir "$root/dists"
# A directory counts, too, when it holds something.
mkdir "$root/bad dir"
echo x >"$root/bad dir/file"
expect 8 'bad dir' -- release update "${PUBLISHER[@]}" "$root"
rm -r "$root/bad dir"
served_is "$root" "$T/served"

# Below the root these names are nothing special, and odd but harmless ones are listed as they are.
mkdir -p "$root/dir/dists" "$root/~tilde+plus"
echo x >"$root/dir/Packages"
echo x >"$root/dir/Release"
echo x >"$root/dir/dists/x"
echo x >"$root/~tilde+plus/a%20b@c,d=e:f!(g)[h]{i};j&k'l\"m\$n\`o^p#q*r?s<t>u|v"
publish "$root"
expect 0 '' -- consume check "$root"
stdout_has 'good: 5 packages'
expect 0 '' -- consume list "$root" --json
json "any(p['path'].startswith('~tilde+plus/a%20b@c,d=e:f!') for p in o['packages'])"
