#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An apt archive that others have made: every compression, by-hash, components, architectures, sources, names
# and suites, and what is refused.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt_archive.sh"
setup
need apt-ftparchive dpkg-deb zstd bzip2 xz
[ "$(dpkg --print-architecture)" = amd64 ] || skip "the names in this test are those of an amd64 machine"

ROOT=$T/archive
S=$ROOT/dists/stable
mkdir "$ROOT"
make_pool "$ROOT"
make_indexes "$ROOT" stable
sign_archive "$ROOT" stable

# ---- Good -------------------------------------------------------------------------------------
expect 0 '' -- consume check "$ROOT"
stdout_has 'good: 10 packages'
expect 0 '' -- consume check "$ROOT" --json
json "o['n_checked'] == 10 and o['n_bad'] == 0 and o['n_indexes'] >= 36 + 6 + 6 + 1"
json "o['manifest']['n_packages'] == 0 and o['manifest']['n_indexes'] == o['n_indexes']"
for location in "$ROOT" "$S" "file://$S" "$S/InRelease" "$ROOT/dists/../dists/stable/" "file://localhost$ROOT/"; do
    expect 0 '' -- consume check --arch amd64 --component main "$location"
    stdout_has 'good: 3 packages'
done
[ "$(remembered)" = 1 ] || fail "several names of one place: $(ls "$T/consumer/verified")"
(cd "$S" && expect 0 '' -- consume check .)
(cd "$ROOT/dists" && expect 0 'no source is called stable; taking ./stable' -- consume check stable)
[ "$(remembered)" = 1 ] || fail "several names of one place: $(ls "$T/consumer/verified")"
expect 0 '' -- consume list "$ROOT"
cut -f 2,3 "$T/stdout" | LC_ALL=C sort >"$T/found"
printf '%s\t%s\n' docs 1.0 extra 1.0 extra 1.0 foreign 1.0 foreign 1.0 hello 1.0 hello 2.0 hello 2.0 tool 1.0 tool 1.0 |
    diff - "$T/found" || fail "list: what is for all architectures comes once"
expect 0 '' -- consume list --json --arch source "$ROOT"
json "[p['path'] for p in o['packages']] == ['pool/main/t/tool_1.0.dsc', 'pool/main/t/tool_1.0.tar.xz']"
json "all(p['architecture'] == 'source' for p in o['packages'])"
expect 0 '' -- consume list --arch arm64 --component contrib "$ROOT"
[ "$(cut -f 1 "$T/stdout")" = pool/contrib/e/extra_1.0_arm64.deb ] || fail "$(cat "$T/stdout")"

# ---- Names ------------------------------------------------------------------------------------
unpacks()
{
    local name=$1 path=$2
    shift 2
    expect 0 "is $path\$" -- consume unpack "$@" --into "$T/out" "$ROOT" "$name"
    rm -rf "$T/out"
}
unpacks hello pool/main/h/hello_2.0_amd64.deb
unpacks hello=1.0 pool/main/h/hello_1.0_amd64.deb
unpacks hello=2.0:arm64 pool/main/h/hello_2.0_arm64.deb
unpacks hello:arm64=2.0 pool/main/h/hello_2.0_arm64.deb
unpacks hello:arm64 pool/main/h/hello_2.0_arm64.deb
unpacks hello pool/main/h/hello_2.0_arm64.deb --arch arm64
unpacks docs pool/main/d/docs_1.0_all.deb
unpacks extra pool/contrib/e/extra_1.0_amd64.deb
unpacks hello_2.0_arm64.deb pool/main/h/hello_2.0_arm64.deb
unpacks tool_1.0.tar.xz pool/main/t/tool_1.0.tar.xz
expect 0 '' -- consume check "$ROOT" pool/main/t/tool_1.0.dsc pool/main/h/hello_1.0_amd64.deb
expect 0 '' -- consume check "$ROOT" dists/stable/main/Contents-amd64
expect 2 'foreign: several files answer.*foreign_1.0_arm64.deb, .*foreign_1.0_riscv64.deb' -- consume check "$ROOT" foreign
expect 2 'tool:source: several files answer.*tool_1.0.dsc, .*tool_1.0.tar.xz' -- consume check "$ROOT" tool:source
for name in hello=3.0 hello:s390x extra:source hell tool nothing ../archive/pool/main/h/hello_1.0_amd64.deb ""; do
    expect 11 'no such (package|file)' -- consume check "$ROOT" "$name"
