# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154,SC2164 # lib.sh sets srcdir, T and -e
# For the end-to-end tests, after lib.sh: the tools, throw-away keys, packages, and how to expect things.

# Finds the tools: $REPO_RELEASE, $REPO_VERIFY and $REPO_MIRROR, or those of the build tree; behind libtool's wrapper
# scripts, the programs themselves, so that what is traced or run as another user is the tool.
find_tools()
{
    REPO_RELEASE=$(find_tool "${REPO_RELEASE:-}" repo-release)
    REPO_VERIFY=$(find_tool "${REPO_VERIFY:-}" repo-verify)
    REPO_MIRROR=$(find_tool "${REPO_MIRROR:-}" repo-mirror)
    local library
    library=$(find "$top_builddir" -maxdepth 4 -name 'libhallmark.so' -print -quit)
    LIBRARY_DIR=${library%/*}
    [ -z "$library" ] || export LD_LIBRARY_PATH=$LIBRARY_DIR
    if under_wrapper; then
        mkdir "$T/wrapped"
        REPO_RELEASE=$(wrap "$REPO_RELEASE" update status check)
        REPO_VERIFY=$(wrap "$REPO_VERIFY" bundle check fetch list manifest unpack)
        REPO_MIRROR=$(wrap "$REPO_MIRROR" sync check trigger)
    fi
}

# wrap PROGRAM COMMAND...: a script that runs PROGRAM in $HALLMARK_TEST_WRAPPER, such as "valgrind -q", and its
# COMMANDs without the sandbox, in which valgrind cannot work. Prints its path.
wrap()
{
    local program=$1 script=$T/wrapped/${1##*/} commands
    shift
    commands=$*
    cat >"$script" <<END
#!/usr/bin/env bash
sandbox=()
for word in "\$@"; do
    case \$word in
    --sandbox | --sandbox=*) sandbox=(); break ;;
    ${commands// / | }) sandbox=(--sandbox=off) ;;
    esac
done
exec $HALLMARK_TEST_WRAPPER '$program' "\${sandbox[@]}" "\$@"
END
    chmod 755 "$script"
    echo "$script"
}

