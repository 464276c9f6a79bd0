#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# init writes a configuration with every field from its option, refuses to overwrite, and refuses what would not
# work; the other commands then need nothing but the name.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
second=$(cat "$KEYS/second.fpr")
expect 0 '*' -- release init "$root" --name crow --config "$T/etc" --layout plain --origin "An origin" \
    --label "A label" --suite stable --codename crow --release-version 12.5 --description "Some text, ümlaut" \
    --architecture amd64 --architecture arm64 --component main --component contrib --hash SHA256 --hash SHA512 \
    --valid-for 14d --refresh-before 10d --key "$KEY" --key "$second" --gnupg-home "$GNUPG" \
    --exclude '*.part' --exclude 'tmp/*' --keep-generations 5 --keep-for 2d --state "$T/crow-state"
conf=$T/etc/repositories.d/crow.conf
[ -f "$conf" ] || fail "no $conf: $(find "$T/etc")"
while IFS=: read -r name value; do
    grep -qxF -- "$name:$value" "$conf" || fail "no line \"$name:$value\" in: $(cat "$conf")"
done <<END
Name: crow
Root: $root
Layout: plain
Origin: An origin
Label: A label
Suite: stable
Codename: crow
Version: 12.5
Description: Some text, ümlaut
Architectures: amd64 arm64
Components: main contrib
Hashes: SHA256 SHA512
Valid-For: 14d
Refresh-Before: 10d
Sign-With: $KEY $second
GnuPG-Home: $GNUPG
Exclude: *.part tmp/*
Keep-Generations: 5
Keep-For: 2d
State: $T/crow-state
END

# Never overwritten.
cp "$conf" "$T/conf"
expect 2 'crow.conf.*exists' -- release init "$root" --name crow --config "$T/etc" --key "$KEY"
cmp "$conf" "$T/conf" || fail "overwritten"

# It works by its name and by its root.
expect 0 '' -- release update crow --config "$T/etc"
[ "$(field "$root" Label)" = "A label" ] || fail "the configuration was not used"
[ "$(field "$root" Architectures)" = "amd64 arm64" ] || fail "the configuration was not used"
[ -f "$T/crow-state/lock" ] || fail "the state is elsewhere"
expect 0 '' -- verify check "$root" --no-state --keyring "$KEYS/signer.gpg" --keyring "$KEYS/second.gpg" --threshold 2
echo two >"$root/b.txt"
touch "$root/x.part"
expect 0 '' -- release update "$root" --config "$T/etc" --json
json "o['repositories'][0]['name'] == 'crow' and o['repositories'][0]['n_packages'] == 2"
# An option overrides its field for this run, and does not change the file.
echo three >"$root/c.txt"
expect 0 '' -- release update crow --config "$T/etc" --label "Another label"
[ "$(field "$root" Label)" = "Another label" ] || fail "an option does not override"
cmp "$conf" "$T/conf" || fail "the configuration was changed by a run"
expect 0 '*' -- release status crow --config "$T/etc"
expect 0 '' -- release resign crow --config "$T/etc"
expect 0 '*' -- release check crow --config "$T/etc"
expect 0 '' -- release prune crow --config "$T/etc"

# With nothing but a key: the rest has defaults.
mkdir "$T/plain"
echo one >"$T/plain/a.txt"
expect 0 '*' -- release init "$T/plain" --name plain --config "$T/etc" --key "$KEY" --gnupg-home "$GNUPG" \
    --state "$T/plain-state"
expect 0 '' -- release update plain --config "$T/etc"
[ $(($(seconds "$T/plain" Valid-Until) - $(seconds "$T/plain" Date))) = 604800 ] || fail "the default is not 7 days"

# By NAME, with the root as an option; and a relative root is made absolute.
expect 0 '*' -- release init byname --root "$T/plain" --config "$T/etc2" --key "$KEY"
grep -qx "Root: $T/plain" "$T/etc2/repositories.d/byname.conf" || fail "$(cat "$T/etc2/repositories.d/"*)"
(cd "$T" && expect 0 '*' -- release init ./plain --name relative --config "$T/etc3" --key "$KEY")
grep -qx "Root: $T/plain" "$T/etc3/repositories.d/relative.conf" || fail "$(cat "$T/etc3/repositories.d/"*)"

# Refused, and nothing is written.
snapshot "$T/etc" >"$T/before"
refused()
{
    local regex=$1
    shift
    expect 2 "$regex" -- release init --config "$T/etc" "$@"
    unchanged "$T/etc" "$T/before"
}
refused '[Nn]ame' "$root" --name 'a/b' --key "$KEY"
refused '[Nn]ame' "$root" --name '../x' --key "$KEY"
refused '[Nn]ame' "$root" --name '' --key "$KEY"
refused '[Nn]ame' "$root" --name '-x' --key "$KEY"
refused 'fingerprint' "$root" --name x --key "${KEY: -16}"
refused 'fingerprint' "$root" --name x --key "signer@example.org"
refused '[Ll]ayout' "$root" --name x --key "$KEY" --layout apt-like
refused 'Valid-For|valid-for' "$root" --name x --key "$KEY" --valid-for 0
refused 'Refresh-Before|refresh-before' "$root" --name x --key "$KEY" --valid-for 1d --refresh-before 2d
refused 'Origin|origin' "$root" --name x --key "$KEY" --origin "$(printf 'a\nSign-With: b')"
refused '[Hh]ash' "$root" --name x --key "$KEY" --hash SHA1
refused 'Keep-Generations|keep-generations' "$root" --name x --key "$KEY" --keep-generations -1
refused '.' --name x --key "$KEY"

# A configuration that somebody has got wrong: the file, the line, the field.
printf 'Name: wrong\nRoot: %s\nSing-With: %s\n' "$root" "$KEY" >"$T/etc/repositories.d/wrong.conf"
expect 2 'wrong.conf.*Sing-With' -- release update wrong --config "$T/etc"
printf 'Name: other\nRoot: %s\n' "$root" >"$T/etc/repositories.d/wrong.conf"
expect 2 'wrong.conf.*other' -- release update wrong --config "$T/etc"
# It does not keep the others from being published.
echo four >"$root/d.txt"
expect 0 '' -- release update crow --config "$T/etc"
expect 2 'unknown-name' -- release update unknown-name --config "$T/etc"
