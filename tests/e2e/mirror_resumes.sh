#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror whose run has failed: what had come and was verified is there for the next attempt or the next run, verified
# again, seen by nobody; whatever turns out to be of no use goes away.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../net/net.sh"
setup
need dpkg-deb

root=$T/root dest=$T/mirror
mkdir -p "$root/pool/main"
for name in one two three; do
    make_package "$root/pool/main/${name}_1.0_amd64.deb" $name
done
# publish_at SECONDS: so long ago.
publish_at()
{
    SOURCE_DATE_EPOCH=$(($(date +%s) - $1)) publish "$root" --layout apt --suite stable --suite testing \
        --rule '* * * stable,testing main'
}
publish_at 1000
serve "$root"
url=http://127.0.0.1:$PORT
sync=(mirror sync --suite stable --suite testing --timeout 2s "$url" "$dest")
stage=$dest/.hallmark/.stage
index=main/binary-amd64

# is_like: the mirror has what the source has, and no leftovers.
is_like()
{
    diff -r -x by-hash -x .hallmark "$root" "$dest" >&2 || fail_above "the copy differs"
    expect 0 '' -- mirror check "$dest"
    [ "$(find "$dest" -name '.old-*' -o -name '.stage' -o -name '.fetching*' -o -name '.replacing*')" = "" ] ||
        fail_above "something was left: $(find "$dest" -name '.*')"
}

# asked_for REGEX N: so many files have been asked for.
asked_for()
{
    [ "$(grep -cE "^GET $1" "$root.log")" = "$2" ] || fail_above "not $2 of $1 were asked for: $(cat "$root.log")"
}

# ---- Indexes ----------------------------------------------------------------------------------
# Those of the second suite do not come: the first one's stay, and are not fetched again; nobody sees them.
lies "$root" '/dists/testing/.*(Packages|by-hash).*' status 503
expect 1 'testing/.*503' -- "${sync[@]}"
[ ! -e "$dest/dists" ] || fail "something is served"
[ -s "$stage/dists/stable/$index/Packages.xz" ] || fail "what came is gone"
[ "$(stat -c %a "$stage")" = 700 ] || fail "others can look at what is staged"
[ "$(find "$dest" -name '.fetching*')" = "" ] || fail "a part was left"

# Failing before anything of that is looked at loses nothing: at the manifests, and at the documents beside them.
lies "$root" '/dists/stable/InRelease' status 503
expect 1 '503' -- "${sync[@]}"
lies "$root" '/dists/testing/Release' status 503
expect 1 '503' -- "${sync[@]}"
[ -s "$stage/dists/stable/$index/Packages.xz" ] || fail "what came is gone"

# What a run has taken up it keeps when it fails as well.
lies "$root" '/dists/testing/.*(Packages|by-hash).*' status 503
expect 1 'testing/.*503' -- "${sync[@]}"
asked_for '/dists/stable/.*(Packages|by-hash)' 0
# What is damaged meanwhile is fetched again.
size=$(size_of "$stage/dists/stable/$index/Packages.xz")
head -c "$size" /dev/zero >"$stage/dists/stable/$index/Packages.xz"
lies "$root"
expect 0 '' -- "${sync[@]}"
asked_for '/dists/stable/.*(Packages|by-hash)' 1
is_like

