#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# G22: dates only grow: two publications in one second get different dates, and a clock before the published Date is
# refused instead of publishing what every consumer would refuse.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
last=0
for i in 1 2 3 4; do
    echo "$i" >"$root/a.txt"
    publish "$root"
    date=$(seconds "$root" Date)
    ((date > last)) || fail "publication $i is dated $date, the one before $last"
    expect 0 '' -- consume check "$root"
    last=$date
done

served "$root" >"$T/served"
echo 5 >"$root/a.txt"
for command in update resign; do
    SOURCE_DATE_EPOCH=$((last - 1)) expect 5 "$(field "$root" Date | cut -c 6-16)" -- \
        release $command "${PUBLISHER[@]}" "$root"
    served_is "$root" "$T/served"
done
if can_fake_time; then
    expect 5 'clock' -- faketime '2021-01-01 00:00:00' "$REPO_RELEASE" update "${PUBLISHER[@]}" "$root"
    served_is "$root" "$T/served"
    # Nothing has changed: what was published in the clock's future is not young, it is wrong.
    echo 4 >"$root/a.txt"
    expect 5 'clock' -- faketime '1999-01-01 00:00:00' "$REPO_RELEASE" update "${PUBLISHER[@]}" "$root"
    served_is "$root" "$T/served"
fi
publish "$root"
expect 0 '' -- consume check "$root"
