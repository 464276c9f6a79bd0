#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# The benchmark in its short form: all commands work, what they make is right, and there is a row of each kind. No time
# is judged.
. "$(dirname "$0")/../lib.sh"
need python3 cc gpgv openssl sha256sum

bench=$srcdir/tests/bench/run.sh
"$bench" --smoke --output "$T/output" 60 >"$T/stdout" 2>"$T/stderr" || {
    cat "$T/stdout" "$T/stderr" >&2
    fail "run.sh --smoke"
}
for row in "first run, big" "first run, small" "verify all, small" "verify one" "nothing changed" "10 packages added" \
    resign start-up unpack "peak memory, generator" "peak memory, client"; do
    grep -q "^$row" "$T/stdout" || fail "no row $row: $(cat "$T/stdout")"
done
! grep -qE 'reached|MISSED' "$T/stdout" || fail "something was judged"
python3 - "$T/output/bench.json" <<'END' || fail "bench.json: $(cat "$T/output/bench.json")"
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    found = json.load(file)
assert found["sizes"] == [60] and len(found["rows"]) == 12
assert all(row["value"] > 0 and row["bound"] is None for row in found["rows"])
END

# The one for very large repositories.
"$srcdir/tests/bench/scale.sh" 60 >"$T/stdout" 2>"$T/stderr" || fail "scale.sh: $(cat "$T/stdout" "$T/stderr")"
for row in "first run" "nothing changed" "10 packages added" resign "repo-verify check, one" "repo-verify check, all"; do
    grep -Eq "^$row  +[0-9.]+ s CPU .* MiB" "$T/stdout" || fail "no row $row: $(cat "$T/stdout")"
done
! "$srcdir/tests/bench/scale.sh" 6x >"$T/stdout" 2>&1 || fail "a number that is none was taken"
