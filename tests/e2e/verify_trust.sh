#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who must have signed: the keys of the keyrings, --signed-by, exact keys, thresholds. The names are the cases of
# tests/ATTACKS; gpgv and sqv are asked as well, which know keyrings and, sqv, thresholds.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup
setup_attacks

second=$(cat "$KEYS/second.fpr")
third=$(cat "$KEYS/third.fpr")
state=(--state "$T/consumer")
one=(--keyring "$KEYS/signer.gpg")
two=(--keyring "$KEYS/second.gpg")
three=(--keyring "$KEYS/third.gpg")

# serve ROOT: $bad, and what fresh makes of it, is what ROOT serves.
serve()
{
    cp "$1/Release" "$1/Release.gpg" "$1/InRelease" "$T"
    fresh
}

# Two signatures, as while a key is being replaced.
publish "$T/root" --key "$second" --valid-for 30d
[ "$(grep -c 'BEGIN PGP SIGNATURE' "$T/root/InRelease")" = 1 ] || fail "not one signature block"
serve "$T/root"
judged K01-old-key-only 0 '' "${one[@]}"
judged K01-new-key-only 0 '' "${two[@]}"
judged K01-both-keys 0 '' "${one[@]}" "${two[@]}"
detached_only
judged K01-new-key-only-detached 0 '' "${two[@]}"
judged K01-threshold-of-both 0 '' "${one[@]}" "${two[@]}" --threshold 2
judged K02-neither-is-trusted 3 'InRelease: .*not in the keyring' "${three[@]}" "${state[@]}"
judged K05-one-of-two-is-trusted 3 'InRelease: 1 of 2 needed' "${one[@]}" "${three[@]}" --threshold 2 "${state[@]}"
judged K05-two-of-three 3 'InRelease: .*2.*3' "${one[@]}" "${two[@]}" "${three[@]}" --threshold 3 "${state[@]}"
judged_alone K05-threshold-17 2 'threshold' "${one[@]}" --threshold 17 "${state[@]}"
judged_alone K05-threshold-0 2 'threshold' "${one[@]}" --threshold 0 "${state[@]}"
judged_alone K05-threshold-many 2 'threshold' "${one[@]}" --threshold many "${state[@]}"
judged_alone K05-threshold-negative 2 'threshold' "${one[@]}" --threshold -1 "${state[@]}"
judged_alone K05-threshold-2-to-32-and-1 2 'threshold' "${one[@]}" --threshold 4294967297 "${state[@]}"
judged_alone K05-more-than-the-pins 2 'threshold' "${one[@]}" --signed-by "$KEY" --threshold 2 "${state[@]}"

# The report says which ones counted.
expect 0 '' -- verify check "$bad" --no-state "${one[@]}" --json
json "len(o['manifest']['signatures']) == 2"
json "[s['primary'] for s in o['manifest']['signatures'] if s['counted']] == ['$KEY']"
json "[s['verdict'] for s in o['manifest']['signatures'] if s['counted']] == ['good']"

# --signed-by narrows what the keyring allows.
expect 0 '' -- verify check "$bad" --no-state "${one[@]}" "${two[@]}" --signed-by "$second" --json
json "[s['primary'] for s in o['manifest']['signatures'] if s['counted']] == ['$second']"
judged K09-key-of-another-repository 3 'InRelease: .*not trusted for this repository' "${one[@]}" "${three[@]}" \
    --signed-by "$third" "${state[@]}"
judged K08-both-pinned 0 '' "${one[@]}" "${two[@]}" --signed-by "$KEY" --signed-by "$second" --threshold 2
judged K08-pinned-twice 3 'InRelease: 1 of 2 needed' "${one[@]}" "${two[@]}" --signed-by "$KEY" --signed-by "$KEY" \
    --threshold 2 "${state[@]}"
judged K08-pinned-twice-in-two-ways 3 'InRelease: 1 of 2 needed' "${one[@]}" "${two[@]}" --signed-by "$KEY" \
    --signed-by "${KEY,,}!" --threshold 2 "${state[@]}"
judged K08-keyring-twice 3 'InRelease: 1 of 2 needed' "${one[@]}" "${one[@]}" --threshold 2 "${state[@]}"
for id in "${KEY: -16}" "${KEY: -8}" "0x$KEY" "${KEY:1}" "${KEY}0" "signer@example.org" "" "!" "$KEY!!" " $KEY" \
    "${KEY:0:39}G" "$KEY,$second"; do
    judged_alone "K08-id-${#id}-digits" 2 'fingerprint' "${one[@]}" --signed-by "$id" "${state[@]}"
done

# Only one of them has signed.
publish "$T/root" --valid-for 30d
rm -rf "$T/consumer"
serve "$T/root"
expect 0 '' -- consume check "$bad"
judged K02-old-key-removed 3 'InRelease: .*not in the keyring' "${two[@]}" "${state[@]}"
judged K05-one-signature 3 'InRelease: ' "${one[@]}" "${two[@]}" "${three[@]}" --threshold 2 "${state[@]}"
# Trust is for each repository: this one is another's.
mkdir "$T/other"
echo other >"$T/other/a.txt"
expect 0 '' -- release update --key "$second" --gnupg-home "$GNUPG" --state "$T/other-state" --config "$T/etc" "$T/other"
refuses K09-other-repository 3 'InRelease: .*not in the keyring' -- verify "${one[@]}" "${state[@]}" check "$T/other"
refuses K09-manifest-of-another 3 'InRelease: .*not trusted' -- verify "${one[@]}" "${two[@]}" --signed-by "$KEY" \
    "${state[@]}" check "$T/other"

