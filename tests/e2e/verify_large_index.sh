#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# An index that is too large to be copied is read in another compression; where there is none, it is refused.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt_archive.sh"
setup
need apt-ftparchive

ROOT=$T/archive
directory=$ROOT/dists/stable/main/binary-amd64
mkdir -p "$directory"
python3 - 600 >"$directory/Packages" <<'END'
import sys
for number in range(int(sys.argv[1])):
    print("Package: p%d\nVersion: 1\nArchitecture: amd64\nFilename: pool/p%d.deb\nSize: 1\nSHA256: %064x\nDescription: %s\n" %
          (number, number, number, "x" * 460000))
END
[ "$(size_of "$directory/Packages")" -gt $((256 << 20)) ] || fail "the index is not large enough"
gzip -1 -k -n "$directory/Packages"
sign_archive "$ROOT" stable
expect 0 '' -- consume list "$ROOT"
[ "$(wc -l <"$T/stdout")" = 600 ] || fail "$(wc -l <"$T/stdout") packages are listed"
rm "$directory/Packages.gz"
sign_archive "$ROOT" stable
expect 8 'main/binary-amd64/Packages: has more than 268435456 bytes' -- consume list "$ROOT"
