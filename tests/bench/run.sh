#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# run.sh [--smoke] [OPTION...] [N...]: measures the tools beside others over synthetic repositories of N packages, and
# prints a table; run.sh --help lists the options. From the top of the source tree, with a build in build/.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib.sh"
. "$here/../repository.sh"
need python3 cc gpgv openssl sha256sum
for word in "$@"; do
    case $word in --help | -h) exec python3 "$here/bench.py" --help ;; esac
done
output=$PWD
setup
cc -O2 -o "$T/probe" "$here/probe.c" -lcrypto
mkdir "$T/bench" "$T/bench/etc"
cd "$output"
REPO_RELEASE=$REPO_RELEASE REPO_VERIFY=$REPO_VERIFY BENCH_PROBE=$T/probe BENCH_GNUPG=$GNUPG BENCH_KEY=$KEY \
    BENCH_KEYRING=$KEYS/signer.gpg BENCH_WORK=$T/bench PYTHONDONTWRITEBYTECODE=1 python3 "$here/bench.py" "$@"
