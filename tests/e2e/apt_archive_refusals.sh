#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# The layout apt: what repo-release refuses, and what it leaves out with --keep-going; how it takes over a dists/ of
# another tool; and ten manipulations of what is published, after each of which real apt refuses.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt.sh"
setup
need apt-get dpkg dpkg-deb python3

ROOT=$T/root
SETTINGS=(--layout apt --suite stable --component main --component contrib --architecture "$ARCH" --origin Example
    --codename juniper)
update()
{
    release update "${PUBLISHER[@]}" "${SETTINGS[@]}" "$@" "$ROOT"
}
build "$ROOT/pool/main/alpha_1.0_$ARCH.deb" gzip
build "$ROOT/pool/main/beta_1.0_all.deb" xz
expect 0 '' -- update

# ---- What is refused, and left out ---------------------------------------------------------------------------
snapshot "$ROOT/dists/" >"$T/before"
build "$ROOT/pool/other/alpha_1.0_$ARCH.deb" xz 'Section: other'
expect 8 "pool/main/alpha_1.0_$ARCH.deb and pool/other/alpha_1.0_$ARCH.deb: both are alpha 1.0 for $ARCH, but" -- update
unchanged "$ROOT/dists/" "$T/before"
build "$ROOT/pool/main/foreign_1_s390x.deb" gzip
head -c 300 "$ROOT/pool/main/beta_1.0_all.deb" >"$ROOT/pool/main/short_1_all.deb"
expect 8 'short_1_all.deb: ' -- update
build "$ROOT/pool/main/gamma_1_all.deb" gzip
expect 8 '*' -- update --keep-going
grep -q 'left out: pool/main/alpha_1.0_.*their content differs' "$T/stderr" || fail "$(cat "$T/stderr")"
grep -q 'left out: pool/main/foreign_1_s390x.deb: is for s390x, which Architectures' "$T/stderr" ||
    fail "$(cat "$T/stderr")"
grep -q 'left out: pool/main/short_1_all.deb: ' "$T/stderr" || fail "$(cat "$T/stderr")"
tail -n 1 "$T/stderr" | grep -q ': 4 packages were left out, for the reasons above; the rest is published$' ||
    fail "$(cat "$T/stderr")"
[ "$(grep -c '^Package: ' "$ROOT/dists/stable/main/binary-$ARCH/Packages")" = 2 ] || fail "another number of packages"
grep -q '^Package: gamma$' "$ROOT/dists/stable/main/binary-$ARCH/Packages" || fail "the rest is not published"
expect 8 '*' -- update --keep-going --json
json "o['repositories'][0]['n_broken'] == 4 and not o['repositories'][0]['published']"
rm -r "$ROOT/pool/other" "$ROOT/pool/main/foreign_1_s390x.deb" "$ROOT/pool/main/short_1_all.deb"
cp "$ROOT/pool/main/gamma_1_all.deb" "$ROOT/pool/again_1_all.deb" # the same bytes are no contradiction
expect 0 '' -- update
[ "$(grep -c '^Package: gamma$' "$ROOT/dists/stable/main/binary-$ARCH/Packages")" = 2 ] || fail "not two files"
rm "$ROOT/pool/again_1_all.deb"
expect 2 'Suite: is missing' -- release update "${PUBLISHER[@]}" --layout apt "$ROOT"
expect 2 'is no suite in Suite' -- update --rule '* * * other main'
expect 2 'Codename: cannot be the same of several suites' -- update --suite testing
expect 2 'alpha_1.0_.*: is of no suite: no rule fits it' -- release update "${PUBLISHER[@]}" --layout apt \
    --suite stable --suite testing "$ROOT"
expect 7 'packages have vanished' -- update --exclude 'alpha*' --max-vanished 20%
mkdir "$T/all"
build "$T/all/pool/beta_1.0_all.deb" xz
expect 2 'all packages are for all architectures' -- release update "${PUBLISHER[@]}" --layout apt --suite s "$T/all"
ln -s pool "$T/link" && mv "$T/all/pool" "$T/all/elsewhere" && ln -s elsewhere "$T/all/pool"
expect 1 'pool: cannot open' -- release update "${PUBLISHER[@]}" --layout apt --suite s "$T/all"

