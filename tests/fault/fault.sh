# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # the tests use what is set here; lib.sh and repository.sh set more
# For the tests of faults, after lib.sh and repository.sh.

FAULT=$srcdir/tests/fault

# setup_faults: setup, the programs, and directories on a file system in memory where there is one: what is
# tested there is not the disk.
setup_faults()
{
    need python3 gpgv flock
    setup
    FAULT_TRACER=$(find_program tracer)
    WORK=$T/work
    if [ -d /dev/shm ] && [ -w /dev/shm ] && [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
        WORK=$(mktemp -d /dev/shm/hallmark.XXXXXX)
        at_exit "rm -rf '$WORK'"
    fi
    mkdir -p "$WORK"
    FAULT_KEYRING=$KEYS/signer.gpg FAULT_KEY=$KEY FAULT_GNUPG=$GNUPG
    FAULT_PACKAGE=$T/pack-1.0.tar.gz FAULT_REFERENCE=$T/reference
    make_small_package "$FAULT_PACKAGE"
    unpack_reference "$FAULT_PACKAGE" "$FAULT_REFERENCE"
    FAULT_DEBS="$T/deb/one_1_all.deb $T/deb/two_1_all.deb $T/deb/three_1_all.deb"
    make_small_debs
    export FAULT_DEBS FAULT_TRACER FAULT_KEYRING FAULT_KEY FAULT_GNUPG FAULT_PACKAGE FAULT_REFERENCE
    export REPO_RELEASE REPO_VERIFY REPO_MIRROR PYTHONDONTWRITEBYTECODE=1
    # A tracer and the leak check, which traces as well, exclude one another.
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    LONG=()
    [ -z "${FAULT_LONG:-}" ] || LONG=(--long)
}

# Skips a test that is about limits and times which the sanitizers alone would break.
need_plain_tools()
{
    ! grep -qF libasan <(ldd "$REPO_RELEASE") || skip "the tools are built with sanitizers, which have limits of their own"
}

# A program of tests/fault, which make check builds.
find_program()
{
    local program=$top_builddir/tests/fault/$1
    [ -x "$program" ] || fail "no $program: make check builds it"
    echo "$program"
}

# A package of few entries: what is swept is every system call for each of them.
make_small_package()
{
    mkdir -p "$T/small/pack-1.0/d"
    echo content >"$T/small/pack-1.0/d/file"
    seq 1 3000 >"$T/small/pack-1.0/numbers"
    ln -s d/file "$T/small/pack-1.0/link"
    ln "$T/small/pack-1.0/numbers" "$T/small/pack-1.0/same"
    find "$T/small" -exec touch -h -d '2021-03-04 05:06:07 UTC' {} +
    tar --sort=name --owner=0 --group=0 --numeric-owner -C "$T/small" -cf - pack-1.0 | gzip -nc >"$1"
}

# Three packages of one file.
make_small_debs()
{
    local name
    need dpkg-deb
    for name in one two three; do
        mkdir -p "$T/deb/$name/DEBIAN"
        printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: N <n@example.org>\nDescription: a test\n' \
            "$name" >"$T/deb/$name/DEBIAN/control"
        echo "$name" >"$T/deb/$name/file"
        chmod -R go-w "$T/deb/$name"
        dpkg-deb --root-owner-group -Znone --build "$T/deb/$name" "$T/deb/${name}_1_all.deb" >/dev/null
    done
}

# intact ROOT [OPTION...]: the invariants of a published tree, and of a store that the last run has cleaned.
intact()
{
    local root=$1
    shift
    python3 "$FAULT/invariant.py" --keyring "$FAULT_KEYRING" --repo-verify "$REPO_VERIFY" --clean "$@" "$root" ||
        fail_above "the invariants of $root do not hold"
}
