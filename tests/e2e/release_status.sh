#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# status: what is published and what an update would change, changing nothing; exit status 12 when attention
# is needed soon, 4 when it is too late.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root" --valid-for 7d
snapshot "$root" >"$T/before"
expect 0 '' -- release status "${PUBLISHER[@]}" --valid-for 7d "$root"
stdout_has "$KEY|signer"
stdout_has "4"
unchanged "$root" "$T/before"

echo new >"$root/new.txt"
rm "$root/README.txt"
make_package "$root/pool/h/hello-1.0.tar.gz" "another hello"
snapshot "$root" >"$T/before"
expect 0 '*' -- release status "${PUBLISHER[@]}" --valid-for 7d "$root"
stdout_has "new.txt|1 (new|added)|added: 1"
expect 0 '*' -- release status "${PUBLISHER[@]}" --valid-for 7d --json "$root"
json "(lambda r: (r['n_added'], r['n_changed'], r['n_removed']) == (1, 1, 1))(o['repositories'][0])"
unchanged "$root" "$T/before"

# Less than a quarter of Valid-For left; expired. Dates of the past stand for the passing of time.
soon=$T/soon
mkdir "$soon"
echo one >"$soon/a.txt"
now=$(date +%s)
SOURCE_DATE_EPOCH=$((now - 6 * 86400)) expect 0 '' -- \
    release update "${PUBLISHER[@]}" --state "$T/state2" --valid-for 7d "$soon"
expect 12 'expires|valid' -- release status "${PUBLISHER[@]}" --state "$T/state2" --valid-for 7d "$soon"
expect 12 '*' -- release status "${PUBLISHER[@]}" --state "$T/state2" --valid-for 7d --json "$soon"
json "o['exit'] == 12 and o['repositories'][0]['exit'] == 12"
rm -rf "$soon/.hallmark" "$soon/"*Release* "$T/state2"
SOURCE_DATE_EPOCH=$((now - 8 * 86400)) expect 0 '' -- \
    release update "${PUBLISHER[@]}" --state "$T/state2" --valid-for 7d "$soon"
expect 4 'expired' -- release status "${PUBLISHER[@]}" --state "$T/state2" --valid-for 7d "$soon"

# A key that expires within 30 days.
key_home=$T/dying
mkdir -m 700 "$key_home"
gpg --homedir "$key_home" --batch --quiet --pinentry-mode loopback --passphrase '' \
    --quick-gen-key 'dying <d@example.org>' ed25519 sign 10d 2>/dev/null
dying=$(gpg --homedir "$key_home" --batch --with-colons --list-keys 2>/dev/null | awk -F: '$1 == "fpr" { print $10 }')
mkdir "$T/root3"
echo one >"$T/root3/a.txt"
dying=(--key "$dying" --gnupg-home "$key_home" --state "$T/state3" --config "$T/etc")
expect 0 '*' -- release update "${dying[@]}" --valid-for 2d "$T/root3"
expect 12 '[Kk]ey.*expires' -- release status "${dying[@]}" --valid-for 2d "$T/root3"

# Nothing is published yet: that is said, and nothing is written.
mkdir "$T/root4"
echo one >"$T/root4/a.txt"
expect 12 'nothing is published' -- release status "${PUBLISHER[@]}" --state "$T/state4" --json "$T/root4"
json "o['repositories'][0]['n_added'] == 1 and o['repositories'][0]['date'] is None"
[ ! -e "$T/state4" ] || [ -z "$(find "$T/state4" -type f ! -name lock)" ] || fail "status wrote a state"