find_tool()
{
    local path
    for path in "$1" "$top_builddir/src/tools/$2" "$top_builddir/$2"; do
        [ -f "$path" ] || continue
        [ ! -x "${path%/*}/.libs/$2" ] || path=${path%/*}/.libs/$2
        realpath "$path"
        return
    done
    fail "no $2 in $top_builddir: build it first"
}

release()
{
    "$REPO_RELEASE" "$@"
}

verify()
{
    "$REPO_VERIFY" "$@"
}

# mirror COMMAND ARGS...: repo-mirror as one who trusts the signer's key.
mirror()
{
    local command=$1
    shift
    "$REPO_MIRROR" "$command" --keyring "$KEYS/signer.gpg" --state "$T/mirror-state" "$@"
}

# Keys, made once for a build directory: one key ring with secret keys for publishers, another one for
# somebody else, and files with public keys. All were made in 2020, so that tests may choose dates.
make_keys()
{
    local home=$1/publisher evil=$1/evil
    mkdir -m 700 "$home" "$evil"
    make_key "$home" signer "" ed25519 sign never
    make_key "$home" second "" ed25519 sign never
    make_key "$home" third "" ed25519 sign never
    make_key "$home" locked "correct horse" ed25519 sign never
    make_key "$home" expired "" ed25519 sign 20200601T000000
    make_key "$home" weak "" rsa1024 sign never
    make_key "$home" master "" ed25519 cert never
    make_key "$evil" evil "" ed25519 sign never
    make_key "$evil" signer "" ed25519 sign never # the same user id
    local fpr
    fpr=$(fingerprint "$home" master)
    quick_gpg "$home" --passphrase '' --quick-add-key "$fpr" ed25519 sign never
    quick_gpg "$home" --passphrase '' --quick-add-key "$fpr" ed25519 sign never
    local name
    for name in signer second third locked expired weak master; do
        fingerprint "$home" $name >"$1/$name.fpr"
        quick_gpg "$home" --export "$(cat "$1/$name.fpr")" >"$1/$name.gpg"
        quick_gpg "$home" --armor --export "$(cat "$1/$name.fpr")" >"$1/$name.asc"
    done
    quick_gpg "$home" --with-colons --list-keys "$(cat "$1/master.fpr")" |
        awk -F: '$1 == "sub" { s = 1 } s && $1 == "fpr" { print $10 }' >"$1/subkeys.fpr"
    fingerprint "$evil" evil >"$1/evil.fpr"
    quick_gpg "$evil" --export "$(cat "$1/evil.fpr")" >"$1/evil.gpg"
    quick_gpg "$home" --batch --passphrase '' --pinentry-mode loopback \
        --export-secret-keys "$(cat "$1/signer.fpr")" >"$1/signer.secret"
    gpgconf --homedir "$home" --kill gpg-agent
    gpgconf --homedir "$evil" --kill gpg-agent
}

make_key()
{
    quick_gpg "$1" --passphrase "$3" --quick-gen-key "$2 (test) <$2@example.org>" "$4" "$5" "$6"
}

quick_gpg()
{
    local home=$1
    shift
    gpg --homedir "$home" --batch --quiet --no-tty --faked-system-time 20200101T000000 \
        --pinentry-mode loopback "$@" 2>>"$T/gpg.log" || fail "gpg $*: $(cat "$T/gpg.log")"
}

fingerprint()
{
    gpg --homedir "$1" --batch --with-colons --list-keys "=$2 (test) <$2@example.org>" 2>/dev/null |
        awk -F: '$1 == "fpr" { print $10; exit }'
}

# Prepares an end-to-end test: the tools, $KEYS (shared, only read), a copy of the publisher's key ring in
# $GNUPG, and directories of the test's own in place of everything that belongs to the user.
setup()
{
    find_tools
    local cache=$top_builddir/tests/e2e
    mkdir -p "$cache"
    KEYS=$cache/keys
    exec 8>"$cache/keys.lock"
    flock 8
    if [ ! -e "$KEYS/complete" ]; then
        # gpg-agent's socket needs a short path
        rm -rf "$KEYS"
        mkdir "$T/keys"
        make_keys "$T/keys"
        touch "$T/keys/complete"
        cp -a "$T/keys" "$KEYS.new"
        mv "$KEYS.new" "$KEYS"
        rm -rf "$T/keys"
    fi
    exec 8>&-
    GNUPG=$T/gnupg
    copy_home publisher "$GNUPG"
    KEY=$(cat "$KEYS/signer.fpr")
    mkdir -p "$T/home" "$T/config" "$T/etc"
    export HOME=$T/home XDG_CONFIG_HOME=$T/config XDG_STATE_HOME=$T/xdg-state
    PUBLISHER=(--key "$KEY" --gnupg-home "$GNUPG" --state "$T/publisher" --config "$T/etc")
    CONSUMER=(--keyring "$KEYS/signer.gpg" --state "$T/consumer")
}

# A private copy of the key ring NAME.
copy_home()
{
    mkdir -m 700 "$2"
    cp -R "$KEYS/$1/." "$2"
    rm -f "$2"/S.* "$2"/*.lock "$2"/.#*
}

# publish ROOT [OPTION...]: update with the signer's key, nothing to say.
publish()
{
    expect 0 '' -- release update "${PUBLISHER[@]}" "$@"
}

# consume ARGS...: repo-verify as one who trusts the signer's key.
consume()
{
    verify "${CONSUMER[@]}" "$@"
}

# expect STATUS REGEX -- COMMAND...: runs COMMAND with its output in $T/stdout and $T/stderr, without
# input. Its status is STATUS, and its standard error is exactly one line that starts with the tool's name
# and matches REGEX (extended); nothing where REGEX is empty; anything where it is "*".
expect()
{
    local wanted=$1 regex=$2 status=0 lines
    shift 3
    "$@" >"$T/stdout" 2>"$T/stderr" </dev/null || status=$?
    [ $status = "$wanted" ] || {
        show_output
        fail_above "exit status $status, expected $wanted: $*"
    }
    lines=$(wc -l <"$T/stderr")
    case $regex in
    '*') return ;;
    '') [ ! -s "$T/stderr" ] || { show_output && fail_above "something on standard error: $*"; } ;;
    *)
        if [ "$lines" != 1 ] || ! grep -qE "^repo-(verify|release|mirror): " "$T/stderr" ||
            ! grep -qE -- "$regex" "$T/stderr"; then
            show_output
            fail_above "expected one line that matches \"$regex\" on standard error: $*"
        fi
        ;;
    esac
}

# expect_bad N TOTAL REGEX -- COMMAND...: a check that finds N of TOTAL packages, or files, bad: status 7, one line for
# each of them that matches REGEX, and the summary.
expect_bad()
{
    local n=$1 total=$2 regex=$3
    shift 4
    expect 7 '*' -- "$@"
    if [ "$(grep -cE -- "^repo-(verify|release|mirror): $regex" "$T/stderr")" != "$n" ] ||
        [ "$(wc -l <"$T/stderr")" != $((n + 1)) ] ||
        ! tail -n 1 "$T/stderr" | grep -q ": bad: $n of $total \(packages*\|files\)\$"; then
        show_output
        fail_above "expected $n lines that match \"$regex\" and a summary on standard error: $*"
    fi
    stdout_is_empty
}

# How many repositories the consumer remembers.
remembered()
{
    find "$T/consumer/verified" -type f -name '????????????????????????????????*' 2>/dev/null | wc -l
}

show_output()
{
    sed 's/^/stdout: /' "$T/stdout" | head -n 30 >&2
    sed 's/^/stderr: /' "$T/stderr" | head -n 30 >&2
}

# Fails with the line of the test that called the function that calls this.
fail_above()
{
    trap - ERR
    local i
    for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
        case ${BASH_SOURCE[i]} in
        */tests/repository.sh | */tests/attacks.sh | */tests/lib.sh) ;;
        *) break ;;
        esac
    done
    echo "$0: line ${BASH_LINENO[i - 1]}: FAIL: $*" >&2
    exit 1
}