# One key, one vote.
detach "$GNUPG" "$KEY" "$T/Release" >"$T/first"
detach "$GNUPG" "$KEY" "$T/Release" --faked-system-time "$(date -u -d '-5 seconds' +%Y%m%dT%H%M%S)" >"$T/again"
! cmp -s "$T/first" "$T/again" || fail "the same signature twice is another case"
twice()
{
    detached_only
    cat "$2" "$3" | armoured >"$bad/Release.gpg"
    judged "$1" "${@:4}"
}
twice K06-same-key-twice "$T/first" "$T/again" 3 'Release: 1 of 2 needed' "${one[@]}" "${two[@]}" --threshold 2 "${state[@]}"
twice K06-same-signature-twice "$T/first" "$T/first" 3 'Release: 1 of 2 needed' "${one[@]}" "${two[@]}" --threshold 2 \
    "${state[@]}"
twice K06-one-is-enough "$T/first" "$T/again" 0 '' "${one[@]}"
detached_only
{ armoured <"$T/first" && armoured <"$T/again"; } >"$bad/Release.gpg"
judged K06-two-blocks 3 'Release: 1 of 2 needed' "${one[@]}" "${two[@]}" --threshold 2 "${state[@]}"

# Subkeys: the primary key stands for all of them, "!" for one exactly; all of them have one vote.
master=$(cat "$KEYS/master.fpr")
{ read -r key1; read -r key2; } <"$KEYS/subkeys.fpr"
m=(--keyring "$KEYS/master.gpg")
detach "$GNUPG" "$key1" "$T/Release" >"$T/by-key1"
detach "$GNUPG" "$key2" "$T/Release" >"$T/by-key2"
twice K06-two-subkeys "$T/by-key1" "$T/by-key2" 3 'Release: 1 of 2 needed' "${m[@]}" "${one[@]}" --threshold 2 "${state[@]}"
twice K08-two-subkeys-pinned "$T/by-key1" "$T/by-key2" 3 'Release: 1 of 2 needed' "${m[@]}" --signed-by "$key1!" \
    --signed-by "$key2!" --threshold 2 "${state[@]}"
by_key1()
{
    clearsign_as "$GNUPG" "$key1" "$T/Release" | replace_inrelease "$bad"
    judged "$@"
}
by_key1 K12-any-subkey 0 '' "${m[@]}"
by_key1 K12-any-subkey-of-the-pin 0 '' "${m[@]}" --signed-by "$master"
by_key1 K12-exact-subkey 0 '' "${m[@]}" --signed-by "$key1!"
by_key1 K12-another-subkey 3 'InRelease: .*not trusted' "${m[@]}" --signed-by "$key2!" "${state[@]}"
by_key1 K12-primary-key-exactly 3 'InRelease: .*not trusted' "${m[@]}" --signed-by "$master!" "${state[@]}"
by_key1 K12-subkey-is-no-primary-key 3 'InRelease: .*not trusted' "${m[@]}" --signed-by "$key1" "${state[@]}"
clearsign_as "$GNUPG" "$key1" "$T/Release" | replace_inrelease "$bad"
expect 0 '' -- verify check "$bad" --no-state "${m[@]}"
stdout_has "$key1|$master"

# A key from next year: the signature is older than its key, or ahead of the clock itself.
year=$(date -u -d '+1 year' +%Y%m%dT%H%M%S)
mkdir -m 700 "$T/next-year"
gpg --homedir "$T/next-year" --batch --quiet --faked-system-time "$year" --pinentry-mode loopback --passphrase '' \
    --quick-gen-key 'next <next@example.org>' ed25519 sign never 2>>"$T/gpg.log"
gpg --homedir "$T/next-year" --batch --quiet --export >"$T/next.gpg"
next=$(gpg --homedir "$T/next-year" --batch --with-colons --list-keys 2>/dev/null | awk -F: '$1 == "fpr" { print $10; exit }')
clearsign_as "$T/next-year" "$next" "$T/Release" --ignore-time-conflict --ignore-valid-from |
    replace_inrelease "$bad"
judged K04-key-from-next-year 3 'InRelease: .*from the future: is the clock right' --keyring "$T/next.gpg" "${state[@]}"
clearsign_as "$T/next-year" "$next" "$T/Release" --faked-system-time "$year" | replace_inrelease "$bad"
judged K04-and-signature 5 'InRelease: was signed on .*, but the clock says' --keyring "$T/next.gpg" "${state[@]}"

differences <<'END'
+K01-* gpgv: its exit status is that of the worst signature; apt reads the status lines as we do
K05-* gpgv: it knows no threshold
K06-* gpgv: it knows no threshold
K08-pinned-* both: every key of the keyring is trusted
K08-two-subkeys-pinned gpgv: it knows no threshold
K09-* sqv: every key of the keyring is trusted
K12-* both: every key of the keyring is trusted
END