done
expect 11 'no such package' -- consume check --component main "$ROOT" extra

# ---- One compression is enough, and each can be read --------------------------------------------
cp -a "$ROOT" "$T/good"
again()
{
    rm -rf "$ROOT"
    cp -a "$T/good" "$ROOT"
}
for suffix in '' .gz .bz2 .xz .lzma .zst; do
    again
    rm -rf "$S"/*/*/by-hash
    find "$S" -regex '.*/\(Packages\|Sources\)\(\.[a-z0-9]*\)?' ! -name "Packages$suffix" ! -name "Sources$suffix" -delete
    expect 0 '' -- consume check "$ROOT"
    stdout_has 'good: 10 packages'
done
# By its hash, whatever lies under its name: a newer index, as when this is being updated (F10).
again
find "$S" -name 'Packages*' -path '*binary*' ! -path '*by-hash*' | while read -r file; do
    rm "$file" # by its hash it is a link to the same file
    echo newer >"$file"
done
expect 0 '' -- consume check --component main --arch amd64 "$ROOT"
stdout_has 'good: 3 packages'
expect 7 '*' -- consume check "$ROOT" # but as a whole it is not what the manifest says
again

# ---- Which suite ------------------------------------------------------------------------------
for suite in stable codestable stable/updates; do
    expect 0 '' -- consume check --suite $suite "$S" pool/main/d/docs_1.0_all.deb
done
expect 0 '' -- consume check --suite stable --codename codestable --origin Example "$ROOT" pool/main/d/docs_1.0_all.deb
expect 6 'suite "stable", codename "codestable"; "testing" is wanted' -- consume check --suite testing "$S" # M14
expect 6 'Codename "codestable"; "stable" is wanted' -- consume check --codename stable "$ROOT"
expect 6 'Origin "Example"; "Debian" is wanted' -- consume manifest --origin Debian "$ROOT"
expect 2 'no suite "testing"; --suite chooses one of: stable$' -- consume check --suite testing "$ROOT"
expect 2 'no suite "../stable"' -- consume check --suite ../stable "$ROOT"
ln -s stable "$ROOT/dists/codestable"
expect 0 '' -- consume check "$ROOT" # another name is no other suite
expect 0 '' -- consume check --suite codestable "$ROOT"
cp -a "$S" "$ROOT/dists/testing"
expect 2 'several suites; --suite chooses one of: codestable stable testing$' -- consume check "$ROOT"
expect 6 '"testing" is wanted' -- consume check --suite testing "$ROOT" # one suite served as another
expect 0 '' -- consume check --suite stable "$ROOT"
again
# Others than before, which somebody has to accept (M15).
sleep 1
sign_archive "$ROOT" stable Label=Other
expect 6 'Label "Other", but the one seen before had "Example"; --accept-change' -- consume check "$ROOT"
expect 6 '--accept-change' -- consume unpack "$ROOT" hello --into "$T/out"
expect 0 '' -- consume check --accept-change "$ROOT"
expect 0 '' -- consume check "$ROOT"
rm -rf "$ROOT" && cp -a "$T/good" "$ROOT"
expect 6 'older|old one' -- consume check --accept-change "$ROOT"

