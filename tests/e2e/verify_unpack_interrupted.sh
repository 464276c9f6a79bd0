#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G07: unpack is ended by a signal at any moment, alone or with its process group: the destination is whole or not
# there, and a moment later neither a process nor anything staged is left.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
need setsid python3

root=$T/root
mkdir -p "$root" "$T/tree/big-1.0/d" "$T/out"
for ((i = 0; i < 400; i++)); do
    echo "$i" >"$T/tree/big-1.0/d/$i"
done
seq 1 300000 >"$T/tree/big-1.0/numbers"
tar -C "$T/tree" -czf "$root/big-1.0.tar.gz" big-1.0
publish "$root"
expect 0 '' -- consume unpack "$root" big-1.0.tar.gz --into "$T/out/reference"
mv "$T/out/reference" "$T/reference"

n_killed=0 n=30
signals=(TERM HUP INT PIPE QUIT KILL)
for ((i = 0; i < n; i++)); do
    signal=${signals[i % ${#signals[@]}]}
    # In the background, a shell has SIGINT and SIGQUIT ignored.
    setsid env --default-signal "$REPO_VERIFY" unpack --keyring "$KEYS/signer.gpg" --no-state --quiet \
        --into "$T/out/big" "$root" big-1.0.tar.gz >"$T/said" 2>&1 </dev/null &
    pid=$!
    if [ $((i % 3)) = 0 ]; then
        until [ -n "$(ls -A "$T/out")" ] || ! kill -0 "$pid" 2>/dev/null; do :; done
    else
        sleep "0.0$((RANDOM % 10))"
    fi
    if [ $((i / 6 % 2)) = 0 ]; then
        kill "-$signal" "$pid" 2>/dev/null || :
    else
        kill "-$signal" -- "-$pid" 2>/dev/null || :
    fi
    status=0
    wait $pid 2>/dev/null || status=$?
    case $status in
    0) ;;
    129 | 130 | 131 | 137 | 141 | 143) n_killed=$((n_killed + 1)) ;;
    *) fail "SIG$signal: status $status: $(cat "$T/said")" ;;
    esac
    python3 "$srcdir/tests/fault/invariant.py" --unused "$T/out" || fail "SIG$signal"
    if [ -e "$T/out/big" ]; then
        diff -r "$T/out/big" "$T/reference" || fail "SIG$signal: not the whole package"
        rm -rf "$T/out/big"
    elif [ $status = 0 ]; then
        fail "success, and nothing is there"
    fi
    [ -z "$(ls -A "$T/out")" ] || fail "SIG$signal: left behind: $(ls -A "$T/out")"
done
echo "$n_killed of $n runs were ended by a signal"
[ $n_killed -ge 5 ] || fail "too few"
