#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What comes out of an archive is what the publisher found in it and signed: Unpacked-Sizes says how many entries and
# bytes, and unpack makes exactly these or nothing.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup

# stanza FILE PATH: the numbers that FILE says of PATH, "ENTRIES BYTES".
stanza()
{
    awk -v path="$2" '/^Filename: /{is = $2 == path} is && /^Entries: /{n = $2} is && /^Unpacked-Size: /{print n, $2}' "$1"
}

# What GNU tar says of an archive: its entries, and the bytes of all files.
totals()
{
    tar --full-time -tvf "$1" | awk '{n++} /^-/ && !/ link to /{s += $3} END {print n + 0, s + 0}'
}

# ---- Layout plain -------------------------------------------------------------------------------

root=$T/root
make_repository "$root"

mkdir "$T/l"
echo 12345 >"$T/l/a"
ln "$T/l/a" "$T/l/b"
ln -s a "$T/l/c"
tar -C "$T" -czf "$root/links-1.0.tar.gz" l
publish "$root"
n=0
while read -r archive; do
    path=${archive#"$root/"}
    case $path in
    *.deb) dpkg-deb --fsys-tarfile "$archive" >"$T/fs.tar" && found=$(totals "$T/fs.tar") ;;
    *) found=$(totals "$archive") ;;
    esac
    [ "$(stanza "$root/Unpacked-Sizes" "$path")" = "$found" ] ||
        fail "$path holds $found, and not $(stanza "$root/Unpacked-Sizes" "$path")"
    n=$((n + 1))
done < <(find "$root" -path "$root/.hallmark" -prune -o -type f -name '*.tar*' -print -o -type f -name '*.deb' -print)
[ "$n" -gt 3 ] || fail "only $n archives"
[ "$(grep -c '^Filename: ' "$root/Unpacked-Sizes")" = "$n" ] || fail "other files are listed"
xz -dc "$root/Unpacked-Sizes.xz" | cmp - "$root/Unpacked-Sizes"
expect 0 '' -- consume list "$root"
if grep -q Unpacked-Sizes "$T/stdout"; then fail "the index is listed as a package"; fi
expect 0 '' -- consume check "$root"
mkdir "$T/out"
expect 0 '*' -- consume unpack "$root" links-1.0.tar.gz --into "$T/out/a" --json
json "o['signed_sizes'] is True and o['n_entries'] == 4 and o['n_bytes'] == 6"
expect 0 'sizes: as signed' -- consume unpack "$root" pool/h/hello-1.2.tar.xz --into "$T/out/b" --verbose

# Nothing changed: the same bytes stay.
cp "$root/Unpacked-Sizes.xz" "$T/sizes.xz"
expect 0 '' -- release resign "${PUBLISHER[@]}" "$root"
cmp "$T/sizes.xz" "$root/Unpacked-Sizes.xz"
expect 0 '' -- consume check "$root"
rm "$root/links-1.0.tar.gz"
publish "$root"
[ -z "$(stanza "$root/Unpacked-Sizes" links-1.0.tar.gz)" ] || fail "what vanished is still listed"
[ "$(grep -c '^Filename: ' "$root/Unpacked-Sizes")" = $((n - 1)) ] || fail "something else is missing"

# ---- Refusals -----------------------------------------------------------------------------------

# Signed by hand, with what stands in $hand/Unpacked-Sizes.
hand=$T/hand
mkdir "$hand"
tar -C "$T" -czf "$hand/l-1.0.tar.gz" l
WATCHED=("$hand" "$T/consumer") PARENTS=("$T/out")
sign_by_hand()
{
    rm -rf "$hand/InRelease" "$T/Release" "$T/fresh"
    {
        echo "Date: $(date -u '+%a, %d %b %Y %H:%M:%S UTC')"
        echo "Valid-Until: $(date -u -d '+1 day' '+%a, %d %b %Y %H:%M:%S UTC')"
        echo "SHA256:"
        (cd "$hand" && stat -c '%s %n' -- * | while read -r size name; do
            echo " $(sha256sum <"$name" | cut -c 1-64) $size $name"
        done)
    } >"$T/Release"
    clearsign_as "$GNUPG" "$KEY" "$T/Release" >"$hand/InRelease"
}

# says ENTRIES BYTES [PATH]
says()
{
    printf 'Filename: %s\nEntries: %s\nUnpacked-Size: %s\n\n' "${3:-l-1.0.tar.gz}" "$1" "$2" >"$hand/Unpacked-Sizes"
    sign_by_hand
}

unpack_l()
{
    bounded 20 verify "${CONSUMER[@]}" --state "$T/fresh" unpack "$hand" l-1.0.tar.gz --into "$T/out/l" "$@"
}

