#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# G11, G13: what is no plain file, or cannot be read, is never left out in silence: an error that names it, in bounded
# time, and what is published stays as it is.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir -p "$root/pool"
echo one >"$root/a.txt"
publish "$root"
served "$root" >"$T/served"

refused()
{
    expect "$1" "$2" -- bounded 10 release update "${PUBLISHER[@]}" "$root"
    served_is "$root" "$T/served"
    rm -rf "$root/pool/x"
}
mkfifo "$root/pool/x"
refused 8 'pool/x'
python3 -c 'import os, socket, sys
os.chdir(sys.argv[1])
socket.socket(socket.AF_UNIX).bind("x")' "$root/pool"
refused 8 'pool/x'
if [ "$(id -u)" = 0 ] && mknod "$root/pool/x" c 1 3 2>/dev/null; then
    refused 8 'pool/x'
fi
mkfifo "$root/pool/x.tar.gz"
expect 8 'pool/x.tar.gz' -- bounded 10 release update "${PUBLISHER[@]}" "$root"
rm "$root/pool/x.tar.gz"

# Too deep.
deep=$root/pool/x
for _ in {1..70}; do deep=$deep/d; done
mkdir -p "$deep"
refused 8 'pool/x/d/d'

# Unreadable, for one who is not root: a file, a directory.
echo secret >"$root/pool/x"
chmod 000 "$root/pool/x"
if [ "$(id -u)" = 0 ]; then
    need setpriv
    mkdir "$T/nobody"
    cp -R "$GNUPG" "$T/nobody/gnupg"
    cp "$REPO_RELEASE" "$T/nobody/"
    [ -z "${LIBRARY_DIR:-}" ] || cp "$LIBRARY_DIR"/libhallmark.so* "$T/nobody/"
    chmod 700 "$T/nobody"
    chown -R 65534:65534 "$T/nobody" "$root"
    chmod 711 "$T"
    as_nobody()
    {
        setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$T/nobody" \
            LD_LIBRARY_PATH="$T/nobody" XDG_STATE_HOME="$T/nobody/state" XDG_CONFIG_HOME="$T/nobody/config" \
            timeout 60 "$T/nobody/repo-release" update --key "$KEY" --gnupg-home "$T/nobody/gnupg" "$root"
    }
else
    as_nobody()
    {
        release update "${PUBLISHER[@]}" "$root"
    }
fi
expect 1 'pool/x' -- as_nobody
served_is "$root" "$T/served"
rm -f "$root/pool/x"
mkdir "$root/pool/x"
[ "$(id -u)" != 0 ] || chown 65534:65534 "$root/pool/x"
chmod 000 "$root/pool/x"
expect 1 'pool/x' -- as_nobody
served_is "$root" "$T/served"
rmdir "$root/pool/x"
echo two >"$root/b.txt"
expect 0 '' -- as_nobody
expect 0 '' -- consume check "$root"
stdout_has 'good: 2 packages'
