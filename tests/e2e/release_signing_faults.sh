#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# G16, G19, G21: a key that is missing, expired, of somebody else or unreachable; a gpg.conf that weakens: exit status 3 (1 where
# gpg is missing) with the key's fingerprint, in bounded time, and what is published stays as it is.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
publish "$root"
served "$root" >"$T/served"
echo two >"$root/b.txt"

refused()
{
    local status=$1 regex=$2
    shift 2
    expect "$status" "$regex" -- bounded 20 release update --state "$T/publisher" --config "$T/etc" "$@" "$root"
    served_is "$root" "$T/served"
    [ -z "$(find "$root/.hallmark" -mindepth 1 -maxdepth 1 ! -name current ! -name 00000001)" ] ||
        fail "left behind: $(ls -A "$root/.hallmark")"
}
unknown=0123456789ABCDEF0123456789ABCDEF01234567
refused 3 "$unknown" --key $unknown --gnupg-home "$GNUPG"
refused 3 "$(cat "$KEYS/evil.fpr")" --key "$(cat "$KEYS/evil.fpr")" --gnupg-home "$GNUPG"
refused 3 "$(cat "$KEYS/expired.fpr").*expired" --key "$(cat "$KEYS/expired.fpr")" --gnupg-home "$GNUPG"
# One good one does not make up for a missing one.
refused 3 "$unknown" --key "$KEY" --key $unknown --gnupg-home "$GNUPG"
# A weak key would be refused by every consumer.
refused 3 "$(cat "$KEYS/weak.fpr")|weak" --key "$(cat "$KEYS/weak.fpr")" --gnupg-home "$GNUPG"
# Public keys only; no home at all; no home and no option.
mkdir -m 700 "$T/public"
gpg --homedir "$T/public" --batch --quiet --import "$KEYS/signer.gpg" 2>/dev/null
refused 3 "$KEY" --key "$KEY" --gnupg-home "$T/public"
status=0
release update --state "$T/publisher" --key "$KEY" --gnupg-home "$T/nowhere" "$root" 2>"$T/stderr" </dev/null || status=$?
case $status in
1 | 2 | 3) [ "$(wc -l <"$T/stderr")" = 1 ] || fail "$(cat "$T/stderr")" ;;
*) fail "status $status without a home: $(cat "$T/stderr")" ;;
esac
[ ! -e "$T/nowhere" ] || fail "a missing home was made"
refused 3 "$KEY" --key "$KEY"
refused 2 '[-]-key|Sign-With|sign' --gnupg-home "$GNUPG"

# Revoked.
revoked=$T/revoked
copy_home publisher "$revoked"
sed 's/^:---/---/' "$revoked/openpgp-revocs.d/$KEY.rev" | gpg --homedir "$revoked" --batch --quiet --import 2>/dev/null
refused 3 "$KEY.*revoked|$KEY" --key "$KEY" --gnupg-home "$revoked"

# The agent cannot be started.
agentless=$T/agentless
copy_home publisher "$agentless"
printf 'agent-program /nowhere/gpg-agent\n' >"$agentless/gpg.conf"
gpgconf --homedir "$agentless" --kill gpg-agent 2>/dev/null
refused 3 "$KEY" --key "$KEY" --gnupg-home "$agentless"

# gpg.conf asks for weak digests: not with us, or not at all.
weak=$T/weak
copy_home publisher "$weak"
printf 'digest-algo SHA1\npersonal-digest-preferences SHA1\ncert-digest-algo SHA1\n' >"$weak/gpg.conf"
status=0
bounded 20 release update --key "$KEY" --gnupg-home "$weak" --state "$T/publisher" --config "$T/etc" "$root" \
    2>"$T/stderr" </dev/null || status=$?
case $status in
0) ;;
3) served_is "$root" "$T/served" ;;
*) fail "status $status with digest-algo SHA1: $(cat "$T/stderr")" ;;
esac
expect 0 '*' -- consume manifest "$root" --json
json "all(s['digest'] in ('SHA256', 'SHA384', 'SHA512') for s in o['manifest']['signatures'])"

# With comments and a version line in the armour it is still what everybody accepts.
printf 'comment "by a test"\nemit-version\n' >"$weak/gpg.conf"
echo three >"$root/c.txt"
expect 0 '' -- release update --key "$KEY" --gnupg-home "$weak" --state "$T/publisher" --config "$T/etc" "$root"
expect 0 '' -- consume check "$root"
