#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# A package that is not what was signed: one line with the reason, exit status 7, nothing unpacked and nothing
# changed; what is unpacked is what was hashed, whoever writes to the file meanwhile. The names are the cases of
# tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup

root=$T/root
make_repository "$root"
make_package "$root/pool/h/twin-1.0.tar" "twin 1.0"
make_package "$root/pool/h/twin-2.0.tar" "twin 2.0"
publish "$root"
path=pool/h/hello-1.0.tar.gz
file=$root/$path
size=$(size_of "$file")
cp -p "$file" "$T/good"
mkdir "$T/out"
expect 0 '' -- consume check "$root"
WATCHED=("$root" "$T/consumer") PARENTS=("$T/out")
echo here before >"$T/out/other"

# refused CASE REGEX: of the package as it is now, by every command that looks at it.
refused()
{
    local what=$1 regex=$2
    refuses "$what" 7 "^repo-verify: $path: .*$regex" -- bounded 20 verify "${CONSUMER[@]}" unpack "$root" "$path" \
        --into "$T/out/x"
    watched >"$T/before"
    expect_bad 1 8 "$path: .*$regex" -- bounded 20 verify "${CONSUMER[@]}" check "$root"
    expect_bad 1 1 "$path: .*$regex" -- consume "$root" "$path"
    watched | diff "$T/before" - || fail "$what: something has changed"
    rm -rf "$file"
    cp -p "$T/good" "$file"
}

hash='SHA256 is [0-9a-f]+.*the manifest says [0-9a-f]+'
flip "$file" 0
refused P01-first-byte "$hash"
flip "$file" $((size / 2))
refused P01-in-the-middle "$hash"
flip "$file" $((size - 1))
refused P01-last-byte "$hash"
truncate -s $((size - 1)) "$file"
refused P02-one-byte-less "$((size - 1)) bytes"
printf x >>"$file"
refused P02-one-byte-more "$((size + 1)) bytes"
: >"$file"
refused P02-empty "0 bytes"
head -c "$size" /dev/urandom >"$file"
refused P02-other-bytes-of-that-size "$hash"
rm "$file"
refused P02-missing 'missing'
cp "$root/pool/w/world-2.0.tar.bz2" "$file"
refused P07-another-package "bytes"

# Large at once, by its size: nothing is read.
for large in 7E 1P 15T 1T; do
    ! truncate -s $large "$file" 2>/dev/null || break
done
WATCHED=("$T/consumer")
stat "$file" >"$T/stat"
refuses P10-sparse 7 "$path: has $(size_of "$file") bytes" -- bounded 20 verify "${CONSUMER[@]}" unpack "$root" "$path" \
    --into "$T/out/x"
stat "$file" | grep -v '^Access: [0-9]' | diff <(grep -v '^Access: [0-9]' "$T/stat") - || fail "the package was changed"
rm "$file"
cp -p "$T/good" "$file"
WATCHED=("$root" "$T/consumer")
if have strace && truncate -s 1G "$file"; then
    traced read,pread64,mmap,copy_file_range,sendfile,splice -P "$file" "$REPO_VERIFY" "${CONSUMER[@]}" check "$root" \
        "$path" >"$T/stdout" 2>&1 || :
    ! grep -E '^[0-9]+ +[a-z]' "$T/trace" || fail "a file of a wrong size was read"
    passed P10-is-not-read "no read"
    rm "$file"
    cp -p "$T/good" "$file"
fi

# Two packages of the same size, the newer one in the place of the older one and the other way round.
[ "$(size_of "$root/pool/h/twin-1.0.tar")" = "$(size_of "$root/pool/h/twin-2.0.tar")" ] || fail "the twins differ in size"
cp -a "$root/pool/h" "$T/h"
for pair in "1 2" "2 1"; do
    read -r asked other <<<"$pair"
    cp "$T/h/twin-$other.0.tar" "$root/pool/h/twin-$asked.0.tar"
    refuses "P07-twin-$other-for-$asked" 7 "twin-$asked.0.tar: $hash" -- consume unpack "$root" "pool/h/twin-$asked.0.tar" \
        --into "$T/out/x"
    rm -rf "$root/pool/h"
    cp -a "$T/h" "$root/pool/h"
done

# What is not in the manifest, though it is there; what is only nearly what was asked for.
make_package "$root/pool/h/new-1.0.tar.gz" new
n=0
for name in pool/h/new-1.0.tar.gz new new-1.0.tar.gz "$root/$path" ../root/README.txt /etc/passwd Release InRelease \
    .hallmark/current/Release pool/h "" . .. 'hello*' pool//h/hello-1.0.tar.gz ./README.txt README.TXT; do
    n=$((n + 1))
    refuses "P03-not-listed-$n" 11 'no .*package|no package' -- consume unpack "$root" "$name" --into "$T/out/x"
done
rm "$root/pool/h/new-1.0.tar.gz"

# An older version that is still listed: only for one who asks for exactly that, and it is said.
told()
{
    echo "case $1"
    expect 0 "$2" -- consume unpack "$root" "$3" --into "$T/out/x"
    rm -rf "$T/out/x"
    passed "$1" "accepted, and said"
}
told P08-newest-of-the-name 'hello is pool/h/hello-1.2.tar.xz' hello
told P08-older-one-by-its-name 'hello-1.0.tar.gz is pool/h/hello-1.0.tar.gz' hello-1.0.tar.gz

