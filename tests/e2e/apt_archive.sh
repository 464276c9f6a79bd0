#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# The layout apt: several suites, components and architectures out of one pool, for real apt in a private root over
# file: and http:, without a single warning; an installation; and publications under the eyes of apt.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt.sh"
setup
need apt-get apt-cache dpkg dpkg-deb python3

ROOT=$T/root
EPOCH=$(($(date +%s) - 100000))
STEP=0
SETTINGS=(--layout apt --suite stable --suite testing --component main --component contrib --origin Example
    --label "An example" --rule 'alpha 1.10* * testing main' --rule 'nowhere * * - .' --rule 'both * * * .'
    --valid-for 52w --refresh-before 1d)
publish_next()
{
    STEP=$((STEP + 1))
    SOURCE_DATE_EPOCH=$((EPOCH + STEP)) publish "$ROOT" "${SETTINGS[@]}" "$@"
}

stable=$ROOT/pool/stable testing=$ROOT/pool/testing
build "$stable/alpha_1.0_$ARCH.deb" gzip
build "$stable/alpha_1.10_$ARCH.deb" xz 'Depends: beta (>= 1:2.0), gamma' # a rule knows better than the directory
build "$stable/b/beta_1%2.0-1_all.deb" gzip
build "$testing/main/b/beta_1%2.1-1_all.deb" gzip
build "$stable/contrib/delta_1_$ARCH.deb" gzip
build "$stable/main/foreign_1_s390x.deb" gzip
build "$testing/gamma_0.1_all.deb" none
build "$ROOT/pool/both_3_all.deb" none
build "$ROOT/pool/nowhere_1_all.deb" none
build "$T/installer_1_$ARCH.deb" gzip
mv "$T/installer_1_$ARCH.deb" "$stable/installer_1_$ARCH.udeb"
build "$T/debug-dbgsym_1_$ARCH.deb" gzip
mv "$T/debug-dbgsym_1_$ARCH.deb" "$stable/debug-dbgsym_1_$ARCH.ddeb"
echo text >"$stable/README"
publish_next

# ---- What is there -----------------------------------------------------------------------------------------
for suite in stable testing; do
    dist=$ROOT/dists/$suite
    for line in "Origin: Example" "Label: An example" "Suite: $suite" "Acquire-By-Hash: yes" \
        "No-Support-for-Architecture-all: Packages" "Architectures: $ARCH s390x" "Components: main contrib"; do
        grep -qxF "$line" "$dist/Release" || fail "$suite: no \"$line\": $(sed '/^SHA256/,$d' "$dist/Release")"
    done
    gpgv --keyring "$KEYS/signer.gpg" "$dist/InRelease" 2>"$T/log" || fail "gpgv: $(cat "$T/log")"
    gpgv --keyring "$KEYS/signer.gpg" "$dist/Release.gpg" "$dist/Release" 2>"$T/log" || fail "gpgv: $(cat "$T/log")"
    if have sqv; then
        sqv --keyring "$KEYS/signer.gpg" "$dist/Release.gpg" "$dist/Release" >"$T/log" 2>&1 ||
            fail "sqv: $(cat "$T/log")"
    fi
    # Everything that is listed is there, by its name and by its hash, and nothing else is.
    (
        cd "$dist" || exit
        sed -n '/^SHA256:/,/^[^ ]/s/^ //p' Release >"$T/listed"
        while read -r hash size path; do
            [ "$(sha256sum <"$path")" = "$hash  -" ] || fail "$suite/$path"
            [ "$(size_of "$path")" = "$size" ] || fail "$suite/$path"
            cmp "$path" "$(dirname "$path")/by-hash/SHA256/$hash" || fail "$suite/$path by its hash"
        done <"$T/listed"
        [ "$(find . -type f ! -path '*/by-hash/*' | wc -l)" = $(($(wc -l <"$T/listed") + 3)) ] ||
            fail "$suite: other files: $(find .)"
    )
    for packages in "$dist"/*/binary-*/Packages; do
        xz -dc "$packages.xz" | cmp - "$packages" || fail "$packages.xz differs"
        gzip -dc "$packages.gz" | cmp - "$packages" || fail "$packages.gz differs"
    done
done
# listed INDEX NAME...: these packages are in the index, in this order.
listed()
{
    local index=$ROOT/dists/$1
    shift
    diff <(printf '%s\n' "$@") <(sed -n 's/^Filename: .*\///p' "$index") || fail_above "$index: another list"
}
listed "stable/main/binary-$ARCH/Packages" "alpha_1.0_$ARCH.deb" 'beta_1%2.0-1_all.deb' both_3_all.deb \
    "debug-dbgsym_1_$ARCH.ddeb"
