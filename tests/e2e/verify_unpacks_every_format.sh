#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What unpack makes of every format is what GNU tar and dpkg-deb make of it, and it appears whole.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
packages=()
for ext in tar tar.gz tgz tar.bz2 tbz2 tar.xz txz tar.lzma tlz tar.zst tzst; do
    make_package "$root/$ext/${ext//./}-1.0.$ext" "$ext"
    packages+=("$ext/${ext//./}-1.0.$ext")
done
if have dpkg-deb; then
    make_package "$root/pkg_1.0-1_all.deb" deb
    packages+=(pkg_1.0-1_all.deb)
fi
publish "$root"

mkdir "$T/out" "$T/reference"
for package in "${packages[@]}"; do
    name=${package##*/}
    expect 0 '' -- consume unpack "$root" "$package" --into "$T/out/$name"
    unpack_reference "$root/$package" "$T/reference/$name"
    same_tree "$T/out/$name" "$T/reference/$name"
    [ "$(find "$T/out" -mindepth 1 -maxdepth 1)" = "$T/out/$name" ] || fail "left behind: $(ls -A "$T/out")"
    rm -rf "$T/out/$name"
done

# A sparse file, in every form that GNU tar writes, beside a very long name.
long=$(printf 'component%.0s/' {1..30})
mkdir -p "$T/s/sparse/$long"
truncate -s 3M "$T/s/sparse/file"
for at in 0 1000000 2500000; do
    echo "some data" | dd of="$T/s/sparse/file" bs=1 seek=$at conv=notrunc status=none
done
echo long >"$T/s/sparse/$long/file"
mkdir "$T/sparse"
for format in gnu pax; do
    tar -C "$T/s" --format=$format -Sczf "$T/sparse/$format-1.0.tar.gz" sparse
done
tar -C "$T/s" --format=pax --sparse-version=0.1 -Sczf "$T/sparse/older-1.0.tar.gz" sparse
expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/state2" "$T/sparse"
for name in gnu pax older; do
    expect 0 '' -- consume unpack "$T/sparse" $name-1.0.tar.gz --into "$T/out/$name"
    same_tree "$T/out/$name/sparse" "$T/s/sparse"
    rm -rf "$T/out/$name"
done

# By file name and by name, with a report.
expect 0 '*' -- consume unpack "$root" "targz-1.0.tar.gz" --into "$T/out/a" --json
json "o['status'] == 'good' and o['exit'] == 0 and o['error'] is None"
json "o['package'] == 'tar.gz/targz-1.0.tar.gz' and o['into'] == '$T/out/a'"
n=$(tar -tf "$root/tar.gz/targz-1.0.tar.gz" | wc -l)
json "o['n_entries'] == $n and o['n_bytes'] > 20000 and isinstance(o['sandbox'], str)"
same_tree "$T/out/a" "$T/out/a"
expect 0 'targz/?.*targz-1.0.tar.gz|targz-1.0.tar.gz' -- consume unpack "$root" targz --into "$T/out/b"
diff -r --no-dereference "$T/out/a" "$T/out/b" || fail "by name it is something else"

# The umask of who unpacks does not matter for what was packed, nor do private modes leak.
(umask 077 && expect 0 '' -- consume unpack "$root" txz/txz-1.0.txz --into "$T/out/c")
unpack_reference "$root/txz/txz-1.0.txz" "$T/reference/c"
same_tree "$T/out/c" "$T/reference/c"
[ "$(stat -c %a "$T/out/c")" = 755 ] || [ "$(stat -c %a "$T/out/c")" = 700 ] || fail "the top directory's mode"

# A limit that is too small, and one that is not.
expect 9 'targz-1.0.tar.gz.*(limit|more than|at most)' -- \
    consume unpack "$root" tar.gz/targz-1.0.tar.gz --into "$T/out/d" --max-entries $((n - 1))
expect 9 'targz-1.0.tar.gz.*(limit|more than|at most)' -- \
    consume unpack "$root" tar.gz/targz-1.0.tar.gz --into "$T/out/d" --max-size 20K
[ ! -e "$T/out/d" ] || fail "unpacked beyond its limits"
expect 0 '' -- consume unpack "$root" tar.gz/targz-1.0.tar.gz --into "$T/out/d" --max-entries "$n" --max-size 1M
[ "$(find "$T/out" -mindepth 1 -maxdepth 1 | wc -l)" = 4 ] || fail "left behind: $(ls -A "$T/out")"