# ---- A dists/ of another tool ---------------------------------------------------------------------------------
make_apt "deb [signed-by=$KEYS/signer.asc] file:$ROOT stable main"
expect 0 '' -- update
update_is_silent
cp -rL "$ROOT/dists" "$T/dists"
rm -r "$ROOT/dists" "$ROOT/.hallmark"
cp -r "$T/dists" "$ROOT/dists"
echo "somebody's" >"$ROOT/dists/stable/notes"
expect 0 '' -- update
[ "$(readlink "$ROOT/dists")" = .hallmark/current/dists ] || fail "$(ls -la "$ROOT")"
[ "$(cat "$ROOT/.hallmark/taken-over/stable/notes")" = "somebody's" ] || fail "what was there is lost"
cmp "$ROOT/.hallmark/taken-over/stable/InRelease" "$T/dists/stable/InRelease" || fail "what was there has changed"
update_is_silent
build "$ROOT/pool/main/delta_1_all.deb" gzip
expect 0 '' -- update --keep-generations 1 --keep-for 1s
expect 0 '' -- release prune "${PUBLISHER[@]}" "${SETTINGS[@]}" --keep-generations 1 --keep-for 1s "$ROOT"
[ -e "$ROOT/.hallmark/taken-over/stable/notes" ] || fail "what was there was pruned"
rm "$ROOT/dists"
cp -r "$T/dists" "$ROOT/dists"
snapshot "$ROOT/dists" >"$T/before"
expect 2 'dists: is a directory that another tool made, and .hallmark/taken-over holds an older' -- update
unchanged "$ROOT/dists" "$T/before"
rm -r "$ROOT/dists"
echo x >"$ROOT/dists"
expect 2 'dists: is a file; move it away' -- update
rm "$ROOT/dists"
expect 0 '' -- update
update_is_silent

# ---- Ten manipulations ------------------------------------------------------------------------------------------
# apt_refuses: neither an update nor, after one, a download succeeds.
apt_refuses()
{
    rm -rf "$T/apt/state/lists" "$T/apt/cache/archives"
    mkdir -p "$T/apt/state/lists/partial" "$T/apt/cache/archives/partial" "$T/download"
    ! apt-get update -o APT::Update::Error-Mode=any >"$T/log" 2>&1 </dev/null ||
        ! (cd "$T/download" && apt-get -qq download alpha) >>"$T/log" 2>&1 || fail_above "apt: $(cat "$T/log")"
    rm -rf "$T/download"
}
# verify_refuses: what repo-verify says of the same tree.
verify_refuses()
{
    local status=0
    consume check "$ROOT/dists/stable" >"$T/log" 2>&1 || status=$?
    [ $status != 0 ] || fail_above "repo-verify takes it: $(cat "$T/log")"
}
cp -a "$ROOT" "$T/good"
dist=$ROOT/.hallmark/current/dists/stable
binary=$dist/main/binary-$ARCH
# manipulated DESCRIPTION: what the commands on standard input did is refused; all is as before then.
manipulated()
{
    # shellcheck disable=SC1091
    . /dev/stdin
    apt_refuses
    verify_refuses
    rm -rf "$ROOT"
    cp -a "$T/good" "$ROOT"
    update_is_silent
    echo "refused: $1"
}
change_index()
{
    rm -r "$binary/by-hash"
    sed -i "$1" "$binary/Packages"
    gzip -c "$binary/Packages" >"$binary/Packages.gz"
    xz -c "$binary/Packages" >"$binary/Packages.xz"
}
manipulated "another version in the index" <<<"change_index 's/^Version: 1.0/Version: 9.9/'"
manipulated "a package less in the index" <<<"change_index '1,/^\$/d'"
manipulated "no index" <<<'rm -r "$binary"'
manipulated "a changed InRelease" <<<'sed -i "s/^Origin: .*/Origin: Somebody/" "$dist/InRelease"'
# signed_again HOME FPR EXPRESSION: the manifest, changed, with a signature by that key.
signed_again()
{
    sed -i "$3" "$dist/Release"
    clearsign_as "$1" "$2" "$dist/Release" | replace_inrelease "$dist"
    rm "$dist/Release" "$dist/Release.gpg"
}
dated()
{
    signed_again "$GNUPG" "$KEY" "s/^Date: .*/Date: $1 00:00:00 UTC/; s/^Valid-Until: .*/Valid-Until: $2 00:00:00 UTC/"
}
manipulated "an InRelease without signature" <<'END'
sed -i '/^-----BEGIN PGP SIG/,$d' "$dist/InRelease"
rm "$dist/Release" "$dist/Release.gpg"
END
manipulated "something behind the signature" <<<'echo "Origin: x" >>"$dist/InRelease"'
manipulated "a changed Release without InRelease" <<'END'
rm "$dist/InRelease"
sed -i "s/^Origin: .*/Origin: x/" "$dist/Release"
END
manipulated "signed by somebody else" <<<'signed_again "$KEYS/evil" "$(cat "$KEYS/evil.fpr")" ""'
manipulated "no signature at all" <<<'rm "$dist/InRelease" "$dist/Release.gpg"'
manipulated "a date in the future" <<<'dated "Sat, 01 Jan 2050" "Sun, 01 Jan 2051"'
manipulated "an expired manifest" <<<'dated "Fri, 01 Jan 2021" "Sat, 02 Jan 2021"'
manipulated "another package" <<<'flip "$ROOT/pool/main/alpha_1.0_$ARCH.deb" 200'
manipulated "a package that is shorter" <<<'truncate -s -1 "$ROOT/pool/main/alpha_1.0_$ARCH.deb"'
