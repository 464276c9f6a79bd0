#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# scale.sh [N]: one repository of N small packages (1000000) in the layout apt, once through each kind of run; prints
# what each took, memory too. The packages are sparse: some 4 KB of disk each. From the top of the source tree, with a
# build in build/; TMPDIR says where there is room.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib.sh"
. "$here/../repository.sh"
need python3 cc
case ${1:-1000000} in
*[!0-9]* | '') echo "usage: tests/bench/scale.sh [N]" >&2 && exit 2 ;;
esac
setup
cc -O2 -o "$T/probe" "$here/probe.c" -lcrypto
mkdir "$T/bench" "$T/bench/etc"
REPO_RELEASE=$REPO_RELEASE REPO_VERIFY=$REPO_VERIFY BENCH_PROBE=$T/probe BENCH_GNUPG=$GNUPG BENCH_KEY=$KEY \
    BENCH_KEYRING=$KEYS/signer.gpg BENCH_WORK=$T/bench PYTHONDONTWRITEBYTECODE=1 python3 "$here/scale.py" "${1:-1000000}"
