#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror of an archive that apt-ftparchive has made: bit by bit the same, read again only where something has
# changed, in parts, with several suites; apt installs from it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt_archive.sh"
. "$(dirname "$0")/../apt.sh"
setup
need apt-ftparchive dpkg-deb zstd bzip2 xz

ROOT=$T/archive M=$T/mirror STATE=$T/mirror-state
S=$ROOT/dists/stable
mkdir "$ROOT"
make_pool "$ROOT"
make_indexes "$ROOT" stable
sign_archive "$ROOT" stable

# What both serve, and every name by hash that the mirror has more.
same_archive()
{
    diff -r "$ROOT/pool" "$1/pool" >&2 || fail_above "$1: the pool differs"
    local suite
    for suite in "${@:2}"; do
        diff -r -x by-hash "$ROOT/dists/$suite" "$1/dists/$suite" >&2 || fail_above "$1: $suite differs"
    done
    by_hash_is_right "$1"
}

by_hash_is_right()
{
    find -L "$1/dists" -path '*/by-hash/SHA256/*' -type f -exec sha256sum {} + |
        awk '{ n = split($2, p, "/"); if ($1 != p[n]) { print; bad = 1 } } END { exit bad || NR == 0 }' >&2 ||
        fail_above "$1: names by hash are wrong"
}

# idle ARGS...: a run that has nothing to do, and does nothing.
idle()
{
    snapshot "$M" >"$T/before"
    snapshot "$STATE" >"$T/before.state"
    expect 0 '' -- mirror sync "$@"
    stdout_is_empty
    unchanged "$M" "$T/before"
    unchanged "$STATE" "$T/before.state"
}

# ---- The first time ---------------------------------------------------------------------------
expect 0 '' -- mirror sync --dry-run --json "$ROOT" "$M"
json "o['dry_run'] and o['published'] and o['n_files'] == 10 and o['n_fetched'] > 50"
if [ -e "$M" ] || [ -e "$STATE" ]; then
    fail "a dry run wrote something"
fi
wanted=$(python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); print(o["n_fetched"], o["n_fetched_bytes"])' "$T/stdout")
expect 0 '' -- mirror sync --json "$ROOT" "$M"
json "o['status'] == 'good' and o['published'] and o['n_suites'] == 1 and o['n_replaced'] == 0 and o['n_hashed'] == 0"
json "'%d %d' % (o['n_fetched'], o['n_fetched_bytes']) == '$wanted'"
same_archive "$M" stable
for file in InRelease Release Release.gpg; do
    cmp "$S/$file" "$M/dists/stable/$file" || fail "$file"
done
[ "$(readlink "$M/dists")" = .hallmark/current/dists ] || fail "dists is not switched in one step"
expect 0 '' -- mirror check "$M"
stdout_has ': good: 10 files and [0-9]* of metadata'
expect 0 '' -- consume check "$M"

# ---- Again ------------------------------------------------------------------------------------
idle "$ROOT" "$M"
idle --suite stable "file://$ROOT/dists/stable" "$M"
if have strace && ! under_wrapper; then
    traced openat,openat2 "$REPO_MIRROR" sync --keyring "$KEYS/signer.gpg" --state "$STATE" "$ROOT" "$M" </dev/null
    grep -F "archive" "$T/trace" >/dev/null || fail "the trace does not show what is read"
    ! grep -oE '"(pool|dists)/[^"]*", O_R[^)]*\) = [0-9]+<?' "$T/trace" | grep -v 'dists/stable/\(In\)\?Release' ||
        fail "more is read than the manifest"
    ! grep -E 'O_(WRONLY|RDWR|CREAT)' "$T/trace" | grep -v -e '"lock"' -e gnupg -e /dev/ -e /tmp/ -e memfd ||
        fail "something is written"
fi
expect 0 '' -- mirror sync --dry-run --json "$ROOT" "$M"
json "not o['published'] and o['n_fetched'] == 0"
sleep 2.1 # what is hashed while it is that young is hashed once more
expect 0 '' -- mirror sync --full --json "$ROOT" "$M"
json "o['published'] and o['n_fetched'] == 0 and o['n_hashed'] == 10"
same_archive "$M" stable

# ---- Something changes ------------------------------------------------------------------------
make_package "$ROOT/pool/main/h/hello_3.0_amd64.deb" three
rm "$ROOT/pool/main/h/hello_1.0_amd64.deb"
cp -a "$M/dists/stable" "$T/before.dists"
make_indexes_again()
{
    find "$S" -name 'Packages*' -delete -o -name 'Sources*' -delete -o -name 'Contents*' -delete
    make_indexes "$ROOT" stable
    sleep 1.1 # another Date
    sign_archive "$ROOT" stable
}
make_indexes_again
expect 0 '' -- mirror sync --json "$ROOT" "$M"
# hello, and of main/binary-amd64 and of Contents what is new
json "o['published'] and o['n_fetched'] == 1 + 6 and o['n_hashed'] == 0 and o['n_retired'] == 1 and o['n_removed'] == 0"
diff -r -x by-hash "$S" "$M/dists/stable" || fail "dists"
[ -e "$M/pool/main/h/hello_1.0_amd64.deb" ] || fail "removed at once: who has the older manifest wants it"
for old in "$T"/before.dists/main/binary-amd64/Packages*; do
    cmp "$old" "$M/dists/stable/main/binary-amd64/by-hash/SHA256/$(sha256sum <"$old" | cut -d' ' -f1)" ||
        fail "the older index cannot be had by its hash"
