#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# G17, G18: keys with a passphrase: from a descriptor, from a file; wrong or missing ones are an error in bounded time,
# never a hang and never half a publication.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
locked=$(cat "$KEYS/locked.fpr")
options=(--key "$locked" --gnupg-home "$GNUPG" --state "$T/publisher" --config "$T/etc")
forget()
{
    gpgconf --homedir "$GNUPG" --kill gpg-agent
}
refused()
{
    [ -z "$(find "$root" -mindepth 1 ! -name 'a.txt')" ] || fail "published: $(find "$root")"
}

# Without a terminal and without a passphrase: at once.
start=$SECONDS
status=0
env=(env -i PATH="$PATH" HOME="$HOME")
[ -z "${LD_LIBRARY_PATH:-}" ] || env+=("LD_LIBRARY_PATH=$LD_LIBRARY_PATH")
timeout 60 "${env[@]}" setsid -w "$REPO_RELEASE" update "${options[@]}" "$root" \
    </dev/null >"$T/stdout" 2>"$T/stderr" || status=$?
[ $status = 3 ] || fail "status $status without a passphrase: $(cat "$T/stderr")"
[ "$(wc -l <"$T/stderr")" = 1 ] || fail "the message: $(cat "$T/stderr")"
grep "$locked" "$T/stderr" | grep -q 'passphrase' || fail "the message: $(cat "$T/stderr")"
under_wrapper || ((SECONDS - start <= 5)) || fail "it took $((SECONDS - start)) s to say so"
refused

# Wrong.
echo "battery staple" >"$T/wrong"
chmod 600 "$T/wrong"
expect 3 "$locked.*passphrase|passphrase.*$locked" -- \
    bounded 20 release update "${options[@]}" --passphrase-file "$T/wrong" "$root"
! grep -q 'staple' "$T/stderr" || fail "the passphrase is in the message"
refused
expect 2 'passphrase' -- bounded 20 release update "${options[@]}" --passphrase-fd 7 "$root" 7<<<""
expect 2 'passphrase' -- bounded 20 release update "${options[@]}" --passphrase-fd 7 "$root" 7</dev/null
refused

# No passphrase where one was promised.
expect 2 'missing' -- release update "${options[@]}" --passphrase-file "$T/missing" "$root"
expect 2 '9|passphrase-fd' -- release update "${options[@]}" --passphrase-fd 9 "$root"
expect 2 'passphrase-fd' -- release update "${options[@]}" --passphrase-fd stdin "$root"
expect 2 'passphrase' -- release update "${options[@]}" --passphrase-fd 7 --passphrase-file "$T/wrong" "$root" 7</dev/null
refused

# Right: from a descriptor, with and without a line's end.
forget
expect 0 '' -- release update "${options[@]}" --passphrase-fd 7 "$root" 7<<<"correct horse"
expect 0 '' -- verify check "$root" --no-state --keyring "$KEYS/locked.gpg"
forget
echo two >"$root/a.txt"
expect 0 '' -- release update "${options[@]}" --passphrase-fd 7 "$root" 7< <(printf 'correct horse')
# From standard input.
forget
echo three >"$root/a.txt"
echo "correct horse" | release update "${options[@]}" --passphrase-fd 0 "$root" || fail "--passphrase-fd 0"
# From a file.
forget
echo "correct horse" >"$T/right"
chmod 600 "$T/right"
echo four >"$root/a.txt"
expect 0 '' -- release update "${options[@]}" --passphrase-file "$T/right" "$root"
expect 0 '' -- verify check "$root" --no-state --keyring "$KEYS/locked.gpg"

# It appears in no message, argument or environment that others can see, and in no file.
forget
echo five >"$root/a.txt"
expect 0 '*' -- release update "${options[@]}" --verbose --passphrase-file "$T/right" --json "$root"
! grep -q 'correct horse' "$T/stdout" "$T/stderr" || fail "the passphrase is in the report"
! grep -rqs 'correct horse' "$T/publisher" "$root" || fail "the passphrase was written"
if have strace && ! under_wrapper; then
    forget
    echo six >"$root/a.txt"
    traced execve "$REPO_RELEASE" update "${options[@]}" \
        --passphrase-file "$T/right" "$root" || fail "under strace: status $?"
    grep -q execve "$T/trace" || fail "strace saw nothing"
    ! grep 'correct horse' "$T/trace" || fail "the passphrase is in an argument or the environment"
fi
