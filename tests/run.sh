#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds out of tree, runs all tests and counts them. The last line is
# "N passed, N failed, N skipped"; the exit status is 0 only when none failed.
set -euo pipefail

usage()
{
    cat <<'END'
usage: tests/run.sh [--sanitizers] [--valgrind] [--no-install] [--builddir DIR]
  --sanitizers    build with the address and undefined behaviour sanitizers (default DIR: build-asan)
  --valgrind      run the unit tests, and the tools in the end-to-end tests, under valgrind's memcheck
  --no-install    install nothing, and fail where something is missing
  --builddir DIR  build there (default: build)
Environment: CC, CFLAGS and CONFIGURE_ARGS for configure, MAKE_ARGS for make.
END
}

sanitizers=no valgrind=no install=yes builddir=
while [ $# -gt 0 ]; do
    case $1 in
    --sanitizers) sanitizers=yes ;;
    --valgrind) valgrind=yes ;;
    --no-install) install=no ;;
    --builddir) builddir=${2:?--builddir needs a directory}; shift ;;
    --builddir=*) builddir=${1#*=} ;;
    --help) usage; exit 0 ;;
    *) echo "run.sh: unknown option \"$1\"" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "$builddir" ]; then
    builddir=$root/build
    [ $sanitizers = no ] || builddir=$root/build-asan
fi
mkdir -p "$builddir"
builddir=$(cd "$builddir" && pwd)
read -ra make_args <<<"${MAKE_ARGS:-}"
jobs=$(nproc 2>/dev/null || echo 2)

install_missing()
{
    [ $install = yes ] || return 0
    local group=test
    [ $valgrind = no ] || group=ci
    "$root/tests/install-deps.sh" $group
}

has_unit_tests()
{
    ./config.status --config | grep -q -e --enable-unit-tests
}

build()
{
    cd "$root"
    if [ ! -e configure ] || [ configure.ac -nt configure ] || [ Makefile.am -nt Makefile.in ]; then
        autoreconf -fi
    fi
    cd "$builddir"
    local -a flags before
    read -ra flags <<<"${CONFIGURE_ARGS:-}"
    flags+=(--enable-unit-tests)
    [ $sanitizers = no ] || flags+=(--enable-sanitizers)
    # A build from before cmocka was installed has no unit tests, and would not tell.
    if [ ! -e config.status ] || [ "$root/configure" -nt config.status ] || ! has_unit_tests; then
        [ ! -e config.status ] || eval "before=($(./config.status --config))"
        "$root/configure" --quiet "${before[@]}" "${flags[@]}"
    fi
    make -s -j"$jobs" "${make_args[@]}"
}

