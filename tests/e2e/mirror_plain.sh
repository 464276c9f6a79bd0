#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror of a directory that repo-release publishes, and of a flat repository of apt-ftparchive: all files, the
# same bytes; what is removed late; a file whose bytes change under its name; generations.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt_archive.sh"
setup

ROOT=$T/root M=$T/mirror
make_repository "$ROOT"
make_package "$ROOT/pool/a/a_1.0_amd64.deb"
publish "$ROOT"

# same ROOT MIRROR: diff sees no difference but the numbers of generations; by their hashes, the mirror has all indexes
# of now, while each keeps older ones for a time of its own.
same()
{
    local hash
    diff -r -x .hallmark -x by-hash "$1" "$2" >&2 || fail_above "$1 and $2 differ"
    awk '/^SHA256:/ { on = 1; next } /^[^ ]/ { on = 0 } on && $3 ~ /^(Packages|Unpacked-Sizes)/ { print $1 }' "$1/Release" |
        while read -r hash; do
            cmp "$1/by-hash/SHA256/$hash" "$2/by-hash/SHA256/$hash" || fail_above "$hash by its hash"
        done
    served "$1" >"$T/served"
    served_is "$2" "$T/served"
}

# at DAYS ARGS...: so many days from now.
at()
{
    local now
    now=@$(($(date +%s) + $1 * 86400))
    shift
    mirror sync --now "$now" --json "$@"
}

umask 077 # what is served can be read all the same
expect 0 '' -- mirror sync "$ROOT" "$M"
umask 022
stdout_has 'is the repository of .*: 5 files, .*; fetched 10, '
same "$ROOT" "$M"
[ -z "$(find "$M" -mindepth 1 \( -type f ! -perm -644 -o -type d ! -perm -755 \) )" ] || fail "not everybody may read it"
expect 0 '' -- consume check "$M"
expect 0 '' -- mirror check --json "$M"
json "o['n_checked'] == 5 and o['n_indexes'] == 5 and o['n_bad'] == 0"
snapshot "$M" >"$T/before"
expect 0 '' -- mirror sync "$ROOT" "$M"
stdout_is_empty
unchanged "$M" "$T/before"

# ---- Late removal -----------------------------------------------------------------------------
rm -r "$ROOT/pool/w"
make_package "$ROOT/pool/h/hello-1.3.tar.gz"
expect 0 '' -- release update "${PUBLISHER[@]}" "$ROOT"
old=$(readlink "$M/.hallmark/current")
expect 0 '' -- at 0 "$ROOT" "$M"
json "o['n_fetched'] >= 1 and o['n_retired'] == 1 and o['n_removed'] == 0 and o['n_pruned'] == 0"
[ -e "$M/pool/w/world-2.0.tar.bz2" ] || fail "removed too early"
[ -e "$M/.hallmark/$old/InRelease" ] || fail "the generation was removed too early"
expect 0 '' -- at 2 "$ROOT" "$M"
json "not o['published'] and o['n_retired'] == 1 and o['n_removed'] == 0"
expect 0 '' -- at 4 "$ROOT" "$M"
json "not o['published'] and o['n_retired'] == 0 and o['n_removed'] == 1 and o['n_pruned'] == 1"
[ ! -e "$M/pool/w" ] || fail "the directory that is empty now is there"
same "$ROOT" "$M"
snapshot "$M" >"$T/before"
expect 0 '' -- at 4 "$ROOT" "$M"
unchanged "$M" "$T/before"

# What is listed again does not go.
mv "$ROOT/pool/h/hello-1.3.tar.gz" "$T"
expect 0 '' -- release update "${PUBLISHER[@]}" "$ROOT"
expect 0 '' -- at 0 --keep 1d "$ROOT" "$M"
json "o['n_retired'] == 1"
mv "$T/hello-1.3.tar.gz" "$ROOT/pool/h"
sleep 1.1
expect 0 '' -- release update "${PUBLISHER[@]}" "$ROOT"
expect 0 '' -- at 2 --keep 1d "$ROOT" "$M"
json "o['published'] and o['n_retired'] == 0 and o['n_removed'] == 0 and o['n_fetched'] <= 4"
same "$ROOT" "$M"

# A file that nobody has listed is not ours to remove.
echo mine >"$M/pool/mine"
expect 0 '' -- at 6 --keep 1s --full "$ROOT" "$M"
[ -e "$M/pool/mine" ] || fail "a file that was never listed is gone"
rm "$M/pool/mine"

# ---- Other bytes under the same name ----------------------------------------------------------
echo "something else" >"$ROOT/README.txt"
sleep 1.1
expect 0 '' -- release update "${PUBLISHER[@]}" "$ROOT"
expect 0 '' -- mirror sync --json "$ROOT" "$M"
json "o['n_replaced'] == 1 and o['n_fetched'] == 1"
same "$ROOT" "$M"

