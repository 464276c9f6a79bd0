#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An older manifest than one that was accepted before, or another one of the same date: exit status 6,
# nothing unpacked, and what was remembered stays as it is. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
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

WATCHED=("$site" "$T/consumer" "$T/out")
rolled_back()
{
    local what=$1 command
    shift
    refuses "$what" 6 "$1" -- consume unpack "$site" hello-1.0.tar.gz --into "$T/out/x"
    for command in check manifest list; do
        expect 6 "$1" -- consume $command "$site"
        stdout_is_empty
    done
    expect 6 "$1" -- consume check "$site/"
    expect 6 "$1" -- consume check "file://$site"
    expect 6 "$1" -- consume check "file://localhost$T/./site"
    nothing_unpacked "$T/out/x"
    unchanged "$T/consumer" "$T/before"
}

show first
rolled_back F05-older-manifest 'InRelease: is dated .*seen before'
(cd "$T" && expect 6 "seen before" -- consume check ./site)
ln -s "$site" "$T/link"
refuses F05-through-a-link 6 'seen before' -- consume check "$T/link"
rm "$site/InRelease"
refuses F05-older-release-without-inrelease 6 'Release: is dated .*seen before' -- consume check "$site"
cp "$T/first/InRelease" "$site"

# Without memory, or with another one, or for a moment in the past, it is good; that teaches nothing.
expect 0 '' -- consume check "$site" --no-state
expect 0 '' -- consume check "$site" --state "$T/other"
expect 0 '' -- consume check "$site" --as-of "@$((first + 60))"
[ -e "$T/other/verified" ] || fail "--state was not used"
unchanged "$T/consumer" "$T/before"

# Nor does a failure after the manifest's own verdict: the newer one is remembered only in the end.
show second
# New manifest, old files, and the reverse.
cp "$T/first/pool/h/hello-1.0.tar.gz" "$T/hello"
flip "$site/more.txt" 0
expect_bad 1 7 'more.txt' -- verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" check "$site"
flip "$site/pool/h/hello-1.0.tar.gz" 50
expect 7 'hello' -- verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" unpack "$site" \
    pool/h/hello-1.0.tar.gz --into "$T/out/x"
show first
expect 0 '' -- verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" check "$site"

# The same date, other content.
show second
sed -E '/^Date:/i Description: another' "$T/second/Release" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$site"
rolled_back F05-same-date-other-content 'same date'

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
refuses F05-back-again 6 'seen before' -- consume check "$site"
# A second behind, by somebody who may sign; and another text of that very date.
sed -E "s/^Date:.*/Date: $(date -u -d "@$(($(seconds "$T/third" Date) - 1))" '+%a, %d %b %Y %H:%M:%S UTC')/" \
    "$T/third/Release" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$site"
refuses F05-a-second-older 6 'seen before' -- consume check "$site"
show third
rm "$site/InRelease"
accepts F13-the-same-text-in-the-other-form -- consume check "$site" --quiet

# What cannot be read is no permission: an error, not a fresh start.
memory=$(find "$T/consumer/verified" -type f -name '????????????????????????????????*')
cp "$memory" "$T/memory"
show third
n=0
while IFS=@ read -r status regex command; do
    n=$((n + 1))
    rm -rf "$memory"
    bash -c "$command" _ "$T/memory" "$memory"
    refuses "F05-damaged-memory-$n" "$status" "/verified/[0-9a-f]+: .*$regex" -- consume check "$site"
done <<'END'
8@line 1@echo garbage >"$2"
8@.@: >"$2"
8@not what was remembered@sed '/^Date/d' "$1" >"$2"
8@not what was remembered@sed '/^SHA256/d' "$1" >"$2"
8@not what was remembered@sed '/^Repository/d' "$1" >"$2"
8@not what was remembered@sed 's/^Repository:.*/Repository: file:\/\/\/else/' "$1" >"$2"
8@not what was remembered@sed 's/^Date:.*/Date: yesterday/' "$1" >"$2"
8@not what was remembered@sed 's/^SHA256: ../SHA256: /' "$1" >"$2"
8@line@head -c 40 "$1" >"$2"
8@.@mkdir "$2"
8@.@mkfifo "$2"
END
rm -rf "$memory"
cp "$T/memory" "$memory"
mv "$T/consumer/verified" "$T/verified"
echo text >"$T/consumer/verified"
refuses F05-memory-is-no-directory 1 'consumer/verified: Not a directory' -- consume check "$site"
rm "$T/consumer/verified"
mv "$T/verified" "$T/consumer/verified"
accepts F05-mended -- consume check "$site" --quiet

# What the repository calls itself has changed, by the right key: somebody has to accept that, once.
other=$T/renamed
for change in "--origin Somebody" "--label Else" "--codename crow"; do
    rm -rf "$other"
    make_repository "$other"
    publish "$other"
    option=${change% *} value=${change#* } name=${change%% *}
    name=${name#--}
    expect 0 '' -- consume check "$other"
    publish "$other" "$option" "$value"
    WATCHED=("$other" "$T/consumer")
    refuses "M15-$name-changes" 6 "has ${name^} .*--accept-change" -- consume check "$other"
    accepts "M15-$name-change-without-memory" -- consume check "$other" --no-state --quiet
    expect 0 '' -- consume check "$other" --accept-change
    expect 0 '' -- consume check "$other"
    find "$T/consumer" -type f -exec grep -lZ "$other" {} + | xargs -0 -r rm
done
