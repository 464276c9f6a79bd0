#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds the fuzz targets with clang's libFuzzer and the sanitizers, lets each search for a while, and tells what
# each has done in all runs so far. The exit status is 0 only when nothing was found.
set -euo pipefail

usage()
{
    cat <<'END'
usage: tests/fuzz/run.sh [--seconds N] [--jobs N] [--builddir DIR] [--corpus DIR] [TARGET...]
  --seconds N     how long each target runs (default: 60)
  --jobs N        how many run at once (default: a processor each)
  --builddir DIR  build there (default: build-fuzz)
  --corpus DIR    keep there what was found to be new, a directory a target, and the file "ledger" with
                  a line for each run (default: corpus, in the build's directory)
TARGET is a name without "fuzz_"; without any, all run. Inputs that a target fails on are kept in findings/ in the
build's directory: each belongs into tests/data/TARGET/bad, with its fix.
END
}

seconds=60 jobs=$(nproc 2>/dev/null || echo 2) builddir='' corpus='' targets=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    --jobs) jobs=${2:?--jobs needs a number}; shift ;;
    --builddir) builddir=${2:?--builddir needs a directory}; shift ;;
    --corpus) corpus=${2:?--corpus needs a directory}; shift ;;
    --help) usage; exit 0 ;;
    -*) echo "run.sh: unknown option \"$1\"" >&2; usage >&2; exit 2 ;;
    *) targets+=("$1") ;;
    esac
    shift
done

root=$(cd "$(dirname "$0")/../.." && pwd)
builddir=$(mkdir -p "${builddir:-$root/build-fuzz}" && cd "${builddir:-$root/build-fuzz}" && pwd)
corpus=$(mkdir -p "${corpus:-$builddir/corpus}" && cd "${corpus:-$builddir/corpus}" && pwd)
findings=$builddir/findings

build()
{
    local -a flags
    cd "$root"
    if [ ! -e configure ] || [ configure.ac -nt configure ] || [ Makefile.am -nt Makefile.in ]; then
        autoreconf -fi
    fi
    cd "$builddir"
    read -ra flags <<<"${CONFIGURE_ARGS:-}"
    if [ ! -e config.status ] || [ "$root/configure" -nt config.status ]; then
        "$root/configure" --quiet --enable-fuzzing CC=clang "${flags[@]}"
    fi
    make -s -j"$jobs" check TESTS= >/dev/null
}

# fuzz TARGET: one run, and its line for the ledger: target, seconds of the processor, executions, edges of the
# program that were reached, inputs in the corpus.
# shellcheck disable=SC2317 # it is called through xargs
fuzz()
{
    local target=$1 status=0 log=$builddir/$1.log used n_runs edges
    mkdir -p "$corpus/$target" "$findings"
    # The same limits for all: an input of 64 KiB, ten seconds, a gigabyte.
    TIMEFORMAT=%U
    used=$({ time "tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$findings/$target-" "$corpus/$target" "$root/tests/data/$target" \
        >"$log" 2>&1; } 2>&1) || status=$?
    n_runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -nE 's/^#[0-9]+.* cov: ([0-9]+) .*/\1/p' "$log" | tail -n 1)
    echo "$target $used ${n_runs:-0} ${edges:-0} $(find "$corpus/$target" -type f | wc -l)" >>"$corpus/ledger"
    [ "$status" = 0 ] && return
    tail -n 40 "$log" >&2
    echo "FAIL fuzz_$target: see $log and $findings" >&2
    return 1
}

# What the lines of the ledger come to.
report()
{
    awk '{ time[$1] += $2; runs[$1] += $3; if ($4 > edges[$1]) edges[$1] = $4; inputs[$1] = $5 }
         END { for (t in time) printf "%-16s %8.0f s %13.0f executions %6d edges %6d inputs\n",
                                      t, time[t], runs[t], edges[t], inputs[t] }' "$corpus/ledger" | LC_ALL=C sort
}

command -v clang >/dev/null || { echo "run.sh: no clang here" >&2; exit 1; }
build
cd "$builddir"
if [ ${#targets[@]} = 0 ]; then
    mapfile -t targets < <(find "$root/tests/fuzz" -name 'fuzz_*.c' | sed 's|.*/fuzz_||; s|\.c$||' | LC_ALL=C sort)
fi
for target in "${targets[@]}"; do
    [ -x "tests/fuzz/fuzz_$target" ] || { echo "run.sh: there is no target $target" >&2; exit 2; }
done
export -f fuzz
export root builddir corpus findings seconds
status=0
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz {}' || status=1
report
exit $status
