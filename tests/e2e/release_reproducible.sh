#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The same input, settings and SOURCE_DATE_EPOCH give the same bytes of Release, wherever and whenever.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

make_repository "$T/one"
echo more >"$T/one/more.txt"
epoch=1700000000
options=(--origin Test --suite stable --architecture amd64 --hash SHA512 --valid-for 7d)
SOURCE_DATE_EPOCH=$epoch expect 0 '' -- release update "${PUBLISHER[@]}" "${options[@]}" "$T/one"
[ "$(seconds "$T/one" Date)" = $epoch ] || fail "Date: $(field "$T/one" Date)"
[ "$(seconds "$T/one" Valid-Until)" = $((epoch + 604800)) ] || fail "Valid-Until: $(field "$T/one" Valid-Until)"
[ "$(field "$T/one" Date)" = "Tue, 14 Nov 2023 22:13:20 UTC" ] || fail "Date: $(field "$T/one" Date)"

# Made in another order, other times, other owner's modes, another place, zone and language.
mkdir -p "$T/other place/pool/w" "$T/other place/pool/h"
for file in more.txt pool/w/world-2.0.tar.bz2 pool/h/hello-1.2.tar.xz README.txt pool/h/hello-1.0.tar.gz; do
    cat "$T/one/$file" >"$T/other place/$file"
done
chmod 600 "$T/other place/more.txt"
(
    export TZ=Pacific/Auckland LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=$epoch
    umask 077
    expect 0 '' -- release update "${PUBLISHER[@]}" "${options[@]}" --state "$T/state2" "$T/other place"
)
cmp "$T/one/Release" "$T/other place/Release" || fail "not reproducible"

# Once more in a cleared place.
rm -rf "$T/one/.hallmark" "$T/one/"*Release* "$T/publisher"
cp "$T/other place/Release" "$T/Release"
SOURCE_DATE_EPOCH=$epoch expect 0 '' -- release update "${PUBLISHER[@]}" "${options[@]}" "$T/one"
cmp "$T/one/Release" "$T/Release" || fail "not reproducible in the same place"

# A date that is not after the published one is no reason to go back.
echo changed >"$T/one/more.txt"
SOURCE_DATE_EPOCH=$((epoch - 100)) expect 5 'Date|dated|clock|SOURCE_DATE_EPOCH' -- \
    release update "${PUBLISHER[@]}" "${options[@]}" "$T/one"
cmp "$T/one/Release" "$T/Release" || fail "published all the same"
SOURCE_DATE_EPOCH=$((epoch + 100)) expect 0 '' -- release update "${PUBLISHER[@]}" "${options[@]}" "$T/one"
[ "$(seconds "$T/one" Date)" = $((epoch + 100)) ] || fail "Date: $(field "$T/one" Date)"
