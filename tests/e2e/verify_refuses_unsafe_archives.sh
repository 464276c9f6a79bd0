#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Archives that are well signed and hostile: exit status 9 with the entry's name and the reason, nothing is left,
# nothing outside is touched; odd but harmless ones unpack like GNU tar unpacks them. The names of the archives are the
# cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup
make_archives

# Signed by hand: update would refuse some of them.
root=$T/root
mkdir "$root" "$T/out" "$T/reference"
cp "$ARCHIVES"/* "$root"
rm "$root/list"
{
    echo "Date: $(date -u '+%a, %d %b %Y %H:%M:%S UTC')"
    echo "Valid-Until: $(date -u -d '+1 day' '+%a, %d %b %Y %H:%M:%S UTC')"
    echo "SHA256:"
    (cd "$root" && stat -c '%s %n' -- * | while read -r size name; do
        echo " $(sha256sum <"$name" | cut -c 1-64) $size $name"
    done)
} >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" >"$root/InRelease"
expect 0 '' -- consume check "$root"
mkdir "$T/target"
echo here before >"$T/out/file"
ln -s ../target "$T/out/link"
WATCHED=("$T/consumer" "$T/target") PARENTS=("$T/out")
find "$root" -printf '%p %i %s %T@ %C@ %m\n' | sort >"$T/root.before"
rm -f /tmp/hallmark-escaped

n=0
while IFS=$'\t' read -r name status _ reason; do
    n=$((n + 1))
    if [ "$status" = 0 ]; then
        expect 0 '' -- bounded 60 verify "${CONSUMER[@]}" unpack "$root" "$name" --into "$T/out/x"
        [ -d "$T/out/x" ] || fail "$name: not unpacked"
        [ -z "$(find "$T/out/x" ! -type l -perm /7022)" ] || fail "$name: modes beyond 0755"
        [ -z "$(find "$T/out/x" ! -type f ! -type d ! -type l)" ] || fail "$name: a device or a fifo"
        [ -z "$(find "$T/out/x" ! -user "$(id -u)")" ] || fail "$name: another owner"
        case $name in
        A22-sparse-small.tar.gz) ;; # its map does not end where the file does: GNU tar makes it shorter
        A01-dotdot-global-pax.tar.gz) ;; # a path for all entries is ignored here, and obeyed there
        *.tar*)
            unpack_reference "$root/$name" "$T/reference/x" 2>/dev/null || :
            diff -r --no-dereference "$T/out/x" "$T/reference/x" || fail "$name: GNU tar unpacks something else"
            chmod -R u+rwX "$T/reference/x"
            ;;
        esac
        rm -rf "$T/out/x" "$T/reference/x" || fail "$name: its owner cannot remove it"
        passed "$name" accepted
    else
        refuses "$name" "$status" "^repo-verify: $name: " -- bounded 60 verify "${CONSUMER[@]}" unpack "$root" "$name" \
            --into "$T/out/x"
        [ "$reason" = - ] || grep -qF -- "$reason" "$T/stderr" || {
            show_output
            fail "$name: the reason does not say \"$reason\""
        }
    fi
done <"$ARCHIVES/list"
[ $n -ge 100 ] || fail "there were only $n archives"
[ "$(ls -A "$T/out" | tr '\n' ' ')" = "file link " ] || fail "left behind: $(ls -A "$T/out")"
[ ! -e /tmp/hallmark-escaped ] || fail "something has escaped"
find "$root" -printf '%p %i %s %T@ %C@ %m\n' | sort | diff "$T/root.before" - || fail "the repository has changed"

# The user's limits, to one entry and to one byte.
limited()
{
    local what=$1 status=$2 name=$3
    shift 3
    if [ "$status" = 0 ]; then
        accepts "$what" -- consume --quiet unpack "$root" "$name" --into "$T/out/x" "$@"
        rm -rf "$T/out/x"
    else
        refuses "$what" "$status" "^repo-verify: $name: .*(entries|bytes)" -- consume unpack "$root" "$name" \
            --into "$T/out/x" "$@"
    fi
}
limited A21-as-many-entries-as-allowed 0 A21-2000-entries.tar.gz --max-entries 2000
limited A21-one-entry-more 9 A21-2000-entries.tar.gz --max-entries 1999
limited A21-no-entry-at-all 9 ok-deb.deb --max-entries 1
limited A22-as-many-bytes-as-allowed 0 ok-good.tar.gz --max-size 50000
limited A22-one-byte-more 9 ok-good.tar.gz --max-size 49999
limited A22-sparse-counts-in-full 9 A22-sparse-small.tar.gz --max-size 1048575

# --links=any lets links point anywhere, and still writes nothing through them.
for name in A04-through-absolute-symlink.tar.gz A04-through-relative-symlink.tar.gz A06-directory-replaced.tar.gz; do
    refuses "${name%%.*}-any" 9 "$name" -- consume unpack "$root" $name --into "$T/out/x" --links any
done
mkdir "$T/p"
ln -s /etc/passwd "$T/p/absolute"
ln -s ../../outside "$T/p/outside"
echo text >"$T/p/file"
tar -C "$T" -czf "$T/links-1.0.tar.gz" p
mkdir "$T/root2"
mv "$T/links-1.0.tar.gz" "$T/root2"
expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/state2" "$T/root2"
cp -a "$T/consumer" "$T/before"
refuses A04-links-that-lead-out 9 'links-1.0.tar.gz: .*(absolute|outside)' -- consume unpack "$T/root2" links-1.0.tar.gz \
    --into "$T/out/x"
accepts A04-links-that-lead-out-any -- consume --quiet unpack "$T/root2" links-1.0.tar.gz --into "$T/out/x" --links any
[ "$(readlink "$T/out/x/p/absolute")" = /etc/passwd ] || fail "the link is another one"
rm -rf "$T/out/x"

# A parser that is taken over, or falls over: its process ends, and so does the run.
killed()
{
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0:handle_segv=0 timeout 60 strace -f -qq -o "$T/trace" \
        -e "trace=$1" -e "inject=$1:signal=$2:when=1" "$REPO_VERIFY" "${CONSUMER[@]}" --quiet unpack "$root" ok-good.tar.gz \
        --into "$T/out/x"
}
if have strace && strace -o /dev/null true 2>/dev/null; then
    refuses A34-reader-segfaults 9 'ok-good.tar.gz' -- killed writev SEGV
    refuses A34-reader-killed 9 'ok-good.tar.gz' -- killed writev KILL
    refuses A34-reader-aborts 9 'ok-good.tar.gz' -- killed writev ABRT
    refuses A34-reader-calls-what-is-forbidden 9 'ok-good.tar.gz' -- killed writev SYS
    refuses A34-writer-segfaults 9 'ok-good.tar.gz' -- killed pwrite64 SEGV
else
    echo "skipped A34: strace cannot be used here"
fi

# Somebody with the same rights exchanges the staging directory for a link while it is filled: nothing gets where the
# link points.
python3 -c 'import os, sys
out, target = sys.argv[1:]
while True:
    for name in os.listdir(out):
        if name not in ("file", "link", "x") and not name.startswith("moved"):
            try:
                os.rename(out + "/" + name, out + "/moved-" + name)
                os.symlink(target, out + "/" + name)
            except OSError:
                pass' "$T/out" "$T/target" &
exchanger=$!
snapshot "$T/target" >"$T/target.before"
for i in {1..8}; do
    status=0
    consume --quiet unpack "$root" A21-2000-entries.tar.gz --into "$T/out/x" 2>"$T/stderr" || status=$?
    case $status in
    0 | 1 | 9) ;;
    *) fail "A32: exit status $status: $(cat "$T/stderr")" ;;
    esac
    unchanged "$T/target" "$T/target.before"
    rm -rf "$T/out/x"
done
kill $exchanger
wait $exchanger 2>/dev/null || :
passed A32-staging-exchanged "nothing behind the link"
