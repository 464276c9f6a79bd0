#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Shows that the tests of faults see what they are for: builds variants of the tree, each with one fsync, one
# lock, one comparison or one order taken out, and runs the tests that must fail for it. Not part of make check:
# it takes a quarter of an hour. Usage: mutants.sh [NAME-REGEX]; prints a table, and fails where one survives.
set -euo pipefail

SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/hallmark-mutants.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
ONLY=${1:-.}
export srcdir=$WORK/tree top_builddir=$WORK/build

build()
{
    make -C "$WORK/build" -s -j"$(nproc)" CFLAGS='-g -O1 -w' repo-release repo-verify tests/fault/tracer \
        >"$WORK/make.log" 2>&1 || {
        tail -n 20 "$WORK/make.log" >&2
        echo "mutants.sh: $1 cannot be built" >&2
        return 1
    }
}

# run_test TEST ONLY: its status; what it said is in $WORK/out.
run_test()
{
    FAULT_ONLY=$2 timeout 600 "$WORK/tree/tests/e2e/fault_$1.sh" >"$WORK/out" 2>&1 </dev/null
}

# The first line that tells why.
why()
{
    grep -aE '^FAIL |^(hostile_pool|readers|power|invariant): |FAIL: ' "$WORK/out" | head -n 1 | cut -c 1-150
}

awk -F @ -v only="$ONLY" '!/^#/ && $1 ~ only' "$SOURCE/tests/fault/mutants.list" >"$WORK/chosen"
# An expression that finds nothing any more is an error of the list, which is to be seen at once.
while IFS=@ read -r name file expression _; do
    ! perl -0pe "$expression" "$SOURCE/$file" | cmp -s - "$SOURCE/$file" || {
        echo "mutants.sh: $name does not change $file any more" >&2
        exit 1
    }
done <"$WORK/chosen"
mkdir "$WORK/tree" "$WORK/build"
tar -C "$SOURCE" --exclude=./build --exclude=./build-asan --exclude=./build-ci --exclude=.git -cf - . | tar -C "$WORK/tree" -xf -
cp -a "$WORK/tree/src" "$WORK/pristine"
[ -e "$WORK/tree/configure" ] || (cd "$WORK/tree" && autoreconf -fi)
(cd "$WORK/build" && "$WORK/tree/configure" --quiet)
build "the tree as it is"

while IFS=@ read -r test only; do
    run_test "$test" "$only" || {
        echo "mutants.sh: fault_$test.sh $only fails without any mutation: $(why)" >&2
        exit 1
    }
done < <(awk -F @ '{ print $4 "@" $5 }' "$WORK/chosen" | sort -u)

printf '%-20s %-38s %-9s %s\n' mutant "taken out" verdict "by, and why"
n=0 n_survived=0
while IFS=@ read -r name file expression test only text; do
    n=$((n + 1))
    perl -0pi -e "$expression" "$WORK/tree/$file"
    build "$name"
    verdict=caught
    # What is a matter of chance gets more than one.
    for _ in 1 2 3; do
        ! run_test "$test" "$only" || { verdict=survived && continue; }
        verdict=caught
        break
    done
    [ $verdict = caught ] || n_survived=$((n_survived + 1))
    printf '%-20s %-38s %-9s %s\n' "$name" "$text" "$verdict" "fault_$test $only: $(why)"
    cp "$WORK/pristine/${file#src/}" "$WORK/tree/$file"
done <"$WORK/chosen"
echo "$n mutants, $n_survived survived"
[ $n_survived = 0 ]
