#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who must have signed: the keys of the keyrings, --signed-by, exact keys, thresholds.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
second=$(cat "$KEYS/second.fpr")
third=$(cat "$KEYS/third.fpr")
publish "$root" --key "$second" --valid-for 30d
[ "$(grep -c 'BEGIN PGP SIGNATURE' "$root/InRelease")" = 1 ] || fail "not one signature block"

check()
{
    verify check "$root" --no-state "$@"
}
one=(--keyring "$KEYS/signer.gpg")
two=(--keyring "$KEYS/second.gpg")
three=(--keyring "$KEYS/third.gpg")

expect 0 '' -- check "${one[@]}"
stdout_has "$KEY"
expect 0 '' -- check "${two[@]}"
stdout_has "$second"
expect 0 '' -- check --keyring "$KEYS/second.asc"
expect 0 '' -- check "${one[@]}" "${two[@]}" --threshold 2
expect 3 'InRelease' -- check "${three[@]}"
expect 3 'InRelease.*2' -- check "${one[@]}" "${three[@]}" --threshold 2
expect 3 'InRelease.*2' -- check "${one[@]}" --threshold 2
expect 2 'threshold' -- check "${one[@]}" --threshold 0
expect 2 'threshold' -- check "${one[@]}" --threshold many

# The report says which ones counted.
expect 0 '' -- check "${one[@]}" --json
json "len(o['manifest']['signatures']) == 2"
json "[s['primary'] for s in o['manifest']['signatures'] if s['counted']] == ['$KEY']"
json "[s['verdict'] for s in o['manifest']['signatures'] if s['counted']] == ['good']"

# --signed-by narrows what the keyring allows.
expect 0 '' -- check "${one[@]}" "${two[@]}" --signed-by "$second" --json
json "[s['primary'] for s in o['manifest']['signatures'] if s['counted']] == ['$second']"
expect 3 'InRelease' -- check "${one[@]}" "${three[@]}" --signed-by "$third"
expect 0 '' -- check "${one[@]}" "${two[@]}" --signed-by "$KEY" --signed-by "$second" --threshold 2
expect 3 'InRelease.*2' -- check "${one[@]}" "${two[@]}" --signed-by "$KEY" --signed-by "$KEY" --threshold 2
for id in "${KEY: -16}" "${KEY: -8}" "0x$KEY" "${KEY:1}" "${KEY}0" "signer@example.org" ""; do
    expect 2 'fingerprint' -- check "${one[@]}" --signed-by "$id"
done

# One key, one vote.
rm "$root/InRelease"
sign()
{
    gpg --homedir "$GNUPG" --batch --quiet -u "$1" --detach-sign -o - "$root/Release" 2>/dev/null
}
{
    printf '%s\n\n' '-----BEGIN PGP SIGNATURE-----'
    { sign "$KEY" && sign "$KEY"; } | base64 -w 64
    echo '-----END PGP SIGNATURE-----'
} >"$T/Release.gpg"
rm "$root/Release.gpg"
cp "$T/Release.gpg" "$root/Release.gpg"
expect 0 '' -- check "${one[@]}"
expect 3 'Release' -- check "${one[@]}" "${two[@]}" --threshold 2

# Subkeys: the primary key stands for all of them, "!" for one exactly.
sub=$T/sub
mkdir "$sub"
echo one >"$sub/a.txt"
master=$(cat "$KEYS/master.fpr")
{ read -r key1; read -r key2; } <"$KEYS/subkeys.fpr"
expect 0 '' -- release update --key "$master" --gnupg-home "$GNUPG" --state "$T/sub-state" "$sub"
signed_by=$(gpgv --status-fd 1 --keyring "$KEYS/master.gpg" "$sub/InRelease" 2>/dev/null |
    awk '$2 == "VALIDSIG" { print $3 }')
other=$key1
[ "$signed_by" != "$key1" ] || other=$key2
case $signed_by in
"$key1" | "$key2") ;;
*) fail "signed by $signed_by, which is no subkey" ;;
esac
m=(verify check "$sub" --no-state --keyring "$KEYS/master.gpg")
expect 0 '' -- "${m[@]}"
stdout_has "$signed_by|$master"
expect 0 '' -- "${m[@]}" --signed-by "$master"
expect 0 '' -- "${m[@]}" --signed-by "$signed_by!"
expect 3 'InRelease' -- "${m[@]}" --signed-by "$other!"
expect 3 'InRelease' -- "${m[@]}" --signed-by "$master!"