# Things that are no file: whatever they are called, never a hang and never good.
rm "$file" && mkdir "$file"
refused N18-directory '(directory|not a regular file|no regular file)'
rm "$file" && mkfifo "$file"
refused N18-fifo '(not a regular file|no regular file|fifo)'
rm "$file" && ln -s "$T/good" "$file"
refused N18-symlink '(symbolic link|not a regular file|no regular file)'
rm "$file" && ln -s /dev/zero "$file"
refused N18-link-to-a-device '(symbolic link|not a regular file|no regular file)'
mv "$root/pool/h" "$T/elsewhere" && ln -s "$T/elsewhere" "$root/pool/h"
refuses N18-linked-directory 7 "$path: " -- consume unpack "$root" "$path" --into "$T/out/x"
rm "$root/pool/h" && mv "$T/elsewhere" "$root/pool/h"

# Somebody exchanges the file, or writes into it, while it is read: what is unpacked is good, or nothing is.
cp "$T/h/twin-2.0.tar" "$T/evil"
busy()
{
    local what=$1 i status good=0
    python3 -c "import os, sys, time
file, good, evil = sys.argv[1:]
g, e = open(good, 'rb').read(), open(evil, 'rb').read()
$2
" "$root/pool/h/twin-1.0.tar" "$T/h/twin-1.0.tar" "$T/evil" &
    local writer=$!
    for ((i = 0; i < 12; i++)); do
        status=0
        consume unpack "$root" pool/h/twin-1.0.tar --into "$T/out/x" --quiet 2>"$T/stderr" || status=$?
        case $status in
        0)
            good=$((good + 1))
            grep -q 'twin 1.0' "$T/out/x/twin-1.0/src/main.c" || fail "$what: something else was unpacked"
            [ ! -e "$T/out/x/twin-2.0" ] || fail "$what: something else was unpacked"
            rm -rf "$T/out/x"
            ;;
        7) [ ! -e "$T/out/x" ] || fail "$what: unpacked what was refused" ;;
        *) fail "$what: exit status $status: $(cat "$T/stderr")" ;;
        esac
        [ "$(ls -A "$T/out")" = other ] || fail "$what: left behind: $(ls -A "$T/out")"
    done
    kill $writer
    wait $writer 2>/dev/null || :
    rm -rf "$root/pool/h"
    cp -a "$T/h" "$root/pool/h"
    passed "$what" "good $good times of 12, else exit status 7"
}
busy P04-exchanged 'while True:
    for data in (e, g):
        with open(file + ".new", "wb") as f:
            f.write(data)
        os.rename(file + ".new", file)
        time.sleep(0.002)'
busy P06-other-bytes-at-each-reading 'f = os.open(file, os.O_WRONLY)
while True:
    for data in (e, g):
        os.pwrite(f, data, 0)
        time.sleep(0.001)'
busy P04-cut-and-grown 'while True:
    os.truncate(file, 100)
    with open(file, "r+b") as f:
        f.write(g)
    time.sleep(0.002)'
# It is opened once, and the archive is not read there but in a private copy.
if have strace; then
    traced open,openat,openat2 "$REPO_VERIFY" "${CONSUMER[@]}" unpack "$root" pool/h/twin-1.0.tar --into "$T/out/x" >"$T/stdout"
    [ "$(grep -c 'twin-1.0.tar"' "$T/trace")" = 1 ] || fail "opened more than once: $(grep twin "$T/trace")"
    rm -rf "$T/out/x"
    passed P06-opened-once "one open"
fi

# The reader has no cache: other bytes of the same size and time are seen. No digest but SHA-2 decides anything.
cp -p "$file" "$T/stamp"
flip "$file" 30
touch -r "$T/stamp" "$file"
refused P11-size-and-time-restored "$hash"
users=$(cd "$srcdir/src" && grep -lE 'crypto/checksum\.h|xxh' -r . | sort | tr '\n' ' ')
wanted="./crypto/checksum.c ./crypto/checksum.h ./repo/contents_cache.c ./repo/digest_cache.c ./repo/index_stamps.c "
[ "$users" = "$wanted" ] || fail "xxHash is used by $users"
passed P12-xxhash-is-for-the-caches-only "by its users"

# Several at once: one line each and the whole count.
flip "$file" 20
rm "$root/pool/w/world-2.0.tar.bz2"
expect_bad 2 8 'pool/(h/hello-1.0.tar.gz: SHA256|w/world-2.0.tar.bz2: .*missing)' -- consume check "$root"
expect 7 '*' -- consume check "$root" --json
json "o['status'] == 'bad' and o['exit'] == 7 and o['n_checked'] == 6 and o['n_bad'] == 2"
json "[p['path'] for p in o['problems']] == ['$path', 'pool/w/world-2.0.tar.bz2']"
json "all(p['code'] == 7 and p['text'] for p in o['problems'])"

cp -p "$T/good" "$file"
expect_bad 1 8 'pool/w/world-2.0.tar.bz2: .*missing' -- consume check "$root"
