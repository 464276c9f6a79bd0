#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A truncated or corrupt package is never signed: exit status 8 that names it, and what is published stays
# as it is. The same bytes under a name that promises nothing are just bytes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root"
served "$root" >"$T/served"
make_package "$T/p/x-1.tar" x
for ext in tar.gz tar.bz2 tar.xz tar.zst tar.lzma; do
    make_package "$T/p/x-1.$ext" x
done
extensions=(tar.gz tar.bz2 tar.xz tar.zst tar.lzma tar)
if have dpkg-deb; then
    make_package "$T/p/x_1_all.deb" x
    cp "$T/p/x_1_all.deb" "$T/p/x-1.deb"
    extensions+=(deb)
fi

# refused FILE-NAME WHAT, of the file that is put into the pool on standard input
refused()
{
    echo "case $1 $2"
    cat >"$root/pool/$1"
    expect 8 "pool/$1" -- bounded 20 release update "${PUBLISHER[@]}" "$root"
    served_is "$root" "$T/served"
    rm "$root/pool/$1"
}
for ext in "${extensions[@]}"; do
    file=$T/p/x-1.$ext
    size=$(size_of "$file")
    head -c $((size / 2)) "$file" | refused "x-1.$ext" half
    : | refused "x-1.$ext" empty
    head -c 4000 /dev/urandom | refused "x-1.$ext" random
    { cat "$file" && echo "something behind"; } | refused "x-1.$ext" "something behind"
    case $ext in
    tar | deb) ;; # what is in an uncompressed archive has no checksum
    *)
        head -c $((size / 2)) "$file" | cat - <(head -c $((size - size / 2)) /dev/zero) |
            refused "x-1.$ext" "half zeros"
        ;;
    esac
    case $ext in
    tar.gz | tar.bz2 | tar.xz | tar.zst)
        head -c $((size - 1)) "$file" | refused "x-1.$ext" "one byte short"
        cp "$file" "$T/flipped"
        flip "$T/flipped" $((size / 2))
        refused "x-1.$ext" "flipped bit" <"$T/flipped"
        ;;
    esac
done
# Another compression than the name says; no tar inside.
refused "x-1.tar.gz" xz <"$T/p/x-1.tar.xz"
refused "x-1.tar.xz" gz <"$T/p/x-1.tar.gz"
refused "x-1.tar" gz <"$T/p/x-1.tar.gz"
refused "x-1.tar.gz" plain <"$T/p/x-1.tar"
head -c 5000 /dev/zero | tr '\0' y | gzip | refused "x-1.tar.gz" "no tar inside"
echo "<html>404</html>" | refused "x-1.tar.gz" html
refused "x-1.deb" tar <"$T/p/x-1.tar"

# Names that promise nothing.
head -c 100 "$T/p/x-1.tar.gz" >"$root/pool/x-1.tar.gz.part"
head -c 100 "$T/p/x-1.tar.gz" >"$root/pool/x-1.zip"
publish "$root"
expect 0 '' -- consume check "$root"
# And good ones once more.
cp "$T/p/"* "$root/pool"
publish "$root"
expect 0 '' -- consume check "$root"

# One that is damaged after it was signed is found at the next update, unless its stamp says it is the same.
head -c 100 "$T/p/x-1.tar.xz" >"$root/pool/x-1.tar.xz"
served "$root" >"$T/served"
expect 8 'pool/x-1.tar.xz' -- release update "${PUBLISHER[@]}" "$root"
served_is "$root" "$T/served"
