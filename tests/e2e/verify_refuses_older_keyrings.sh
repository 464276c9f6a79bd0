#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A keyring of before a revocation, restored from a backup or by somebody who has the revoked key: the key does not
# count again for who has seen it revoked. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup
setup_attacks

state=(--state "$T/consumer")
signer=(--keyring "$KEYS/signer.gpg")
memory=$T/consumer/verified/revoked-keys

# by NAME...: $bad is signed by these of the odd keys, and no other.
by()
{
    local name
    detached_only
    for name in "$@"; do detach "$GNUPG_ODD" "$(cat "$ODD/$name.signer")" "$T/Release"; done | armoured >"$bad/Release.gpg"
}

# The first contact knows of no revocation; nor does who remembers nothing.
by revoked
accepts K11-first-contact -- verify --keyring "$ODD/revoked-before.gpg" "${state[@]}" check "$bad"
[ ! -e "$memory" ] || fail "remembered without a revoked key"
# A refused manifest leaves no trace, not even of revocations.
judged_alone K11-revoked 3 'the key is revoked' --keyring "$ODD/revoked.gpg" "${state[@]}"

# What a newer keyring shows is remembered once something was accepted by it.
fresh
accepts K11-newer-keyring -- verify "${signer[@]}" --keyring "$ODD/revoked.gpg" --keyring "$ODD/revoked-subkey.gpg" \
    "${state[@]}" check "$bad"
grep -q "^ $(cat "$ODD/revoked.fpr")\$" "$memory" || fail "not remembered: $(cat "$memory")"
grep -q "^ $(cat "$ODD/revoked-subkey.signer")\$" "$memory" || fail "not remembered: $(cat "$memory")"
! grep -q "$(cat "$ODD/revoked-subkey.fpr")" "$memory" || fail "the primary key is not revoked"
snapshot "$T/consumer" >"$T/before"
accepts K11-newer-keyring-again -- verify "${signer[@]}" --keyring "$ODD/revoked.gpg" "${state[@]}" check "$bad"
unchanged "$T/consumer" "$T/before"

older='seen revoked before, and the keyring is an older one'
by revoked
judged_alone K11-older-keyring 3 "$older" --keyring "$ODD/revoked-before.gpg" "${state[@]}"
by revoked
judged_alone K11-pinned 3 "$older" --keyring "$ODD/revoked-before.gpg" --signed-by "$(cat "$ODD/revoked.fpr")" "${state[@]}"
by revoked-subkey
judged_alone K11-subkey 3 "$older" --keyring "$ODD/revoked-subkey-before.gpg" "${state[@]}"
detached_only
{ detach "$GNUPG" "$KEY" "$T/Release"; detach "$GNUPG_ODD" "$(cat "$ODD/revoked.fpr")" "$T/Release"; } |
    armoured >"$bad/Release.gpg"
judged_alone K11-threshold 3 '1 of 2 needed' "${signer[@]}" --keyring "$ODD/revoked-before.gpg" --threshold 2 "${state[@]}"
for command in check manifest list; do
    by revoked
    refuses "K11-$command" 3 "$older" -- verify --keyring "$ODD/revoked-before.gpg" "${state[@]}" $command "$bad"
done
# It is the key that is given up, whatever it signs.
by revoked
mv "$bad" "$T/elsewhere"
refuses K11-another-repository 3 "$older" -- verify --keyring "$ODD/revoked-before.gpg" "${state[@]}" check "$T/elsewhere"
fresh

# Others count as before, and so does this one where nothing is remembered.
accepts K11-other-keys -- verify "${signer[@]}" --keyring "$ODD/revoked-before.gpg" "${state[@]}" check "$bad"
by revoked
accepts K11-no-state -- verify --keyring "$ODD/revoked-before.gpg" --no-state check "$bad"

# A memory that cannot be read is not an empty one.
for text in '' 'Revoked-Keys:' 'garbage'; do
    echo "$text" >"$memory"
    fresh
    judged_alone "K11-damaged-memory-${#text}" 8 'verified/revoked-keys: ' "${signer[@]}" "${state[@]}"
done
rm "$memory"
mkdir "$memory"
judged_alone K11-memory-is-a-directory 8 'verified/revoked-keys: ' "${signer[@]}" "${state[@]}"
