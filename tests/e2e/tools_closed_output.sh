#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A full disk or a closed pipe behind standard output is an error, or the end, but never a success that lost
# its report, never a crash and never a hang.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root"
[ -w /dev/full ] || skip "/dev/full is not here"

full()
{
    local status=0
    "$@" >/dev/full 2>"$T/stderr" </dev/null || status=$?
    [ $status = 1 ] || fail "status $status with a full standard output: $*: $(cat "$T/stderr")"
    [ "$(wc -l <"$T/stderr")" = 1 ] || fail "$*: $(cat "$T/stderr")"
}
full consume manifest "$root" --print
full consume manifest "$root"
full consume list "$root"
full consume check "$root"
full consume check "$root" --json
full verify --help
full release status "${PUBLISHER[@]}" "$root"
full release --version

# closed STATUS-REGEX COMMAND...: into a pipe that nobody reads, and without any standard output.
closed()
{
    local status=0
    set +o pipefail
    { "$@" 2>"$T/stderr" || echo "$?" >"$T/status"; } </dev/null | true
    set -o pipefail
    status=$(cat "$T/status" 2>/dev/null || echo 0)
    rm -f "$T/status"
    case $status in
    0 | 1 | 141) ;;
    *) fail "status $status with a closed pipe: $*: $(cat "$T/stderr")" ;;
    esac
    status=0
    "$@" >&- 2>"$T/stderr" </dev/null || status=$?
    case $status in
    0 | 1) ;;
    *) fail "status $status without standard output: $*: $(cat "$T/stderr")" ;;
    esac
}
closed consume manifest "$root" --print
closed consume list "$root" --json
closed consume check "$root"
closed verify --help

# Publishing needs no standard output, input or error at all; valgrind does.
! under_wrapper || exit 0
echo more >"$root/more.txt"
release update "${PUBLISHER[@]}" "$root" <&- >&- 2>&- || fail "update needs an open standard input or output"
expect 0 '' -- consume check "$root" more.txt
[ ! -s "$root/Release" ] || [ "$(head -c 4 "$root/Release")" != "repo" ] || fail "a message went into a file"
