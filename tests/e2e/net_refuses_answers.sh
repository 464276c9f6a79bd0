#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Servers that lie about how long something is, how it is written, and when it comes: a limited number of bytes
# and of seconds, nothing left behind. The names are the cases of tests/ATTACKS.
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
mkdir "$T/out"
expect 0 '' -- consume check "$url"
WATCHED=("$T/consumer") PARENTS=("$T/out")

# Long enough for any machine, but where it is what ends the wait.
patience=30s

# lie CASE STATUS REGEX LIE...: about the manifest; lie_package: about a package, which is unpacked and fetched.
lie()
{
    local what=$1 status=$2 regex=$3
    shift 3
    lies "$root" /InRelease "$@"
    refuses "$what-manifest" "$status" "$regex" -- consume manifest "$url" --timeout "$patience"
}
lie_package()
{
    local what=$1 status=$2 regex=$3
    shift 3
    lies "$root" "/$package" "$@"
    refuses "$what-fetch" "$status" "$regex" -- consume fetch "$url" "$package" -o "$T/out" --timeout "$patience"
    lies "$root" "/$package" "$@"
    refuses "$what-unpack" "$status" "$regex" -- consume unpack "$url" "$package" --into "$T/out/x" --timeout "$patience"
    nothing_unpacked "$T/out/x"
}
both()
{
    lie "$@"
    lie_package "$@"
}

# N01: bytes without an end. Of the manifest 10,000,000 are read, of a package its signed size.
lie N01-endless 7 'InRelease: does not end after 10000000 bytes' endless
lie_package N01-endless 7 "$package: does not end after $(size_of "$root/$package") bytes" endless
lie N01-unsized 7 'InRelease: does not end after 10000000 bytes' endless_unsized
lie_package N01-unsized 7 "$package: does not end" endless_unsized
lie M03-announced 8 'InRelease: is larger than 10000000 bytes' large 10000001
lie_package N01-announced 7 "$package: has 4611686018427387904 bytes, $(size_of "$root/$package") were listed" \
    large 4611686018427387904

# N02: bytes that hardly come, or do not.
patience=2s
lie N02-drip 1 "$url/InRelease: .*(too slow|[Tt]ime|out)" drip
lie_package N02-drip 1 "$url/$package: " drip
lie N02-headers 1 "$url/InRelease: " drip_headers
lie N02-stall 1 "$url/InRelease: " stall
lie_package N02-stall 1 "$url/$package: " stall
lie N02-silence 1 "$url/InRelease: " silence
patience=30s

# N04: lengths that contradict one another, or are none.
for length in -1 +5 0x10 1e3 "" 99999999999999999999999 5,6 "5_6"; do
    lies "$root" "/$package" raw HTTP/1.1_200_OK "Content-Length:_$length"
    refuses "N04-length-${length:-empty}" 1 '[Ll]ength|size' -- consume fetch "$url" "$package" -o "$T/out" --timeout "$patience"
done
both N04-two-lengths 1 'says in two ways how long' raw HTTP/1.1_200_OK Content-Length:_100 \
    Content-Length:_"$(size_of "$root/$package")"
both N04-same-lengths 1 'says in two ways how long' raw HTTP/1.1_200_OK Content-Length:_50 Content-Length:_50
both N04-length-and-chunks 1 'says in two ways how long|chunked' raw HTTP/1.1_200_OK Content-Length:_50 Transfer-Encoding:_chunked
for size in x -1 ffffffffffffffff 10000000000000000 ' ' '0x5'; do
    lies "$root" "/$package" bad_chunks "${size/ /_}"
    refuses "N04-chunk-${size/ /blank}" 1 "$url/$package: " -- consume fetch "$url" "$package" -o "$T/out" --timeout "$patience"
done
both N04-no-status 1 ': ' raw hello
both N04-http09 1 ': ' raw "<html>"
both N04-version 1 ': ' raw HTTP/9.9_200_OK Content-Length:_3
lie_package N04-short 7 'has 100 bytes|has [0-9]+ bytes, [0-9]+ were listed' raw HTTP/1.1_200_OK Content-Length:_100
lie_package N04-cut 1 "$url/$package: " cut 100 W/\"weak\"
both N04-reset 1 ': ' reset

# N08: encodings that nobody has asked for.
package=pool/w/world-2.0.tar.bz2
both N08-gzip 1 'sends it encoded' gzip
package=pool/h/hello-1.0.tar.gz
grep -q accept-encoding "$root.log" && fail "an encoding was asked for"
lie N08-bomb 1 'sends it encoded' bomb
# What is a .gz anyhow, and said to be, is what it is: its bytes count.
lies "$root" "/$package" said_gzip
accepts N08-said-gzip -- consume check "$url" "$package" --quiet
lies "$root" "/$package" bomb
refuses N08-bomb-fetch 7 "$package: has [0-9]+ bytes" -- consume fetch "$url" "$package" -o "$T/out"

# N12: headers without an end.
both N12-headers 1 'more than 65536 bytes of headers' headers
both N12-interim 1 'more than 65536 bytes of headers' interim

# N13: a captive portal.
lie N13-portal 3 'InRelease: ' page
lie_package N13-portal 7 'has 31 bytes|has [0-9]+ bytes, ' page
lies "$root" .\* page
refuses N13-portal-everywhere 3 'InRelease: ' -- consume check "$url"

# N16: what is listed and not there. A refusal is another matter.
lie_package N16-missing 7 "$package: is missing, but it is listed" status 404
lie_package N16-gone 7 "$package: is missing, but it is listed" status 410
both N16-forbidden 1 'status 403' status 403
both N16-broken 1 'status 500' status 500
both N16-unavailable 1 'status 503' status 503
lies "$root" '/(In)?Release' status 404
refuses N16-no-manifest 3 'holds neither InRelease nor Release' -- consume check "$url"
refuses N16-nobody-listens 1 ': ' -- consume check http://127.0.0.1:1/ --timeout "$patience"
refuses N16-no-such-host 1 'host' -- consume check http://nothing.invalid/ --timeout "$patience"
# S03: an InRelease that cannot be had is no reason to ask for Release.
lies "$root" /InRelease status 500
refuses S03-http 1 'status 500' -- consume check "$url"
asked "$root" "GET /InRelease"

# F13: "not modified", which nobody has asked for.
both F13-not-modified 1 'status 304' status 304

# F11, P01: other bytes of the right size.
lie_package P01-http 7 "$package: SHA256 is .*, the manifest says" flip
lie S17-http 3 'InRelease' flip
[ -z "$(find "$T/out" -mindepth 1)" ] || fail "left behind: $(find "$T/out")"
lies "$root"
accepts N16-mended -- consume check "$url" --quiet

# What comes wrong once is asked for once more.
lies "$root" "/$package" "1*flip"
accepts P01-http-wrong-once -- consume check "$url" --quiet
