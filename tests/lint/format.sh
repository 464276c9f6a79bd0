#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# clang-format 14 would change no .c file (headers have comments aligned by hand). Other versions format
# otherwise, so they do not count.
. "$(dirname "$0")/../lib.sh"
cd "$srcdir"
program=
for candidate in clang-format-14 clang-format; do
    if have $candidate && $candidate --version | grep -q 'version 14\.'; then
        program=$candidate
        break
    fi
done
[ -n "$program" ] || skip "clang-format 14 is not here"
[ -e .clang-format ] || fail ".clang-format is missing"
mapfile -t files < <(project_files | grep -E '\.c$')
"$program" --dry-run -Werror "${files[@]}" 2>"$T/out" || {
    sed -nE 's/^([^:]*):[0-9]+:[0-9]+: error.*/\1/p' "$T/out" | sort | uniq -c >&2
    fail "$(grep -c 'error:' "$T/out") places are formatted differently; clang-format -i changes them"
}
