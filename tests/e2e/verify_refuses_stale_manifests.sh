#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A manifest that is expired, older than allowed, or without any expiry: exit status 4, the clock and the
# date in the message, nothing unpacked and nothing remembered.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root" --valid-for 1h
date=$(seconds "$root" Date)
until=$(seconds "$root" Valid-Until)
mkdir "$T/out"

stale()
{
    local regex=$1
    shift
    expect 4 "$regex" -- consume check "$root" "$@"
    stdout_is_empty
    expect 4 "$regex" -- consume manifest "$root" "$@"
    expect 4 "$regex" -- consume list "$root" "$@"
    expect 4 "$regex" -- consume unpack "$root" hello-1.0.tar.gz --into "$T/out/x" "$@"
    nothing_unpacked "$T/out/x"
    [ "$(remembered)" = 0 ] || fail "a stale manifest was remembered"
}

stale 'InRelease: expired on .*the clock says' --now "@$((until + 1))"
stale 'expired' --now 2040-01-01
stale 'older than' --max-age 10m --now "@$((date + 601))"
stale 'expired' --max-age 10d --now "@$((until + 1))"
expect 4 'expired' -- consume check "$root" --as-of "@$((until + 1))"
expect 4 '*' -- consume check "$root" --now "@$((until + 1))" --json
json "o['status'] == 'bad' and o['exit'] == 4 and 'expired' in o['error']"

expect 0 '' -- consume check "$root" --now "@$((until - 1))" --no-state
expect 0 '' -- consume check "$root" --max-age 10m --now "@$((date + 599))" --no-state

# All the ways to write the same date.
iso=$(date -u -d "@$((until - 5))" +%Y-%m-%dT%H:%M:%SZ)
rfc=$(date -u -d "@$((until - 5))" '+%a, %d %b %Y %H:%M:%S UTC')
for now in "$iso" "$rfc" "@$((until - 5))"; do
    expect 0 '' -- consume check "$root" --now "$now" --no-state
done

# By the real clock: a manifest of two days ago that was good for an hour.
old=$T/old
make_repository "$old"
SOURCE_DATE_EPOCH=$(($(date +%s) - 172800)) expect 0 '' -- \
    release update "${PUBLISHER[@]}" --state "$T/publisher2" --valid-for 1h "$old"
expect 4 'expired' -- consume check "$old"
expect 0 '' -- consume check "$old" --as-of "@$(($(date +%s) - 172000))" --no-state --clock-skew 3d

# Without any expiry: only on request, or within an age of the reader's own.
sed '/^Valid-Until:/d' "$root/Release" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$root"
stale 'no Valid-Until'
expect 0 '' -- consume check "$root" --allow-no-expiry --no-state
expect 0 '' -- consume check "$root" --max-age 1d --no-state
stale 'older than' --max-age 1h --now "@$((date + 3601))"
# An expiry of its own is never waived.
publish "$root" --valid-for 1h
rm "$root/InRelease"
ln -s .hallmark/current/InRelease "$root/InRelease"
expect 4 'expired' -- consume check "$root" --allow-no-expiry --now "@$(($(seconds "$root" Valid-Until) + 1))"
# An expiry in a hundred years is capped by the reader's limit.
sed -E 's/^Valid-Until:.*/Valid-Until: Sat, 01 Jan 2124 00:00:00 UTC/' "$root/Release" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$root"
expect 0 '' -- consume check "$root" --no-state
expect 4 'older than' -- consume check "$root" --max-age 1d --now 2100-01-01
