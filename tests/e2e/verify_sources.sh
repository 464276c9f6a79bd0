#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sources by name: files of sources.d as apt has them, what they say and what the command line says instead; which
# word is a name and which a path; and files that are not used.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../apt.sh"
setup
need apt-get dpkg dpkg-deb python3

sources=$T/etc/sources.d
mkdir -p "$sources"
named=(--config "$T/etc" --state "$T/consumer")
plain=$T/plain
make_repository "$plain"
publish "$plain"
archive=$T/archive
mkdir -p "$archive/pool/main"
build "$archive/pool/main/alpha_1.0_$ARCH.deb" gzip
build "$archive/pool/main/beta_2.0_all.deb" xz
build "$archive/pool/main/gamma_3.0_s390x.deb" xz
publish "$archive" --layout apt --suite stable --suite testing --component main --architecture "$ARCH" \
    --architecture s390x --rule '* * * stable,testing main'

# Two stanzas, three suites, of which one is elsewhere; and one by itself.
cat >"$sources/deb.sources" <<END
# as apt has it
Types: deb
URIs: file://$archive
Suites: stable testing
Components: main
Signed-By: $KEYS/signer.gpg

Types: deb deb-src
URIs: file://$plain/
Suites: ./
Signed-By: $KEYS/signer.gpg
END
printf 'URIs: file://%s\nSuites: ./\nSigned-By: %s\n' "$plain" "$KEYS/signer.gpg" >"$sources/plain.sources"
expect 0 '' -- verify check plain "${named[@]}"
stdout_has '^plain: good: '
expect 0 '' -- verify manifest plain "${named[@]}"
stdout_has "^Location: +file://$plain\$"
expect 2 'deb.sources: holds several suites; --suite chooses one of: stable testing ./' -- verify check deb "${named[@]}"
expect 2 'deb.sources: has no suite "sid"; --suite chooses one of: stable testing ./' -- \
    verify check deb --suite sid "${named[@]}"
expect 0 '' -- verify check deb --suite testing "${named[@]}"
expect 0 '' -- verify manifest deb --suite testing "${named[@]}"
stdout_has "^Location: +file://$archive/dists/testing\$"
expect 0 '' -- verify list deb --suite stable "${named[@]}"
[ "$(cut -f2 "$T/stdout" | sort | tr '\n' ' ')" = "alpha beta " ] || fail "not this machine's: $(cat "$T/stdout")"
expect 0 '' -- verify list deb --suite stable "${named[@]}" --arch s390x
[ "$(cut -f2 "$T/stdout" | sort | tr '\n' ' ')" = "beta gamma " ] || fail "not that of --arch: $(cat "$T/stdout")"
expect 0 '' -- verify check deb --suite ./ "${named[@]}"
expect 0 '*' -- verify fetch deb --suite stable alpha "${named[@]}" -o "$T"
cmp "$T/alpha_1.0_$ARCH.deb" "$archive/pool/main/alpha_1.0_$ARCH.deb"