# Standard output of the last expect matches REGEX.
stdout_has()
{
    grep -qE -- "$1" "$T/stdout" || {
        show_output
        fail_above "expected \"$1\" on standard output"
    }
}

stdout_is_empty()
{
    [ ! -s "$T/stdout" ] || {
        show_output
        fail_above "expected nothing on standard output"
    }
}

# json EXPRESSION: evaluates a Python expression about the object o that the last expect left on standard
# output, which must be one JSON object; the test fails where it is not true.
json()
{
    python3 -c 'import json, sys
o = json.load(open(sys.argv[1], encoding="utf-8"))
sys.exit(0 if eval(sys.argv[2]) else 1)' "$T/stdout" "$1" || {
        show_output
        fail_above "not true of the JSON: $1"
    }
}

# Everything about a directory that a write would change: names, types, modes, owners, sizes, times in
# nanoseconds (ctime too), link targets, and what is in the files.
snapshot()
{
    [ -e "$1" ] || { echo "nothing"; return; }
    (
        cd "$1"
        find . -printf '%p|%y|%m|%U|%s|%T@|%C@|%l\n' | sort
        find . -type f -print0 | sort -z | xargs -0r sha256sum
    )
}

# unchanged DIR FILE: the snapshot in FILE still holds.
unchanged()
{
    snapshot "$1" >"$T/snapshot.now"
    diff "$2" "$T/snapshot.now" >&2 || fail_above "$1 has changed"
}

# What a consumer gets from ROOT: the three files' bytes.
served()
{
    (cd "$1" && sha256sum Release Release.gpg InRelease)
}

# served_is ROOT FILE: what is served is what served() wrote into FILE.
served_is()
{
    served "$1" | diff "$2" - >&2 || fail_above "$1 serves something else"
}

# A field of the manifest, and one of its dates in seconds.
field()
{
    sed -n "s/^$2: //p" "$1/Release"
}

seconds()
{
    date -u -d "$(field "$1" "$2")" +%s
}

