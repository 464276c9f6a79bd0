#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is more often an accident than a decision: an empty tree, too much of it gone, a clock that went back, a
# manifest that expires sooner than the next run comes (G26). Refused or told of, with a way to say that it is meant.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir -p "$root/pool"
fill()
{
    local i
    for ((i = 1; i <= 10; i++)); do echo "$i" >"$root/pool/$i.txt"; done
}
stays()
{
    expect "$@"
    served_is "$root" "$T/served"
}
fill
publish "$root"
served "$root" >"$T/served"

# More than the share that is allowed: half of it where nothing is said.
rm "$root"/pool/{1,2,3,4,5,6}.txt
stays 7 '6 of 10 published packages have vanished, more than 50%; --accept-loss' -- \
    release update "${PUBLISHER[@]}" "$root"
stays 7 'more than 59%' -- release update "${PUBLISHER[@]}" --max-vanished 59% "$root"
stays 7 'more than 59%' -- release update "${PUBLISHER[@]}" --max-vanished 59% --quiet "$root"
expect 0 '' -- release update "${PUBLISHER[@]}" --max-vanished 60% "$root"
expect 0 '' -- consume check "$root"
stdout_has 'good: 4 packages'
served "$root" >"$T/served"

# One that was renamed is one that vanished, and 0% allows none.
mv "$root/pool/7.txt" "$root/pool/seven.txt"
stays 7 '1 of 4 published packages have vanished, more than 0%' -- \
    release update "${PUBLISHER[@]}" --max-vanished 0% "$root"
expect 0 '' -- release update "${PUBLISHER[@]}" "$root"

# As it is configured; and meant.
fill
publish "$root"
served "$root" >"$T/served"
conf=(--config "$T/etc")
expect 0 '*' -- release init "$root" --name tree --key "$KEY" --gnupg-home "$GNUPG" --max-vanished 10% \
    --state "$T/publisher" "${conf[@]}"
grep -qx 'Max-Vanished: 10%' "$T/etc/repositories.d/tree.conf" || fail "$(cat "$T/etc/repositories.d/tree.conf")"
rm "$root"/pool/{1,2}.txt
stays 7 'more than 10%' -- release update tree "${conf[@]}"
stays 7 'more than 10%' -- release update tree "${conf[@]}" --json
expect 0 '*' -- release status tree "${conf[@]}"
expect 0 '' -- release update tree "${conf[@]}" --accept-loss
expect 0 '' -- consume check "$root"
rm "$root/pool/3.txt"
served "$root" >"$T/served"
stays 7 'more than 10%' -- release update tree "${conf[@]}" # it was meant once

# Nothing at all, whatever the share: a disk that is not mounted.
mv "$root/pool" "$T/pool"
served "$root" >"$T/served"
for share in 10% 100%; do
    stays 7 'holds no packages \(is a disk not mounted\?\); --accept-loss' -- \
        release update "${PUBLISHER[@]}" --max-vanished $share "$root"
done
mkdir "$root/pool"
stays 7 'holds no packages' -- release update "${PUBLISHER[@]}" --max-vanished 100% "$root"
expect 0 '' -- release update "${PUBLISHER[@]}" --accept-loss "$root"
expect 0 '' -- consume check "$root"
stdout_has 'good: 0 packages'
# What has been empty stays empty only as long as that is meant.
expect 7 'holds no packages' -- release update "${PUBLISHER[@]}" "$root"
rmdir "$root/pool"
mv "$T/pool" "$root/pool"
publish "$root"
mkdir "$T/empty"
expect 7 'holds no packages' -- release update "${PUBLISHER[@]}" --state "$T/state2" "$T/empty"
[ -z "$(ls -A "$T/empty")" ] || fail "$(ls -A "$T/empty")"

# A clock before the last Date: refused, by SOURCE_DATE_EPOCH as well, and nothing allows it: clients would refuse.
date=$(seconds "$root" Date)
served "$root" >"$T/served"
for command in update resign; do
    SOURCE_DATE_EPOCH=$((date - 3600)) stays 5 'SOURCE_DATE_EPOCH says' -- release $command "${PUBLISHER[@]}" \
        --label other "$root"
    if can_fake_time; then
        stays 5 'the clock says' -- faketime -f -1h "$REPO_RELEASE" $command "${PUBLISHER[@]}" "$root"
        stays 5 'the clock says' -- faketime -f -1h "$REPO_RELEASE" $command "${PUBLISHER[@]}" --quiet "$root"
    fi
done

# A manifest that has expired before the next run came: it is told, with what to do.
if can_fake_time; then
    echo "a day late" >"$root/pool/late.txt"
    expect 0 '' -- release update "${PUBLISHER[@]}" --valid-for 12h "$root"
    expect 4 'expired' -- faketime -f +1d "$REPO_RELEASE" status "${PUBLISHER[@]}" --valid-for 12h "$root"
    expect 0 'warning: the last manifest expired on .* ago, and clients refused it since: update more often' -- \
        faketime -f +1d "$REPO_RELEASE" update "${PUBLISHER[@]}" --valid-for 12h "$root"
    expect 0 '' -- faketime -f +2d "$REPO_RELEASE" update "${PUBLISHER[@]}" --valid-for 12h --quiet "$root"
    # The last one is good, but this one would not have lasted from that run to this one.
    expect 0 '*' -- faketime -f +3d "$REPO_RELEASE" update "${PUBLISHER[@]}" --valid-for 30d --quiet "$root"
    echo "another" >"$root/pool/late.txt"
    expect 0 'warning: the last manifest is from [0-9a-z ]+ ago, and the new one is valid for 5 days only' -- \
        faketime -f +9d "$REPO_RELEASE" update "${PUBLISHER[@]}" --valid-for 5d "$root"
    # An interval that fits says nothing; near the end, status does.
    expect 0 '' -- faketime -f +12d "$REPO_RELEASE" update "${PUBLISHER[@]}" --valid-for 5d "$root"
    expect 0 '' -- faketime -f +13d "$REPO_RELEASE" status "${PUBLISHER[@]}" --valid-for 5d "$root"
    expect 12 'expires' -- faketime -f +16d "$REPO_RELEASE" status "${PUBLISHER[@]}" --valid-for 5d "$root"
else
    echo "not tried: clocks of other days, which need faketime" >&2
fi