# ---- Damage -----------------------------------------------------------------------------------
flip "$M/pool/h/hello-1.2.tar.xz" 30
rm "$M/pool/a/a_1.0_amd64.deb"
expect 7 '*' -- mirror check "$M"
grep -q '^repo-mirror: pool/h/hello-1.2.tar.xz: SHA256 is ' "$T/stderr" || fail "$(cat "$T/stderr")"
grep -q '^repo-mirror: pool/a/a_1.0_amd64.deb: is missing' "$T/stderr" || fail "$(cat "$T/stderr")"
grep -q ': bad: 2 of 10 files$' "$T/stderr" || fail "$(cat "$T/stderr")"
expect 0 '' -- mirror sync --full --json "$ROOT" "$M"
json "o['n_fetched'] == 2 and o['n_replaced'] == 1"
same "$ROOT" "$M"
expect 0 '' -- mirror check --quiet "$M"

# ---- Without InRelease, and by others ---------------------------------------------------------
need apt-ftparchive
FLAT=$T/flat
mkdir "$FLAT"
make_package "$FLAT/a_1.0_amd64.deb" a
make_package "$FLAT/sub/b_2.0_all.deb" b
(cd "$FLAT" && apt-ftparchive packages . >Packages && gzip -k Packages && rm -f Release &&
    apt-ftparchive -o APT::FTPArchive::Release::Origin=Flat -o APT::FTPArchive::Release::ValidTime=864000 release . \
        >"$T/Release" && mv "$T/Release" Release)
sign_release "$FLAT"
rm "$FLAT/InRelease"
expect 0 '' -- mirror sync "$FLAT" "$T/flat-mirror"
diff -r -x .hallmark "$FLAT" "$T/flat-mirror" || fail "a flat repository"
snapshot "$T/flat-mirror" >"$T/before"
expect 0 '' -- mirror sync "$FLAT" "$T/flat-mirror"
unchanged "$T/flat-mirror" "$T/before"
expect 0 '' -- consume check "$T/flat-mirror"
sign_release "$FLAT"
rm "$FLAT/Release"
expect 0 '' -- mirror sync "$FLAT" "$T/flat-inline"
[ -e "$T/flat-inline/InRelease" ] || fail "no InRelease"
[ ! -e "$T/flat-inline/Release.gpg" ] || fail "a signature of nothing"
rm -r "$T/flat-inline"
gpg --homedir "$GNUPG" --batch --quiet --decrypt --output "$FLAT/Release" "$FLAT/InRelease" 2>"$T/gpg.log" || :
rm "$FLAT/InRelease"

# ---- A trace ----------------------------------------------------------------------------------
expect 0 '' -- mirror sync --full --trace mirror.example.org "$FLAT" "$T/flat-mirror"
diff -r -x .hallmark "$FLAT" "$T/flat-mirror" >"$T/diff" || :
[ "$(cat "$T/diff")" = "Only in $T/flat-mirror: project" ] || fail "more than the trace differs: $(cat "$T/diff")"
TRACE=$T/flat-mirror/project/trace/mirror.example.org
sed 1d "$TRACE" | cut -d: -f1 >"$T/fields"
printf '%s\n' Date Creator "Running on host" Upstream-mirror Manifests | diff - <(grep -v '^ ' "$T/fields") ||
    fail "$(cat "$TRACE")"
[ "$(date -u -d "$(head -n 1 "$TRACE")" +%s)" = "$(date -u -d "$(sed -n 's/^Date: //p' "$TRACE")" +%s)" ] ||
    fail "$(cat "$TRACE")"
grep -q "^ $(sha256sum <"$FLAT/Release" | cut -d' ' -f1) $(date -u -d "$(field "$FLAT" Date)" +%FT%TZ) \.\$" "$TRACE" ||
    fail "$(cat "$TRACE")"
for name in a/b .hidden '' 'a b'; do
    expect 2 "\"$name\" cannot be the name of a trace file" -- mirror sync --full --trace "$name" "$FLAT" "$T/flat-mirror"
done
mkdir -p "$ROOT/project/trace"
echo theirs >"$ROOT/project/trace/master"
release update "${PUBLISHER[@]}" "$ROOT" >/dev/null
expect 2 'project/trace/master: the source has that file' -- mirror sync --trace master "$ROOT" "$M"
expect 0 '' -- mirror sync --trace mine "$ROOT" "$M"
cmp "$ROOT/project/trace/master" "$M/project/trace/master" || fail "the trace of the source"
rm "$M/project/trace/mine"

# A mirror of a mirror is the same.
expect 0 '' -- mirror sync "$M" "$T/second"
same "$M" "$T/second"
