#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tests/ATTACKS and the end-to-end tests agree about which hostile cases there are, and which test runs them. With
# --write, the page is brought up to date.
. "$(dirname "$0")/../lib.sh"
cd "$srcdir"

# ID TEST for each id that a test carries; what makes archives stands for those who use them.
id='\b[SKMFNPA][0-9]{2}-[A-Za-z0-9$]'
{
    grep -oHE "$id" tests/e2e/*.sh | sed -E 's|^tests/e2e/([a-z0-9_]+)\.sh:(...).*|\2 \1|'
    grep -lx make_archives tests/e2e/*.sh | while read -r test; do
        test=${test##*/}
        grep -oE "$id" tests/e2e/make_archives.py | sed -E "s|^(...).*|\\1 ${test%.sh}|"
    done
} | sort -u >"$T/found"
[ "$(wc -l <"$T/found")" -ge 100 ] || fail "found only $(wc -l <"$T/found") ids in the tests"

# The page as it should be.
awk 'NR == FNR { tests[$1] = tests[$1] "\n     " $2; next }
     /^     [a-z0-9_]+$/ { next }
     { print }
     /^[A-Z][0-9][0-9]  / { listed[$1] = 1
         if (/  not yet: /) { if ($1 in tests) print "and yet there are tests:" tests[$1] }
         else if ($1 in tests) print substr(tests[$1], 2)
         else print "no test has this id" }
     END { for (i in tests) if (!(i in listed)) print "not listed: " i tests[i] }' "$T/found" tests/ATTACKS >"$T/page"
grep -E -A 1 '^(and yet|no test has|not listed)' "$T/page" >&2 && fail "tests/ATTACKS and the tests do not agree"
[ "${1:-}" != --write ] || cp "$T/page" tests/ATTACKS
diff tests/ATTACKS "$T/page" >&2 || fail "tests/ATTACKS is not up to date: tests/lint/attacks.sh --write"
echo "$(grep -cE '^[A-Z][0-9][0-9]  ' tests/ATTACKS) ids, $(grep -c '  not yet: ' tests/ATTACKS || true) of them not yet"