listed stable/main/binary-s390x/Packages 'beta_1%2.0-1_all.deb' both_3_all.deb foreign_1_s390x.deb
listed "stable/contrib/binary-$ARCH/Packages" "delta_1_$ARCH.deb"
[ ! -s "$ROOT/dists/stable/contrib/binary-s390x/Packages" ] || fail "contrib for s390x"
listed "stable/main/debian-installer/binary-$ARCH/Packages" "installer_1_$ARCH.udeb"
listed "testing/main/binary-$ARCH/Packages" "alpha_1.10_$ARCH.deb" 'beta_1%2.1-1_all.deb' both_3_all.deb gamma_0.1_all.deb
[ ! -e "$ROOT/dists/testing/main/debian-installer" ] || fail "an index of nothing for the installer"
! grep -rq '^Package: nowhere' "$ROOT/dists/" || fail "what a rule leaves out is listed"
diff - "$ROOT/dists/stable/contrib/binary-s390x/Release" <<'END' || fail "the Release of one index"
Archive: stable
Origin: Example
Label: An example
Component: contrib
Architecture: s390x
END
expect 0 '' -- release check "${PUBLISHER[@]}" "${SETTINGS[@]}" "$ROOT"
stdout_has 'good: 11 packages' # those of both suites
expect 0 '' -- consume check --suite testing "$ROOT"
stdout_has 'good: 4 packages'
expect 0 '' -- release status "${PUBLISHER[@]}" "${SETTINGS[@]}" "$ROOT"
stdout_has 'published: +10 packages'
stdout_has '0 added, 0 changed, 0 removed'

# ---- file: ---------------------------------------------------------------------------------------------------
source_line()
{
    printf 'deb [signed-by=%s] %s %s main contrib\n' "$KEYS/signer.asc" "$1" "$2"
}
make_apt "$(source_line "file:$ROOT" stable)"
update_is_silent
[ "$(candidate alpha)" = 1.0 ] || fail "$(apt-cache policy alpha)"
[ "$(candidate beta)" = 1:2.0-1 ] || fail "$(apt-cache policy beta)"
[ "$(candidate delta)" = 1 ] || fail "$(apt-cache policy delta)"
[ "$(candidate debug-dbgsym)" = 1 ] || fail "$(apt-cache policy debug-dbgsym)"
[ -z "$(candidate gamma)$(candidate installer)$(candidate nowhere)" ] || fail "more than there is"
apt-cache policy | grep -qF "release o=Example,a=stable,l=An example,c=contrib,b=$ARCH" || fail "$(apt-cache policy)"

# ---- http:, two suites, two architectures, and an installation -------------------------------------------------
start_server "$ROOT"
make_apt "$(source_line "http://127.0.0.1:$PORT" stable)
$(source_line "http://127.0.0.1:$PORT/" testing)"
update_is_silent
grep -q '/by-hash/SHA256/' "$ACCESS" || fail "apt did not use by-hash: $(cat "$ACCESS")"
! grep -q '" 404 ' <(grep -v favicon "$ACCESS") || fail "apt asked for what is not there: $(grep '" 404 ' "$ACCESS")"
[ "$(candidate alpha)" = 1.10 ] || fail "$(apt-cache policy alpha)"
[ "$(candidate beta)" = 1:2.1-1 ] || fail "$(apt-cache policy beta)"
apt-get -y -t testing install alpha </dev/null >"$T/log" 2>&1 || fail "apt-get install: $(cat "$T/log")"
! grep -E '^[WEN]: ' "$T/log" || fail "apt-get install: $(cat "$T/log")"
for name in alpha beta gamma; do
    [ "$(dpkg-query --admindir="$T/target/var/lib/dpkg" -W -f '${db:Status-Status}' $name)" = installed ] ||
        fail "$name is not installed: $(cat "$T/log")"
done
[ "$(cat "$T/target/usr/share/doc/beta/content")" = "beta 1%2.1-1" ] || fail "another content"
cat >>"$T/apt/apt.conf" <<END
APT::Architectures { "$ARCH"; "s390x"; };
END
update_is_silent
[ "$(candidate foreign:s390x)" = 1 ] || fail "$(apt-cache policy foreign:s390x)"
mkdir "$T/download"
(cd "$T/download" && apt-get -qq download foreign:s390x delta both) >"$T/log" 2>&1 || fail "$(cat "$T/log")"
[ "$(find "$T/download" -name '*.deb' | wc -l)" = 3 ] || fail "$(ls "$T/download")"

