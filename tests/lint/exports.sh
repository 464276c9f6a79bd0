#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The shared library exports exactly what hallmark.h declares, at most 32 functions; inside, every
# function that another file can see starts with its own file's name.
. "$(dirname "$0")/../lib.sh"
need nm ctags

# The functions that hallmark.h declares with HALLMARK_API.
grep -v '^#' "$srcdir/include/hallmark.h" | tr '\n' ' ' | grep -oE 'HALLMARK_API [^;]*;' |
    sed -E 's/^[^(]*[^a-z0-9_]([a-z0-9_]+)\(.*/\1/' | sort >"$T/declared"
[ "$(wc -l <"$T/declared")" -ge 10 ] || fail "found only these declarations: $(cat "$T/declared")"
[ "$(wc -l <"$T/declared")" -le 32 ] || fail "more than 32 public functions: $(wc -l <"$T/declared")"
! grep -v '^hallmark_' "$T/declared" || fail "public functions start with hallmark_"

library=$(find "$top_builddir" -maxdepth 4 -name 'libhallmark.so.*' -type f | head -n 1)
[ -n "$library" ] || fail "no libhallmark.so.* below $top_builddir"
# A sanitizer adds symbols of its own.
nm -D --defined-only "$library" | awk '{ print $3 }' | sed 's/@.*//' |
    grep -vE '^(_init|_fini|__(a|ub|l)san_.*|__odr_asan.*|_edata|_end|__bss_start)$' | sort >"$T/exported"
diff "$T/declared" "$T/exported" || fail "< declared in hallmark.h, > exported by ${library##*/}"

cd "$srcdir/src"
find . -name '*.c' -printf '%P\n' | sort >"$T/sources"
# shellcheck disable=SC2046 # names without blanks
ctags -f - --languages=C --kinds-C=f --fields=+f $(cat "$T/sources") >"$T/tags"
n=0
while IFS=$'\t' read -r name file rest; do
    case $rest in *file:*) continue ;; esac
    n=$((n + 1))
    noun=${file##*/}
    noun=${noun%.c}
    noun=${noun//-/_}
    case $name in
    "$noun" | "${noun}_"*) ;;
    hallmark_*)
        grep -qx "$name" "$T/declared" || echo "src/$file: $name is not declared in hallmark.h"
        ;;
    main) [[ $file == tools/* ]] || echo "src/$file: main() belongs into tools/" ;;
    *) echo "src/$file: $name does not start with ${noun}_" ;;
    esac
done < <(grep -v '^!' "$T/tags") >"$T/problems"
[ -s "$T/tags" ] || fail "ctags found no functions"
if [ -s "$T/problems" ]; then
    cat "$T/problems" >&2
    fail "$(wc -l <"$T/problems") functions are named wrongly"
fi
[ $n -ge 50 ] || fail "ctags found only $n functions that are not static"
