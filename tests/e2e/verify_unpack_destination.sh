#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where unpack may write: a directory that does not exist yet in one that does. Everything else is refused
# with exit status 2 before anything is touched.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup

root=$T/root
make_package "$root/hello-1.0.tar.gz" hello
publish "$root"
mkdir "$T/out"

expect 0 '' -- consume check "$root"
WATCHED=("$root" "$T/out" "$T/consumer")

refused()
{
    refuses "$1" 2 "$3" -- consume unpack "$root" hello-1.0.tar.gz --into "$2"
}

mkdir "$T/out/empty" "$T/out/full"
echo mine >"$T/out/full/file"
echo mine >"$T/out/file"
ln -s nowhere "$T/out/dangling"
ln -s empty "$T/out/link"
mkfifo "$T/out/fifo"
refused P13-empty-directory "$T/out/empty" 'out/empty.*exists'
refused P13-full-directory "$T/out/full" 'out/full.*exists'
refused P13-file "$T/out/file" 'out/file.*exists'
refused P13-dangling-link "$T/out/dangling" 'out/dangling.*exists'
refused P13-link-to-a-directory "$T/out/link" 'out/link.*exists'
refused P13-link-with-a-slash "$T/out/link/" 'out/link.*exists'
refused P13-fifo "$T/out/fifo" 'out/fifo.*exists'
refused P13-parent-itself "$T/out" 'out.*exists'
refused P13-root / 'exists|cannot|/'
refused P13-dots "$T/out/x/.." 'out/x'
refused P13-null /dev/null 'exists'
if [ "$(id -u)" = 0 ] && mkdir "$T/other" && mount -t tmpfs none "$T/other" 2>/dev/null; then
    at_exit "umount '$T/other'"
    refused P13-mount-point "$T/other" 'other.*exists'
fi
refused P13-missing-parent "$T/out/missing/new" 'out/missing'
refused P13-file-as-parent "$T/out/file/new" 'out/file'
refused P13-nothing "" 'into|empty|directory'
refused P13-here . 'exists|\.'
expect 2 '[-]-into' -- consume unpack "$root" hello-1.0.tar.gz
expect 2 'unpack' -- consume unpack "$root" --into "$T/out/x"
[ ! -e "$T/out/x" ] || fail "unpacked nothing into something"

# Relative, with a slash behind, through a linked parent: the same place.
rm -rf "$T/out" && mkdir "$T/out" && ln -s out "$T/linked"
(cd "$T/out" && expect 0 '' -- consume unpack "$root" hello-1.0.tar.gz --into here)
[ -d "$T/out/here/hello-1.0" ] || fail "not unpacked here"
expect 0 '' -- consume unpack "$root" hello-1.0.tar.gz --into "$T/out/slash/"
[ -d "$T/out/slash/hello-1.0" ] || fail "not unpacked with a slash"
expect 0 '' -- consume unpack "$root" hello-1.0.tar.gz --into "$T/linked/through"
[ -d "$T/out/through/hello-1.0" ] || fail "not unpacked through a link"
[ "$(find "$T/out" -mindepth 1 -maxdepth 1 | wc -l)" = 3 ] || fail "left behind: $(ls -A "$T/out")"

# A parent in which nobody but root may write.
if [ "$(id -u)" != 0 ]; then
    mkdir "$T/closed" && chmod 555 "$T/closed"
    expect 1 'closed' -- consume unpack "$root" hello-1.0.tar.gz --into "$T/closed/x"
fi
