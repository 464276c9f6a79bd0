#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# A gpg that is missing, dies, hangs, says nothing, or says what does not add up: exit status 1 or 3, never a verdict
# in favour, and nothing changed. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup
need unshare
setup_attacks

gpg=$(readlink -f "$(command -v gpg)")
cp "$gpg" "$T/real-gpg"
private=(unshare --mount --propagation private)
[ "$(id -u)" = 0 ] || private+=(--map-root-user)
"${private[@]}" mount --bind /bin/true "$gpg" 2>/dev/null || skip "nothing can be mounted in a namespace of one's own here"

# with_gpg PROGRAM COMMAND...: COMMAND in a world in which PROGRAM is gpg.
with_gpg()
{
    "${private[@]}" sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$1" "$gpg" "${@:2}"
}

# speaks COMMANDS: $T/gpg does what gpg should, but COMMANDS in place of verifying.
# broken CASE STATUS REGEX COMMANDS: such a gpg is not believed.
speaks()
{
    # shellcheck disable=SC2016 # for the script
    printf '#!/bin/bash\nexec 2>/dev/null\ncase "$*" in *--verify*) ;; *) exec %q "$@" ;; esac
while [ "$1" != --status-fd ]; do shift; done
say() { echo "[GNUPG:] $*" >&$fd; }
fd=$2 fpr=%s\n%s\n' "$T/real-gpg" "$KEY" "$1" >"$T/gpg"
    chmod 755 "$T/gpg"
}
broken()
{
    speaks "$4"
    refuses "$1" "$2" "$3" -- with_gpg "$T/gpg" timeout 60 "$REPO_VERIFY" "${CONSUMER[@]}" unpack "$bad" \
        pool/hello-1.0.tar.gz --into "$T/out/x"
}
replaced()
{
    refuses "$1" 1 "$2" -- with_gpg "$3" timeout 60 "$REPO_VERIFY" "${CONSUMER[@]}" unpack "$bad" pool/hello-1.0.tar.gz \
        --into "$T/out/x"
}

accepts S47-in-a-namespace -- with_gpg "$T/real-gpg" "$REPO_VERIFY" "${CONSUMER[@]}" --quiet unpack "$bad" \
    pool/hello-1.0.tar.gz --into "$T/out/x"
rm -rf "$T/out/x"
echo "no program" >"$T/text"
replaced S47-not-executable 'gpg is not installed' "$T/text"
chmod 755 "$T/text"
replaced S47-no-program 'gpg' "$T/text"
replaced S47-true 'gpg' "$(readlink -f /bin/true)"
replaced S47-false 'gpg' "$(readlink -f /bin/false)"
replaced S47-cat 'gpg' "$(readlink -f /bin/cat)"
broken S47-silent 1 'gpg' 'exit 0'
broken S47-fails 1 'gpg' 'exit 2'
broken S47-killed 1 'gpg' 'kill -9 $$'
broken S47-killed-in-the-middle 1 'gpg' 'say NEWSIG; kill -9 $$'
broken S47-garbage 1 'gpg' 'head -c 100000 /dev/urandom >&$fd'
broken S47-starts-only 1 'gpg' 'say NEWSIG'

# What gpg says of this signature. Each case differs from it in what its name says, so that nothing else refuses it.
packet=$(gpg --homedir "$GNUPG" --list-packets "$bad/Release.gpg")
created=$(sed -n 's/.* created \([0-9]*\),.*/\1/p' <<<"$packet")
digest=$(sed -n 's/.*digest algo \([0-9]*\),.*/\1/p' <<<"$packet")
good='say GOODSIG ${fpr:24} signer'
valid="say VALIDSIG \$fpr 2026-11-22 $created 0 4 0 22 $digest 01 \$fpr"
other=0123456789ABCDEF0123456789ABCDEF01234567
other_digest=$((digest == 10 ? 8 : 10))
speaks "say NEWSIG; $good; $valid"
accepts S48-nothing-wrong -- with_gpg "$T/gpg" "$REPO_VERIFY" "${CONSUMER[@]}" --quiet unpack "$bad" \
    pool/hello-1.0.tar.gz --into "$T/out/x"
rm -rf "$T/out/x"
broken S48-goodsig-only 3 'gpg' "say NEWSIG; $good"
broken S48-validsig-only 3 'gpg' "say NEWSIG; $valid"
broken S48-without-newsig 3 'gpg' "$good; $valid"
broken S48-other-fingerprint 3 'gpg' "say NEWSIG; $good; ${valid//\$fpr/$other}"
broken S48-other-primary-key 3 'gpg' "say NEWSIG; $good; ${valid/01 \$fpr/01 $other}"
broken S48-other-key-id 3 'gpg' "say NEWSIG; say GOODSIG 0123456789ABCDEF signer; $valid"
broken S48-short-key-id 3 'gpg' "say NEWSIG; say GOODSIG \${fpr:32} signer; $valid"
broken S48-long-key-id 3 'gpg' "say NEWSIG; say GOODSIG \${fpr}00 signer; $valid"
broken S48-without-key-id 3 'gpg' "say NEWSIG; say GOODSIG; $valid"
broken S48-twice-valid 3 'gpg' "say NEWSIG; $good; $valid; $valid"
broken S48-twice-good 1 'gpg' "say NEWSIG; $good; $good; $valid"
broken S48-bad-and-valid 3 'bad signature' "say NEWSIG; say BADSIG \${fpr:24} signer; $valid"
broken S48-good-but-another-date 3 'disagree' "say NEWSIG; $good; ${valid/$created/$((created + 1))}"
broken S48-trust-never 3 'gpg' "say NEWSIG; $good; $valid; say TRUST_NEVER 0 always"
broken S48-good-of-another-digest 3 'disagree' "say NEWSIG; $good; ${valid/ $digest 01/ $other_digest 01}"
broken S48-good-but-expired 3 'expired' "say NEWSIG; $good; ${valid/$created 0/$created $((created + 1))}"

# One that hangs is ended after its time; it takes half a minute.
broken S47-hangs 1 'gpg.*(time|second)' 'sleep 1000 & wait'
[ -z "$(pgrep -f "$T/gpg" || :)" ] || fail "a hanging gpg was left behind"
