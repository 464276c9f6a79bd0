#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G15: hard links, empty files, a sparse file, a name of 255 bytes, and very many files: each listed as what it is, or
# all refused with a reason.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

# So many files are no task for a disk.
root=$T/root
if [ -d /dev/shm ] && [ -w /dev/shm ] && [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
    root=$(mktemp -d /dev/shm/hallmark.XXXXXX)
    at_exit "rm -rf '$root'"
fi
mkdir -p "$root/pool"
echo linked >"$root/pool/one.txt"
ln "$root/pool/one.txt" "$root/pool/two.txt"
: >"$root/pool/empty"
long=$(printf 'n%.0s' {1..255})
echo long >"$root/pool/$long"
truncate -s 300M "$root/pool/sparse"
echo end >>"$root/pool/sparse"
publish "$root"
expect 0 '' -- consume check "$root"
stdout_has 'good: 5 packages'
lists()
{
    local sum
    sum=$(sha256sum <"$root/$1")
    grep -qE "^ ${sum%% *} +$(size_of "$root/$1") $1\$" "$root/Release" ||
        fail_above "$1: $(grep -F " $1" "$root/Release")"
}
for name in one.txt two.txt empty "$long" sparse; do
    lists "pool/$name"
done
rm "$root/pool/sparse"
# Changed under one name, both names change.
echo more >>"$root/pool/one.txt"
publish "$root"
lists pool/one.txt
lists pool/two.txt
expect 0 '' -- consume check "$root"

# More than a manifest has room for: nothing is left out in silence. Then as many as it has room for.
served "$root" >"$T/served"
n=${FAULT_LONG:+1000000}
n=${n:-36000}
python3 - "$root/many" "$n" <<'END'
import os, sys
for i in range(int(sys.argv[2])):
    directory = f"{sys.argv[1]}/{i // 1000:03}"
    if i % 1000 == 0:
        os.makedirs(directory)
    with open(f"{directory}/{i:07}-{'n' * 200}", "w") as file:
        file.write(str(i % 10))
END
expect 8 "the manifest of $((n + 4)) files has [0-9]+ bytes; apt and our own clients refuse more than 10000000" -- \
    release update "${PUBLISHER[@]}" "$root"
served_is "$root" "$T/served"
rm -r "$root"/many/0[2-9]* "$root"/many/[1-9]* 2>/dev/null || :
publish "$root"
expect 0 '' -- consume check "$root"
stdout_has 'good: 20004 packages'
