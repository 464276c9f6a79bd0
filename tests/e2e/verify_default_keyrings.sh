#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The keyrings that count where the command line names none: all in the directory of the configuration that are called
# so, and nothing else that lies there. In a mount namespace with an /etc of its own.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
need unshare
root=$T/root; mkdir "$root"; echo a >"$root/a.txt"
publish "$root"
private=(unshare --mount --propagation private)
[ "$(id -u)" = 0 ] || private+=(--map-root-user)

directory=$(sed -n 's/^sysconfdir = //p' "$top_builddir/Makefile")/hallmark/keyrings
case $directory in
/etc/*) ;;
*) skip "this build's configuration is in $directory" ;;
esac
mkdir -p "$T/etc" "$T$directory"
for file in passwd group nsswitch.conf ld.so.cache; do
    [ ! -r "/etc/$file" ] || cp "/etc/$file" "$T/etc"
done
"${private[@]}" mount --bind "$T/etc" /etc 2>/dev/null || skip "nothing can be mounted in a namespace of one's own here"

# with_etc COMMAND...: in a world in which $T/etc is /etc.
with_etc()
{
    "${private[@]}" sh -c 'mount --bind "$1" /etc && shift && exec "$@"' sh "$T/etc" "$@"
}
check=(with_etc "$REPO_VERIFY" --quiet check "$root" --no-state)

expect 2 'no keyring: .*/keyrings holds no \*\.gpg, \*\.pgp or \*\.asc; --keyring names a file' -- "${check[@]}"
for name in .hidden.gpg README signer.gpg~ signer.gpg.bak gpg a .asc; do
    echo "nothing that gpg knows" >"$T$directory/$name"
done
expect 2 'no keyring: ' -- "${check[@]}"
cp "$KEYS/second.gpg" "$T$directory/a.gpg"
expect 3 'by a key that is not in the keyring' -- "${check[@]}"
for name in z.gpg z.pgp z.asc; do
    cp "$KEYS/signer.gpg" "$T$directory/$name"
    [ $name != z.asc ] || cp "$KEYS/signer.asc" "$T$directory/$name"
    expect 0 '' -- "${check[@]}"
    rm "$T$directory/$name"
done
echo "nothing that gpg knows" >"$T$directory/b.gpg"
cp "$KEYS/signer.gpg" "$T$directory/z.gpg"
expect 2 'b\.gpg' -- "${check[@]}"
rm "$T$directory/b.gpg"
chmod g+w "$T$directory/z.gpg"
expect 2 'z\.gpg: can be written by others' -- "${check[@]}"
rm -r "${T:?}$directory"
expect 2 'no keyring: ' -- "${check[@]}"
