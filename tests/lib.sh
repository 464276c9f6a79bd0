# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What every shell test starts with: where the source and the build are, a private directory $T that goes
# away at the end, fail and skip. Under make check, srcdir is set and the build is the current directory;
# by hand, the build is build/ of the source tree or $top_builddir.

set -Eeuo pipefail
trap 'echo "$0: line $LINENO: status $?: $BASH_COMMAND" >&2' ERR
umask 022
export LC_ALL=C
unset SOURCE_DATE_EPOCH NO_COLOR GNUPGHOME GPG_TTY CDPATH

if [ -z "${top_builddir:-}" ]; then
    if [ -n "${srcdir:-}" ] && [ -e config.status ]; then
        top_builddir=.
    else
        top_builddir=$(dirname "$0")/../../build
    fi
fi
srcdir=${srcdir:-$(dirname "$0")/../..}
srcdir=$(cd "$srcdir" && pwd)
[ ! -d "$top_builddir" ] || top_builddir=$(cd "$top_builddir" && pwd)
export srcdir top_builddir

T=$(mktemp -d "${TMPDIR:-/tmp}/hallmark.XXXXXX")

# Tests add what they must undo: at_exit COMMAND, which is run before $T is removed.
AT_EXIT=()
at_exit()
{
    AT_EXIT+=("$*")
}

clean_up()
{
    local status=$? home
    trap - EXIT ERR
    set +e
    for home in "${AT_EXIT[@]}"; do
        eval "$home"
    done
    # gpg-agents of all homes that the test made
    find "$T" -name 'private-keys-v1.d' -printf '%h\n' 2>/dev/null | while read -r home; do
        gpgconf --homedir "$home" --kill gpg-agent
    done >/dev/null 2>&1
    if [ -n "${HALLMARK_KEEP:-}" ]; then
        echo "kept $T" >&2
    else
        chmod -R u+rwX "$T" 2>/dev/null
        rm -rf "$T"
    fi
    exit $status
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

fail()
{
    trap - ERR
    echo "$0: line ${BASH_LINENO[0]}: FAIL: $*" >&2
    exit 1
}

# skip REASON: this test cannot be run here.
skip()
{
    trap - ERR
    echo "SKIP: $*" >&2
    exit 77
}

have()
{
    command -v "$1" >/dev/null
}

# need COMMAND...: skips the test where one is missing.
need()
{
    local command
    for command in "$@"; do
        have "$command" || skip "needs the command $command, which is not here"
    done
}

# The files of the project, relative to $srcdir: those that git knows or would add; in an unpacked
# tarball, all in the directories that belong to the project.
project_files()
{
    cd "$srcdir"
    if [ -e .git ] && git rev-parse >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard | while read -r file; do
            [ ! -f "$file" ] || echo "$file"
        done
    else
        find src include man tests examples m4 .ci configure.ac Makefile.am README* NEWS HACKING \
            SECURITY.md -type f 2>/dev/null
    fi | grep -vE '^m4/(libtool|lt[a-z~]*)\.m4$' | LC_ALL=C sort
}