# ---- An idle run, and a new date ------------------------------------------------------------------------------
sleep 2.1 # the cache believes no file that is younger
publish_next
snapshot "$ROOT" >"$T/before"
snapshot "$T/state" >"$T/state.before"
publish_next
unchanged "$ROOT" "$T/before"
unchanged "$T/state" "$T/state.before"
inode=$(stat -c %i "$ROOT/dists/stable/main/binary-$ARCH/Packages.xz")
SOURCE_DATE_EPOCH=$((EPOCH + 10)) expect 0 '' -- release resign "${PUBLISHER[@]}" "${SETTINGS[@]}" "$ROOT"
STEP=10
[ "$(stat -c %i "$ROOT/dists/stable/main/binary-$ARCH/Packages.xz")" = "$inode" ] || fail "an index was copied"
update_is_silent
expect 0 '' -- release check "${PUBLISHER[@]}" "${SETTINGS[@]}" "$ROOT"
build "$testing/late_1_all.deb" none
publish_next
[ "$(stat -c %i "$ROOT/dists/stable/main/binary-$ARCH/Packages.xz")" = "$inode" ] || fail "an index was written again"
grep -q '^Package: late$' "$ROOT/dists/testing/main/binary-s390x/Packages" || fail "a package is missing"
update_is_silent
[ "$(candidate late)" = 1 ] || fail "$(apt-cache policy late)"

# ---- Publications under the eyes of apt -------------------------------------------------------------------------
n=12
publisher()
{
    local i
    for ((i = 1; i <= n; i++)); do
        build "$stable/moving_$i.0_all.deb" none
        [ ! -e "$stable/moving_$((i - 3)).0_all.deb" ] || rm "$stable/moving_$((i - 3)).0_all.deb"
        publish_next --keep-generations 5 --keep-for 1m
    done
    touch "$T/published"
}
publisher >"$T/publisher.log" 2>&1 &
PUBLISHER_PID=$!
updates=0
while [ ! -e "$T/published" ]; do
    kill -0 $PUBLISHER_PID 2>/dev/null || [ -e "$T/published" ] || fail "the publisher: $(cat "$T/publisher.log")"
    update_is_silent
    updates=$((updates + 1))
done
wait $PUBLISHER_PID || fail "the publisher: $(cat "$T/publisher.log")"
STEP=$((STEP + n))
update_is_silent
[ "$(candidate moving)" = $n.0 ] || fail "$(apt-cache policy moving)"
echo "$updates updates during $n publications"

# A client that holds an older InRelease still finds its indexes by their hashes.
generations=$(find "$ROOT/.hallmark" -maxdepth 1 -name '0*' | wc -l)
[ "$generations" -ge 5 ] || fail "only $generations generations"
for old in "$ROOT"/.hallmark/0*/dists/stable/Release; do
    while read -r hash size path; do
        served=$ROOT/dists/stable/$(dirname "$path")/by-hash/SHA256/$hash
        [ "$(sha256sum <"$served")" = "$hash  -" ] || fail "$old: $path ($size bytes) cannot be had any more"
    done < <(sed -n '/^SHA256:/,/^[^ ]/s/^ //p' "$old")
done

# ---- A suite less, other compressions, and no .deb ----------------------------------------------------------------
SETTINGS=(--layout apt --suite stable --component main --component contrib --rule 'foreign * * stable contrib'
    --rule 'nowhere * * - .' --compression zst --hash SHA512 --valid-for 52w --codename juniper --not-automatic yes
    --but-automatic-upgrades yes)
rm -r "$testing"
publish_next
[ -z "$(find "$ROOT/dists/testing/" -type f ! -path "*/by-hash/*")" ] || fail "a suite that is gone is still there"
find "$ROOT/dists/stable/" -name 'Packages*' ! -path '*/by-hash/*' -printf '%P\n' | sort >"$T/names"
grep -q '/Packages.zst$' "$T/names" || fail "$(cat "$T/names")"
! grep -qE 'xz$|gz$' "$T/names" || fail "$(cat "$T/names")"
for line in "Codename: juniper" "NotAutomatic: yes" "ButAutomaticUpgrades: yes"; do
    grep -qx "$line" "$ROOT/dists/stable/Release" || fail "no \"$line\""
done
grep -q '^SHA512: ' "$ROOT/dists/stable/main/binary-$ARCH/Packages" || fail "no SHA512"
[ -n "$(find "$ROOT/dists/stable/main/binary-$ARCH/by-hash/SHA512/" -type f)" ] || fail "no by-hash/SHA512"
make_apt "$(source_line "http://127.0.0.1:$PORT" juniper)"
! apt-get update >"$T/log" 2>&1 || fail "juniper is no directory"
make_apt "$(source_line "http://127.0.0.1:$PORT" stable)"
: >"$ACCESS"
update_is_silent
grep -q 'by-hash/SHA512/' "$ACCESS" || fail "apt did not use by-hash/SHA512: $(cat "$ACCESS")"
[ "$(candidate delta)" = 1 ] || fail "$(apt-cache policy delta)"
apt-cache policy delta | grep -q ' 100 http' || fail "not automatic: $(apt-cache policy delta)"
find "$ROOT/pool" -name '*eb' -delete
expect 7 'holds no packages' -- release update "${PUBLISHER[@]}" "${SETTINGS[@]}" "$ROOT"
publish_next --accept-loss
expect 0 '' -- release check "${PUBLISHER[@]}" "${SETTINGS[@]}" "$ROOT"