# ---- Nothing is unpacked of what was changed -----------------------------------------------------
STRANGER=(--keyring "$KEYS/signer.gpg" --no-state)
mkdir "$T/dest"
# refused STATUS REGEX: check of all and of one, and unpack, of hello for amd64; then all is good again.
refused()
{
    expect "$1" '*' -- verify check "${STRANGER[@]}" "$ROOT"
    grep -qE -- "$2" "$T/stderr" || { show_output && fail_above "expected \"$2\""; }
    expect "$1" '*' -- verify check "${STRANGER[@]}" --component main --arch amd64 "$ROOT" hello
    grep -qE -- "$2" "$T/stderr" || { show_output && fail_above "expected \"$2\""; }
    expect "$1" '*' -- verify unpack "${STRANGER[@]}" --into "$T/dest/x" "$ROOT" hello
    grep -qE -- "$2" "$T/stderr" || { show_output && fail_above "expected \"$2\""; }
    grep -qE "^repo-verify: " "$T/stderr" || fail_above "no reason"
    nothing_unpacked "$T/dest/x"
    again
}
A=$S/main/binary-amd64
only_plain()
{
    rm -rf "$S"/*/*/by-hash "$A"/Packages.*
}
only()
{
    rm -rf "$S"/*/*/by-hash
    find "$A" -name 'Packages*' ! -name "Packages.$1" -delete
}
resign()
{
    sign_release "$S"
}
# The size and hash of FILE in Release, as if they were those of what lies there now; by-hash goes away.
relist()
{
    local file=$1 hash
    hash=$(sha256sum <"$S/$file" | cut -d' ' -f1)
    sed -i -E "s|^ [0-9a-f]{64} +[0-9]+ $file\$| $hash $(size_of "$S/$file") $file|" "$S/Release"
    resign
}
# 1. another package under the name
cp "$ROOT/pool/main/h/hello_1.0_amd64.deb" "$ROOT/pool/main/h/hello_2.0_amd64.deb"
refused 7 'hello_2.0_amd64.deb: (SHA256 is .*, the index says|has [0-9]+ bytes, the index says)'
# 2. a bit of the package
flip "$ROOT/pool/main/h/hello_2.0_amd64.deb" 700
refused 7 'hello_2.0_amd64.deb: SHA256 is [0-9a-f]{64}, the index says'
# 3. the package is not there
rm "$ROOT/pool/main/h/hello_2.0_amd64.deb"
refused 7 'hello_2.0_amd64.deb: is missing'
# 4. it is a link to another place
mv "$ROOT/pool/main/h/hello_2.0_amd64.deb" "$T/elsewhere.deb"
ln -s "$T/elsewhere.deb" "$ROOT/pool/main/h/hello_2.0_amd64.deb"
refused 7 'hello_2.0_amd64.deb'
# 5. another index (F09): the new InRelease, the old index
only_plain
sed -i 's/^Version: 2.0/Version: 9.0/' "$A/Packages"
refused 7 'main/binary-amd64/Packages: SHA256 is [0-9a-f]{64}, the manifest says'
# 6. longer and shorter by one
only xz
printf '\0' >>"$A/Packages.xz"
refused 7 'Packages.xz: has [0-9]+ bytes, the manifest says'
only gz
truncate -s -1 "$A/Packages.gz"
refused 7 'Packages.gz: has [0-9]+ bytes, the manifest says'
# 7. other bytes by their hash (F11)
for file in "$A"/by-hash/SHA256/*; do
    cp "$file" "$T/other" # the name is a link to the same file
    flip "$T/other" 5
    mv "$T/other" "$file"
done
refused 7 'SHA256 is [0-9a-f]{64}, the manifest says'
# 8. the index is not there in any compression
rm -rf "$A"/Packages* "$A/by-hash"
refused 7 'main/binary-amd64/Packages: is missing in every compression'
# 9. a byte of the manifest
sed -i 's/^Origin: Example/Origin: example/' "$S/InRelease"
refused 3 'InRelease: bad signature'
# 10. no signature
rm "$S/InRelease" "$S/Release.gpg"
refused 3 'no signature'
# 11. signed by somebody else
copy_home evil "$T/evil"
gpg --homedir "$T/evil" --batch --quiet --no-tty --yes -u "$(cat "$KEYS/evil.fpr")" -o "$S/InRelease" \
    --clearsign "$S/Release"
refused 3 'not in the keyring'
# 12. of Release and Release.gpg the same holds
rm "$S/InRelease"
expect 0 '' -- verify check "${STRANGER[@]}" "$ROOT"
sed -i 's/^Origin: Example/Origin: example/' "$S/Release"
refused 3 'Release: bad signature'

# What a publisher signs by mistake, or for somebody: refused all the same.
# 13. what comes out is not what the plain name promises: other bytes, more, less
only xz
sed 's/^Version: 2.0/Version: 9.0/' "$T/good/dists/stable/main/binary-amd64/Packages" | xz >"$A/Packages.xz"
relist main/binary-amd64/Packages.xz
refused 7 'Packages.xz: .*SHA256 is|Packages: SHA256 is [0-9a-f]{64}, the manifest says'
only zst
{ cat "$T/good/dists/stable/main/binary-amd64/Packages" && head -c 300000000 /dev/zero; } | zstd -q >"$A/Packages.zst"
relist main/binary-amd64/Packages.zst
refused 7 'Packages.zst: decompresses to more than the [0-9]+ bytes of dists/stable/main/binary-amd64/Packages'
only gz
head -n 5 "$T/good/dists/stable/main/binary-amd64/Packages" | gzip >"$A/Packages.gz"
relist main/binary-amd64/Packages.gz
refused 7 'Packages.gz: decompresses to [0-9]+ bytes, the manifest says'
# 14. another compression than the name says, and a damaged one
only xz
gzip -c "$T/good/dists/stable/main/binary-amd64/Packages" >"$A/Packages.xz"
relist main/binary-amd64/Packages.xz
refused 8 'Packages.xz: is in another compression, xz data were expected'
only bz2
truncate -s -10 "$A/Packages.bz2"
relist main/binary-amd64/Packages.bz2
refused 8 'Packages.bz2: the bzip2 data are truncated or corrupt'
# 15. paths that lead out of it
for path in ../outside.deb /etc/hostname pool/../../outside.deb; do
    only_plain
    echo outside >"$T/outside.deb"
    sed -i "s|^Filename: .*hello_2.0_amd64.deb|Filename: $path|" "$A/Packages"
    relist main/binary-amd64/Packages
    refused 8 'Packages: the stanza at line [0-9]+ has no valid Filename'
done
# 16. no strong hash of the package, a hash that is none, no size
only_plain
sed -i -E '/^SHA(256|512):/d' "$A/Packages"
relist main/binary-amd64/Packages
refused 8 'hello_2.0_amd64.deb: the index has neither SHA256 nor SHA512'
only_plain
sed -i 's/^SHA256: ./SHA256: /' "$A/Packages"
relist main/binary-amd64/Packages
refused 8 'has no valid SHA256'
only_plain
sed -i '/^Size:/d' "$A/Packages"
relist main/binary-amd64/Packages
refused 8 'has no field Size'
# 17. an index that is listed only compressed: nothing says what must come out
sed -i -E '/ main\/binary-amd64\/Packages$/d' "$S/Release"
resign
refused 8 'not what it decompresses to'
# 18. nothing but weak hashes in the manifest, and expired
sed -i 's/^SHA256:/MD5Sum:/' "$S/Release"
resign
refused 8 'neither SHA256 nor SHA512'
sign_archive "$ROOT" stable ValidTime=1
sleep 2
refused 4 'expired'
# 19. two indexes that say two things of one file
only_plain
rm -rf "$S/main/binary-arm64"/Packages.*
sed -i 's|^Filename: .*hello_2.0_arm64.deb|Filename: pool/main/h/hello_2.0_amd64.deb|' "$S/main/binary-arm64/Packages"
relist main/binary-arm64/Packages
expect 7 '*' -- verify check "${STRANGER[@]}" "$ROOT"
grep -q 'hello_2.0_amd64.deb: has .* the index says\|hello_2.0_amd64.deb: SHA256 is' "$T/stderr" ||
    fail "$(cat "$T/stderr")"
again

# A part of an archive says so.
rm -rf "$S/contrib" "$S"/*/binary-arm64 "$S"/*/binary-riscv64 "$S/main/source" "$ROOT/pool/contrib"
expect 7 'contrib/binary-amd64/Packages: is missing in every compression \(.*--component and --arch' -- \
    verify unpack "${STRANGER[@]}" "$ROOT" hello --into "$T/out"
expect 0 '' -- verify check "${STRANGER[@]}" --component main --arch amd64 "$ROOT"
stdout_has 'good: 3 packages'
expect 11 'others of the manifest are not here' -- verify check "${STRANGER[@]}" --component main "$ROOT" nothing
