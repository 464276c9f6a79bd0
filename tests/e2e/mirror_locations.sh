#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror of a source by its name, and of several locations: each one that lies or cannot be reached is said, and
# another one is used; none of them decides, none leads back, and what one has given is not fetched again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root evil=$T/evil good=$T/good dest=$T/mirror
make_repository "$root"
package=pool/h/hello-1.0.tar.gz
make_package "$root/pool/a/a_1.0_amd64.deb"
epoch=$(($(date +%s) - 1000))
SOURCE_DATE_EPOCH=$epoch publish "$root" --valid-for 10d
cp -RL "$root" "$T/first"
make_package "$root/pool/h/hello-1.0.tar.gz" changed
make_package "$root/pool/h/new-1.0.tar.gz" new
signed=$(date +%s)
SOURCE_DATE_EPOCH=$((epoch + 100)) publish "$root" --valid-for 10d
for copy in "$evil" "$good"; do
    cp -RL "$root" "$copy"
    rm -rf "$copy/.hallmark"
done
rm -rf "$T/first/.hallmark"
serve "$evil"
evil_url=http://127.0.0.1:$PORT
serve "$good"
good_url=http://127.0.0.1:$PORT
sources=$T/etc/sources.d
mkdir -p "$sources"
# source_of NAME URIS [FIELD...]
source_of()
{
    {
        printf 'URIs: %s\nSuites: %s\nSigned-By: %s\n' "$2" "${SUITES:-./}" "$KEYS/signer.gpg"
        [ $# = 2 ] || printf '%s\n' "${@:3}"
    } >"$sources/$1.sources"
}
source_of both "$evil_url $good_url"
source_of alone "$evil_url"

# named COMMAND ARGS...: trusting nothing but what the source says.
named()
{
    local command=$1
    shift
    "$REPO_MIRROR" "$command" --config "$T/etc" --state "$T/state" "$@"
}

# is_copy ROOT [FILE]: the mirror is that, bit by bit, but that it may have FILE besides.
is_copy()
{
    diff -r -x .hallmark -x by-hash ${2:+-x "$2"} "$1" "$dest" >&2 || fail_above "the mirror is not $1"
    expect 0 '' -- mirror check "$dest" --state "$T/state"
}

# ---- A name -----------------------------------------------------------------------------------
expect 0 '' -- named sync both "$dest"
is_copy "$root"
! grep -q GET "$good.log" || fail "the second location was asked: $(cat "$good.log")"
expect 0 '' -- named sync both "$dest" --json
json "o['source'] == 'both' and not o['published'] and o['not_used'] == []"
expect 0 '' -- named sync --dry-run both "$T/other"
[ ! -e "$T/other" ] || fail "a dry run has made something"
expect 0 '' -- named trigger --ping "$root/InRelease" both "$dest"
expect 0 '' -- named sync "$sources/both.sources" "$T/by-path"
expect 2 'nothing: no source is called that' -- named sync nothing "$T/other"
expect 2 'nothing: no source is called that' -- named trigger --ping "$root/InRelease" nothing "$T/other"
expect 2 '*' -- named sync --json nothing "$T/other"
json "o['exit'] == 2 and 'no source' in o['error']"
[ ! -e "$T/other" ] || fail "something was made for a source that is not known"
mkdir "$T/cwd"
cp -RL "$T/first" "$T/cwd/both"
(
    cd "$T/cwd"
    expect 0 'both is a source; the directory here is ./both' -- named sync both "$dest"
)
source_of s "$good_url" 'Threshold: 2'
expect 3 'InRelease: ' -- named sync s "$T/other"
expect 3 'InRelease: ' -- named sync --threshold 3 s "$T/other"
expect 0 '' -- named sync --threshold 1 --dry-run s "$T/other"
source_of s "$good_url" 'Max-Age: 1s'
expect 4 'InRelease: ' -- named sync s "$T/other"
expect 0 '' -- named sync --max-age 1d --dry-run s "$T/other"
source_of s "$good_url" 'Clock-Skew: 1m'
expect 0 '' -- named sync --dry-run --now "@$((signed - 30))" s "$T/other"
expect 5 'InRelease: ' -- named sync --dry-run --now "@$((signed - 30))" --clock-skew 1s s "$T/other"
source_of s "$good_url" 'Origin: Somebody'
expect 6 'Somebody' -- named sync s "$T/other"
source_of s "$good_url" 'Allow-Insecure: yes'
expect 2 's.sources: line 4: .*Allow-Insecure' -- named sync s "$T/other"
source_of s "$good_url"
expect 3 'InRelease: ' -- named sync --keyring "$KEYS/evil.gpg" s "$T/other"
chmod g+w "$sources/s.sources"
expect 2 's.sources: can be written by others' -- named sync s "$T/other"
expect 2 '--suite: says no name' -- named sync --suite '' both "$T/other"
expect 2 '--suite: says no name' -- verify check --suite '' both --config "$T/etc"
[ ! -e "$T/other/InRelease" ] || fail "something is served that was refused"

# ---- Lies -------------------------------------------------------------------------------------
# lies_and STATUS TEXT REGEX LIE...: the evil one lies. By itself it gives STATUS and TEXT, and nothing is served; beside
# the good one all is as if it were not there, but that TEXT is said, as a warning or (1) as a remark.
lies_and()
{
    local status=$1 text=$2
    shift 2
    lies "$evil" "$@"
    lies "$good"
    rm -rf "$T/state" "$dest"
    expect "$status" "*" -- named sync alone "$dest" --timeout 2s
    grep -qE -- "$text" "$T/stderr" || { show_output; fail_above "by itself it is not \"$text\""; }
    [ ! -e "$dest/InRelease" ] || fail_above "something is served"
    rm -rf "$T/state" "$dest"
    expect 0 '*' -- named sync both "$dest" --timeout 2s --verbose
    grep -qE "^repo-mirror: warning: $evil_url/ is not used: .*($text)" "$T/stderr" ||
        { show_output; fail_above "it is not said what was wrong"; }
    is_copy "$root"
    rm -rf "$T/state" "$dest"
    expect 0 '*' -- named sync both "$dest" --timeout 2s
    [ "$(grep -c 'is not used' "$T/stderr")" = "$((status == 1 ? 0 : 1))" ] || { show_output; fail_above "told otherwise"; }
}
lies_and 3 'InRelease: ' '.*' page
lies_and 3 'holds neither InRelease nor Release' '.*' status 404
lies_and 1 'status 500' '.*' status 500
lies_and 3 'InRelease: ' /InRelease flip
lies_and 1 'seconds' /InRelease stall
lies_and 7 "Packages[.a-z]*: SHA256 is " '/(Packages.gz|by-hash/.*)' flip
lies_and 1 "status 503" '/(Packages.*|by-hash/.*)' status 503
lies_and 7 "$package: SHA256 is " "/$package" flip
lies_and 7 "$package: is missing" "/$package" status 404
lies_and 7 "$package: .*bytes" "/$package" other ../first/InRelease
lies_and 1 "$package: .*seconds" "/$package" stall
lies_and 7 "Release is not the text of InRelease" /Release other ../first/Release

# A package that one location has not comes from the other, and nothing else does.
lies "$evil" "/$package" flip
lies "$good"
rm -rf "$T/state" "$dest"
expect 0 "warning: $evil_url/ is not used: $package: SHA256 is " -- named sync both "$dest"
asked "$good" "GET /$package"
is_copy "$root"

# What the liar gave of indexes and files before it lied is not fetched from the other one; what is wrong there is.
lies "$evil" '/Packages.*|/by-hash/.*' status 503
lies "$good"
rm -rf "$T/state" "$dest"
expect 0 '*' -- named sync both "$dest"
grep -q '^GET /InRelease' "$good.log" || fail "$(cat "$good.log")"
is_copy "$root"

# One that is new, and has not all of it, does not keep us from one that lags behind and is whole; nor does an old one
# lead back from what is served. Each may be first.
lies "$evil" "/$package" status 404
rm -rf "$T/state" "$dest"
source_of lag "$evil_url file://$T/first"
expect 0 '*' -- named sync lag "$dest"
is_copy "$T/first" new-1.0.tar.gz # which the other one has given
lies "$evil"
expect 0 '' -- named sync lag "$dest"
is_copy "$root"
lies "$evil" "/.*" status 404
snapshot "$dest" >"$T/before"
expect 3 '*' -- named sync lag "$dest" --json
json "[t['code'] for t in o['not_used']] == [3, 6]"
unchanged "$dest" "$T/before"
source_of lag "file://$T/first $good_url"
expect 0 'first/ is not used: .*(older|seen before|old one)' -- named sync lag "$dest"
unchanged "$dest" "$T/before"

# Not even where the mirror has forgotten what it served: the memory is of all locations of the source.
rm -rf "$dest"
lies "$good" '.*' status 500
expect 6 '*' -- named sync lag "$dest"
grep -q 'repo-mirror: InRelease: .*seen before.*and no other location' "$T/stderr" || fail "$(cat "$T/stderr")"
expect 6 'seen before' -- named sync "$T/first" "$dest" --keyring "$KEYS/signer.gpg"

# All fail: what is wrong decides.
rm -rf "$T/state"
lies "$evil" '.*' status 500
lies "$good" /InRelease flip
expect 3 '*' -- named sync both "$dest"
grep -q 'InRelease: .*and no other location can be used' "$T/stderr" || fail "$(cat "$T/stderr")"
expect 3 '*' -- named sync both "$dest" --json
json "[t['code'] for t in o['not_used']] == [1, 3] and [t['location'] for t in o['not_used']] == ['$evil_url/', '$good_url/']"
lies "$evil" "/$package" flip
lies "$good" "/$package" flip
expect 7 '*' -- named sync both "$dest"
grep -q "$package: SHA256 .*and no other location can be used" "$T/stderr" || fail "$(cat "$T/stderr")"
[ "$(grep -c "GET /$package" "$evil.log")" -le 3 ] || fail "asked again and again: $(cat "$evil.log")"
[ ! -e "$dest/InRelease" ] || fail "something is served"

# ---- The command line -------------------------------------------------------------------------
lies "$evil" '.*' status 404
lies "$good"
expect 0 'not used' -- mirror sync "$evil_url" --mirror "$T/nothing" --mirror "$good_url" "$dest"
is_copy "$root"
expect 0 'not used' -- named sync alone --mirror "$good" --dry-run "$dest"
expect 0 '*' -- named sync "${evil_url/127/user:secret@127}" --mirror "$good" --keyring "$KEYS/signer.gpg" "$dest" --json --full
! grep -q secret "$T/stderr" "$T/stdout" || fail "a password: $(cat "$T/stderr" "$T/stdout")"
expect 2 'mirror' -- mirror check --mirror "$good" "$dest"
# The mirror's own address among them is no harm.
expect 0 'is the mirror itself' -- named sync "$dest" --mirror "$good" --keyring "$KEYS/signer.gpg" "$dest" --full

# A failure on this side is told once, and nobody else is asked.
lies "$good"
lies "$evil"
rm -rf "$dest" "$T/state"
mkdir -p "$dest/pool/h/hello-1.0.tar.gz"
source_of two "$good_url $evil_url"
expect 2 'pool/h/hello-1.0.tar.gz' -- named sync two "$dest"
[ ! -s "$evil.log" ] || fail "asked: $(cat "$evil.log")"
rm -rf "$dest"

# ---- A ping -----------------------------------------------------------------------------------
# One location lags behind the ping, another one lies: it is waited for, and a third one would do.
source_of ping "file://$T/first $evil_url"
rm -rf "$T/state"
lies "$evil" /InRelease flip
expect 1 '*' -- named trigger --wait 1s --ping "$root/InRelease" ping "$dest"
lies "$evil" /InRelease "1*flip"
expect 0 '*' -- named trigger --wait 5s --ping "$root/InRelease" ping "$dest"
is_copy "$root"

# ---- Suites -----------------------------------------------------------------------------------
archive=$T/archive
mkdir -p "$archive/pool/main"
make_package "$archive/pool/main/hello_1.0_amd64.deb" one
make_package "$archive/pool/main/other_1.0_s390x.deb" two
publish "$archive" --layout apt --suite stable --suite testing --component main --architecture amd64 \
    --architecture s390x --rule '* * * stable,testing main'
SUITES='stable testing' source_of deb "$T/nothing file://$archive" 'Components: main' 'Architectures: s390x'
sed -i "s|^URIs: .*|URIs: file://$T/nothing file://$archive|" "$sources/deb.sources"
expect 0 '*' -- named sync deb "$T/both-suites"
[ "$(cd "$T/both-suites" && find dists pool -follow -name 'InRelease' -o -name '*.deb' | sort | tr '\n' ' ')" = \
    'dists/stable/InRelease dists/testing/InRelease pool/main/other_1.0_s390x.deb ' ] || fail "$(find "$T/both-suites")"
[ ! -e "$T/both-suites/dists/stable/main/binary-amd64" ] || fail "another architecture"
expect 0 '*' -- named sync deb --suite testing --arch amd64 "$T/one-suite"
[ -e "$T/one-suite/pool/main/hello_1.0_amd64.deb" ] || fail "not the architecture that was named"
[ ! -e "$T/one-suite/dists/stable" ] || fail "not only the suite that was named"
expect 0 '*' -- named sync deb --suite testing --suite stable "$T/both-suites"
expect 2 'has no suite "sid"; --suite chooses one of: stable testing' -- named sync deb --suite sid "$T/other"
expect 2 'the stanza of its suite "stable" has no suite "sid"' -- named sync deb --suite stable --suite sid "$T/other"
printf '\nURIs: file://%s\nSuites: ./\nSigned-By: %s\n' "$root" "$KEYS/signer.gpg" >>"$sources/deb.sources"
expect 2 'holds several suites; --suite chooses one of: stable testing ./' -- named sync deb "$T/other"
expect 0 '*' -- named sync deb --suite ./ "$T/flat"
cmp "$root/InRelease" "$T/flat/InRelease"
SUITES='a/ b/' source_of paths "file://$T/x"
expect 2 'holds several suites; --suite chooses one of: a/ b/' -- named sync paths "$T/other"

# A file that one archive lacks comes from the same suites of the other one, over https by an authority of one's own.
second=$T/second tls=$T/tls
cp -RL "$archive" "$second"
rm -rf "$second/.hallmark" "$archive/pool/main/other_1.0_s390x.deb"
mkdir "$tls"
authority "$tls" ca
certificate "$tls" ca good IP:127.0.0.1
serve "$second" --tls "$tls/good.crt" "$tls/good.key"
suites=(--suite stable --suite testing --keyring "$KEYS/signer.gpg")
expect 7 'other_1.0_s390x.deb: is missing' -- named sync "$archive" "${suites[@]}" "$T/third"
expect 0 'other_1.0_s390x.deb: is missing' -- named sync "$archive" --mirror "https://127.0.0.1:$PORT" \
    --ca-file "$tls/ca.crt" "${suites[@]}" "$T/third"
cmp "$second/pool/main/other_1.0_s390x.deb" "$T/third/pool/main/other_1.0_s390x.deb"
