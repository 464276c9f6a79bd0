#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Options: help and version go to standard output, whatever is wrong is one line and exit status 2, and
# nothing has happened.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
publish "$root"
snapshot "$root" >"$T/before"

for tool in release verify; do
    expect 0 '' -- $tool --version
    stdout_has "^repo-$tool \(hallmark\) [0-9]+\.[0-9]+\.[0-9]+$"
    expect 0 '' -- $tool --help
    stdout_has "repo-$tool"
    expect 2 "unknown option \"--foo\".*repo-$tool --help" -- $tool --foo
    expect 2 'unknown option "--foo' -- $tool check --foo=bar "$root"
    expect 2 'unknown option "-z"' -- $tool -z
    expect 2 'state' -- $tool check "$root" --state
    expect 2 'usage|help' -- $tool
    expect 2 'json' -- $tool check "$root" --json=yes
    stdout_is_empty
done
for command in init update resign status check prune keyring sources; do
    expect 0 '' -- release $command --help
    stdout_has "repo-release"
    expect 2 'unknown option "--into"' -- release $command --into x "$root"
done
for command in check manifest list unpack; do
    expect 0 '' -- verify $command --help
    stdout_has "repo-verify"
    expect 2 'unknown option "--valid-for"' -- verify $command --valid-for 7d "$root"
    expect 2 '.' -- verify $command
done

# Values.
for value in 0 -1 7x d "" 1.5d " 7d" 99999999999999999999d; do
    expect 2 '[Vv]alid-[Ff]or' -- release update "${PUBLISHER[@]}" "--valid-for=$value" "$root"
    expect 2 'max-age' -- consume check "$root" "--max-age=$value"
done
for value in yesterday 2026-13-01 2026-02-30 "" @ @-5 2026-11-22T25:00:00Z; do
    expect 2 '[-]-now' -- consume check "$root" "--now=$value"
done
for value in maybe "" Required; do
    expect 2 'sandbox' -- consume unpack "$root" a.txt --into "$T/x" "--sandbox=$value"
done
expect 2 'links' -- consume unpack "$root" a.txt --into "$T/x" --links=some
for value in 0x10 -1 5Q "" K; do
    expect 2 'max-size' -- consume unpack "$root" a.txt --into "$T/x" "--max-size=$value"
done
expect 2 'max-entries' -- consume unpack "$root" a.txt --into "$T/x" --max-entries=many
expect 2 '[Hh]ash' -- release update "${PUBLISHER[@]}" --hash MD5 "$root"
expect 2 '[Ll]ayout' -- release update "${PUBLISHER[@]}" --layout odd "$root"
expect 2 '[Kk]eep-[Gg]enerations' -- release update "${PUBLISHER[@]}" --keep-generations 0 "$root"
expect 2 'fingerprint' -- release update --key "${KEY: -16}" --gnupg-home "$GNUPG" --state "$T/publisher" "$root"
expect 2 '[Ll]abel' -- release update "${PUBLISHER[@]}" --label "$(printf 'two\nlines')" "$root"
expect 2 'SOURCE_DATE_EPOCH' -- env SOURCE_DATE_EPOCH=soon "$REPO_RELEASE" update "${PUBLISHER[@]}" "$root"

# Wherever they stand; "--" ends them.
expect 0 '' -- verify "$root" "${CONSUMER[@]}" --quiet
stdout_is_empty
expect 0 '' -- verify "--keyring=$KEYS/signer.gpg" --no-state -q -- "$root"
expect 0 '' -- verify --no-state check --keyring "$KEYS/signer.gpg" "$root" a.txt
expect 11 '[-]-quiet' -- consume check --no-state -- "$root" --quiet
# What is left over is told.
expect 2 '.' -- consume list "$root" extra
expect 2 '.' -- consume unpack "$root" a.txt extra --into "$T/x"
[ ! -e "$T/x" ] || fail "unpacked something"
unchanged "$root" "$T/before"
