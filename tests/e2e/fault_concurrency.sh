#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G07, G08: many updates of one repository at once; the holder of the lock killed; a lock file that a machine
# left which is gone; signals at random moments. One run wins, the others exit 10 or wait, nothing is lost.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"
setup_faults
need setsid

root=$WORK/root state=$WORK/state
export TMPDIR=$WORK/tmp
mkdir "$TMPDIR"
OPTIONS=(--key "$KEY" --gnupg-home "$GNUPG" --config "$T/etc" --state "$state" --valid-for 7d)
n_runs=0 n_rounds=0

change()
{
    n_rounds=$((n_rounds + 1))
    echo "$n_rounds" >"$root/pool/changing.txt"
}

settled()
{
    intact "$root" --state "$state" --empty "$TMPDIR" --unused "$WORK" --floor "$WORK/floor"
    local listed
    listed=$(sed -n 's/^ \([0-9a-f]\{64\}\) *[0-9]* pool\/changing\.txt$/\1/p' "$root/Release")
    [ "$listed  -" = "$(sha256sum <"$root/pool/changing.txt")" ] || fail_above "the last change is not published"
}

# at_once N [OPTION...]: N updates at the same time. Their statuses go to $T/statuses.
at_once()
{
    local n=$1 i
    shift
    local -a pids=()
    for ((i = 0; i < n; i++)); do
        "$REPO_RELEASE" update "${OPTIONS[@]}" "$@" "$root" >"$T/out.$i" 2>&1 </dev/null &
        pids+=($!)
    done
    : >"$T/statuses"
    for ((i = 0; i < n; i++)); do
        local status=0
        wait "${pids[i]}" || status=$?
        echo $status >>"$T/statuses"
        case $status in
        0) [ ! -s "$T/out.$i" ] || fail_above "one that succeeded says: $(cat "$T/out.$i")" ;;
        10)
            grep -qv '^repo-release: .*another run holds the lock; --lock-wait waits for it$' "$T/out.$i" &&
                fail_above "one that is busy says: $(cat "$T/out.$i")"
            ;;
        *) fail_above "status $status: $(cat "$T/out.$i")" ;;
        esac
    done
    n_runs=$((n_runs + n))
}

count()
{
    grep -cx "$1" "$T/statuses" || :
}

# Ten at once: the first publication, changes, and an idle repository.
mkdir -p "$root/pool"
cp "$FAULT_PACKAGE" "$root/pool"
n_busy=0
for ((round = 0; round < (${#LONG[@]} ? 20 : 3); round++)); do
    change
    at_once 10
    [ "$(count 0)" -ge 1 ] || fail "of ten runs, none was successful"
    n_busy=$((n_busy + $(count 10)))
    settled
done
at_once 10
[ "$n_busy" -ge 1 ] || fail "of $n_runs runs, none found the lock held"
change
at_once 10 --lock-wait 60s
[ "$(count 0)" = 10 ] || fail "--lock-wait: $(tr '\n' ' ' <"$T/statuses")"
settled

# hold: an update in the background that stands still, and holds the lock, until $holder is killed.
hold()
{
    rm -f "$T/held"
    local wait="echo \$\$ >'$T/held.new'; mv '$T/held.new' '$T/held'; exec sleep 600"
    "$FAULT_TRACER" --from "$state/lock" --run "2:$wait" -- "$REPO_RELEASE" update "${OPTIONS[@]}" "$root" &
    holder=$!
    until [ -e "$T/held" ]; do
        kill -0 $holder 2>/dev/null || fail_above "the holder has ended"
        sleep 0.02
    done
}

# The tracer takes the traced with it.
let_go()
{
    kill -KILL "$holder"
    wait "$holder" 2>/dev/null || :
    kill "$(cat "$T/held")"
}

change
served "$root" >"$T/served"
hold
expect 10 'another run holds the lock; --lock-wait' -- release update "${OPTIONS[@]}" "$root"
expect 10 'another run holds the lock' -- release resign "${OPTIONS[@]}" "$root"
expect 10 'another run holds the lock' -- release prune "${OPTIONS[@]}" "$root"
start=$(date +%s%N)
expect 10 'another run holds the lock' -- release update "${OPTIONS[@]}" --lock-wait 1s "$root"
[ $(($(date +%s%N) - start)) -ge 1000000000 ] || fail "--lock-wait 1s did not wait for a second"
served_is "$root" "$T/served"
expect 0 '*' -- release status "${OPTIONS[@]}" "$root"
let_go
expect 0 '' -- release update "${OPTIONS[@]}" "$root"
settled
# One that waits gets it when the holder is killed.
change
hold
"$REPO_RELEASE" update "${OPTIONS[@]}" --lock-wait 60s "$root" >"$T/out.0" 2>&1 &
waiting=$!
sleep 0.3
let_go
wait $waiting || fail "the one that waited: $(cat "$T/out.0")"
settled

# The lock file of a machine that is gone is a file like any other.
change
rm "$state/lock"
echo "4711 otherhost" >"$state/lock"
chmod 444 "$state/lock"
touch -d '2001-01-01' "$state/lock"
if [ "$(id -u)" != 0 ]; then
    chmod 600 "$state/lock"
fi
expect 0 '' -- release update "${OPTIONS[@]}" "$root"
settled

# Signals: to the process alone, and to all of its process group, as a terminal does.
n_killed=0
for ((i = 0; i < (${#LONG[@]} ? 400 : 32); i++)); do
    signals=(TERM HUP INT PIPE QUIT)
    signal=${signals[i % 5]}
    change
    served "$root" >"$T/served"
    # In the background, a shell has SIGINT and SIGQUIT ignored.
    setsid env --default-signal "$REPO_RELEASE" update "${OPTIONS[@]}" "$root" >"$T/out.0" 2>&1 </dev/null &
    pid=$!
    sleep "0.$((RANDOM % 5))$((RANDOM % 10))"
    if [ $((i % 2)) = 0 ]; then
        kill "-$signal" "$pid" 2>/dev/null || :
    else
        kill "-$signal" -- "-$pid" 2>/dev/null || :
    fi
    status=0
    wait $pid 2>/dev/null || status=$?
    case $status in
    0) ;;
    129 | 130 | 131 | 141 | 143) n_killed=$((n_killed + 1)) ;;
    *) fail "SIG$signal: status $status: $(cat "$T/out.0")" ;;
    esac
    # Old, or new and in order; of a private home, nothing is left soon.
    python3 "$FAULT/invariant.py" --unused "$WORK" --empty "$TMPDIR" || fail "SIG$signal"
    served "$root" | cmp -s - "$T/served" || python3 "$FAULT/invariant.py" --keyring "$FAULT_KEYRING" "$root" ||
        fail "SIG$signal: neither old nor new"
    n_runs=$((n_runs + 1))
done
expect 0 '' -- release update "${OPTIONS[@]}" "$root"
settled
[ "$n_killed" -ge $((i / 4)) ] || fail "only $n_killed of $i runs were killed"
echo "$n_runs runs; $n_busy found the lock held; $n_killed of $i were ended by a signal"
