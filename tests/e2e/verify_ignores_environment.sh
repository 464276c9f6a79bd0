#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whoever controls PATH, GNUPGHOME or a gpg.conf controls neither what is run nor the verdict. The names are the
# cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup

root=$T/root evil=$T/evil
mkdir "$root" "$evil"
echo one >"$root/a.txt"
publish "$root" --valid-for 30d
cp "$root/Release" "$T/Release"
copy_home evil "$T/evilhome"
cp "$root/a.txt" "$evil"
# The key of the signature comes along in it.
clearsign_as "$T/evilhome" "$(cat "$KEYS/evil.fpr")" "$T/Release" --include-key-block >"$evil/InRelease"

mkdir "$T/bin"
for program in gpg gpgv gpg2 gpgconf gpgsm gpg-agent dirmngr sh tar gzip xz; do
    printf '#!/bin/sh\necho "$0 $*" >>%s/was-run\nexit 0\n' "$T" >"$T/bin/$program"
    chmod 755 "$T/bin/$program"
done
mkdir -m 700 "$T/hostile"
cp "$KEYS/evil.gpg" "$T/hostile/pubring.gpg"
cp "$KEYS/evil.gpg" "$T/hostile/trustedkeys.gpg"
printf 'auto-key-import\nauto-key-retrieve\nkeyring %s\ntrust-model always\nignore-time-conflict\n' \
    "$KEYS/evil.gpg" >"$T/hostile/gpg.conf"
mkdir "$HOME/.gnupg" && cp "$T/hostile/"* "$HOME/.gnupg/"

hostile()
{
    PATH=$T/bin:$PATH GNUPGHOME=$T/hostile GPG_AGENT_INFO=/nowhere:1:1 LANG=de_DE.UTF-8 LANGUAGE=de \
        TZ=America/St_Johns "$@"
}
accepts S46-good-in-a-hostile-environment -- hostile verify "${CONSUMER[@]}" --quiet check "$root"
WATCHED=("$root" "$evil" "$T/consumer" "$T/hostile" "$HOME")
refuses S46-evil-in-a-hostile-environment 3 'InRelease: .*not in the keyring' -- hostile verify "${CONSUMER[@]}" check "$evil"
refuses S45-key-that-comes-along 3 'InRelease: .*not in the keyring' -- env GNUPGHOME="$T/hostile" "$REPO_VERIFY" \
    "${CONSUMER[@]}" check "$evil"
expect 0 '' -- verify "${CONSUMER[@]}" check "$root"
expect 3 'InRelease' -- verify "${CONSUMER[@]}" check "$evil"
env=(env -i)
[ -z "${LD_LIBRARY_PATH:-}" ] || env+=("LD_LIBRARY_PATH=$LD_LIBRARY_PATH")
expect 0 '' -- "${env[@]}" "$REPO_VERIFY" "${CONSUMER[@]}" check "$root"
# What is loaded into us by the user is the user's affair, but gpg does not get it.
if [ -n "${CC:-$(command -v cc || :)}" ] && ! under_wrapper && ! grep -qF libasan <(ldd "$REPO_VERIFY"); then
    cat >"$T/preload.c" <<END
#include <stdio.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    FILE *f = fopen("$T/loaded", "a");

    if (f && n > 0)
        fprintf(f, "%.*s\\n", (int)n, path);
    if (f)
        fclose(f);
}
END
    if ${CC:-cc} -shared -fPIC -o "$T/preload.so" "$T/preload.c" 2>/dev/null; then
        accepts S46-preloaded -- env LD_PRELOAD="$T/preload.so" "$REPO_VERIFY" "${CONSUMER[@]}" --quiet check "$root"
        grep -q repo-verify "$T/loaded" || fail "nothing was loaded into anything"
        ! grep -E 'gpg' "$T/loaded" || fail "loaded into gpg as well"
    fi
fi
[ ! -e "$T/was-run" ] || fail "run: $(cat "$T/was-run")"

# No agent is started for verifying, and no home directory is made.
[ -z "$(find "$T/hostile" "$HOME/.gnupg" -name 'S.*')" ] || fail "an agent was started"
[ ! -e "$T/hostile/trustdb.gpg" ] || fail "gpg wrote into the user's home"
