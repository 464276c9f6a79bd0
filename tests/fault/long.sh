#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The tests of faults in their long form: every point of every command, every error at each, all models of a power
# cut, 1,000 publications under the eyes of readers, 10,000 changes of a hostile pool, a million files. Takes about
# two hours on two cores. Usage: long.sh [NAME-REGEX], with a build in build/ or $top_builddir that make check made.
set -uo pipefail

TOP=$(cd "$(dirname "$0")/../.." && pwd)
export FAULT_LONG=1
log=$(mktemp "${TMPDIR:-/tmp}/hallmark-long.XXXXXX")
trap 'rm -f "$log"' EXIT
failed=0
for test in "$TOP"/tests/e2e/fault_*.sh "$TOP/tests/e2e/release_odd_files.sh"; do
    name=$(basename "$test" .sh)
    [[ $name =~ ${1:-.} ]] || continue
    start=$SECONDS status=0
    "$test" >"$log" 2>&1 </dev/null || status=$?
    echo "== $name: $((SECONDS - start)) s, exit status $status"
    tail -n 25 "$log"
    [ $status = 0 ] || [ $status = 77 ] || failed=$((failed + 1))
done
echo "$failed failed"
[ $failed = 0 ]