# make_tree DIR [TEXT]: a source tree with everything that real ones have.
make_tree()
{
    mkdir -p "$1/src/deep/er" "$1/empty"
    echo "int main(void) { return 0; } /* ${2:-} */" >"$1/src/main.c"
    printf '#!/bin/sh\nexit 0\n' >"$1/configure"
    chmod 755 "$1/configure"
    : >"$1/nothing"
    seq 1 5000 >"$1/src/deep/er/numbers"
    chmod 664 "$1/src/deep/er/numbers"
    chmod 750 "$1/src/deep"
    ln -s ../configure "$1/src/configure"
    ln -s deep "$1/src/link"
    ln "$1/src/main.c" "$1/src/same.c"
    echo "name with blanks and ümlaut" >"$1/a file ü"
    mkdir -p "$1/$(printf 'long%.0s' {1..30})"
    echo long >"$1/$(printf 'long%.0s' {1..30})/$(printf 'name%.0s' {1..30})"
    find "$1" -exec touch -h -d '2021-03-04 05:06:07 UTC' {} +
}

# make_package FILE [TEXT]: an archive of a tree, of the kind that FILE's name says; the same bytes
# whenever it is made. The top directory is the name up to the first suffix.
make_package()
{
    local file=$1 name=${1##*/} tree
    tree=$(mktemp -d "$T/tree.XXXXXX")
    mkdir -p "$(dirname "$file")"
    case $name in
    *.deb)
        make_deb "$file" "$tree" "${2:-}"
        ;;
    *)
        name=${name%.tar*}
        name=${name%.t[gblxz]*}
        make_tree "$tree/$name" "${2:-}"
        tar --sort=name --owner=0 --group=0 --numeric-owner -C "$tree" -cf "$tree/tar" "$name"
        case $file in
        *.tar) cp "$tree/tar" "$file" ;;
        *gz) gzip -nc "$tree/tar" >"$file" ;;
        *bz2) bzip2 -c "$tree/tar" >"$file" ;;
        *.tar.lzma | *.tlz) xz --format=lzma -c "$tree/tar" >"$file" ;;
        *xz) xz -1 -c "$tree/tar" >"$file" ;;
        *zst) zstd -qc "$tree/tar" >"$file" ;;
        *) fail "make_package: what is $file?" ;;
        esac
        ;;
    esac
    rm -rf "$tree"
}

# NAME_VERSION_ARCH.deb with a small tree.
make_deb()
{
    local file=$1 tree=$2 name version arch
    IFS=_ read -r name version arch <<<"${file##*/}"
    mkdir -p "$tree/root/DEBIAN" "$tree/root/usr/share/doc/$name"
    cat >"$tree/root/DEBIAN/control" <<END
Package: $name
Version: $version
Architecture: ${arch%.deb}
Maintainer: Nobody <nobody@example.org>
Description: a package for a test
END
    make_tree "$tree/root/usr/share/doc/$name" "$3"
    chmod -R g-w "$tree/root"
    SOURCE_DATE_EPOCH=1614834367 dpkg-deb --root-owner-group -Znone --build "$tree/root" "$file" >/dev/null
}

# make_repository ROOT: a few packages of several kinds, not published.
make_repository()
{
    mkdir -p "$1/pool/h" "$1/pool/w"
    make_package "$1/pool/h/hello-1.0.tar.gz" "hello 1.0"
    make_package "$1/pool/h/hello-1.2.tar.xz" "hello 1.2"
    make_package "$1/pool/w/world-2.0.tar.bz2" "world"
    echo "not an archive" >"$1/README.txt"
}

# What a tree holds, to compare two unpacked packages: type, name, mode as we keep it, time, target,
# content. Modes: group and others cannot write, the owner can read, and enter directories.
listing()
{
    python3 - "$1" <<'END'
import hashlib, os, stat, sys

def line(path, name):
    st = os.lstat(path)
    mode = stat.S_IMODE(st.st_mode) & 0o755
    if stat.S_ISLNK(st.st_mode):
        return "l %s -> %s" % (name, os.readlink(path))
    if stat.S_ISDIR(st.st_mode):
        return "d %s %o" % (name, mode | 0o700)
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    return "f %s %o %d %s" % (name, mode | 0o600, st.st_mtime, digest)

top = sys.argv[1]
out = []
for base, dirs, files in os.walk(top):
    for name in dirs + files:
        path = os.path.join(base, name)
        out.append(line(path, os.path.relpath(path, top)))
print("\n".join(sorted(out)))
END
}

# unpack_reference FILE DIR: what GNU tar or dpkg-deb unpack.
unpack_reference()
{
    mkdir -p "$2"
    case $1 in
    *.deb) dpkg-deb -x "$1" "$2" ;;
    *) tar -x --no-same-owner -p -C "$2" -f "$1" ;;
    esac
}

