#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# A tree with .deb files is a flat apt repository: real apt, in a private root, over file: and http:, without a
# single warning; and while a hundred publications happen.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt.sh"
setup
need apt-get apt-cache dpkg dpkg-deb python3

ROOT=$T/root
EPOCH=$(($(date +%s) - 100000))
STEP=0
publish_next()
{
    STEP=$((STEP + 1))
    SOURCE_DATE_EPOCH=$((EPOCH + STEP)) publish "$ROOT" --valid-for 52w --refresh-before 1d "$@"
}

build "$ROOT/pool/alpha_1.0_$ARCH.deb" gzip
build "$ROOT/pool/alpha_1.10_$ARCH.deb" xz 'Depends: beta (>= 1:2.0), gamma'
build "$ROOT/pool/alpha_1.9_$ARCH.deb" none
build "$ROOT/pool/b/beta_1%2.0~rc1+b1-3_all.deb" xz
mv "$ROOT/pool/b/beta_1%2.0~rc1+b1-3_all.deb" "$ROOT/pool/b/beta_2.0~rc1+b1-3_all.deb"
build "$ROOT/pool/b/beta_1%2.0-1_all.deb" gzip # apt must ask for "%", as it is
zstd=gzip
dpkg-deb --help | grep -q zstd && zstd=zstd
build "$ROOT/gamma_0.1_all.deb" "$zstd" 'Filename: pool/elsewhere.deb' 'Size: 1' 'SHA256: 00' \
    'MD5sum: d41d8cd98f00b204e9800998ecf8427e'
build "$ROOT/other_1_s390x.deb" gzip
cp "$ROOT/gamma_0.1_all.deb" "$ROOT/pool/b/gamma_0.1_all.udeb"
echo text >"$ROOT/README.txt"
publish_next
grep -qx "Architectures: $ARCH s390x" "$ROOT/Release" || fail "$(grep Arch "$ROOT/Release")"
grep -qx "Acquire-By-Hash: yes" "$ROOT/Release" || fail "no Acquire-By-Hash"
[ "$(grep -c '^Package: ' "$ROOT/Packages")" = 7 ] || fail "$(cat "$ROOT/Packages")"
gzip -dc "$ROOT/Packages.gz" | cmp - "$ROOT/Packages" || fail "Packages.gz differs"
xz -dc "$ROOT/Packages.xz" | cmp - "$ROOT/Packages" || fail "Packages.xz differs"
! grep -qE '^(MD5sum|Size: 1$|SHA256: 00$|Filename: pool/elsewhere)' "$ROOT/Packages" || fail "claims of a package"
expect 0 '' -- consume check "$ROOT"
stdout_has 'good: 9 packages'
expect 0 '' -- consume list "$ROOT"
! grep -q Packages "$T/stdout" || fail "an index is listed as a package"

# ---- file: -----------------------------------------------------------------------------------------------
make_apt "deb [signed-by=$KEYS/signer.asc] file:$ROOT ./"
update_is_silent
[ "$(candidate alpha)" = 1.10 ] || fail "$(apt-cache policy alpha)"
[ "$(candidate beta)" = 1:2.0-1 ] || fail "$(apt-cache policy beta)"
[ "$(candidate gamma)" = 0.1 ] || fail "$(apt-cache policy gamma)"

# ---- http:, and an installation ---------------------------------------------------------------------------
start_server "$ROOT"
make_apt "deb [signed-by=$KEYS/signer.asc] http://127.0.0.1:$PORT ./"
update_is_silent
grep -q 'by-hash/SHA256/' "$ACCESS" || fail "apt did not use by-hash: $(cat "$ACCESS")"
[ "$(candidate alpha)" = 1.10 ] || fail "$(apt-cache policy alpha)"
mkdir "$T/download"
(cd "$T/download" && apt-get -qq download alpha beta gamma) >"$T/log" 2>&1 || fail "$(cat "$T/log")"
[ "$(find "$T/download" -name '*.deb' | wc -l)" = 3 ] || fail "$(ls "$T/download")"
apt-get -y install alpha </dev/null >"$T/log" 2>&1 || fail "apt-get install: $(cat "$T/log")"
! grep -E '^[WEN]: ' "$T/log" || fail "apt-get install: $(cat "$T/log")"
for name in alpha beta gamma; do
    [ "$(dpkg-query --admindir="$T/target/var/lib/dpkg" -W -f '${db:Status-Status}' $name)" = installed ] ||
        fail "$name is not installed: $(cat "$T/log")"
done
[ "$(cat "$T/target/usr/share/doc/alpha/content")" = "alpha 1.10" ] || fail "another content"

# Two architectures.
cat >>"$T/apt/apt.conf" <<END
APT::Architectures { "$ARCH"; "s390x"; };
END
update_is_silent
[ "$(candidate other:s390x)" = 1 ] || fail "$(apt-cache policy other:s390x)"

