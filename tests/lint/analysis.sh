#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Static analysis without a finding: cppcheck, gcc's -fanalyzer (of the layers that hold what comes from outside;
# gcc 12 does not follow the calls of the tools) and clang-tidy with .clang-tidy. Each is left out where it is
# missing, and the test is skipped where all are.
. "$(dirname "$0")/../lib.sh"
[ -e "$top_builddir/config.h" ] || [ -e "$top_builddir/config.status" ] || skip "no build in $top_builddir"
top_builddir=$(cd "$top_builddir" && pwd)
cd "$srcdir"

flags=(-std=c11 -D_GNU_SOURCE -Iinclude -Isrc "-I$top_builddir")
for name in PACKAGE_VERSION HALLMARK_CONFIG_DIR HALLMARK_STATE_DIR LIBARCHIVE_SONAME LIBCURL_SONAME; do
    flags+=("-D$name=\"$name\"")
done
read -ra found < <(pkg-config --cflags gpgme libarchive)
flags+=("${found[@]}")
jobs=$(nproc 2>/dev/null || echo 2)
ran=0

# each NAME FILES-AT-ONCE COMMAND...: runs the command on the .c files whose names come in, and fails with what it said.
each()
{
    local name=$1 at_once=$2
    shift 2
    ran=$((ran + 1))
    if ! xargs -P "$jobs" -n "$at_once" "$@" >"$T/$name" 2>&1 || grep -E '(warning|error):' "$T/$name"; then
        grep -vE '^[0-9]+ warnings? ' "$T/$name" >&2 || :
        fail "$name finds something"
    fi
}

if have cppcheck; then
    each cppcheck 1 cppcheck -q -j "$jobs" --std=c11 -D_GNU_SOURCE -Iinclude -Isrc --inline-suppr --error-exitcode=1 \
        --enable=warning,performance,portability --suppress=missingIncludeSystem < <(printf '%s\n' src)
fi
# Of vectors that are written lane by lane, gcc 12 thinks that nothing is in them; the sanitizers know better.
if have gcc && [ "$(gcc -dumpversion | cut -d. -f1)" -ge 12 ]; then
    each fanalyzer 1 gcc "${flags[@]}" -O1 -fanalyzer -c -o /dev/null \
        < <(printf '%s\n' src/{base,format,crypto,trust,system,repo}/*.c | grep -v sha256_lanes)
fi
# Clang follows each function for so many states; its own default of 225000 costs four times as much, and is for a
# change that wants it.
nodes=${ANALYSIS_NODES:-40000}
if have clang-tidy; then
    flags+=(-Xclang -analyzer-config -Xclang "max-nodes=$nodes")
    # shellcheck disable=SC2016 # the inner shell expands
    each clang-tidy 6 bash -c 'n=$1; shift; clang-tidy --quiet "${@:n+1}" -- -Wno-unused-value "${@:1:n}"' \
        _ ${#flags[@]} "${flags[@]}" < <(printf '%s\n' src/*/*.c examples/*.c)
fi
[ $ran -gt 0 ] || skip "none of cppcheck, gcc 12 and clang-tidy is here"
echo "$ran analysers, no finding"