# ---- Packages ---------------------------------------------------------------------------------
# A package that was fetched for a manifest that was never served, and that none lists any more, goes late; one that is
# listed stays; whatever had been listed before the run that failed is treated as ever.
make_package "$root/pool/main/four_1.0_amd64.deb" four
make_package "$root/pool/main/five_1.0_amd64.deb" five
publish_at 900
lies "$root" '/pool/main/five_.*' status 503
expect 1 'five_.*503' -- "${sync[@]}"
[ -s "$dest/pool/main/four_1.0_amd64.deb" ] || fail "what came is gone"
rm "$root/pool/main/four_1.0_amd64.deb"
publish_at 800
lies "$root"
expect 0 '' -- "${sync[@]}" --json
json "o['n_retired'] == 1 and o['n_removed'] == 0"
[ -e "$dest/pool/main/four_1.0_amd64.deb" ] || fail "removed too early"
expect 0 '' -- "${sync[@]}" --json --now "@$(($(date +%s) + 4 * 86400))" --allow-no-expiry
json "o['n_retired'] == 0 and o['n_removed'] == 1"
is_like
rm "$dest/pool/main/one_1.0_amd64.deb"
make_package "$root/pool/main/six_1.0_amd64.deb" six
publish_at 700
lies "$root" '/pool/main/six_.*' status 503
expect 1 'six_.*503' -- "${sync[@]}"
! grep -q one_1.0 "$T"/mirror-state/mirrors/*/retired || fail "what is listed is to be removed"
grep -q six_1.0 "$T"/mirror-state/mirrors/*/retired || fail "what may never be listed stays for ever"
lies "$root"
expect 0 '' -- "${sync[@]}"
! grep -q . "$T"/mirror-state/mirrors/*/retired || fail "$(cat "$T"/mirror-state/mirrors/*/retired)"
is_like

# ---- Files with other bytes -------------------------------------------------------------------
# What replaces files waits until all have come, in this run or the next one.
plain=$T/plain copy=$T/copy
make_repository "$plain"
SOURCE_DATE_EPOCH=$(($(date +%s) - 1000)) publish "$plain" --state "$T/plain-state"
expect 0 '' -- mirror sync "$plain" "$copy"
make_package "$plain/pool/h/hello-1.0.tar.gz" changed
make_package "$plain/pool/w/world-2.0.tar.bz2" changed
SOURCE_DATE_EPOCH=$(($(date +%s) - 900)) publish "$plain" --state "$T/plain-state"
root=$plain
serve "$plain"
url=http://127.0.0.1:$PORT
lies "$plain" '/pool/w/.*' status 503
expect 1 'world-2.0.*503' -- mirror sync "$url" "$copy"
! cmp -s "$plain/pool/h/hello-1.0.tar.gz" "$copy/pool/h/hello-1.0.tar.gz" || fail "replaced before all is there"
expect 0 '' -- mirror check "$copy"
lies "$plain"
expect 0 '' -- mirror sync "$url" "$copy"
asked_for '/pool/h/hello-1.0' 0
asked_for '/pool/w/' 1
dest=$copy
is_like

# ---- Other locations, and this side -----------------------------------------------------------
# What one location gave before it failed is not asked of the next one.
rm -rf "$copy" "$T/mirror-state"
cp -RL "$plain" "$T/second"
rm -rf "$T/second/.hallmark"
serve "$T/second"
name=Unpacked-Sizes.xz
hash=$(awk -v name=$name '/^SHA256:/ { on = 1; next } /^[^ ]/ { on = 0 } on && $3 == name { print $1 }' "$plain/Release")
lies "$plain" "/$name|/by-hash/SHA256/$hash" flip
lies "$T/second"
expect 0 "is not used: $name: SHA256 is" -- mirror sync "$url" --mirror "http://127.0.0.1:$PORT" "$copy"
[ "$(grep -c "^GET .*by-hash/SHA256/$hash" "$plain.log")" = 2 ] || fail "not tried twice: $(cat "$plain.log")"
[ "$(grep '^GET .*by-hash' "$plain.log" | grep -v "$hash" | sort | uniq -d)" = "" ] || fail "fetched twice: $(cat "$plain.log")"
asked "$T/second" "GET /InRelease" "GET /Release" "GET /Release.gpg" "GET /by-hash/SHA256/$hash" \
    "GET /README.txt" "GET /pool/h/hello-1.0.tar.gz" "GET /pool/h/hello-1.2.tar.xz" "GET /pool/w/world-2.0.tar.bz2"
is_like
# What is wrong on this side leaves nothing in the stage.
rm -rf "$copy" "$T/mirror-state"
mkdir -p "$copy/pool/h/hello-1.0.tar.gz"
lies "$plain"
expect 2 'pool/h/hello-1.0.tar.gz' -- mirror sync "$url" "$copy"
[ ! -e "$copy/.hallmark/.stage" ] || fail "the stage is there"
