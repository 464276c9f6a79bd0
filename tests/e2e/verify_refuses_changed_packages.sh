#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A package that is not what was signed: one line with the reason, exit status 7, and nothing unpacked.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root"
path=pool/h/hello-1.0.tar.gz
file=$root/$path
size=$(size_of "$file")
cp -p "$file" "$T/good"
mkdir "$T/out"
expect 0 '' -- consume check "$root"
snapshot "$T/consumer" >"$T/consumer.before"

refused()
{
    local regex=$1
    expect_bad 1 4 "$path: .*$regex" -- bounded 20 verify "${CONSUMER[@]}" check "$root"
    expect_bad 1 1 "$path: .*$regex" -- consume "$root" "$path"
    expect 7 "$path: .*$regex" -- consume unpack "$root" "$path" --into "$T/out/x"
    nothing_unpacked "$T/out/x"
    expect 0 '' -- consume check "$root" pool/h/hello-1.2.tar.xz
    unchanged "$T/consumer" "$T/consumer.before"
    rm -rf "$file"
    cp -p "$T/good" "$file"
}

hash='SHA256 is [0-9a-f]+.*the manifest says [0-9a-f]+'
flip "$file" 0
refused "$hash"
flip "$file" $((size / 2))
refused "$hash"
flip "$file" $((size - 1))
refused "$hash"
truncate -s $((size - 1)) "$file"
refused "$((size - 1)) bytes"
printf x >>"$file"
refused "$((size + 1)) bytes"
: >"$file"
refused "0 bytes"
truncate -s 1T "$file"
refused "1099511627776 bytes"
rm "$file"
refused 'missing'
cp "$root/pool/w/world-2.0.tar.bz2" "$file"
refused "bytes"

# Things that are no file: whatever they are called, never a hang and never good.
rm "$file" && mkdir "$file"
refused '(directory|not a regular file|no regular file)'
rm "$file" && mkfifo "$file"
refused '(not a regular file|no regular file|fifo)'

# Several at once: one line each and the whole count.
flip "$file" 20
rm "$root/pool/w/world-2.0.tar.bz2"
expect_bad 2 4 'pool/(h/hello-1.0.tar.gz: SHA256|w/world-2.0.tar.bz2: .*missing)' -- consume check "$root"
expect 7 '*' -- consume check "$root" --json
json "o['status'] == 'bad' and o['exit'] == 7 and o['n_checked'] == 4 and o['n_bad'] == 2"
json "[p['path'] for p in o['problems']] == ['$path', 'pool/w/world-2.0.tar.bz2']"
json "all(p['code'] == 7 and p['text'] for p in o['problems'])"

cp -p "$T/good" "$file"
expect_bad 1 4 'pool/w/world-2.0.tar.bz2: .*missing' -- consume check "$root"
