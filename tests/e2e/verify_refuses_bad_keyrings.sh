#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A keyring that is none, or that others could have written to: exit status 2 that names the file, and not
# "nobody has signed". The user's own key ring counts for nothing. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
publish "$root"

expect 0 '' -- consume check "$root"
WATCHED=("$root" "$T/consumer")

# keyring FILE REGEX
keyring()
{
    local name=${1##*/}
    refuses "S51-${name%.*}" 2 "$2" -- bounded 20 verify check "$root" --state "$T/consumer" --keyring "$1"
}
keyring "$T/missing.gpg" 'missing.gpg'
: >"$T/empty.gpg"
keyring "$T/empty.gpg" 'empty.gpg.*empty'
head -c 1000 /dev/urandom >"$T/random.gpg"
keyring "$T/random.gpg" 'random.gpg'
echo "hello" >"$T/text.gpg"
keyring "$T/text.gpg" 'text.gpg'
mkdir "$T/dir.gpg"
keyring "$T/dir.gpg" 'dir.gpg'
mkfifo "$T/fifo.gpg"
keyring "$T/fifo.gpg" 'fifo.gpg'
ln -s /dev/zero "$T/device.gpg"
keyring "$T/device.gpg" 'device.gpg'
truncate -s 65M "$T/large.gpg"
keyring "$T/large.gpg" 'large.gpg'
cp "$KEYS/signer.gpg" "$T/tail.gpg"
echo tail >>"$T/tail.gpg"
keyring "$T/tail.gpg" 'tail.gpg'
cat "$root/Release.gpg" "$KEYS/signer.asc" >"$T/other-block-first.asc"
keyring "$T/other-block-first.asc" 'other-block-first.asc'
{ cat "$KEYS/signer.asc" && echo text; } >"$T/text-behind.asc"
keyring "$T/text-behind.asc" 'text-behind.asc'
{ cat "$KEYS/signer.gpg" "$KEYS/signer.secret"; } >"$T/secret-behind.gpg"
keyring "$T/secret-behind.gpg" 'secret-behind.gpg.*secret'
{ cat "$KEYS/signer.gpg" && gpg --homedir "$GNUPG" --batch --quiet --store -o - "$root/a.txt"; } >"$T/literal-behind.gpg"
keyring "$T/literal-behind.gpg" 'literal-behind.gpg.*(public keys only|definite length)'
cp "$KEYS/signer.secret" "$T/secret.gpg"
keyring "$T/secret.gpg" 'secret.gpg.*secret'
cp "$GNUPG/pubring.kbx" "$T/keybox.gpg"
keyring "$T/keybox.gpg" 'keybox.gpg: is a keybox of GnuPG; what "gpg --export" writes'
head -c $(($(size_of "$KEYS/signer.gpg") - 7)) "$KEYS/signer.gpg" >"$T/cut.gpg"
keyring "$T/cut.gpg" 'cut.gpg'
cp "$root/Release.gpg" "$T/signature.asc"
keyring "$T/signature.asc" 'signature.asc'
for mode in 664 646 666; do
    cp "$KEYS/signer.gpg" "$T/mode$mode.gpg"
    chmod $mode "$T/mode$mode.gpg"
    keyring "$T/mode$mode.gpg" "mode$mode.gpg.*writ"
done
cp "$KEYS/signer.asc" "$T/broken.asc"
sed -i '4d' "$T/broken.asc"
keyring "$T/broken.asc" 'broken.asc'
# One bad keyring spoils it even where another one would do.
refuses S51-good-and-missing 2 'missing.gpg' -- verify check "$root" --keyring "$KEYS/signer.gpg" --keyring "$T/missing.gpg" \
    --state "$T/consumer"
refuses S51-directory-of-keyrings 2 'not a regular file' -- verify check "$root" --keyring "$KEYS" --state "$T/consumer"

# Good ones: binary, armoured, two in one file, read-only.
accepts S51-armoured -- verify check "$root" --no-state --keyring "$KEYS/signer.asc" --quiet
cat "$KEYS/second.gpg" "$KEYS/signer.gpg" >"$T/both.gpg"
expect 0 '' -- verify check "$root" --no-state --keyring "$T/both.gpg"
cat "$KEYS/second.asc" "$KEYS/signer.asc" >"$T/both.asc"
expect 0 '' -- verify check "$root" --no-state --keyring "$T/both.asc"
cp "$KEYS/signer.gpg" "$T/readonly.gpg"
chmod 400 "$T/readonly.gpg"
expect 0 '' -- verify check "$root" --no-state --keyring "$T/readonly.gpg"

# Without a keyring: the system's, never the user's own.
if [ ! -e /etc/hallmark/keyrings ]; then
    mkdir -m 700 "$HOME/.gnupg"
    cp "$KEYS/signer.gpg" "$HOME/.gnupg/pubring.gpg"
    cp "$KEYS/signer.gpg" "$HOME/.gnupg/trustedkeys.gpg"
    expect 2 'keyring' -- verify check "$root" --no-state
    GNUPGHOME=$HOME/.gnupg expect 2 'keyring' -- verify check "$root" --no-state
fi