# ---- What it is for: a changed index, package, or signature ends it -----------------------------------------
refused()
{
    rm -rf "$T/apt/state/lists"
    mkdir -p "$T/apt/state/lists/partial"
    ! apt-get update -o APT::Update::Error-Mode=any >"$T/update" 2>&1 </dev/null ||
        fail_above "apt takes it: $(cat "$T/update")"
}
generation=$ROOT/.hallmark/$(readlink "$ROOT/.hallmark/current")
cp -a "$ROOT" "$T/root.good"
sed -i 's/^Version: 1.10/Version: 9.99/' "$generation/Packages"
rm -rf "$generation/by-hash"
sed -i 's/^Version: 1.10/Version: 9.99/' "$generation/Packages"
xz -c "$generation/Packages" >"$generation/Packages.xz"
gzip -c "$generation/Packages" >"$generation/Packages.gz"
refused
expect 7 '*' -- consume check "$ROOT"
grep -q 'bad: 3 of 14 files' "$T/stderr" || fail "$(cat "$T/stderr")"
# The next update does not believe it either: everything is read again, and right again.
publish_next
update_is_silent
expect 0 '' -- consume check "$ROOT"
cmp "$ROOT/Packages" "$T/root.good/Packages" || fail "not what it was"

# ---- Publications under the eyes of apt ---------------------------------------------------------------------
n=100
publisher()
{
    local i
    for ((i = 1; i <= n; i++)); do
        build "$ROOT/pool/moving_$i.0_all.deb" none
        [ ! -e "$ROOT/pool/moving_$((i - 3)).0_all.deb" ] || rm "$ROOT/pool/moving_$((i - 3)).0_all.deb"
        publish_next --keep-generations 5 --keep-for 1m
    done
    touch "$T/published"
}
make_apt "deb [signed-by=$KEYS/signer.asc] http://127.0.0.1:$PORT ./"
publisher >"$T/publisher.log" 2>&1 &
PUBLISHER_PID=$!
updates=0
while [ ! -e "$T/published" ]; do
    kill -0 $PUBLISHER_PID 2>/dev/null || [ -e "$T/published" ] || fail "the publisher: $(cat "$T/publisher.log")"
    update_is_silent
    updates=$((updates + 1))
done
wait $PUBLISHER_PID || fail "the publisher: $(cat "$T/publisher.log")"
update_is_silent
[ "$(candidate moving)" = $n.0 ] || fail "$(apt-cache policy moving)"
echo "$updates updates during $n publications"
[ $updates -ge 5 ] || fail "only $updates updates"

# A client that got InRelease before the last publications still finds its index.
indexes=$(find "$ROOT/by-hash/SHA256/" -type f | wc -l)
[ "$indexes" -ge 15 ] || fail "only $indexes files by their hash"
expect 0 '' -- release prune "${PUBLISHER[@]}" --keep-generations 2 --keep-for 1s "$ROOT"
STEP=$((STEP + n))
publish_next --keep-generations 2 --keep-for 1s --label changed
publish_next --keep-generations 2 --keep-for 1s --label again
expect 6 'has Label "again", but the one seen before had ""; --accept-change' -- consume check "$ROOT" # M15
expect 0 '' -- consume check --accept-change "$ROOT"
expect 0 '' -- consume check "$ROOT"
sed -n '/^SHA256:/,/^[^ ]/s/^ \([0-9a-f]*\) .* Packages.*/\1/p' "$ROOT/Release" >"$T/hashes"
[ "$(wc -l <"$T/hashes")" = 3 ] || fail "$(cat "$ROOT/Release")"
while read -r hash; do
    [ "$(sha256sum <"$ROOT/by-hash/SHA256/$hash")" = "$hash  -" ] || fail "$hash by its hash"
done <"$T/hashes"

# ---- What apt-ftparchive or dpkg-scanpackages left is taken over ----------------------------------------------
old=$T/old
mkdir "$old"
cp "$ROOT"/pool/alpha_*.deb "$old"
(cd "$old" && sed '/^$/q' "$ROOT/Packages" >Packages && gzip -k Packages && sha256sum Packages >Release)
expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/old-state" "$old"
[ "$(readlink "$old/Packages.gz")" = .hallmark/current/Packages.gz ] || fail "$(ls -l "$old")"
[ "$(readlink "$old/.hallmark/current")" = 00000002 ] || fail "what was there is no generation"
[ "$(grep -c '^Package: alpha$' "$old/Packages")" = 3 ] || fail "$(cat "$old/Packages")"
cmp "$old/.hallmark/00000001/Packages" <(sed '/^$/q' "$ROOT/Packages") || fail "the index of before"
make_apt "deb [signed-by=$KEYS/signer.asc] file:$old ./"
update_is_silent
[ "$(candidate alpha)" = 1.10 ] || fail "$(apt-cache policy alpha)"

# ---- Without any .deb, nothing of it is left ----------------------------------------------------------------
find "$ROOT" -name '*.deb' -delete
publish_next --accept-loss --label none
expect 0 '' -- consume check --accept-change "$ROOT"
[ -z "$(find "$ROOT" -maxdepth 1 -name 'Packages*')" ] || fail "$(ls -la "$ROOT")"
! grep -qE 'Packages|Architectures' "$ROOT/Release" || fail "$(cat "$ROOT/Release")"
cp -a "$ROOT/Release" "$T/Release"
echo Package: x >"$ROOT/Packages"
expect 8 'Packages: the name is reserved' -- release update "${PUBLISHER[@]}" --label none "$ROOT"
