#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# An origin that publishes all the time, two mirrors of it, of which one stands behind a server that lies, and clients:
# repo-verify, and apt. Nobody accepts anything wrong or older than before, and who knows the honest mirror always gets
# what it wants. TIERS_CYCLES says how often all lies are told, once if it is not set; 12 take some minutes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
PATH=$PATH:/usr/sbin
need nginx python3
setup
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY

apt=() architecture=amd64
if have apt-get && have dpkg; then
    architecture=$(dpkg --print-architecture)
    apt=(--apt-keyring "$KEYS/signer.asc")
else
    echo "not tried: apt, which is not here" >&2
fi
chmod 755 "$T"
mkdir "$T/tiers"
publisher=("$REPO_RELEASE" update "${PUBLISHER[@]}" --layout apt --suite stable --architecture "$architecture"
    --keep-for 60s --quiet)
PYTHONDONTWRITEBYTECODE=1 python3 "$srcdir/tests/net/tiers.py" --cycles "${TIERS_CYCLES:-1}" --top "$T/tiers" \
    --keyring "$KEYS/signer.gpg" "${apt[@]}" --verify "$REPO_VERIFY" --mirror "$REPO_MIRROR" -- "${publisher[@]}" ||
    fail "see above"
