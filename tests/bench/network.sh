#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# network.sh [OPTION...] [N]: measures how long N small packages (1000) take from nginx on this machine, verified, beside
# curl --parallel, aria2c and wget2, which verify nothing; and prints a table. From the top of the source tree, with a
# build in build/.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib.sh"
. "$here/../repository.sh"
. "$here/../apt.sh"
need python3 cc nginx curl
for word in "$@"; do
    case $word in --help | -h) exec python3 "$here/network.py" --help ;; esac
done
output=$PWD
setup
cc -O2 -o "$T/probe" "$here/probe.c" -lcrypto
mkdir "$T/bench" "$T/bench/etc" "$T/served"
start_server "$T/served"
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
cd "$output"
REPO_RELEASE=$REPO_RELEASE REPO_VERIFY=$REPO_VERIFY REPO_MIRROR=$REPO_MIRROR BENCH_PROBE=$T/probe BENCH_GNUPG=$GNUPG \
    BENCH_KEY=$KEY BENCH_KEYRING=$KEYS/signer.gpg BENCH_WORK=$T/bench BENCH_SERVED=$T/served \
    BENCH_URL=http://127.0.0.1:$PORT PYTHONDONTWRITEBYTECODE=1 python3 "$here/network.py" "$@"
