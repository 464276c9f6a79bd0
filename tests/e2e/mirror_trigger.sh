#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror that is told of a new manifest by being sent it: a good one that is new has it sync, the one that is served
# does nothing, and whatever is old, made up, damaged or of somebody else is refused before anybody is asked.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root dest=$T/mirror
epoch=$(($(date +%s) - 1000))
# publish_at DIR N [OPTION...]: publishes DIR, dated N, with a state of its own.
publish_at()
{
    SOURCE_DATE_EPOCH=$((epoch + $2)) publish "$1" --suite "${SUITE:-tested}" --codename name --origin maker --label brand \
        --state "$1-state" --quiet "${@:3}"
}
make_repository "$root"
publish_at "$root" 1
cp "$root/InRelease" "$T/first"
serve "$root"
url=http://127.0.0.1:$PORT

# trigger OPTION...: with the ping $PING on standard input.
trigger()
{
    mirror trigger --wait 1s "$@" "$url" "$dest" <"$PING"
}

# refused STATUS REGEX: $PING is, nobody is asked, and what is served stays.
refused()
{
    local status=$1 regex=$2
    lies "$root"
    snapshot "$dest" >"$T/before"
    expect "$status" "$regex" -- trigger
    unchanged "$dest" "$T/before"
    [ ! -s "$root.log" ] || fail_above "the source was asked: $(cat "$root.log")"
}

# ---- Good ones --------------------------------------------------------------------------------
PING=$T/first
expect 0 '' -- trigger --json
json "o['published'] and o['n_files'] == 4"
cmp "$root/InRelease" "$dest/InRelease"
lies "$root"
expect 0 '' -- trigger --json
json "not o['published']"
[ ! -s "$root.log" ] || fail "what is served was asked for: $(cat "$root.log")"
echo more >"$root/more"
publish_at "$root" 2
cp "$root/InRelease" "$T/second"
expect 0 '' -- mirror trigger --wait 1s --ping "$T/second" "$url" "$dest"
stdout_has 'is the repository of'
cmp "$root/more" "$dest/more"

# ---- Others -----------------------------------------------------------------------------------
PING=$T/first
refused 6 'the ping: is dated .* serves a manifest dated .*: this is an old one'
make_repository "$T/twin"
echo other >"$T/twin/more"
publish_at "$T/twin" 2
PING=$T/twin/InRelease
refused 6 'the ping: is dated .* a manifest of the same date with SHA256'
PING=$T/ping
: >"$PING"
refused 3 'the ping'
sed -n '/^Origin\|^Date\|^SHA256/p' "$root/Release" >"$PING"
refused 3 'the ping'
echo more >"$T/twin/evenmore"
publish_at "$T/twin" 3
sed 's/^Suite: tested/Suite: testen/' "$T/twin/InRelease" >"$PING"
refused 3 'the ping'
{ cat "$T/twin/InRelease"; echo; } >"$PING"
refused 3 'the ping'
head -c 300 "$T/twin/InRelease" >"$PING"
refused 3 'the ping'
head -c 40000000 /dev/zero >"$PING"
refused 8 'the ping has more than'
copy_home evil "$T/evil"
make_repository "$T/theirs"
expect 0 '' -- env SOURCE_DATE_EPOCH=$((epoch + 3)) "$REPO_RELEASE" update --key "$(cat "$KEYS/evil.fpr")" \
    --gnupg-home "$T/evil" --state "$T/theirs-state" --config "$T/etc" --suite tested --codename name --origin maker \
    --label brand --quiet "$T/theirs"
PING=$T/theirs/InRelease
refused 3 'the ping'
make_repository "$T/aside"
publish_at "$T/aside" -100000000
PING=$T/aside/InRelease
refused 4 'the ping: expired|the ping: .*expired'
expect 1 'nowhere: No such file' -- mirror trigger --ping "$T/nowhere" "$url" "$dest"

# ---- A source that is late, or has another suite ----------------------------------------------
PING=$T/twin/InRelease
snapshot "$dest" >"$T/before"
expect 1 'is dated .* yet, and the ping tells of one dated' -- trigger
unchanged "$dest" "$T/before"
lies "$root"
expect 1 'is dated .* yet' -- trigger --wait 2s
[ "$(grep -c '^GET /InRelease' "$root.log")" = 2 ] || fail "not tried again: $(cat "$root.log")"
make_repository "$T/third"
for field in suite codename origin label; do
    rm -rf "$T/third-state" "$T/third/.hallmark" "$T/third"/{InRelease,Release,Release.gpg}
    if [ $field = suite ]; then
        SUITE=other publish_at "$T/third" 5
    else
        publish_at "$T/third" 5 "--$field" other
    fi
    PING=$T/third/InRelease
    expect 2 'the ping: is of the suite "(other|tested)", which is none' -- trigger
    unchanged "$dest" "$T/before"
done
# What is older than what is served is not compared with what is of another suite.
rm -rf "$T/aside-state" "$T/aside/.hallmark" "$T/aside"/{InRelease,Release,Release.gpg}
publish_at "$T/aside" -20 --label other
PING=$T/aside/InRelease
expect 2 'the ping: is of the suite "tested", which is none' -- trigger
