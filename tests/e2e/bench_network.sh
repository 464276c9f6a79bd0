#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# The benchmark of the network in its short form: all commands work, everybody gets the same files, and there is a row of
# each kind. No time is judged.
. "$(dirname "$0")/../lib.sh"
need python3 cc nginx curl

"$srcdir/tests/bench/network.sh" --smoke --output "$T/output" 40 >"$T/stdout" 2>"$T/stderr" || {
    cat "$T/stdout" "$T/stderr" >&2
    fail "network.sh --smoke"
}
for layout in apt plain; do
    for row in mirror fetch check; do
        for cost in wall cpu; do
            grep -q "^$row, $layout, $cost " "$T/stdout" || fail "no row $row, $layout, $cost: $(cat "$T/stdout")"
        done
    done
done
! grep -qE 'reached|MISSED' "$T/stdout" || fail "something was judged"
