#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Archives that are well signed and hostile: exit status 9 with the entry's name and the reason, nothing is left,
# nothing outside is touched; odd but harmless ones unpack like GNU tar unpacks them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
make_archives

# Signed by hand: update would refuse some of them.
root=$T/root
mkdir "$root" "$T/out" "$T/reference"
cp "$ARCHIVES"/* "$root"
rm "$root/list"
{
    echo "Date: $(date -u '+%a, %d %b %Y %H:%M:%S UTC')"
    echo "Valid-Until: $(date -u -d '+1 day' '+%a, %d %b %Y %H:%M:%S UTC')"
    echo "SHA256:"
    (cd "$root" && stat -c '%s %n' -- * | while read -r size name; do
        echo " $(sha256sum <"$name" | cut -c 1-64) $size $name"
    done)
} >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" >"$root/InRelease"
expect 0 '' -- consume check "$root"

n=0
while IFS=$'\t' read -r name status _ reason; do
    n=$((n + 1))
    if [ "$status" = 0 ]; then
        expect 0 '' -- bounded 60 verify "${CONSUMER[@]}" unpack "$root" "$name" --into "$T/out/x"
        [ -d "$T/out/x" ] || fail "$name: not unpacked"
        [ -z "$(find "$T/out/x" ! -type l -perm /7022)" ] || fail "$name: modes beyond 0755"
        [ -z "$(find "$T/out/x" ! -type f ! -type d ! -type l)" ] || fail "$name: a device or a fifo"
        [ -z "$(find "$T/out/x" ! -user "$(id -u)")" ] || fail "$name: another owner"
        case $name in
        A22-sparse-small.tar.gz) ;; # its map does not end where the file does: GNU tar makes it shorter
        *.tar*)
            unpack_reference "$root/$name" "$T/reference/x" 2>/dev/null || :
            diff -r --no-dereference "$T/out/x" "$T/reference/x" || fail "$name: GNU tar unpacks something else"
            chmod -R u+rwX "$T/reference/x"
            ;;
        esac
        chmod -R u+rwX "$T/out/x"
        rm -rf "$T/out/x" "$T/reference/x"
    else
        expect "$status" "^repo-verify: $name: " -- bounded 60 verify "${CONSUMER[@]}" unpack "$root" "$name" \
            --into "$T/out/x"
        [ "$reason" = - ] || grep -qF -- "$reason" "$T/stderr" || {
            show_output
            fail "$name: the reason does not say \"$reason\""
        }
        nothing_unpacked "$T/out/x"
    fi
done <"$ARCHIVES/list"
[ $n -ge 100 ] || fail "there were only $n archives"
[ -z "$(ls -A "$T/out")" ] || fail "left behind: $(ls -A "$T/out")"

# --links=any lets links point anywhere, and still writes nothing through them.
mkdir "$T/target"
snapshot "$T/target" >"$T/before"
for name in A04-through-absolute-symlink.tar.gz A04-through-relative-symlink.tar.gz A06-directory-replaced.tar.gz; do
    expect 9 "$name" -- consume unpack "$root" $name --into "$T/out/x" --links any
    nothing_unpacked "$T/out/x"
done
mkdir "$T/p"
ln -s /etc/passwd "$T/p/absolute"
ln -s ../../outside "$T/p/outside"
echo text >"$T/p/file"
tar -C "$T" -czf "$T/links-1.0.tar.gz" p
mkdir "$T/root2"
mv "$T/links-1.0.tar.gz" "$T/root2"
expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/state2" "$T/root2"
expect 9 'links-1.0.tar.gz: .*(absolute|outside)' -- consume unpack "$T/root2" links-1.0.tar.gz --into "$T/out/x"
nothing_unpacked "$T/out/x"
expect 0 '' -- consume unpack "$T/root2" links-1.0.tar.gz --into "$T/out/x" --links any
[ "$(readlink "$T/out/x/p/absolute")" = /etc/passwd ] || fail "the link is another one"
unchanged "$T/target" "$T/before"
