#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# G08: one run at a time: a second one says busy at once, or waits as long as it is told; a lock that nobody holds
# does not matter.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
publish "$root"
[ -f "$T/publisher/lock" ] || fail "no lock file: $(ls "$T/publisher")"
echo two >"$root/a.txt"
served "$root" >"$T/served"

hold()
{
    (flock 9 && touch "$T/held" && exec sleep "$1") 9>>"$T/publisher/lock" &
    holder=$!
    while [ ! -e "$T/held" ]; do sleep 0.05; done
    rm "$T/held"
}
holder=
at_exit '[ -z "$holder" ] || kill "$holder" 2>/dev/null'
hold 60
for command in update resign prune; do
    expect 10 'lock|another' -- bounded 5 release $command "${PUBLISHER[@]}" "$root"
done
expect 10 '*' -- release update "${PUBLISHER[@]}" --json "$root"
json "o['exit'] == 10 and o['repositories'][0]['exit'] == 10"
start=$SECONDS
expect 10 'lock|another' -- release update "${PUBLISHER[@]}" --lock-wait 2s "$root"
((SECONDS - start >= 1)) || fail "--lock-wait did not wait"
served_is "$root" "$T/served"
# Looking needs no lock.
expect 0 '*' -- release status "${PUBLISHER[@]}" "$root"
kill $holder
wait $holder 2>/dev/null || :
holder=

# The kernel has freed it with its holder.
hold 1
expect 0 '' -- release update "${PUBLISHER[@]}" --lock-wait 30s "$root"
wait $holder || :
holder=
expect 0 '' -- consume check "$root"
grep -q "$(sha256sum <"$root/a.txt" | cut -c 1-64)" "$root/Release" || fail "it did not publish after waiting"

# Several at once, all told to wait: all succeed, and the result is whole.
pids=()
for i in 1 2 3; do
    echo "$i" >"$root/b$i.txt"
    release update "${PUBLISHER[@]}" --lock-wait 60s "$root" 2>"$T/err.$i" &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid" || fail "one of three updates failed: $(cat "$T"/err.*)"
done
publish "$root"
expect 0 '' -- consume check "$root"
stdout_has 'good: 4 packages'