says 4 6
accepts A21-exactly-what-is-signed -- unpack_l --quiet
rm -rf "$T/out/l"
says 3 6
refuses A21-one-entry-more-than-signed 9 'l-1.0.tar.gz: holds more than the 3 entries and 6 bytes' -- unpack_l
says 5 6
refuses A21-one-entry-less-than-signed 9 'l-1.0.tar.gz: holds 4 entries and 6 bytes, but 5 and 6 are signed' -- unpack_l
says 4 5
refuses A21-one-byte-more-than-signed 9 'holds more than the 4 entries and 5 bytes' -- unpack_l
says 4 7
refuses A21-one-byte-less-than-signed 9 'but 4 and 7 are signed' -- unpack_l
says 0 0
refuses A21-signed-as-empty 9 'holds more than the 0 entries and 0 bytes' -- unpack_l
# What is signed is no licence for more than this user allows.
says 4 6
refuses A21-user-allows-less 9 'more than 5 bytes' -- unpack_l --max-size 5
refuses A21-user-allows-fewer 9 'more than 3 entries' -- unpack_l --max-entries 3

# An index that is listed has to be there, and to be what is listed; it is no secret which check fails.
mv "$hand/Unpacked-Sizes" "$T/kept"
refuses P02-index-withheld 7 'Unpacked-Sizes: is missing' -- unpack_l
sed 's/^Entries: 4/Entries: 9/' "$T/kept" >"$hand/Unpacked-Sizes"
expect 7 '*' -- consume --state "$T/fresh" check "$hand"
grep -q '^repo-verify: Unpacked-Sizes: ' "$T/stderr" || fail "check does not look at the index"
refuses P01-index-of-sizes-changed 7 'Unpacked-Sizes: SHA256' -- unpack_l
says many 6
refuses M06-index-of-sizes-malformed 8 'no valid Entries: "many"' -- unpack_l
says 4 6
cat "$hand/Unpacked-Sizes" "$hand/Unpacked-Sizes" >"$T/twice"
sed '1,4s/^Entries: 4/Entries: 5/' "$T/twice" >"$hand/Unpacked-Sizes"
sign_by_hand
expect 7 'Unpacked-Sizes: says two sizes of l-1.0.tar.gz' -- unpack_l

# Of an archive about which nothing is signed, the limits are the usual ones.
says 1 1 other.tar.gz
expect 0 '*' -- unpack_l --json
json "o['signed_sizes'] is False and o['n_entries'] == 4"
rm -rf "$T/out/l"

# Names of the index are the repository's own, where it is written.
mkdir "$T/taken"
echo mine >"$T/taken/Unpacked-Sizes"
echo text >"$T/taken/a.txt"
expect 8 'Unpacked-Sizes: the name is reserved' -- release update "${PUBLISHER[@]}" --state "$T/state3" "$T/taken"
[ "$(cat "$T/taken/Unpacked-Sizes")" = mine ] || fail "a file of somebody else was replaced"

# Where there is no archive, there is nothing to say.
rm "$T/taken/Unpacked-Sizes"
expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/state3" "$T/taken"
if [ -e "$T/taken/Unpacked-Sizes" ] || [ -e "$T/taken/by-hash" ]; then fail "an index of nothing"; fi

# ---- Layout apt ---------------------------------------------------------------------------------

have dpkg-deb || exit 0
apt=$T/apt
mkdir -p "$apt/pool/main" "$apt/pool/extra"
make_package "$apt/pool/main/pkg_1.0-1_all.deb" deb
make_package "$apt/pool/extra/other_1.0-1_all.deb" other
expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/state4" --layout apt --suite stable \
    --component "main extra" --architecture "amd64 arm64" "$apt"
dpkg-deb --fsys-tarfile "$apt/pool/main/pkg_1.0-1_all.deb" >"$T/fs.tar"
for arch in amd64 arm64; do
    sizes=$apt/dists/stable/main/binary-$arch/Unpacked-Sizes
    [ "$(stanza "$sizes" pool/main/pkg_1.0-1_all.deb)" = "$(totals "$T/fs.tar")" ] || fail "$arch: $(cat "$sizes")"
    xz -dc "$sizes.xz" | cmp - "$sizes"
    gzip -dc "$sizes.gz" | cmp - "$sizes"
done
expect 0 '*' -- consume unpack "$apt" pkg --into "$T/out/pkg" --json
json "o['signed_sizes'] is True"
rm -rf "$T/out/pkg"
WATCHED=("$apt" "$T/consumer")
# The index of another component does not matter, nor that of another architecture.
find "$apt/.hallmark" \( -path '*/extra/*' -o -path '*/binary-arm64/*' \) \
    \( -name 'Unpacked-Sizes*' -o -path '*/by-hash/*' \) -delete
expect 0 '' -- consume unpack "$apt" pool/main/pkg_1.0-1_all.deb --into "$T/out/pkg"
rm -rf "$T/out/pkg"
find "$apt/.hallmark" -name 'Unpacked-Sizes*' -delete
find "$apt/.hallmark" -path '*/by-hash/*' -delete
refuses P02-index-of-suite-withheld 7 'Unpacked-Sizes: is missing' -- \
    bounded 20 verify "${CONSUMER[@]}" unpack "$apt" pool/main/pkg_1.0-1_all.deb --into "$T/out/pkg"
expect 7 '*' -- consume check "$apt"
grep -q 'Unpacked-Sizes: is missing' "$T/stderr" || fail "check does not miss the index"
