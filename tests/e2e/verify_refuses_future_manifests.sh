#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A manifest from ahead of the clock, or a clock that is behind what it must be: exit status 5 with both
# clocks in the message, and what was remembered is not spoilt.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root" --valid-for 30d
date=$(seconds "$root" Date)
mkdir "$T/out"
cp "$root/Release" "$T/Release.good"

future()
{
    local regex=$1
    shift
    expect 5 "$regex" -- consume check "$root" "$@"
    stdout_is_empty
    expect 5 "$regex" -- consume unpack "$root" hello-1.0.tar.gz --into "$T/out/x" "$@"
    nothing_unpacked "$T/out/x"
}

# ISO 8601 or RFC 1123, twice.
day='[0-9]{1,4}[- ]'
future "clock.*1999|1999.*clock" --now 1999-01-01
future "$day.*clock.*$day" --now "@$((date - 11))"
future "clock" --now "@$((date - 61))" --clock-skew 60
future "clock" --now 1970-01-02
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
future "clock" --now 1970-01-02
future "clock" --now "@$((date - 11))"

# Dates and signatures ahead of the clock by somebody who may sign.
later=$(date -u -d '+1 hour' '+%a, %d %b %Y %H:%M:%S UTC')
sed -E "s/^Date:.*/Date: $later/" "$T/Release.good" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$root"
future 'clock'
clearsign_as "$GNUPG" "$KEY" "$T/Release.good" --faked-system-time "$(date -u -d '+3 days' +%Y%m%dT%H%M%S)" |
    replace_inrelease "$root"
future 'clock|future'
unchanged "$T/consumer" "$T/before"
clearsign_as "$GNUPG" "$KEY" "$T/Release.good" | replace_inrelease "$root"
expect 0 '' -- consume check "$root"
