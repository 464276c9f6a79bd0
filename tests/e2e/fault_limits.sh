#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G03, G11, G24, G28: limits of the process, full and read-only file systems, directories that go away: one line
# that tells the reason, what is published stays, nothing staged is left, and the next run works.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"

if [ -z "${FAULT_NAMESPACE:-}" ] && have unshare; then
    map=()
    [ "$(id -u)" = 0 ] || map=(--map-root-user)
    if unshare "${map[@]}" --mount --propagation private true 2>/dev/null; then
        FAULT_NAMESPACE=1 unshare "${map[@]}" --mount --propagation private "$0" || exit $?
        exit 0
    fi
fi
setup_faults
need_plain_tools
need prlimit

root=$WORK/root state=$WORK/state
export TMPDIR=$WORK/tmp
mkdir -p "$TMPDIR" "$root/pool"
cp "$FAULT_PACKAGE" "$root/pool"
n_points=0

update()
{
    echo "$REPO_RELEASE" update --key "$KEY" --gnupg-home "$GNUPG" --config "$T/etc" --state "$state" \
        --keep-generations 1 --keep-for 1s "$root"
}
read -ra update <<<"$(update)"

change()
{
    n_points=$((n_points + 1))
    echo "$n_points" >"$root/pool/changing.txt"
    [ ! -e "$root/Release" ] || served "$root" >"$T/served"
}

# was STATUS REGEX: how the last attempt ended.
was()
{
    if [ "$status" != "$1" ] || ! grep -qE -- "$2" "$T/stderr"; then
        show_output
        fail_above "status $status, wanted $1 and \"$2\""
    fi
}

# some_failed LEAST: of some runs with less and less of something, the hardest failed, the last did not.
some_failed()
{
    [ "$n_failed" -ge "$1" ] || fail_above "$n_failed runs failed, wanted at least $1"
    [ "$status" = 0 ] || { show_output && fail_above "the last, with the most, failed as well: status $status"; }
    n_failed=0
}
n_failed=0

# The tool's one line behind warnings, or a line of what it needs before it starts.
one_line()
{
    sed -i '/^repo-release: warning: ./d' "$T/stderr"
    [ "$(wc -l <"$T/stderr")" = 1 ] || { show_output && fail_above "not one line"; }
    grep -qE '^repo-release: .|^hallmark: out of memory|error while loading shared libraries' "$T/stderr" ||
        { show_output && fail_above "an unexpected message"; }
}

# attempt WHAT COMMAND...: whatever the status, the tree is old, or new and in order; after success, new. The
# status goes to $status.
attempt()
{
    local what=$1
    shift
    status=0
    # A pipe has no size that is limited.
    timeout -k 1 30 "$@" 2>&1 >"$T/stdout" </dev/null | cat >"$T/stderr" || status=$?
    [ $status = 0 ] || n_failed=$((n_failed + 1))
    case $status in
    0) ! grep -v '^repo-release: warning: .' "$T/stderr" || fail_above "$what: success, with a message" ;;
    1 | 3 | 127) one_line ;;
    *) show_output && fail_above "$what: status $status" ;;
    esac
    python3 "$FAULT/invariant.py" --unused "$TMPDIR" || fail_above "$what"
    if served "$root" 2>/dev/null | cmp -s - "$T/served"; then
        [ $status != 0 ] || fail_above "$what: success, and what is published is old"
    else
        python3 "$FAULT/invariant.py" --keyring "$FAULT_KEYRING" "$root" || fail_above "$what: neither old nor new"
    fi
}

clean()
{
    python3 "$FAULT/invariant.py" --clean --state "$state" --empty "$TMPDIR" "$root" || fail_above "${1:-}"
}

recovers()
{
    expect 0 '*' -- "${update[@]}"
    intact "$root" --state "$state" --empty "$TMPDIR" --unused "$WORK"
}
change
recovers

# RLIMIT_FSIZE: each write beyond it fails; not by a signal that kills.
for size in 0 1 100 300 500 700 1000 20000; do
    change
    attempt "RLIMIT_FSIZE $size" prlimit --fsize=$size:$size "${update[@]}"
    clean "RLIMIT_FSIZE $size"
