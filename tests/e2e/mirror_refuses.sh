#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a mirror does not copy: from a source that is old, mixed, wrong, incomplete, hostile; into a place where
# something is in the way. What it served before stays served.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt_archive.sh"
. "$(dirname "$0")/../attacks.sh"
setup
need apt-ftparchive dpkg-deb zstd bzip2 xz

ROOT=$T/archive M=$T/mirror STATE=$T/mirror-state
S=$ROOT/dists/stable
make_package "$T/debs/hello_1.0_amd64.deb" one
mkdir -p "$ROOT/pool/main/h"
cp "$T/debs/hello_1.0_amd64.deb" "$ROOT/pool/main/h"

# make_archive: indexes and signatures of what is in the pool, with another Date than before.
make_archive()
{
    rm -rf "$S"
    mkdir -p "$S/main/binary-amd64"
    (cd "$ROOT" && apt-ftparchive --arch amd64 packages pool >dists/stable/main/binary-amd64/Packages)
    sign_again
}

sign_again()
{
    gzip -9nkf "$S/main/binary-amd64/Packages"
    sleep 1.1
    sign_archive "$ROOT" stable Architectures=amd64 Components=main
}

make_archive
cp -a "$ROOT" "$T/first"
expect 0 '' -- mirror sync "$ROOT" "$M"
make_package "$ROOT/pool/main/h/hello_2.0_amd64.deb" two
make_archive
cp -a "$ROOT" "$T/good"
expect 0 '' -- mirror sync "$ROOT" "$M"

# The source as it was, and then: hostile CASE STATUS REGEX. What is served stays as it is, but for files that no
# manifest lists; once the source is good again, the mirror goes on.
good()
{
    rm -rf "$ROOT"
    cp -a "$T/good" "$ROOT"
}

serves()
{
    (cd "$M" && find -L . -path ./.hallmark -prune -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort &&
        readlink .hallmark/current dists && sha256sum dists/stable/{InRelease,Release,Release.gpg})
    find "$M/.hallmark" -mindepth 1 -name .stage -prune -o -print | LC_ALL=C sort
    snapshot "$STATE"
}

# Nothing that an attempt before has kept makes up for what is wrong now; what this one keeps is for nobody else.
hostile()
{
    rm -rf "$M/.hallmark/.stage"
    serves >"$T/serves.before"
    echo "case $1"
    expect "$2" "$3" -- mirror sync "${@:4}" "$ROOT" "$M"
    stdout_is_empty
    serves | diff "$T/serves.before" - >&2 || fail_above "$1: something has changed"
    [ -z "$(find "$M/.hallmark" -maxdepth 1 -name .stage -perm /077)" ] || fail_above "$1: others can look at the stage"
    expect 0 '' -- mirror check --quiet "$M"
    passed "$1" "$2"
    good
}

# ---- Older ------------------------------------------------------------------------------------
rm -rf "$ROOT"
cp -a "$T/first" "$ROOT"
hostile F05-mirror 6 'is dated .*, but one dated .* was seen before'
rm -rf "$ROOT"
cp -a "$T/first" "$ROOT"
mv "$STATE/verified" "$T/verified"
hostile F05-mirror-served 6 'is dated .*, but the mirror has served one dated .*: this is an old one$'
rm -rf "$ROOT"
cp -a "$T/first" "$ROOT"
mv "$STATE" "$T/state.kept"
mkdir "$STATE"
served "$M/dists/stable" >"$T/served"
expect 6 'is dated .*, but the mirror serves one dated .*: this is an old one$' -- mirror sync "$ROOT" "$M"
served_is "$M/dists/stable" "$T/served"
rm -rf "$STATE"
mv "$T/state.kept" "$STATE"
mv "$T/verified" "$STATE"
good

# The same date, another content: both hashes.
sed -i 's/^Label: .*/Label: Other/' "$S/Release"
sign_release "$S"
hostile F05-mirror-equivocation 6 "has SHA256 [0-9a-f]{64}, but one of the same date with SHA256 [0-9a-f]{64} was seen"
sed -i 's/^Label: .*/Label: Other/' "$S/Release"
sign_release "$S"
mv "$STATE/verified" "$T/verified"
hostile F05-mirror-same-date 6 'has SHA256 [0-9a-f]{64}, but the mirror has served one of the same date with SHA256 [0-9a-f]{64}$'
mv "$T/verified" "$STATE"

# ---- Signatures and dates ---------------------------------------------------------------------
GNUPG=$T/evil-home
copy_home evil "$GNUPG"
KEY=$(cat "$KEYS/evil.fpr")
sign_release "$S"
GNUPG=$T/gnupg KEY=$(cat "$KEYS/signer.fpr")
hostile S04-mirror 3 'InRelease: '
rm "$S/InRelease" "$S/Release.gpg"
hostile S01-mirror 3 'Release has no signature'
hostile F01-mirror 4 'expired' --now "$(date -u -d '+11 days' +%Y-%m-%d)"
hostile F07-mirror 5 'clock' --now 2026-01-01