done
by_hash_is_right "$M"
idle "$ROOT" "$M"

# ---- In parts ---------------------------------------------------------------------------------
P=$T/part
expect 0 '' -- mirror sync --component main --arch amd64 "$ROOT" "$P"
(cd "$P" && find pool -type f | LC_ALL=C sort) >"$T/found"
printf 'pool/main/%s.deb\n' d/docs_1.0_all h/hello_2.0_amd64 h/hello_3.0_amd64 | diff - "$T/found" || fail "the pool of a part"
(cd "$P/dists/stable" && find . -type f ! -path '*/by-hash/*' | LC_ALL=C sort) >"$T/found"
printf './%s\n' InRelease Release Release.gpg main/Contents-amd64 main/binary-amd64/Packages{,.bz2,.gz,.lzma,.xz,.zst} \
    main/binary-amd64/Release | diff - "$T/found" || fail "the metadata of a part"
expect 0 '' -- mirror check "$P"
stdout_has 'good: 3 files'
expect 0 '' -- consume check --component main --arch amd64 "$P"
expect 0 '' -- mirror sync --component main --arch amd64 --arch source "$ROOT" "$P"
cmp "$ROOT/pool/main/t/tool_1.0.dsc" "$P/pool/main/t/tool_1.0.dsc" || fail "more is wanted than before"
expect 0 '' -- mirror sync --component contrib --component main --component main --arch amd64 --json "$ROOT" "$P"
json "o['n_retired'] == 2 and o['n_fetched'] == 1 + 7" # the sources; extra with its indexes and Release
expect 0 '' -- mirror sync --arch amd64 --component main --component contrib --json "$ROOT" "$P"
json "not o['published']" # the order makes no difference

# By name: the indexes are what was signed, and only these packages are there.
expect 0 '' -- mirror sync --arch amd64 --component main --component contrib --package 'h*' --package docs --json "$ROOT" "$P"
json "o['published'] and o['n_files'] == 3 and o['n_fetched'] == 0 and o['n_retired'] == 3"
expect 0 '' -- mirror sync --arch amd64 --component main --component contrib --package docs --package 'h*' --json "$ROOT" "$P"
json "not o['published']"
expect 0 '' -- mirror check --json "$P"
json "o['n_checked'] == 3 and o['n_indexes'] >= 14"
flip "$P/pool/main/d/docs_1.0_all.deb" 100
expect 7 '*' -- mirror check "$P"
grep -q 'bad: 1 of' "$T/stderr" || fail "$(cat "$T/stderr")"
rm "$P/pool/main/d/docs_1.0_all.deb"
expect 0 '' -- mirror sync --arch amd64 --component main --package '*o*' "$ROOT" "$P" --component contrib --full
cmp "$ROOT/pool/main/d/docs_1.0_all.deb" "$P/pool/main/d/docs_1.0_all.deb" || fail "by name"

expect 2 'no package has a name that is wanted$' -- mirror sync --arch amd64 --package '[' "$ROOT" "$P" --accept-loss

# ---- Several suites ---------------------------------------------------------------------------
make_indexes "$ROOT" testing
sign_archive "$ROOT" testing
expect 2 'holds several suites; --suite chooses one of: stable testing$' -- mirror sync "$ROOT" "$M"
expect 2 'stable: is wanted twice$' -- mirror sync --suite stable --suite stable "$ROOT" "$M"
expect 2 'dists/stable: is served by this mirror.*--accept-loss$' -- mirror sync --suite testing "$ROOT" "$M"
expect 0 '' -- mirror sync --suite stable --suite testing --json "$ROOT" "$M"
json "o['n_suites'] == 2 and o['published']"
diff -r -x by-hash "$ROOT/dists" "$M/dists" || fail "two suites"
idle --suite testing --suite stable "$ROOT" "$M"
expect 0 '' -- mirror check "$M"
stdout_has ': good: 20 files' # ten in each
expect 0 '' -- mirror sync --suite testing --accept-loss "$ROOT" "$M"
[ ! -e "$M/dists/stable/InRelease" ] || fail "a suite that was to go is there"
expect 0 '' -- mirror sync --suite testing --suite stable "$ROOT" "$M"

# ---- apt --------------------------------------------------------------------------------------
if [ "$ARCH" = amd64 ]; then
    make_apt "deb [signed-by=$KEYS/signer.gpg] file:$M stable main contrib"
    update_is_silent
    [ "$(candidate hello)" = 3.0 ] || fail "apt sees $(candidate hello)"
    start_server "$M"
    make_apt "deb [signed-by=$KEYS/signer.gpg] http://127.0.0.1:$PORT stable main contrib"
    update_is_silent
    (cd "$T" && apt-get -qq download hello=3.0 2>&1) || fail "apt-get download"
    cmp "$T"/hello_3.0_amd64.deb "$ROOT/pool/main/h/hello_3.0_amd64.deb" || fail "apt-get download"
    apt-get -qq -y install hello=3.0 extra >"$T/install" 2>&1 </dev/null || fail "apt-get install: $(cat "$T/install")"
    [ -e "$T/target/usr/share/doc/hello/configure" ] || fail "apt-get install: nothing is there"
fi
