#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An older manifest than one that was accepted before, or another one of the same date: exit status 6,
# nothing unpacked, and what was remembered stays as it is.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root site=$T/site
make_repository "$root"
mkdir "$T/out"

# The site shows what the root held at some time.
keep()
{
    rm -rf "${T:?}/$1"
    cp -RL "$root" "$T/$1"
    rm -rf "$T/$1/.hallmark"
}
show()
{
    rm -rf "$site"
    cp -R "$T/$1" "$site"
}

publish "$root" --valid-for 10d
keep first
echo more >"$root/more.txt"
publish "$root" --valid-for 10d
keep second
first=$(seconds "$T/first" Date)
second=$(seconds "$T/second" Date)
((first < second)) || fail "a changed manifest has no later Date: $first, $second"

show second
expect 0 '' -- consume check "$site"
[ "$(remembered)" = 1 ] || fail "not remembered: $(find "$T/consumer")"
snapshot "$T/consumer" >"$T/before"

rolled_back()
{
    expect 6 "$1" -- consume check "$site"
    stdout_is_empty
    expect 6 "$1" -- consume manifest "$site"
    expect 6 "$1" -- consume list "$site"
    expect 6 "$1" -- consume check "$site/"
    expect 6 "$1" -- consume check "file://$site"
    expect 6 "$1" -- consume unpack "$site" hello-1.0.tar.gz --into "$T/out/x"
    nothing_unpacked "$T/out/x"
    unchanged "$T/consumer" "$T/before"
}

show first
rolled_back 'InRelease: is dated .*seen before'
(cd "$T" && expect 6 'seen before' -- consume check site)
ln -s "$site" "$T/link"

# Without memory, or with another one, or for a moment in the past, it is good; that teaches nothing.
expect 0 '' -- consume check "$site" --no-state
expect 0 '' -- consume check "$site" --state "$T/other"
expect 0 '' -- consume check "$site" --as-of "@$((first + 60))"
[ -e "$T/other/verified" ] || fail "--state was not used"
unchanged "$T/consumer" "$T/before"

# Nor does a failure after the manifest's own verdict: the newer one is remembered only in the end.
show second
flip "$site/more.txt" 0
expect_bad 1 5 'more.txt' -- verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" check "$site"
flip "$site/pool/h/hello-1.0.tar.gz" 50
expect 7 'hello' -- verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" unpack "$site" \
    pool/h/hello-1.0.tar.gz --into "$T/out/x"
show first
expect 0 '' -- verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" check "$site"

# The same date, other content.
show second
sed -E '/^Date:/i Description: another' "$T/second/Release" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$site"
rolled_back 'same date'

# The same one again, and a newer one.
show second
expect 0 '' -- consume check "$site"
unchanged "$T/consumer" "$T/before"
expect 0 '' -- release resign "${PUBLISHER[@]}" --valid-for 10d "$root"
keep third
(($(seconds "$T/third" Date) > second)) || fail "resign gave no later Date"
show third
expect 0 '' -- consume manifest "$site"
show second
expect 6 'seen before' -- consume check "$site"

# What cannot be read is no permission: an error, not a fresh start.
memory=$(find "$T/consumer/verified" -type f -name '????????????????????????????????*')
echo garbage >"$memory"
show third
expect 8 '/verified/[0-9a-f]+: .*line 1' -- consume check "$site"
