#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Freshness over a network: a server that shows what is old, mixed, or another thing of the same date gets the
# verdicts that a directory gets. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root site=$T/site
make_repository "$root"
mkdir "$T/out" "$site"

keep()
{
    cp -RL "$root" "$T/$1"
    rm -rf "$T/$1/.hallmark"
}
publish "$root" --valid-for 10d
keep first
echo more >"$root/more.txt"
make_package "$root/pool/h/hello-1.0.tar.gz" changed
publish "$root" --valid-for 10d
keep second
date=$(seconds "$T/second" Date)
serve "$site"
url=http://127.0.0.1:$PORT
show()
{
    rm -rf "$site"
    cp -R "$T/$1" "$site"
    lies "$site"
}
package=pool/h/hello-1.0.tar.gz
WATCHED=("$T/consumer") PARENTS=("$T/out")

# refused CASE STATUS REGEX OPTION...: by every command that would use it; a package is not even asked for.
refused()
{
    local what=$1 status=$2 regex=$3 command
    shift 3
    : >"$site.log"
    for command in manifest list check; do
        refuses "$what-$command" "$status" "$regex" -- consume $command "$url" "$@"
    done
    refuses "$what-unpack" "$status" "$regex" -- consume unpack "$url" $package --into "$T/out/x" "$@"
    refuses "$what-fetch" "$status" "$regex" -- consume fetch "$url" $package -o "$T/out" "$@"
    ! grep -v '^[A-Z]* /\(In\)\?Release\(.gpg\)\?$' "$site.log" || fail "$what: something was asked for"
}

show second
accepts F05-http-new -- consume check "$url" --quiet
show first
refused F05-http-older 6 'InRelease: is dated .*seen before'
rm "$site/InRelease"
refused F05-http-older-other-form 6 'Release: is dated .*seen before'
show second
sed -E '/^Date:/i Description: another' "$T/second/Release" >"$T/Release"
clearsign_as "$GNUPG" "$KEY" "$T/Release" | replace_inrelease "$site"
digest=$(sha256sum <"$T/second/Release" | cut -d' ' -f1) other=$(sha256sum <"$T/Release" | cut -d' ' -f1)
refused F05-http-equivocation 6 "$other.* same date .*$digest"
show second
refused F01-http 4 'expired' --now "@$((date + 10 * 86400 + 1))"
refused F04-http-limit 4 'InRelease: ' --now "@$((date + 86400))" --max-age 1h
refused F07-http 5 'InRelease: ' --now "@$((date - 3600))"
rm "$site/InRelease" "$site/Release.gpg"
refused S01-http 3 'has no signature'
rm "$site/Release"
refused S02-http 3 'holds neither InRelease nor Release'

# A new manifest with old files, and the reverse.
show second
lies "$site" "/$package" other ../first/$package
refuses F09-http-old-package 7 "$package: " -- consume unpack "$url" $package --into "$T/out/x"
refuses F09-http-old-package-fetch 7 "$package: " -- consume fetch "$url" $package -o "$T/out"
lies "$site" "/$package" "1*other" ../first/$package
accepts F09-http-old-once -- consume unpack "$url" $package --into "$T/out/x" --quiet
rm -rf "$T/out/x"
lies "$site" /InRelease other ../first/InRelease
mkdir "$T/fresh"
refuses F09-http-old-manifest 7 "$package: " -- \
    verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" unpack "$url" $package --into "$T/out/x"
[ -z "$(find "$T/fresh" -type f)" ] || fail "what failed was remembered"

# Published anew between the manifest and the files (F10): once more, with the new manifest.
for command in "check $url" "unpack $url $package --into $T/out/x" "fetch $url $package -o $T/out"; do
    lies "$site" /InRelease "1*other" ../first/InRelease
    mkdir "$T/between"
    # shellcheck disable=SC2086 # a command in words
    expect 0 '*' -- verify --keyring "$KEYS/signer.gpg" --state "$T/between" $command
    tail -n 1 "$T/stderr" | grep -q "was published anew meanwhile, once more: $package: " || fail "$command: $(cat "$T/stderr")"
    [ -n "$(find "$T/between" -type f)" ] || fail "$command: the second manifest is not remembered"
    echo "attack F10-http-in-between-${command%% *}: A"
    rm -rf "$T/between" "$T/out/x" "$T/out/${package##*/}"
done
# But not for ever: the second time, the old manifest counts.
lies "$site" /InRelease "2*other" ../first/InRelease
refuses F10-http-still-old 7 "$package: " -- \
    verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" unpack "$url" $package --into "$T/out/x"

# What an old and a new one have in common is good by either.
lies "$site" /InRelease other ../first/InRelease
accepts F09-http-same-in-both -- \
    verify --keyring "$KEYS/signer.gpg" --state "$T/fresh" unpack "$url" pool/h/hello-1.2.tar.xz --into "$T/out/x" --quiet
rm -rf "$T/out/x"

# P07: a signed package under another one's name.
lies "$site" "/$package" other /pool/h/hello-1.2.tar.xz
refuses P07-http 7 "$package: has .* bytes" -- consume unpack "$url" $package --into "$T/out/x"

# S03: a broken InRelease beside a good Release.
lies "$site" /InRelease flip
refused S03-http-broken 3 'InRelease'
lies "$site"
accepts F13-http-again -- consume check "$url" --quiet
