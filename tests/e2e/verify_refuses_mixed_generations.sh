#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A manifest of one generation with the files of another: exit status 7 and nothing changed, unless by-hash still has
# what the manifest says. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup
need dpkg-deb

root=$T/root site=$T/site
mkdir "$T/out"
keep()
{
    rm -rf "${T:?}/$1"
    cp -RL "$root" "$T/$1"
    rm -rf "$T/$1/.hallmark"
}
show()
{
    rm -rf "$site"
    cp -R "$T/$1" "$site"
}
make_package "$root/pool/hello_1.0_all.deb" "hello 1.0"
publish "$root" --valid-for 10d
keep first
make_package "$root/pool/hello_1.1_all.deb" "hello 1.1"
make_package "$root/pool/hello_1.0_all.deb" "hello 1.0, built again"
publish "$root" --valid-for 10d
keep second
hash_of()
{
    sha256sum <"$T/$1/Packages" | cut -c 1-64
}
[ -e "$T/second/by-hash/SHA256/$(hash_of first)" ] || fail "by-hash does not have the older index"
WATCHED=("$site" "$T/consumer") PARENTS=("$T/out")

one()
{
    refuses "$1" 7 "$2" -- consume unpack "$site" "$3" --into "$T/out/x"
}
# checked CASE N REGEX: N files are bad.
checked()
{
    local what=$1
    watched >"$T/before"
    expect 7 '*' -- consume check "$site"
    [ "$(grep -cE -- "^repo-verify: $3" "$T/stderr")" = "$2" ] || {
        show_output
        fail "$what: not $2 lines that match \"$3\""
    }
    watched | diff "$T/before" - || fail "$what: something has changed"
    passed "$what" "exit status 7"
}

# New manifest, old files; and the reverse.
show second
cp "$T/first/pool/hello_1.0_all.deb" "$site/pool"
one F09-new-manifest-old-package 'pool/hello_1.0_all.deb: (has|SHA256 is)' pool/hello_1.0_all.deb
checked F09-new-manifest-old-package-in-a-check 1 'pool/hello_1.0_all.deb: '
show first
cp "$T/second/pool/"*.deb "$site/pool"
one F09-old-manifest-new-package 'pool/hello_1.0_all.deb: (has|SHA256 is)' pool/hello_1.0_all.deb
for name in Packages Packages.gz Packages.xz; do
    show second
    rm -rf "$site/by-hash"
    cp "$T/first/$name" "$site"
    checked "F09-new-manifest-old-$name" 1 "$name: "
done
show first
rm -rf "$site/by-hash"
cp "$T/second/"Packages* "$site"
checked F09-old-manifest-new-indexes 3 'Packages(|.gz|.xz): '

# The files change after a reader has the manifest. What it needs is still there by its hash.
cp -R "$T/second" "$T/third"
cp "$T/first/pool/hello_1.0_all.deb" "$T/third/pool"
show third
cp "$T/first/"*Release* "$site"
accepts F10-by-hash-has-the-old-indexes -- consume list "$site" --no-state
accepts F10-package-by-the-old-indexes -- consume check "$site" --no-state --quiet hello
# Who checks the whole copy wants to know that clients without by-hash would be refused.
checked F10-by-hash-has-the-old-indexes-in-a-check 3 'Packages(|.gz|.xz): '
rm -rf "$site/by-hash"
checked F10-without-by-hash 3 'Packages(|.gz|.xz): '
sed -i '/^Acquire-By-Hash/d' "$T/first/Release"
clearsign_as "$GNUPG" "$KEY" "$T/first/Release" >"$T/first/InRelease"
show third
cp "$T/first/InRelease" "$site"
checked F10-manifest-does-not-say-by-hash 3 'Packages(|.gz|.xz): '

# by-hash holds other bytes than its names say: the same verdict as anywhere else.
show second
hash=$(hash_of second)
flip "$site/by-hash/SHA256/$hash" 10
checked F11-other-bytes 1 'Packages: SHA256 is'
echo x >>"$site/by-hash/SHA256/$hash"
checked F11-longer 1 'Packages: has [0-9]+ bytes'
rm "$site/by-hash/SHA256/$hash"
ln -s /dev/zero "$site/by-hash/SHA256/$hash"
accepts F11-no-file-there -- consume check "$site" --no-state --quiet