# same_tree OURS THEIRS: diff finds nothing, and listing says the same of both; setuid bits and such are
# gone from ours.
same_tree()
{
    diff -r --no-dereference "$1" "$2" >&2 || fail_above "$1 and $2 differ"
    listing "$1" >"$T/ours.list"
    listing "$2" >"$T/theirs.list"
    diff "$T/ours.list" "$T/theirs.list" >&2 || fail_above "$1 and $2 differ in what ls shows"
    [ -z "$(find "$1" ! -type l -perm /7022)" ] ||
        fail_above "modes beyond 0755: $(find "$1" ! -type l -perm /7022 | head -n 3)"
}

# nothing_unpacked DIR PARENT: DIR does not exist and PARENT holds nothing but what is named after it.
nothing_unpacked()
{
    if [ -e "$1" ] || [ -L "$1" ]; then
        fail_above "$1 exists"
    fi
    local parent=${1%/*} left
    left=$(find "$parent" -mindepth 1 -maxdepth 1)
    [ -z "$left" ] || fail_above "left behind: $left"
}

# flip FILE OFFSET: inverts the lowest bit of one byte.
flip()
{
    python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    b = f.read(1)[0] ^ 1
    f.seek(-1, 1)
    f.write(bytes([b]))' "$1" "$2"
}

size_of()
{
    stat -c %s "$1"
}

# clearsign_as HOME FPR FILE [OPTION...]: FILE clearsigned, on standard output.
clearsign_as()
{
    local home=$1 fpr=$2 file=$3
    shift 3
    gpg --homedir "$home" --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' -u "$fpr!" \
        "$@" --clearsign -o - "$file" 2>>"$T/gpg.log" || fail_above "gpg: $(tail -n 3 "$T/gpg.log")"
}

# Makes the served InRelease a plain file with what comes on standard input, for manipulation.
replace_inrelease()
{
    cat >"$T/inrelease.new"
    rm -f "$1/InRelease"
    cp "$T/inrelease.new" "$1/InRelease"
}

under_wrapper()
{
    [ -n "${HALLMARK_TEST_WRAPPER:-}" ]
}

# Whether the tools can be run under faketime(1), which goes together neither with valgrind nor with the
# address sanitizer.
can_fake_time()
{
    have faketime && ! under_wrapper && ! grep -qF libasan <(ldd "$REPO_VERIFY")
}

# bounded SECONDS TOOL ARGS...: release or verify, which must end in that time (ten times that under
# valgrind); status 124 where it does not.
bounded()
{
    local seconds=$1 tool=$2 program=$REPO_RELEASE
    shift 2
    ! under_wrapper || seconds=$((seconds * 10))
    [ "$tool" = release ] || program=$REPO_VERIFY
    timeout -k 1 "$seconds" "$program" "$@"
}

# traced SYSCALLS COMMAND ARGS...: runs the program under strace with a trace of SYSCALLS in $T/trace, of its
# children too. gpg-agent runs already: strace would wait for its end.
traced()
{
    local calls=$1
    shift
    gpgconf --homedir "$GNUPG" --launch gpg-agent
    # A tracer and the leak check, which traces as well, exclude one another.
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
        timeout -k 1 120 strace -f -qq -v -s 1000 -o "$T/trace" -e "trace=$calls" "$@"
}

# The hostile archives of make_archives.py in $ARCHIVES, made once for a build directory. The file "list" has
# lines of: name, status of unpack, status of update, part of the reason or "-".
make_archives()
{
    local script=$srcdir/tests/e2e/make_archives.py cache=$top_builddir/tests/e2e
    ARCHIVES=$cache/archives
    exec 8>"$cache/archives.lock"
    flock 8
    if [ ! -e "$ARCHIVES/list" ] || [ "$script" -nt "$ARCHIVES/list" ]; then
        rm -rf "$ARCHIVES" "$ARCHIVES.new"
        mkdir "$ARCHIVES.new"
        python3 "$script" "$ARCHIVES.new" >"$T/archives.log" || fail "make_archives.py: $(tail "$T/archives.log")"
        mv "$ARCHIVES.new" "$ARCHIVES"
    fi
    exec 8>&-
}
