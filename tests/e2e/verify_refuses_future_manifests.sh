#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A manifest from ahead of the clock, or a clock that is behind what it must be: exit status 5 with both
# clocks in the message, and what was remembered is not spoilt. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup

root=$T/root
make_repository "$root"
publish "$root" --valid-for 30d
date=$(seconds "$root" Date)
mkdir "$T/out"
cp "$root/Release" "$T/Release.good"

WATCHED=("$root" "$T/consumer" "$T/out")
future()
{
    local what=$1 regex=$2
    shift 2
    refuses "$what" 5 "$regex" -- consume unpack "$root" hello-1.0.tar.gz --into "$T/out/x" "$@"
    expect 5 "$regex" -- consume check "$root" "$@"
    stdout_is_empty
    nothing_unpacked "$T/out/x"
}

# ISO 8601 or RFC 1123, twice.
day='[0-9]{1,4}[- ]'
future S09-clock-1999 "clock.*1999|1999.*clock" --now 1999-01-01
future F07-eleven-seconds-ahead "$day.*clock.*$day" --now "@$((date - 11))"
future F07-beyond-the-skew "clock" --now "@$((date - 61))" --clock-skew 60
future F02-clock-1970-without-state "clock" --now 1970-01-02
[ "$(remembered)" = 0 ] || fail "a manifest from the future was remembered"
expect 0 '' -- consume check "$root" --now "@$((date - 9))" --no-state
expect 0 '' -- consume check "$root" --now "@$((date - 59))" --clock-skew 60s --no-state

# The machine's clock itself.
if can_fake_time; then
    expect 5 'clock.*1999|1999.*clock' -- faketime '1999-01-01 00:00:00' "$REPO_VERIFY" "${CONSUMER[@]}" check "$root"
    expect 5 'clock' -- faketime '1999-01-01 00:00:00' "$REPO_VERIFY" "${CONSUMER[@]}" unpack "$root" \
        hello-1.0.tar.gz --into "$T/out/x"
    nothing_unpacked "$T/out/x"
fi

# What was accepted once is the floor for the clock as well.
expect 0 '' -- consume check "$root"
snapshot "$T/consumer" >"$T/before"
future F02-clock-1970 "clock" --now 1970-01-02
future F02-before-the-last-date "clock" --now "@$((date - 11))"
# Also where an older manifest would fit that clock.
sed -E 's/^Date:.*/Date: Wed, 01 Jan 2025 00:00:00 UTC/; s/^Valid-Until:.*/Valid-Until: Sat, 01 Feb 2025 00:00:00 UTC/' \
    "$T/Release.good" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" --faked-system-time 20250101T000000 | replace_inrelease "$root"
future F02-with-the-manifest-of-then 'one was accepted before that is dated' --now 2025-01-02
accepts F02-with-nothing-remembered -- consume check "$root" --no-state --quiet --now 2025-01-02

# Dates and signatures ahead of the clock by somebody who may sign.
later=$(date -u -d '+1 hour' '+%a, %d %b %Y %H:%M:%S UTC')
sed -E "s/^Date:.*/Date: $later/" "$T/Release.good" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$root"
future F07-an-hour-ahead 'is dated .* but the clock says'
ten=$(date -u -d '+10 years' '+%a, %d %b %Y %H:%M:%S UTC')
sed -E "s/^Date:.*/Date: $ten/; s/^Valid-Until:.*/Valid-Until: Fri, 31 Dec 9999 00:00:00 UTC/" "$T/Release.good" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$root"
future F07-ten-years-ahead 'is dated .* but the clock says'
clearsign_as "$GNUPG" "$KEY" "$T/Release.good" --faked-system-time "$(date -u -d '+3 days' +%Y%m%dT%H%M%S)" |
    replace_inrelease "$root"
future S08-signature-three-days-ahead 'clock|future'
unchanged "$T/consumer" "$T/before"
clearsign_as "$GNUPG" "$KEY" "$T/Release.good" | replace_inrelease "$root"
accepts F07-state-is-not-poisoned -- consume check "$root" --quiet

# Whoever had the old key could move the floor by the allowed skew at most, so that the new key's first manifest is
# newer than anything seen; the old key is given up by the reader's keyring.
rm -f "$root/InRelease" "$root/Release" "$root/Release.gpg"
second=$(cat "$KEYS/second.fpr")
sed -E "s/^Date:.*/Date: $(date -u -d "@$(($(date +%s) + 8))" '+%a, %d %b %Y %H:%M:%S UTC')/" "$T/Release.good" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" >"$root/InRelease"
accepts F08-fast-forward-within-the-skew -- consume check "$root" --quiet
sed -E "s/^Date:.*/Date: $(date -u -d "@$(($(date +%s) + 9))" '+%a, %d %b %Y %H:%M:%S UTC')/" "$T/Release.good" >"$T/Release"
clearsign_as "$GNUPG" "$second" "$T/Release" >"$root/InRelease"
refuses F08-new-key-not-yet-trusted 3 'not in the keyring' -- consume check "$root"
accepts F08-recovery-with-the-new-key -- verify --keyring "$KEYS/second.gpg" --state "$T/consumer" check "$root" --quiet
clearsign_as "$GNUPG" "$KEY" "$T/Release" >"$root/InRelease"
refuses F08-old-key-after-that 3 'not in the keyring' -- verify --keyring "$KEYS/second.gpg" --state "$T/consumer" check "$root"