# Fields, and options that override them.
# source_is FIELD...: the source s is the plain repository with these fields.
source_is()
{
    {
        printf 'URIs: file://%s\nSuites: ./\n' "$plain"
        [ $# = 0 ] || printf '%s\n' "$@"
    } >"$sources/s.sources"
}
trust="Signed-By: $KEYS/signer.gpg"
s()
{
    verify check s --no-state --config "$T/etc" --quiet "$@"
}
date=$(seconds "$plain" Date)
source_is "$trust" 'Threshold: 2'
expect 3 'InRelease: ' -- s
expect 0 '' -- s --threshold 1
source_is "$trust" 'Max-Age: 1h'
expect 4 'InRelease: ' -- s --now "@$((date + 3601))"
expect 0 '' -- s --now "@$((date + 3601))" --max-age 2h
source_is "$trust" 'Valid-Until-Max: 3600'
expect 4 'InRelease: ' -- s --now "@$((date + 3601))"
source_is "$trust" 'Clock-Skew: 1m'
expect 0 "" -- s --now "@$((date - 50))"
expect 5 "InRelease: " -- s --now "@$((date - 50))" --clock-skew 40s
source_is "$trust" 'Check-Date: no' 'Check-Valid-Until: no' 'Valid-Until-Min: 99999999'
expect 5 'InRelease: ' -- s --now "@$((date - 60))"
expect 4 'InRelease: .*expired' -- s --now "@$((date + 86400 * 400))"
source_is "$trust" 'Origin: Somebody'
expect 6 'Somebody' -- s
expect 6 'Nobody' -- s --origin Nobody
source_is "$trust" 'Codename: juniper'
expect 6 'juniper' -- s
source_is "Signed-By: $KEYS/signer.gpg $(cat "$KEYS/second.fpr")"
expect 3 'InRelease: ' -- s
expect 0 '' -- s --signed-by "$KEY"
source_is "Signed-By: $KEYS/evil.gpg"
expect 3 'InRelease: ' -- s
expect 0 '' -- s --keyring "$KEYS/signer.gpg"
{
    printf 'URIs: file://%s\nSuites: ./\nSigned-By:\n' "$plain"
    sed 's/^$/./; s/^/ /' "$KEYS/signer.asc"
} >"$sources/s.sources"
expect 0 '' -- s
expect 3 'InRelease: ' -- s --keyring "$KEYS/second.gpg"
sed -i '/^ \./,$s/^ \(....\)\(....\)/ \2\1/' "$sources/s.sources"
expect 2 '.' -- s
source_is
expect 2 'no keyring' -- s
# A manifest that says no expiry.
sed -E '/^Valid-Until:/d' "$plain/Release" >"$T/Release"
cp -RL "$plain" "$T/endless"
rm -rf "$T/endless/.hallmark" "$T/endless/Release.gpg"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$T/endless"
sed "s|$plain|$T/endless|" "$sources/plain.sources" >"$sources/s.sources"
expect 4 'InRelease: ' -- s
echo 'Require-Expiry: no' >>"$sources/s.sources"
expect 0 '' -- s
expect 0 '' -- s --max-age 2d

# Refused: what asks for less than a signature, what is not known, what others can write to.
for field in 'Trusted: yes' 'Trusted: no' 'Allow-Insecure: yes' 'Allow-Weak: yes' 'Treshold: 2' 'Exclude: x'; do
    source_is "$trust" "$field"
    expect 2 "s.sources: line 4: .*${field%%:*}" -- s
done
source_is "$trust"
chmod g+w "$sources/s.sources"
expect 2 's.sources: can be written by others' -- s
chmod g-w "$sources/s.sources"
expect 0 '' -- s
rm "$sources/s.sources"
mkdir "$sources/s.sources"
expect 2 's.sources: is not a regular file' -- s
rmdir "$sources/s.sources"
mkfifo "$sources/s.sources"
expect 2 's.sources: is not a regular file' -- s
rm "$sources/s.sources"
printf 'Enabled: no\nTrusted: yes\n' >"$sources/s.sources"
expect 2 's.sources: everything in it is disabled' -- s
rm "$sources/s.sources"
{
    cat "$sources/plain.sources"
    echo
    cat "$sources/plain.sources"
} >"$sources/twice.sources"
expect 2 'line 5: another stanza has the suite "./", too' -- verify check twice "${named[@]}"

# A name is no path, and a path is no name.
mkdir "$T/cwd"
cp -RL "$T/endless" "$T/cwd/plain"
cd "$T/cwd"
expect 0 'plain is a source; the directory here is ./plain' -- verify check plain "${named[@]}"
stdout_has '^plain: good: '
expect 4 'InRelease: ' -- consume check ./plain --config "$T/etc"
mv plain other
expect 4 '*' -- consume check other --config "$T/etc"
grep -q 'no source is called other; taking ./other' "$T/stderr" || fail "$(cat "$T/stderr")"
expect 2 'nothing: no source is called that, and there is no such file or directory' -- consume check nothing
mkdir -p sub/sources.d
cp "$sources/plain.sources" "sub/sources.d/plain.sources"
expect 2 'plain: no source is called that' -- consume check plain --config "$T/nowhere"
expect 1 '.' -- consume check "$sources/plain"
cd "$T"

# A file of sources by its path, as apt's own.
expect 0 '' -- verify check "$sources/deb.sources" --suite stable --no-state
expect 2 'holds several suites' -- verify list "$sources/deb.sources" --no-state

# An ordinary user's own come after the system's; root has none.
mkdir -p "$T/config/hallmark/sources.d"
cp "$sources/plain.sources" "$T/config/hallmark/sources.d/mine.sources"
if [ "$(id -u)" = 0 ]; then
    expect 2 'mine: no source is called that' -- verify check mine --no-state
else
    expect 0 '' -- verify check mine --no-state
fi

# apt reads the same file, with our own fields in it.
make_apt ''
sed '/^$/,$d' "$sources/deb.sources" >"$T/apt/etc/sources.list.d/test.sources"
printf 'Threshold: 1\nMax-Age: 7d\nClock-Skew: 10s\nRequire-Expiry: yes\n' >>"$T/apt/etc/sources.list.d/test.sources"
update_is_silent
[ "$(candidate alpha)" = 1.0 ] || fail "$(apt-cache policy alpha)"
expect 0 '' -- verify check "$T/apt/etc/sources.list.d/test.sources" --suite testing --no-state
