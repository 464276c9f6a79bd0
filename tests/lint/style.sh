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

mapfile -t sources <"$T/sources"
mapfile -t texts < <(grep -vE '^tests/data/|^COPYING$' "$T/files")

# For each file: the licence in its first three lines, its length, no very long line.
awk 'function finish() { if (file == "") return
         if (!spdx) print file ": no SPDX line"
         limit = file ~ /\.h$/ && file != "include/hallmark.h" && file !~ /^tests/ ? 150 : 600
         if (lines > limit && file != "Makefile.am") print file ": " lines " lines, at most " limit }
     FNR == 1 { finish(); file = FILENAME; spdx = 0 }
     FNR <= 3 && /SPDX-License-Identifier: LGPL-2.1-or-later/ { spdx = 1 }
     { lines = FNR }
     length > (file ~ /\.[ch]$/ ? 110 : 130) && file != "Makefile.am" { print file ":" FNR ": " length " columns" }
     END { finish() }' "${sources[@]}" >"$T/out"
[ ! -s "$T/out" ] || problem "$(cat "$T/out")"

grep -nHE '[[:blank:]]$' "${texts[@]}" >"$T/out" || :
[ ! -s "$T/out" ] || problem "$(head -n 20 "$T/out")"$'\n'"blanks at a line's end"
mapfile -t untabbed < <(printf '%s\n' "${texts[@]}" | grep -vE '^Makefile\.am$|\.(mk|spec|m4)$|^debian/rules$')
grep -nHP '\t' "${untabbed[@]}" >"$T/out" || :
[ ! -s "$T/out" ] || problem "$(head -n 20 "$T/out")"$'\n'"tabs"
for file in "${texts[@]}"; do
    [ -z "$(tail -c 1 "$file")" ] || problem "$file: no newline at the end"
done

# Nouns, not drawers.
if grep -iE '(^|/)([^/]*[-_.])?(util|utils|common|misc|helpers?)([-_.][^/]*)?$' "$T/files"; then
    problem "a file's name says nothing (util, common, misc, helper)"
fi

# A path that exists on one machine only, or a binary.
mapfile -t others < <(grep -v '^tests/lint/style\.sh$' "$T/files")
LC_ALL=C.UTF-8 grep -LI '' "${others[@]}" >"$T/out" || :
while read -r file; do
    [ ! -s "$file" ] || problem "$file: is not text"
done <"$T/out"
grep -nHE '(^|[^A-Za-z0-9_.$}/-])/(work|Users|root|home/[a-z]+)/' "${others[@]}" >"$T/out" || :
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
