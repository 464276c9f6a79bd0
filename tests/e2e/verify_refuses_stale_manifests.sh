#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A manifest that is expired, older than allowed, or without any expiry: exit status 4, the clock and the
# date in the message, nothing unpacked and nothing changed. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup

root=$T/root
make_repository "$root"
publish "$root" --valid-for 1h
date=$(seconds "$root" Date)
until=$(seconds "$root" Valid-Until)
mkdir "$T/out"
WATCHED=("$root" "$T/consumer" "$T/out")

# stale CASE REGEX OPTION...
stale()
{
    local what=$1 regex=$2 command
    shift 2
    refuses "$what" 4 "$regex" -- consume unpack "$root" hello-1.0.tar.gz --into "$T/out/x" "$@"
    for command in check manifest list; do
        expect 4 "$regex" -- consume $command "$root" "$@"
        stdout_is_empty
    done
    nothing_unpacked "$T/out/x"
    [ "$(remembered)" = 0 ] || fail "a stale manifest was remembered"
}

stale F01-a-second-late 'InRelease: expired on .*the clock says' --now "@$((until + 1))"
stale F03-clock-2040 'expired on .*or the clock is wrong' --now 2040-01-01
stale F04-older-than-the-reader-allows 'older than' --max-age 10m --now "@$((date + 601))"
stale F04-longer-age-does-not-help 'expired' --max-age 10d --now "@$((until + 1))"
if can_fake_time; then
    refuses F03-machine-in-2040 4 'expired' -- env TZ=UTC faketime '2040-01-01 00:00:00' "$REPO_VERIFY" "${CONSUMER[@]}" unpack \
        "$root" hello-1.0.tar.gz --into "$T/out/x"
fi
expect 4 'expired' -- consume check "$root" --as-of "@$((until + 1))"
expect 4 '*' -- consume check "$root" --now "@$((until + 1))" --json
json "o['status'] == 'bad' and o['exit'] == 4 and 'expired' in o['error']"

accepts F01-a-second-before -- consume check "$root" --now "@$((until - 1))" --no-state --quiet
accepts F01-at-the-second -- consume check "$root" --now "@$until" --no-state --quiet
accepts F04-within-the-age -- consume check "$root" --max-age 10m --now "@$((date + 599))" --no-state --quiet
# The same one, again and again, until it expires; what was remembered once is no reason to believe it longer.
for later in 0 60 1800 3600; do
    accepts F04-frozen-for-$later-seconds -- verify --keyring "$KEYS/signer.gpg" --state "$T/frozen" check "$root" --quiet \
        --now "@$((date + later))"
done
refuses F04-frozen-for-longer 4 'expired' -- verify --keyring "$KEYS/signer.gpg" --state "$T/frozen" check "$root" \
    --now "@$((date + 3601))"

# It expires between the verdict on it and the use of a package.
if have strace && ! under_wrapper; then
    : >"$T/trace"
    delayed()
    {
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 strace -qq -o "$T/trace" -P "$root/pool/h/hello-1.0.tar.gz" \
            -e trace=read,pread64 -e inject=read,pread64:delay_enter=3000000:when=1 "$REPO_VERIFY" "$@"
    }
    PARENTS=("$T/out") WATCHED=("$root" "$T/consumer")
    if delayed "${CONSUMER[@]}" --no-state --quiet unpack "$root" pool/h/hello-1.0.tar.gz --into "$T/out/x" &&
        grep -q DELAYED "$T/trace"; then
        rm -rf "$T/out/x"
        refuses F14-expired-while-reading 4 'expired' -- delayed "${CONSUMER[@]}" unpack "$root" pool/h/hello-1.0.tar.gz \
            --into "$T/out/x" --now "@$((until - 1))"
        accepts F14-in-time -- delayed --no-state --keyring "$KEYS/signer.gpg" --quiet unpack "$root" \
            pool/h/hello-1.0.tar.gz --into "$T/out/x" --now "@$((until - 600))"
        rm -rf "$T/out/x"
    else
        echo "skipped F14: strace cannot delay a reading here"
        rm -rf "$T/out/x"
    fi
    PARENTS=() WATCHED=("$root" "$T/consumer" "$T/out")
else
    echo "skipped F14: needs strace, and the tool itself"
fi

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
refuses F01-by-the-real-clock 4 'expired' -- consume check "$old"
expect 0 '' -- consume check "$old" --as-of "@$(($(date +%s) - 172000))" --no-state --clock-skew 3d

# Without any expiry: only on request, or within an age of the reader's own.
sed '/^Valid-Until:/d' "$root/Release" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$root"
stale M18-no-expiry-at-all 'no Valid-Until'
expect 0 '' -- consume check "$root" --allow-no-expiry --no-state
expect 0 '' -- consume check "$root" --max-age 1d --no-state
stale M18-no-expiry-and-too-old 'older than' --max-age 1h --now "@$((date + 3601))"
# An expiry of its own is never waived.
publish "$root" --valid-for 1h
rm "$root/InRelease"
ln -s .hallmark/current/InRelease "$root/InRelease"
refuses M18-expiry-is-never-waived 4 'expired' -- consume check "$root" --allow-no-expiry \
    --now "@$(($(seconds "$root" Valid-Until) + 1))"
# An expiry in a hundred years is capped by the reader's limit.
sed -E 's/^Valid-Until:.*/Valid-Until: Sat, 01 Jan 2124 00:00:00 UTC/' "$root/Release" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$root"
accepts M19-expiry-in-a-hundred-years -- consume check "$root" --no-state --quiet
accepts M19-within-the-age -- consume check "$root" --no-state --quiet --max-age 1d --now "@$((date + 86000))"
refuses M19-capped-by-the-age 4 'older than' -- consume check "$root" --max-age 1d --now 2100-01-01
