#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What DESIGN.md says about the form of files, and what no file of the project may hold. Too long is an
# error; long is listed.
. "$(dirname "$0")/../lib.sh"
need ctags
cd "$srcdir"

problems=0
problem()
{
    echo "$*" >&2
    problems=$((problems + 1))
}

project_files >"$T/files"
[ "$(wc -l <"$T/files")" -ge 60 ] || fail "found only $(wc -l <"$T/files") files"
grep -E '\.(c|h|sh|py)$|^\.ci/run$|^configure\.ac$|^Makefile\.am$' "$T/files" >"$T/sources"

while read -r file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' || problem "$file: no SPDX line"
done <"$T/sources"

while read -r file; do
    case $file in
    Makefile.am | *.mk | *.spec | debian/rules | tests/data/* | COPYING) ;;
    *) grep -nP '\t' "$file" | head -n 3 | sed "s|^|$file: tab: |" ;;
    esac
    case $file in
    tests/data/* | COPYING) ;;
    *)
        grep -nE '[[:blank:]]$' "$file" | head -n 3 | sed "s|^|$file: blanks at a line's end: |" || :
        [ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at the end"
        ;;
    esac
done <"$T/files" >"$T/out" || :
[ ! -s "$T/out" ] || problem "$(cat "$T/out")"

while read -r file; do
    lines=$(wc -l <"$file")
    case $file in
    *.h) limit=150 ;;
    *) limit=600 ;;
    esac
    [ "$file" != include/hallmark.h ] || limit=600
    [ "$lines" -le $limit ] || problem "$file: $lines lines, at most $limit"
    awk -v file="$file" 'length > 120 { print file ":" NR ": " length " columns"; exit 1 }' "$file" ||
        problem "$file: a line is much too long"
done <"$T/sources"

# Nouns, not drawers.
if grep -iE '(^|/)([^/]*[-_.])?(util|utils|common|misc|helpers?)([-_.][^/]*)?$' "$T/files"; then
    problem "a file's name says nothing (util, common, misc, helper)"
fi

# A path that exists on one machine only, or a binary.
while read -r file; do
    if ! grep -qI . "$file" && [ -s "$file" ]; then
        problem "$file: is not text"
    fi
    grep -nE '(^|[^A-Za-z0-9_.$}/-])/(work|Users|root|home/[a-z]+)/' "$file" | sed "s|^|$file: |"
done < <(grep -vE '^tests/lint/style\.sh$' "$T/files") >"$T/out" || :
[ ! -s "$T/out" ] || problem "$(cat "$T/out")"$'\n'"a path of one machine"

# No typedef for structs and pointers, no FIXME left.
mapfile -t sources < <(grep -vE '^tests/lint/style\.sh$' "$T/sources")
grep -nE '^[[:space:]]*typedef (struct|union|enum)' "${sources[@]}" >"$T/out" || :
[ ! -s "$T/out" ] || problem "$(cat "$T/out")"$'\n'"no typedef for structs"
grep -nE '\b(TODO|FIXME|XXX)\b' "${sources[@]}" >"$T/out" || :
[ ! -s "$T/out" ] || problem "$(cat "$T/out")"$'\n'"an issue is the place for what is left to do"

# Lengths of functions, of src/ only: LINES FILE FUNCTION.
mapfile -t sources < <(grep -E '^src/.*\.c$' "$T/sources")
ctags -f - --languages=C --kinds-C=f --fields=+ne "${sources[@]}" |
    awk -F '\t' '!/^!/ { for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) s = substr($i, 6);
        if ($i ~ /^end:/) e = substr($i, 5) } print e - s + 1, $2, $1 }' | sort -n >"$T/lengths"
n=$(wc -l <"$T/lengths")
[ "$n" -ge 100 ] || fail "ctags found only $n functions"
awk '$1 > 60 { print $2 ": " $3 "() has " $1 " lines" }' "$T/lengths"
awk '$1 > 100 || ($3 == "main" && $1 > 60)' "$T/lengths" >"$T/out"
[ ! -s "$T/out" ] || problem "$(cat "$T/out")"$'\n'"functions of more than 100 lines, or main() of more than 60"
median=$(awk -v n="$n" 'NR == int((n + 1) / 2) { print $1 }' "$T/lengths")
ninety=$(awk -v n="$n" 'NR == int(n * 0.9) { print $1 }' "$T/lengths")
echo "$n functions; median $median lines; nine in ten have at most $ninety"
[ "$median" -le 20 ] || problem "half of the functions have more than 20 lines: median $median"
[ "$ninety" -le 45 ] || problem "one function in ten has more than 45 lines: $ninety"

[ $problems = 0 ] || fail "$problems problems"
