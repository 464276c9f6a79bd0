#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A keyring that is none, or that others could have written to: exit status 2 that names the file, and not
# "nobody has signed". The user's own key ring counts for nothing.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
publish "$root"

keyring()
{
    expect 2 "$2" -- verify check "$root" --no-state --keyring "$1"
    stdout_is_empty
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
expect 2 'fifo.gpg' -- bounded 10 verify check "$root" --no-state --keyring "$T/fifo.gpg"
cp "$KEYS/signer.secret" "$T/secret.gpg"
keyring "$T/secret.gpg" 'secret.gpg.*secret'
cp "$GNUPG/pubring.kbx" "$T/keybox.gpg"
keyring "$T/keybox.gpg" 'keybox.gpg'
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
expect 2 'missing.gpg' -- verify check "$root" --no-state --keyring "$KEYS/signer.gpg" --keyring "$T/missing.gpg"

# Good ones: binary, armoured, two in one file, read-only.
expect 0 '' -- verify check "$root" --no-state --keyring "$KEYS/signer.asc"
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
