#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Connections that break: gone on with where the server vouches that it is the same file, and never so that two files
# are spliced into one (N09). The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root
make_repository "$root"
publish "$root"
serve "$root"
url=http://127.0.0.1:$PORT
package=pool/h/hello-1.0.tar.gz
name=hello-1.0.tar.gz
size=$(size_of "$root/$package")
hash=$(sha256sum <"$root/$package" | cut -c1-16)
mkdir "$T/out"
part=$T/out/.$name.$hash.part record=$T/out/.$name.$hash.etag
fetch()
{
    consume fetch "$url" $package -o "$T/out" --quiet --timeout 5s "$@"
}
# Only the package is there, and it is good.
arrived()
{
    cmp "$T/out/$name" "$root/$package" || fail_above "another file has arrived"
    [ "$(ls -A "$T/out")" = "$name" ] || fail_above "left behind: $(ls -A "$T/out")"
    rm "$T/out/$name"
}

# Within one run: the rest is asked for, and it must be of the same file.
lies "$root" "/$package" "1*cut" 5000
accepts N09-cut -- fetch
asked "$root" "GET /InRelease" "GET /$package" "GET /$package range=bytes=5000- if-range"
arrived
lies "$root" "/$package" "1*cut" 5000
accepts N09-cut-unpack -- consume unpack "$url" $package --into "$T/x" --quiet
grep -q 'range=bytes=5000- if-range' "$root.log" || fail "not gone on with: $(cat "$root.log")"
lies "$root" /InRelease "1*cut" 300
accepts N09-cut-manifest -- consume manifest "$url" --quiet
asked "$root" "GET /InRelease" "GET /InRelease range=bytes=300- if-range"
for etag in 'W/"weak"' 'none' '"' '""' '"no"t"'; do
    lies "$root" "/$package" "1*cut" 5000 "$etag"
    accepts "N09-cut-without-strong-etag-${etag//[^a-z]/}" -- fetch
    ! grep -q range= "$root.log" || [ "$etag" = '"no"t"' ] || fail "$etag: gone on with: $(cat "$root.log")"
    arrived
done
lies "$root" "/$package" "1*cut" 5000
also_lies "$root" "/$package" cut_and_change 5000
accepts N09-another-file-meanwhile -- fetch
arrived
lies "$root" "/$package" "1*cut" 5000
also_lies "$root" "/$package" "1*cut_and_splice" 5000 pool/h/hello-1.2.tar.xz
accepts N09-spliced-once -- fetch
arrived
lies "$root" "/$package" "2*cut_and_shift" 5000
accepts N09-shifted-once -- fetch
arrived

# Over several runs. Where the connection always breaks, what came stays beside, hidden, with its ETag.
WATCHED=("$T/consumer") PARENTS=()
lies "$root" "/$package" cut_always 5000
refuses N09-breaks-always 1 "$url/$package: " -- fetch
[ "$(size_of "$part")" = 5000 ] || fail "nothing was kept: $(ls -lA "$T/out")"
cmp -n 5000 "$part" "$root/$package"
[ "$(stat -c %a "$part" "$record" | sort -u)" = 600 ] || fail "others can read or write what was kept"
[ ! -e "$T/out/$name" ] || fail "a part has the name of the whole"
cp -a "$T/out" "$T/kept"
again()
{
    rm -rf "$T/out"
    cp -a "$T/kept" "$T/out"
}
lies "$root"
accepts N09-gone-on-with -- fetch
asked "$root" "GET /InRelease" "GET /$package range=bytes=5000- if-range"
arrived

again
lies "$root"
accepts N09-gone-on-with-one-of-two -- fetch README.txt
asked "$root" "GET /InRelease" "GET /$package range=bytes=5000- if-range" "GET /README.txt"
rm "$T/out/README.txt"
arrived

# Whatever has happened to it: the whole is hashed, and if it is wrong fetched anew, once.
again
flip "$part" 100
lies "$root"
accepts N09-corrupt -- fetch
asked "$root" "GET /InRelease" "GET /$package range=bytes=5000- if-range" "GET /$package"
arrived
again
head -c 5000 /dev/zero >"$part"
lies "$root"
accepts N09-zeros -- fetch
arrived
again
touch "$root/$package" # another ETag
lies "$root"
accepts N09-other-etag -- fetch
arrived
touch -r "$T/kept/.$name.$hash.part" "$root/$package"
for content in '' 'W/"x"' '"' '"x' '"x" "y"' $'"x"\r\nX-More: y' '"ü"'; do
    again
    printf '%s' "$content" >"$record"
    lies "$root"
    accepts N09-bad-record -- fetch
    ! grep -q range= "$root.log" || fail "gone on with by: $content"
    arrived
done
again
rm "$record"
accepts N09-no-record -- fetch
arrived
again
truncate -s 0 "$part"
accepts N09-empty -- fetch
arrived
again
cp "$root/$package" "$part"
accepts N09-whole -- fetch
arrived
again
truncate -s $((size + 1)) "$part"
accepts N09-too-long -- fetch
arrived
again
lies "$root" "/$package" flip
refuses N09-wrong-in-the-end 7 "$package: SHA256 is" -- fetch
[ -z "$(ls -A "$T/out")" ] || fail "left behind: $(ls -A "$T/out")"

# N18: what somebody else has put in its place. It is neither followed nor written to.
echo precious >"$T/precious"
chmod 600 "$T/precious"
planted()
{
    local what=$1 status=$2
    lies "$root"
    refuses "N18-$what" "$status" '(is in the way|Too many|fetching it|Is a directory)' -- fetch
    [ "$(cat "$T/precious")" = precious ] || fail_above "$what: something else was written to"
    rm -rf "${T:?}/out"
    mkdir "$T/out"
}
rm -rf "$T/out" && mkdir "$T/out"
ln -s "$T/precious" "$part"
planted link-as-part 2
ln "$T/precious" "$part"
planted hard-link-as-part 2
mkfifo "$part"
planted fifo-as-part 2
mkdir "$part"
planted directory-as-part 1
again
chmod 666 "$part"
planted public-part 2
again
rm "$record"
ln -s "$T/precious" "$record"
lies "$root"
accepts N18-link-as-record -- fetch
[ "$(cat "$T/precious")" = precious ] || fail "the record was followed"
arrived
if [ "$(id -u)" = 0 ]; then
    again
    chown 65534 "$part"
    planted part-of-another-user 2
fi

# Two at once: one works, the other one says so.
again
(flock 9 && exec sleep 60) 9<>"$part" &
holder=$!
at_exit "kill $holder 2>/dev/null"
for ((i = 0; i < 100; i++)); do
    flock -n "$part" true || break
    sleep 0.1
done
lies "$root"
refuses N09-two-at-once 10 "$name: another process is fetching it" -- fetch
kill $holder