done
some_failed 4
recovers

# RLIMIT_NOFILE.
for ((n = 3; n <= 25; n += ${#LONG[@]} ? 1 : 2)); do
    change
    attempt "RLIMIT_NOFILE $n" prlimit --nofile=$n:$n "${update[@]}"
    clean "RLIMIT_NOFILE $n"
done
some_failed 4
recovers

# RLIMIT_AS: memory that is refused ends the process, at any place.
for ((mib = 4; mib <= 64; mib += ${#LONG[@]} || mib < 12 ? 2 : 6)); do
    change
    attempt "RLIMIT_AS $mib MiB" prlimit --as=$((mib << 20)) "${update[@]}"
done
some_failed 2
recovers

# RLIMIT_NPROC counts for ordinary users alone, who may not reach the build.
mkdir "$T/nobody.home"
cp "$REPO_RELEASE" "$T/nobody.home"
[ -z "${LIBRARY_DIR:-}" ] || cp "$LIBRARY_DIR"/libhallmark.so* "$T/nobody.home"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups env
    HOME="$T/nobody.home" LD_LIBRARY_PATH="$T/nobody.home")
[ "$(id -u)" != 0 ] || chmod 711 "$T" "$WORK"
if [ "$(id -u)" = 0 ] && have setpriv && "${nobody[@]}" "$T/nobody.home/repo-release" --version >/dev/null 2>&1; then
    copy_home publisher "$T/nobody"
    chown -R 65534:65534 "$T/nobody" "$T/nobody.home" "$WORK/root" "$WORK/state" "$WORK/tmp"
    theirs=("$T/nobody.home/repo-release" update --key "$KEY" --gnupg-home "$T/nobody" --config "$T/etc" --state "$state" "$root")
    for n in 1 2 3 4 5 6; do
        change
        attempt "RLIMIT_NPROC $n" "${nobody[@]}" prlimit --nproc=$n:$n "${theirs[@]}"
        clean "RLIMIT_NPROC $n"
    done
    theirs=("${nobody[@]}" "${theirs[@]}")
    change
    expect 0 '' -- "${theirs[@]}"

    # A tree, a state, a file, a directory that this user may not use. None is silently left out.
    change
    chown -R 0 "$root/.hallmark" && chmod 755 "$root/.hallmark"
    attempt "a store of root" "${theirs[@]}"
    was 1 .
    chown -R 65534 "$root/.hallmark"
    chmod 555 "$state"
    attempt "a read-only state" "${theirs[@]}"
    was 1 .
    chmod 700 "$state"
    chmod 000 "$root/pool/changing.txt"
    attempt "an unreadable file" "${theirs[@]}"
    was 1 'pool/changing.txt: Permission denied'
    chmod 644 "$root/pool/changing.txt"
    mkdir -m 000 "$root/pool/secret"
    attempt "an unreadable directory" "${theirs[@]}"
    was 1 'pool/secret: .*Permission denied'
    rmdir "$root/pool/secret"
    chmod 500 "$TMPDIR"
    attempt "a read-only TMPDIR" "${theirs[@]}"
    was 1 .
    chmod 700 "$TMPDIR"
    expect 0 '' -- "${theirs[@]}"
    intact "$root" --state "$state" --empty "$TMPDIR" --unused "$WORK"
    chown -R 0:0 "$root" "$state" "$TMPDIR"
else
    echo "not tried: limits and permissions of an ordinary user, which needs root, and a TMPDIR that all can reach" >&2
fi

# The tree goes away, or a part of it, while it is published. What is gone is nobody's fault; there must be an
# end, with a reason unless all is done, and the next run makes it good.
gone()
{
    change
    rm -rf "$WORK/away"
    status=0
    timeout -k 1 30 "$FAULT_TRACER" --report "$T/report" --run "$1:$2" -- "${update[@]}" \
        >"$T/stdout" 2>"$T/stderr" </dev/null || status=$?
    case $status in
    0) ;;
    1 | 2 | 3) one_line ;;
    *) show_output && fail_above "$2 at call $1: status $status" ;;
    esac
}
"$FAULT_TRACER" --count --list --report "$T/report" -- "${update[@]}"
n_calls=$(sed -n 's/^calls //p' "$T/report")
change
"$FAULT_TRACER" --count --list --report "$T/report" -- "${update[@]}"
n_calls=$(sed -n 's/^calls //p' "$T/report")
step=${LONG:+1}
step=${step:-17}
for ((k = 1 + RANDOM % step; k <= n_calls; k += step)); do
    gone "$k" "rm -rf '$root/.hallmark'"
    rm -rf "$root/.hallmark"
    recovers
    gone "$k" "mv '$root' '$WORK/away'"
    if grep -q '^hit' "$T/report"; then # else it had fewer calls than the run that was counted
        [ ! -e "$root" ] || fail "call $k: the tree that was moved away is there again"
        mv "$WORK/away" "$root"
    fi
    recovers
done

# Full and read-only file systems.
if [ -n "${FAULT_NAMESPACE:-}" ]; then
    small=$WORK/small
    mkdir "$small"
    AT_EXIT=("umount -l '$small' 2>/dev/null" "${AT_EXIT[@]}")
    # small_disk OPTIONS: a tiny file system with a repository in it, and all else that is written.
    small_disk()
    {
        mount -t tmpfs -o "mode=755,$1" tmpfs "$small"
        root=$small/root state=$small/state TMPDIR=$small/tmp
        read -ra update <<<"$(update)"
        mkdir -p "$root/pool" "$TMPDIR"
        cp "$FAULT_PACKAGE" "$root/pool"
    }
    small_disk "size=512k,nr_inodes=400"
    change
    recovers
    n_failed=0
    step=12
    [ "${#LONG[@]}" = 0 ] || step=4
    for ((left = 0; left <= 72; left += step)); do
        change
        free=$(($(stat -f -c '%a * %S' "$small") / 1024))
        head -c "$(((free > left ? free - left : 0) * 1024))" /dev/zero >"$small/filling"
        attempt "$left KiB left" "${update[@]}"
        clean "$left KiB left"
        rm "$small/filling"
        recovers
    done
    some_failed 2
    n_failed=0
    for ((left = 0; left <= 15; left += step / 4)); do
        change
        mkdir "$small/filling"
        while [ "$(stat -f -c %d "$small")" -gt "$left" ]; do
            : >"$small/filling/$RANDOM$RANDOM"
        done
        attempt "$left inodes left" "${update[@]}"
        clean "$left inodes left"
        rm -r "$small/filling"
        recovers
    done
    some_failed 2
    change
    mount -o remount,ro "$small"
    attempt "read-only" "${update[@]}"
    was 1 'Read-only file system'
    # Only the tree is, TMPDIR and state are not.
    mkdir -p "$WORK/state"
    rm -rf "$WORK/state"
    TMPDIR=$WORK/tmp state=$WORK/state
    read -ra update <<<"$(update)"
    attempt "a read-only tree" "${update[@]}"
    was 1 'Read-only file system'
    clean "a read-only tree"
    mount -o remount,rw "$small"
    recovers
    # It becomes read-only in the middle of a run: nothing is open for writing at most of the calls.
    n_failed=0
    step=${LONG:+1}
    step=${step:-9}
    for ((k = 5 + RANDOM % step; k <= n_calls; k += step)); do
        change
        attempt "read-only at call $k" \
            "$FAULT_TRACER" --run "$k:mount -o remount,ro '$small' 2>/dev/null || :" -- "${update[@]}"
        mount -o remount,rw "$small"
        recovers
    done
    [ "$n_failed" -ge 3 ] || fail "only $n_failed runs failed because the file system became read-only"
    umount "$small"
else
    echo "not tried: full and read-only file systems, which need a mount namespace" >&2
fi
echo "$n_points runs with limits, or on file systems that are full, read-only, or gone"
