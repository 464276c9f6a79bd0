#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a server has sent is kept and asked for again only if it has changed; and whoever can write to what is kept, or
# says that nothing has changed, gains nothing (F13). The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../net/net.sh"
setup
need dpkg-deb

root=$T/root
package=pool/main/hello_1.0_all.deb
mkdir -p "$root/pool/main"
make_package "$root/$package" one
make_package "$root/pool/main/other_1.0_all.deb" one
apt=(--layout apt --suite stable --architecture amd64)
publish "$root" "${apt[@]}"
cp -RL "$root/dists/stable/InRelease" "$T/first"
serve "$root"
url=http://127.0.0.1:$PORT
mkdir -p "$T/etc/sources.d" "$T/out"
printf 'Types: deb\nURIs: %s\nSuites: stable\nComponents: main\nArchitectures: amd64\nSigned-By: %s\n' "$url" \
    "$KEYS/signer.gpg" >"$T/etc/sources.d/s.sources"
cache=$T/consumer/cache
s()
{
    local command=$1
    shift
    verify "$command" s --config "$T/etc" --state "$T/consumer" "$@"
}
# log: empties the server's log, and leaves the cache alone.
log()
{
    : >"$root.log"
}
inrelease=/dists/stable/InRelease

# The second time, one question whether anything has changed, and the package.
expect 0 '*' -- s check hello
[ "$(grep -c "^GET $inrelease\$" "$root.log")" = 1 ] || fail "$(cat "$root.log")"
grep -q by-hash "$root.log" || fail "no index: $(cat "$root.log")"
[ "$(find "$cache" -type f | wc -l)" = 2 ] || fail "$(ls -la "$cache")"
[ "$(stat -c %a "$cache")" = 700 ] || fail "$(ls -ld "$cache")"
[ "$(find "$cache" -type f -printf '%m\n' | sort -u)" = 600 ] || fail "$(ls -la "$cache")"
log
expect 0 '*' -- s check hello
asked "$root" "GET $inrelease if-none-match" "GET /$package"
log
expect 0 '' -- s list
asked "$root" "GET $inrelease if-none-match"

# What has changed comes anew; what has not, of the same manifest, does not.
make_package "$root/$package" two
publish "$root" "${apt[@]}"
log
expect 0 '*' -- s fetch hello -o "$T/out"
grep -qx "GET $inrelease if-none-match" "$root.log" || fail "$(cat "$root.log")"
cmp "$T/out/hello_1.0_all.deb" "$root/$package"

# F13: "nothing has changed" is judged as if it had come now, and only as long as it is fresh.
date=$(seconds "$root/dists/stable" Date)
: >"$root.rules"
echo "$inrelease unchanged" >"$root.rules"
expect 0 '' -- s manifest
stdout_has "Date: +$(date -u -d "@$date" '+%a, %d %b %Y')"
WATCHED=("$T/consumer") PARENTS=("$T/out")
refuses F13-unchanged-and-expired 4 'InRelease: .*expired' -- s manifest --now "@$((date + 86400 * 30))"
expect 4 'InRelease: ' -- s manifest --now "@$((date + 7300))" --max-age 2h
expect 5 'InRelease: ' -- s manifest --now "@$((date - 3600))"
expect 3 'InRelease: ' -- s manifest --signed-by "$(cat "$KEYS/second.fpr")"

# A server that answers so although nobody has asked.
rm -rf "$cache"
echo "$inrelease status 304" >"$root.rules"
expect 1 'status 304' -- s manifest
rm "$root.rules"
expect 0 '*' -- s check hello

# Damage is noticed, and mended.
document=$(find "$cache" -name 'document-*')
index=$(find "$cache" -type f ! -name 'document-*')
good()
{
    log
    expect 0 '*' -- s check hello
    grep -q "by-hash" "$root.log" || [ "$1" != index ] || fail "$2: the index was not asked for: $(cat "$root.log")"
    grep -qx "GET $inrelease" "$root.log" || [ "$1" != document ] || fail "$2: $(cat "$root.log")"
    log
    expect 0 '*' -- s check hello
    asked "$root" "GET $inrelease if-none-match" "GET /$package"
}
flip()
{
    printf '\377' | dd of="$1" bs=1 seek=200 conv=notrunc status=none
}
for damage in "truncate -s 10" "truncate -s 0" flip rm; do
    $damage "$document"
    good document "$damage"
    $damage "$index"
    good index "$damage"
done
truncate -s 20M "$document"
good document large
rm "$document" "$index"
ln -s /dev/zero "$document"
mkfifo "$index"
good document links
mkdir "$T/elsewhere"
rm -rf "$cache"
ln -s "$T/elsewhere" "$cache"
expect 0 '*' -- s check hello
[ -z "$(ls -A "$T/elsewhere")" ] || fail "a link was followed: $(ls "$T/elsewhere")"
rm "$cache"
expect 0 '*' -- s check hello

# A forger with the right sum: another manifest, an old one, an unsigned one under the ETag of the true one.
forge()
{
    local etag
    etag=$(head -n 1 "$document")
    {
        echo "$etag"
        sha256sum <"$1" | cut -d' ' -f1
        cat "$1"
    } >"$T/forged"
    cp "$T/forged" "$document"
    log
    expect 0 '*' -- s check hello
    asked "$root" "GET $inrelease if-none-match" "GET $inrelease" "GET /$package"
}
forge "$T/first"
sed 's/^Origin/Other/;s/^Date: .*/Date: Thu, 01 Jan 2026 00:00:00 UTC/' "$root/dists/stable/InRelease" >"$T/bad"
forge "$T/bad"
head -c 100 /dev/zero >"$T/bad"
forge "$T/bad"

# What fails keeps nothing, and --no-state neither.
rm -rf "$cache"
also_lies "$root" "/$package" flip
expect 7 '*' -- s check hello
[ ! -e "$cache" ] || fail "a failure is kept: $(ls "$cache")"
rm "$root.rules"
expect 0 '*' -- verify check s hello --config "$T/etc" --no-state
[ ! -e "$cache" ] || fail "kept without state"

# It does not grow for ever, and it is no error where it cannot be written.
mkdir -m 700 "$cache"
for i in 1 2 3; do
    truncate -s 100M "$cache/old$i"
    touch -d '2020-01-01' "$cache/old$i"
done
expect 0 '*' -- s check hello
[ "$(find "$cache" -name 'old*' | wc -l)" = 2 ] || fail "$(ls -la "$cache")"
rm -rf "$cache"
echo >"$cache"
expect 0 '*' -- s check hello
