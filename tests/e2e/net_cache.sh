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

# ---- Release and Release.gpg ------------------------------------------------------------------
# Where there is no InRelease, both are kept, each by itself; what is said to be unchanged and does not belong to the
# other is asked for again without that.
manifests=$root/dists/stable
lies "$root" "$inrelease" status 404
expect 0 '*' -- s check hello
log
expect 0 '*' -- s check hello
asked "$root" "GET $inrelease" "GET /dists/stable/Release if-none-match" "GET /dists/stable/Release.gpg if-none-match" \
    "GET /$package"
cp -L "$manifests/Release" "$T/Release.before"
cp -L "$manifests/Release.gpg" "$T/Release.gpg.before"
sleep 1.1
make_package "$root/pool/main/third_1.0_all.deb" one
publish "$root" "${apt[@]}"
for lie in Release Release.gpg; do
    echo "/dists/stable/$lie unchanged" >"$root.rules"
    also_lies "$root" "$inrelease" status 404
    log
    expect 0 '*' -- verify manifest s --config "$T/etc" --state "$T/consumer"
    stdout_has "Date: +$(date -u -d "@$(seconds "$manifests" Date)" '+%a, %d %b %Y %H:%M:%S')"
    [ "$(grep -cE "GET /dists/stable/$lie( |\$)" "$root.log")" = 2 ] || fail "$(cat "$root.log")"
    # As it was, for the other one.
    rm -rf "$T/consumer"
    echo "$inrelease status 404" >"$root.rules"
    echo "/dists/stable/Release other Release.old" >>"$root.rules"
    echo "/dists/stable/Release.gpg other Release.gpg.old" >>"$root.rules"
    cp "$T/Release.before" "$root/Release.old"
    cp "$T/Release.gpg.before" "$root/Release.gpg.old"
    expect 0 '' -- s manifest
done
# Both unchanged for ever: as old as it is.
printf '%s\n' "$inrelease status 404" '/dists/stable/Release.* unchanged' >"$root.rules"
expect 0 '' -- s manifest
refuses F13-unchanged-release 4 'Release: .*expired' -- s manifest --now "@$((date + 86400 * 30))"
rm -rf "$T/consumer" "$root/Release.old" "$root/Release.gpg.old"

# ---- Last-Modified ----------------------------------------------------------------------------
# A server without ETags is asked by the date, if that was a minute ago when it said so; and judged in the same way.
dated()
{
    rm -rf "$T/consumer"
    echo "$inrelease dated $*" >"$root.rules"
    log
    expect 0 '' -- s manifest
    expect 0 '' -- s manifest
}
dated 60
asked "$root" "GET $inrelease" "GET $inrelease if-modified-since"
dated 3600 'ETag:_W/"weak"'
asked "$root" "GET $inrelease" "GET $inrelease if-modified-since"
dated 3600 'ETag:_"strong"'
asked "$root" "GET $inrelease" "GET $inrelease if-none-match"
for odd in 59 0 -100 none '3600 Last-Modified:_yesterday' '3600 Last-Modified:_Thu,_01_Jan_1970_00:00:00_GMT'; do
    # shellcheck disable=SC2086 # several words
    dated $odd
    asked "$root" "GET $inrelease" "GET $inrelease"
done
dated 3600
touch -d 2030-01-01 "$manifests/InRelease"
log
expect 0 '' -- s manifest
asked "$root" "GET $inrelease if-modified-since"
echo "$inrelease unchanged" >"$root.rules"
expect 0 '' -- s manifest
refuses F13-not-modified-and-expired 4 'InRelease: .*expired' -- s manifest --now "@$((date + 86400 * 30))"
expect 4 'InRelease: ' -- s manifest --max-age 2h --now "@$((date + 7300))"
# What is kept is verified: another document under that date is asked for again, without it.
document=$(find "$cache" -name 'document-*')
{
    head -n 1 "$document"
    sha256sum <"$T/first" | cut -d' ' -f1
    cat "$T/first"
} >"$T/forged"
cp "$T/forged" "$document"
log
expect 0 '' -- s manifest
asked "$root" "GET $inrelease if-modified-since" "GET $inrelease"
# Nobody who asks for a package asks by a date.
rm -rf "$T/consumer"
printf '.* dated 3600\n' >"$root.rules"
expect 0 '*' -- s check hello
log
expect 0 '*' -- s check hello
asked "$root" "GET $inrelease if-modified-since" "GET /$package"
rm "$root.rules"
rm -rf "$T/consumer"
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
flip_one()
{
    flip "$1" 200
}
for damage in "truncate -s 10" "truncate -s 0" flip_one rm; do
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