# The tests of this run, for make's TESTS; nothing: all. The lint tests do not depend on how the tools
# were built. An end-to-end test with a line "# valgrind: no" is about something else than the tools'
# memory and would take too long.
choose_tests()
{
    if [ $valgrind = yes ]; then
        echo '$(unit_tests) $(fuzz_replays)'
        (cd "$root" && grep -L '^# valgrind: no' tests/e2e/*.sh)
    elif [ $sanitizers = yes ]; then
        echo '$(unit_tests) $(fuzz_replays) $(e2e_tests)'
    fi
}

run_tests()
{
    local memcheck="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect"
    local -a args=("${make_args[@]}")
    local tests status=0
    memcheck+=" --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=no --run-libc-freeres=no"
    [ ! -e "$root/tests/valgrind.supp" ] || memcheck+=" --suppressions=$root/tests/valgrind.supp"
    tests=$(choose_tests | tr '\n' ' ')
    [ -z "$tests" ] || args+=("TESTS=$tests")
    if [ $valgrind = yes ]; then
        args+=("LOG_COMPILER=$root/tests/tap.sh \$(top_builddir)/libtool --mode=execute $memcheck")
        export HALLMARK_TEST_WRAPPER=$memcheck HALLMARK_FUZZ_MUTATIONS=0 HALLMARK_TEST_SANDBOX=off
    fi
    export ASAN_OPTIONS=detect_leaks=1:exitcode=99
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
    find . -name '*.trs' -delete
    make -s -j"$jobs" "${args[@]}" check TESTS= >/dev/null || return 1
    # Tests wait for a third of their time: for servers that are slow, and for clocks.
    make -s -k -j$((2 * jobs)) "${args[@]}" check || status=$?
    # Apart from the others, whom they would starve: each of these works on several things at once.
    [ $sanitizers = yes ] || [ $valgrind = yes ] ||
        make -s -k -j$((jobs + 1)) "${make_args[@]}" check 'TESTS=$(fault_tests)' || status=$?
    return $status
}

# Every case of every .trs file: RESULT FILE, without the ending.
results()
{
    find . -name '*.trs' | LC_ALL=C sort | while read -r trs; do
        trs=${trs#./}
        awk -v file="${trs%.trs}" '$1 == ":test-result:" { print $2, file }' "$trs"
    done
}

# What was skipped in the test program $1, and why: automake's TAP driver and lib.sh write lines "SKIP: ...".
skipped()
{
    sed -n "s|^SKIP: \($1 \)*|SKIP $1: |p" "$1.log" | cut -c 1-200
}

# The hostile cases that have run, of the lines "attack CASE: RESULT" in the logs: CASE TEST RESULT into
# attacks.out; how many there were of each class, and of which ids on tests/ATTACKS there was none.
count_attacks()
{
    local logs
    logs=$(find tests/e2e -name '*.log' | LC_ALL=C sort)
    [ -n "$logs" ] || return 0
    # shellcheck disable=SC2086 # names without blanks
    awk '/^attack [A-Z][0-9][0-9]-/ { case_ = $2; sub(/:$/, "", case_); test = FILENAME; sub(/.*\//, "", test)
             sub(/\.log$/, "", test); sub(/^attack [^ ]* /, ""); print case_ "\t" test "\t" $0 }' $logs |
        LC_ALL=C sort >attacks.out
    awk -F '\t' 'NR == FNR { if (match($0, /^[A-Z][A-Z][A-Z]: /)) class = substr($0, 1, 3)
             if (/^[A-Z][0-9][0-9]  / && !/  not yet: /) { id = substr($0, 1, 3); of[id] = class; ids[++n_ids] = id }
             if (/^[A-Z][0-9][0-9]  .*  not yet: /) later[class]++
             if (class != "" && !(class in cases)) { cases[class] = 0; classes[++n_classes] = class }
             next }
         { id = substr($1, 1, 3); cases[of[id]]++; if (!(id in ran)) { ran[id] = 1; n_ran[of[id]]++ } }
         END { for (i = 1; i <= n_classes; i++) { c = classes[i]
                   printf "hostile cases: %s %d, of %d ids%s\n", c, cases[c], n_ran[c],
                          later[c] ? "; " later[c] " ids not yet" : "" }
               for (i = 1; i <= n_ids; i++) if (!(ids[i] in ran)) print "hostile cases: none of " ids[i] " has run" }' \
        "$root/tests/ATTACKS" attacks.out
}

summarize()
{
    local result file last='' last_skip='' passed=0 failed=0 skipped=0
    while read -r result file; do
        case $result in
        PASS | XFAIL) passed=$((passed + 1)) ;;
        SKIP)
            skipped=$((skipped + 1))
            [ "$file" = "$last_skip" ] || skipped "$file"
            last_skip=$file
            ;;
        *)
            failed=$((failed + 1))
            echo "$result $file"
            [ "$file" = "$last" ] || tail -n 40 "$file.log" | sed 's/^/    /'
            last=$file
            ;;
        esac
    done < <(results)
    if [ "$1" != 0 ] && [ $failed = 0 ]; then
        failed=1
        echo "FAIL make check: exit status $1 although no test failed; see $builddir/check.out"
        tail -n 40 "$builddir/check.out" | sed 's/^/    /'
    elif [ $passed = 0 ] && [ $failed = 0 ]; then
        failed=1
        echo "FAIL make check: no test was run; see $builddir/check.out"
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed = 0 ]
}

if ! { install_missing && build; }; then
    echo "FAIL: the build failed"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
cd "$builddir"
status=0
run_tests >check.out 2>&1 || status=$?
[ $valgrind = yes ] || count_attacks
summarize "$status"
