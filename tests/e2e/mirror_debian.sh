#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# A mirror of real data: the suite of Debian's updates, with Debian's own signatures, indexes and packages. The second
# run reads InRelease and nothing else; the copy is the same bit by bit; apt takes it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../packages.sh"
. "$(dirname "$0")/../debian_mirror.sh"
. "$(dirname "$0")/../apt.sh"
setup
need_mirror
[ "$ARCH" = amd64 ] || skip "the indexes in the mirror are those of $ARCH"

suite=$(find "$MIRROR" -path '*/dists/*-updates/InRelease' -printf '%h\n' | head -n 1)
[ -n "$suite" ] || skip "apt knows no suite of updates here"
NAME=${suite##*/}
PARTS=(--suite "$NAME" --component main --arch amd64)
NOW=@$(($(date -u -d "$(sed -n 's/^Date: //p' "$suite/InRelease")" +%s) + 3600))
xz -dc "$suite/main/binary-amd64/Packages.xz" >"$T/Packages"
awk '/^Package: / { p = $2 } /^Version: / { v = $2 } /^Size: / { s = $2 } /^Filename: / { f = $2 }
    /^$/ { print p "=" v, f, s }' "$T/Packages" >"$T/list"
N=$(wc -l <"$T/list")
BYTES=$(awk '{ n += $3 } END { print n + 0 }' "$T/list")
[ "$N" -ge 1 ] || skip "$NAME is empty now"
[ "$BYTES" -le 200000000 ] || skip "the packages of $NAME have $BYTES bytes"

# fetch_updates DIR: its packages, by apt.
fetch_updates()
{
    local apt=$T/fetching name path
    local -a names
    rm -rf "$1"
    mkdir -p "$1" "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/etc/apt.conf.d" "$T/files"
    write_mirror_sources "$apt/sources.all" || skip "no Debian archive is configured here"
    awk -v RS= -v ORS='\n\n' -v s="Suites: $NAME" 'index($0, s)' "$apt/sources.all" >"$apt/test.sources"
    : >"$apt/status"
    printf '%s\n' "Dir::Etc \"$apt/etc\";" "Dir::Etc::SourceList \"$apt/test.sources\";" "Dir::State \"$apt/state\";" \
        "Dir::State::status \"$apt/status\";" "Dir::Cache \"$apt/cache\";" 'APT::Sandbox::User "";' \
        'Acquire::Languages "none";' 'Acquire::Retries "3";' >"$apt/apt.conf"
    export APT_CONFIG=$apt/apt.conf
    timeout 300 apt-get -qq update </dev/null >"$apt/log" 2>&1 || skip "apt-get update: $(tail -n 1 "$apt/log")"
    mapfile -t names < <(cut -d' ' -f1 "$T/list")
    (cd "$T/files" && timeout 500 apt-get -qq download "${names[@]}" </dev/null >>"$apt/log" 2>&1) ||
        skip "apt-get download: $(tail -n 1 "$apt/log")"
    unset APT_CONFIG
    while read -r name path _; do
        mkdir -p "$1/${path%/*}"
        find "$T/files" -name "${name%%=*}_*" -exec mv {} "$1/$path" \;
    done <"$T/list"
    [ "$(find "$1" -type f | wc -l)" = "$N" ] || fail "apt has fetched $(find "$1" -type f | wc -l) of $N files"
}

exec 6>"$MIRROR.lock"
flock 6
if [ ! -e "$MIRROR/updates/complete" ]; then
    fetch_updates "$MIRROR/updates"
    touch "$MIRROR/updates/complete"
fi
exec 6>&-

ROOT=$T/debian M=$T/mirror STATE=$T/mirror-state
mkdir -p "$ROOT/dists"
cp -a "$suite" "$ROOT/dists"
cp -a "$MIRROR/updates/pool" "$ROOT"

# debian COMMAND ARGS...: repo-mirror as one who trusts Debian's keys.
debian()
{
    local command=$1
    shift
    "$REPO_MIRROR" "$command" --keyring "$DEBIAN_KEYS" --state "$STATE" --now "$NOW" --allow-no-expiry "$@"
}

# ---- The first run ----------------------------------------------------------------------------
expect 0 '' -- debian sync --dry-run --json "${PARTS[@]}" "$ROOT" "$M"
json "o['n_files'] == $N and o['n_bytes'] == $BYTES and o['n_fetched'] == $N + 1"
expect 0 '' -- debian sync --json "${PARTS[@]}" "$ROOT" "$M"
json "o['published'] and o['n_files'] == $N and o['n_fetched'] == $N + 1"
diff -r -x by-hash -x .hallmark "$ROOT" "$M" >&2 || fail "the copy differs"
for index in "$M/dists/$NAME/main/binary-amd64"/by-hash/SHA256/*; do
    cmp "$index" "$suite/main/binary-amd64/Packages.xz" || fail "the index by its hash"
done
gpgv --keyring "$DEBIAN_KEYS" "$M/dists/$NAME/InRelease" 2>"$T/gpgv" || fail "gpgv: $(cat "$T/gpgv")"
expect 0 '' -- debian check "$M"
stdout_has ": good: $N files and 1 of metadata"
expect 0 '' -- verify check --keyring "$DEBIAN_KEYS" --no-state --allow-no-expiry --now "$NOW" "${PARTS[@]}" "$M"

# ---- The second one ---------------------------------------------------------------------------
snapshot "$M" >"$T/before"
snapshot "$STATE" >"$T/before.state"
if have strace && ! under_wrapper; then
    traced openat,read,pread64,mmap "$REPO_MIRROR" sync --keyring "$DEBIAN_KEYS" --state "$STATE" --now "$NOW" \
        --allow-no-expiry "${PARTS[@]}" "$ROOT" "$M" </dev/null
    grep -qF "dists/$NAME/InRelease" "$T/trace" || fail "InRelease was not read"
    ! grep -E '"(dists|pool)/[^"]*"' "$T/trace" | grep -vE "\"dists/$NAME/(InRelease|Release|Release.gpg)\"" >&2 ||
        fail "more is opened than the manifest"
fi
expect 0 '' -- debian sync --json "${PARTS[@]}" "$ROOT" "$M"
json "not o['published'] and o['n_fetched'] == 0 and o['n_hashed'] == 0"
unchanged "$M" "$T/before"
unchanged "$STATE" "$T/before.state"

# ---- Without some of it -----------------------------------------------------------------------
path=$(head -n 1 "$T/list" | cut -d' ' -f2)
rm "$M/$path"
expect 7 '*' -- debian check "$M"
expect 0 '' -- debian sync --full --json "${PARTS[@]}" "$ROOT" "$M"
json "o['n_fetched'] == 1 and o['n_hashed'] == $N - 1"
rm "$ROOT/dists/$NAME/main/binary-amd64/Packages.xz"
expect 7 'Packages: is missing in every compression' -- debian sync --state "$T/s" "${PARTS[@]}" "$ROOT" "$T/other"
[ ! -e "$T/other/dists" ] || fail "an archive without its index is served"

# ---- apt --------------------------------------------------------------------------------------
make_apt "deb [signed-by=$DEBIAN_KEYS] file:$M $NAME main"
echo 'Acquire::Languages "none"; Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false";' >>"$APT_CONFIG"
update_is_silent
while read -r name path _; do
    [ "$(candidate "${name%%=*}")" = "${name#*=}" ] || fail "apt sees $(candidate "${name%%=*}") of $name"
done <"$T/list"
name=$(head -n 1 "$T/list" | cut -d' ' -f1)
mkdir "$T/download"
(cd "$T/download" && apt-get -qq download "$name" 2>&1) || fail "apt-get download $name"
cmp "$T/download"/*.deb "$M/$(head -n 1 "$T/list" | cut -d' ' -f2)" || fail "apt-get download $name"
echo "$NAME: $N files, $BYTES bytes"