# ---- Files ------------------------------------------------------------------------------------
new_package()
{
    make_package "$ROOT/pool/main/h/hello_3.0_amd64.deb" three
    make_archive
}
new_package
flip "$ROOT/pool/main/h/hello_3.0_amd64.deb" 100
expect 7 '*' -- mirror sync --verbose "$ROOT" "$M"
grep -q 'the index says [0-9a-f]*; trying once more$' "$T/stderr" || fail "not tried again: $(cat "$T/stderr")"
hostile P01-mirror 7 'hello_3.0_amd64.deb: SHA256 is [0-9a-f]*, the index says'
new_package
echo >>"$ROOT/pool/main/h/hello_3.0_amd64.deb"
hostile P02-mirror 7 'hello_3.0_amd64.deb: has [0-9]* bytes, '
new_package
rm "$ROOT/pool/main/h/hello_3.0_amd64.deb"
hostile N16-mirror 7 'hello_3.0_amd64.deb: is missing, but it is listed$'
new_package
mv "$ROOT/pool/main/h/hello_3.0_amd64.deb" "$T/elsewhere.deb"
ln -s "$T/elsewhere.deb" "$ROOT/pool/main/h/hello_3.0_amd64.deb"
hostile N18-mirror-link 7 'hello_3.0_amd64.deb: is not a regular file'
new_package
mv "$ROOT/pool/main/h/hello_3.0_amd64.deb" "$T/elsewhere.deb"
mkfifo "$ROOT/pool/main/h/hello_3.0_amd64.deb"
hostile N18-mirror-fifo 7 'hello_3.0_amd64.deb: is not a regular file'

# It expires while its files are fetched: the first rename is held up for longer than it is valid.
if have strace && ! under_wrapper; then
    new_package
    until=$(date -u -d "$(field "$S" Valid-Until)" +%s)
    served "$M/dists/stable" >"$T/served"
    ASAN_OPTIONS=detect_leaks=0 expect 4 'expired' -- strace -f -qq -o "$T/trace" -e trace=renameat \
        -e inject=renameat:delay_enter=3000000:when=1 "$REPO_MIRROR" sync --keyring "$KEYS/signer.gpg" \
        --state "$STATE" --now "@$((until - 1))" "$ROOT" "$M"
    served_is "$M/dists/stable" "$T/served"
    passed F14-mirror 4
    good
fi

# ---- Indexes ----------------------------------------------------------------------------------
new_package
rm -rf "$S/main/binary-amd64/by-hash"
cp "$T/good/dists/stable/main/binary-amd64/Packages" "$S/main/binary-amd64/Packages"
hostile F09-mirror 7 'binary-amd64/Packages: '
new_package
hash=$(sha256sum <"$S/main/binary-amd64/Packages.gz" | cut -d' ' -f1)
flip "$S/main/binary-amd64/by-hash/SHA256/$hash" 40
hostile F11-mirror 7 "Packages.gz: SHA256 is .*, the manifest says $hash\$"
new_package
rm -rf "$S/main/binary-amd64/by-hash" "$S/main/binary-amd64/Packages" "$S/main/binary-amd64/Packages.gz"
hostile N16-mirror-index 7 'Packages: is missing in every compression'
new_package
cp "$T/good/dists/stable/Release" "$T/good/dists/stable/Release.gpg" "$S"
hostile F09-mirror-release 7 'Release is not the text of InRelease: they are of two publications$'
new_package
flip "$S/Release.gpg" 100
hostile S15-mirror 3 'Release'

# ---- Names ------------------------------------------------------------------------------------
# listed PATH: the index lists the package under another name.
listed()
{
    make_archive
    sed -i "s|^Filename: .*hello_1.0_amd64.deb|Filename: $1|" "$S/main/binary-amd64/Packages"
    rm -rf "$S/main/binary-amd64/by-hash"
    sign_again
    mkdir -p "$(dirname "$ROOT/$1")"
    cp "$T/debs/hello_1.0_amd64.deb" "$ROOT/$1"
}
listed pool/../../escaped.deb
hostile M09-mirror 8 'Filename'
listed .hallmark/00000009/escaped.deb
hostile M09-mirror-store 8 '.hallmark/00000009/escaped.deb: a component starts with "."'
listed pool/.htaccess
hostile M09-mirror-hidden 8 'pool/.htaccess: a component starts with "."'
listed dists/stable/InRelease.deb
hostile M12-mirror 8 'dists/stable/InRelease.deb: cannot be where the manifest is'
listed DISTS/x.deb
hostile M12-mirror-case 8 'DISTS/x.deb: cannot be where the manifest is'

# ---- In the way -------------------------------------------------------------------------------
D=$T/dest
mkdir -p "$D" "$T/elsewhere/main"
ln -s "$T/elsewhere" "$D/pool"
expect 2 'pool/main/h/hello_1.0_amd64.deb: "pool" is no directory \(a link is not followed\); move it away$' -- \
    mirror sync --state "$T/s" "$ROOT" "$D"
[ -z "$(ls "$T/elsewhere/main")" ] || fail "a link was followed"
rm "$D/pool"
mkdir -p "$D/pool/main/h/hello_1.0_amd64.deb"
expect 2 'hello_1.0_amd64.deb: is not a regular file; move it away$' -- mirror sync --state "$T/s" "$ROOT" "$D"
rmdir "$D/pool/main/h/hello_1.0_amd64.deb"
ln -s /etc/passwd "$D/pool/main/h/hello_1.0_amd64.deb"
expect 2 'hello_1.0_amd64.deb: is not a regular file; move it away$' -- mirror sync --state "$T/s" "$ROOT" "$D"
[ ! -e "$D/dists" ] || fail "something is served"
passed N18-mirror-dest 2
expect 2 'is the mirror itself$' -- mirror sync --state "$T/s" "$M" "$M"
expect 2 'state directory lies inside of the mirror' -- mirror sync --state "$D/state" "$ROOT" "$D"
rm -rf "$D"
expect 0 '' -- mirror sync --state "$T/s" "$ROOT" "$D"

# ---- Two at once ------------------------------------------------------------------------------
need flock
lock=$(echo "$STATE"/mirrors/*/lock)
expect 10 'another run holds the lock' -- flock "$lock" "$REPO_MIRROR" sync --keyring "$KEYS/signer.gpg" \
    --state "$STATE" "$ROOT" "$M"
passed N19-mirror 10
expect 0 '' -- mirror sync --lock-wait 1s "$ROOT" "$M"
