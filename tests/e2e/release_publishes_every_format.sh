#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What update writes: every package file of every format listed with size and right hashes, the fields that
# were asked for, signatures that gpgv accepts, and nothing else in the tree.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
need gpgv

root=$T/root
for ext in tar tar.gz tgz tar.bz2 tbz2 tar.xz txz tar.lzma tlz tar.zst tzst; do
    make_package "$root/pool/$ext/pkg-1.0.$ext" "$ext"
done
n=12
if have dpkg-deb; then
    make_package "$root/pool/deb/pkg_1.0-1_all.deb" deb
    n=13
fi
echo "any file" >"$root/notes.txt"
(cd "$root" && find . -type f | sort) >"$T/files"
chmod 640 "$root/notes.txt"

publish "$root" --origin "Hallmark test" --label "A label, ümlaut" --suite stable --codename crow \
    --release-version 3.1 --description "A few packages" --architecture amd64 --architecture arm64 \
    --component main --hash SHA512 --valid-for 2h
stdout_is_empty

# Fields.
[ "$(field "$root" Origin)" = "Hallmark test" ] || fail "Origin: $(field "$root" Origin)"
[ "$(field "$root" Label)" = "A label, ümlaut" ] || fail "Label: $(field "$root" Label)"
[ "$(field "$root" Suite)" = stable ] || fail "Suite: $(field "$root" Suite)"
[ "$(field "$root" Codename)" = crow ] || fail "Codename: $(field "$root" Codename)"
[ "$(field "$root" Version)" = 3.1 ] || fail "Version: $(field "$root" Version)"
[ "$(field "$root" Description)" = "A few packages" ] || fail "Description"
[ "$(field "$root" Architectures)" = "amd64 arm64" ] || fail "Architectures: $(field "$root" Architectures)"
[ "$(field "$root" Components)" = main ] || fail "Components: $(field "$root" Components)"
date=$(seconds "$root" Date)
until=$(seconds "$root" Valid-Until)
[ $((until - date)) = 7200 ] || fail "Valid-Until is not two hours after Date"
age=$(($(date +%s) - date))
((age >= 0 && age < 300)) || fail "Date is $age seconds ago"
! grep -E '^(MD5Sum|SHA1):' "$root/Release" || fail "a weak hash"

# Every file once, with the right size and hashes, sorted; beside the index for apt (see apt_flat.sh).
section()
{
    awk -v s="$1:" '$0 == s { on = 1; next } /^[^ ]/ { on = 0 } on && $3 !~ /^(Packages|Unpacked-Sizes)/' "$root/Release"
}
indexes=$(find "$root" -maxdepth 1 -name 'Packages*' -o -maxdepth 1 -name 'Unpacked-Sizes*' | wc -l)
[ "$(grep -cE ' (Packages|Unpacked-Sizes)' "$root/Release")" = $((2 * indexes)) ] || fail "$(cat "$root/Release")"
for hash in SHA256 SHA512; do
    section $hash | awk '{ print $1 "  " $3 }' >"$T/sums"
    [ "$(wc -l <"$T/sums")" = $n ] || fail "$hash lists $(wc -l <"$T/sums") files, not $n"
    tool=${hash,,}sum
    (cd "$root" && "$tool" --check --strict --quiet "$T/sums") || fail "$tool disagrees"
    section $hash | while read -r _ size path; do
        [ "$size" = "$(size_of "$root/$path")" ] || fail "$path: size $size"
    done
    section $hash | awk '{ print $3 }' >"$T/paths"
    sort -c "$T/paths" || fail "$hash is not sorted"
    sed 's|^|./|' "$T/paths" | sort | diff "$T/files" - || fail "$hash lists other files"
done

# gpgv, which is what apt runs.
gpgv --keyring "$KEYS/signer.gpg" --output "$T/inside" "$root/InRelease" 2>"$T/gpgv" ||
    fail "gpgv: InRelease: $(cat "$T/gpgv")"
grep -q "using EDDSA key $KEY" "$T/gpgv" || fail "gpgv: $(cat "$T/gpgv")"
cmp "$T/inside" "$root/Release" || fail "InRelease says something else than Release"
gpgv --keyring "$KEYS/signer.gpg" "$root/Release.gpg" "$root/Release" 2>"$T/gpgv" ||
    fail "gpgv: Release.gpg: $(cat "$T/gpgv")"
! gpgv --keyring "$KEYS/evil.gpg" "$root/InRelease" 2>/dev/null || fail "gpgv accepts anything"
grep -qx 'Hash: SHA\(256\|384\|512\)' "$root/InRelease" || fail "no Hash header"

# In the tree: what was there, untouched; three links; a generation. Readable for the web server.
(cd "$root" && find . -type f ! -path './.hallmark/*' | sort) | diff "$T/files" - || fail "files in the tree"
[ "$(stat -c %a "$root/notes.txt")" = 640 ] || fail "the mode of a package was changed"
for name in Release Release.gpg InRelease; do
    [ "$(readlink "$root/$name")" = ".hallmark/current/$name" ] || fail "$name: $(readlink "$root/$name")"
    [ "$(stat -Lc %a "$root/$name")" = 644 ] || fail "$name: mode $(stat -Lc %a "$root/$name")"
done
[ "$(find "$root/.hallmark" -type f | wc -l)" = $((3 + 3 * indexes)) ] || fail "$(find "$root/.hallmark")"
[ -z "$(find "$root" -type d ! -perm -755)" ] || fail "$(find "$root" -type d ! -perm -755)"
[ "$(find "$root" -mindepth 1 -maxdepth 1 -name '.*')" = "$root/.hallmark" ] || fail "something hidden"

# A consumer, told by name and by JSON.
expect 0 '' -- consume check "$root"
stdout_has "good: $n packages"
stdout_has "signed by $KEY"
expect 0 '' -- consume check "$root" --json
json "o['status'] == 'good' and o['exit'] == 0 and o['error'] is None and o['problems'] == []"
json "o['n_checked'] == $n and o['n_bad'] == 0 and o['manifest']['n_packages'] == $n"
json "o['manifest']['label'] == 'A label, \\u00fcmlaut' and o['manifest']['document'] == 'InRelease'"
bytes=$(cd "$root" && { xargs -d '\n' cat <"$T/files" && cat Packages* Unpacked-Sizes*; } | wc -c)
json "o['n_bytes'] == $bytes"
