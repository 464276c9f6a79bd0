#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An apt archive on a web server: its suites by --suite and by their directories, one index in its smallest
# compression and by its hash, one package; and what changes in between (F09, F10, F11).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../apt_archive.sh"
. "$(dirname "$0")/../net/net.sh"
setup
need apt-ftparchive dpkg-deb zstd bzip2 xz
[ "$(dpkg --print-architecture)" = amd64 ] || skip "the names in this test are those of an amd64 machine"

root=$T/archive
suite=dists/stable
index=$suite/main/binary-amd64
mkdir "$root"
make_pool "$root"
make_indexes "$root" stable
sign_archive "$root" stable
serve "$root"
url=http://127.0.0.1:$PORT

# by_hash FILE: its name by its hash.
by_hash()
{
    echo "${1%/*}/by-hash/SHA256/$(sha256sum <"$root/$1" | cut -d' ' -f1)"
}
make_by_hash()
{
    local file hash
    for file in "$root/$index"/Packages*; do
        hash=$(by_hash "$index/${file##*/}")
        mkdir -p "$root/${hash%/*}"
        cp "$file" "$root/$hash"
    done
}
smallest()
{
    find "$root/$index" -maxdepth 1 -name 'Packages*' -printf '%s %f\n' | sort -n | head -n 1 | cut -d' ' -f2
}
only=(--component main --arch amd64)

# The suite by an option, by its directory, and by its manifest.
for location in "$url --suite stable" "$url/$suite" "$url/$suite/InRelease"; do
    # shellcheck disable=SC2086 # several words
    expect 0 '' -- consume list "${only[@]}" $location
    [ "$(cut -f 2,3 "$T/stdout" | tr '\t\n' ' ,')" = "docs 1.0,hello 1.0,hello 2.0," ] || fail "$location: $(cat "$T/stdout")"
done
[ "$(remembered)" = 1 ] || fail "several names of one place: $(ls "$T/consumer/verified")"
expect 3 "$url: holds neither InRelease nor Release" -- consume list "$url"
expect 6 'is of the suite "stable"' -- consume list "$url/$suite" --suite other

# By name, where there is nothing by hash; the smallest file, and no other one.
find "$root" -depth -name by-hash -exec rm -r {} +
small=$(smallest)
lies "$root"
expect 0 'hello is pool/main/h/hello_2.0_amd64.deb' -- consume unpack "${only[@]}" "$url/$suite" hello --into "$T/hello"
asked "$root" "GET /$suite/InRelease" "HEAD /$(by_hash "$index/$small")" "HEAD /$index/$small" "GET /$index/$small" \
    "GET /pool/main/h/hello_2.0_amd64.deb"
unpack_reference "$root/pool/main/h/hello_2.0_amd64.deb" "$T/reference"
same_tree "$T/hello" "$T/reference"
make_by_hash
hash=$(by_hash "$index/$small")
lies "$root"
expect 0 '*' -- consume fetch "${only[@]}" "$url" --suite stable hello -o "$T"
asked "$root" "HEAD /$suite/InRelease" "GET /$suite/InRelease" "HEAD /$hash" "GET /$hash" \
    "GET /pool/main/h/hello_2.0_amd64.deb"
cmp "$T/hello_2.0_amd64.deb" "$root/pool/main/h/hello_2.0_amd64.deb"

# However many packages: the index once; and what the first one is found by does not change what the second one means.
mkdir "$T/several"
lies "$root"
several=(consume fetch "${only[@]}" "$url" --suite stable -o "$T/several")
expect 0 '*' -- "${several[@]}" hello docs hello=1.0 hello_2.0_amd64.deb
[ "$(echo "$T"/several/*)" = "$(echo "$T"/several/{docs_1.0_all,hello_1.0_amd64,hello_2.0_amd64}.deb)" ] ||
    fail "$(ls "$T/several")"
[ "$(grep -c "^GET /$hash\$" "$root.log")" = 1 ] || fail "the index was asked for again: $(cat "$root.log")"
expect 11 'nobody: the repository lists no such package' -- "${several[@]}" pool/main/h/hello_2.0_amd64.deb nobody

# A server that has not even heard of HEAD.
lies "$root" '.*' head_refused
expect 0 '' -- consume list "${only[@]}" "$url" --suite stable

# ---- What changes in between ------------------------------------------------------------------
cp -R "$root" "$T/old"
cp "$root/$index/$small" "$T/small"
make_package "$root/pool/main/n/newer_1.0_amd64.deb" new
rm -rf "${root:?}/dists"
make_indexes "$root" stable
sleep 1 # dates count in seconds
sign_archive "$root" stable
make_by_hash
small=$(smallest)
hash=$(by_hash "$index/$small")
WATCHED=("$root" "$T/consumer")

# The index has its old name, and other bytes already: by its hash it is there.
lies "$root" "/$suite/InRelease" other "../old/$suite/InRelease"
also_lies "$root" "/$(cd "$T/old" && root=$T/old by_hash "$index/$small")" other "../old/$index/$small"
accepts F10-http-by-hash -- consume list "${only[@]}" "$url/$suite" --no-state
lies "$root" "/$suite/InRelease" other "../old/$suite/InRelease"
refuses F10-http-without-by-hash 7 'Packages.*(bytes|missing|is )' -- \
    consume unpack "${only[@]}" "$url/$suite" hello --no-state --into "$T/x"
lies "$root" "/$suite/main/.*" status 404
refuses F09-http-without-indexes 7 'is missing in every compression' -- consume list "${only[@]}" "$url/$suite" --no-state
lies "$root" "/$hash" other "../old/$index/$small"
refuses F11-http 7 "Packages.*, the manifest|Packages.*bytes" -- consume list "${only[@]}" "$url/$suite" --no-state
lies "$root" "/$hash" flip
refuses F11-http-one-bit 7 'Packages.*SHA256 is .*, the manifest says' -- consume list "${only[@]}" "$url/$suite" --no-state
# What is wrong only once is fetched once more.
lies "$root" "/$hash" "1*flip"
accepts F11-http-wrong-once -- consume list "${only[@]}" "$url/$suite" --no-state
lies "$root"
accepts F10-http-new -- consume list "${only[@]}" "$url/$suite"
