#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bundles: packages and what vouches for them in one file, which is judged on a host without a network like the
# repository itself; and files that only look like that.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../apt_archive.sh"
. "$(dirname "$0")/../net/net.sh"
setup
need dpkg-deb python3 tar
export TMPDIR=$T/tmp
mkdir "$TMPDIR"

archive=$T/archive package=pool/main/hello_1.0_all.deb
mkdir -p "$archive/pool/main" "$T/out" "$T/unpacked"
make_package "$archive/$package" one
make_package "$archive/pool/main/other_1.0_all.deb" two
publish "$archive" --layout apt --suite stable --origin Example --architecture amd64
plain=$T/plain
make_repository "$plain"
publish "$plain"
serve "$archive"
url=http://127.0.0.1:$PORT

# Made over a network, or here; the same bytes but for the receipt, in whichever order.
b=$T/out/b.tar
expect 0 '*' -- consume bundle "$url/dists/stable" hello -o "$b"
stdout_has "1 package in $b"
[ "$(stat -c %a "$b") $(ls -A "$T/out")" = "644 b.tar" ] || fail "$(ls -la "$T/out")"
tar -tf "$b" >"$T/members"
head -n 2 "$T/members" | tr '\n' ' ' | grep -qx 'hallmark-receipt dists/stable/InRelease ' || fail "$(cat "$T/members")"
tail -n 1 "$T/members" | grep -qx "$package" || fail "$(cat "$T/members")"
grep -q Unpacked-Sizes "$T/members" || fail "$(cat "$T/members")"
tar -xOf "$b" hallmark-receipt | grep -qx "From: $url/dists/stable" || fail "$(tar -xOf "$b" hallmark-receipt)"
expect 0 '*' -- consume bundle "$archive" hello other hello -o "$T/two.tar" --now "@$(($(date +%s) + 5))"
sleep 1
expect 0 '*' -- consume bundle "$archive" other hello -o "$T/again.tar" --quiet
python3 - "$T/two.tar" "$T/again.tar" <<'END' || fail "not the same bytes"
import sys
a, b = (open(name, "rb").read()[2048:] for name in sys.argv[1:])
sys.exit(a != b)
END
expect 2 'b.tar: is there, and stays' -- consume bundle "$archive" $package -o "$b"
expect 11 'no' -- consume bundle "$archive" nothing -o "$T/out/x.tar"
expect 2 'needs --output' -- consume bundle "$archive" hello
[ "$(ls -A "$T/out")" = b.tar ] || fail "$(ls -A "$T/out")"

# On the other side: no network, and the same policy.
there=(--keyring "$KEYS/signer.gpg" --state "$T/there")
date=$(seconds "$archive/dists/stable" Date)
kill "$SERVER"
expect 0 '' -- verify check "$b" "${there[@]}"
stdout_has 'b.tar: good: 1 package, '
expect 0 '' -- verify list "$b" "${there[@]}"
[ "$(cut -f1 "$T/stdout")" = "$package" ] || fail "$(cat "$T/stdout")"
expect 0 '' -- verify manifest "$b" "${there[@]}" --print
cmp "$T/stdout" "$archive/dists/stable/Release" || fail "another manifest"
expect 0 '*' -- verify unpack "$b" hello "${there[@]}" --into "$T/unpacked/hello"
unpack_reference "$archive/$package" "$T/reference"
same_tree "$T/unpacked/hello" "$T/reference"
expect 0 '*' -- verify fetch "$b" hello "${there[@]}" -o "$T/unpacked"
cmp "$T/unpacked/hello_1.0_all.deb" "$archive/$package"
expect 7 '*' -- verify check "$b" other "${there[@]}"
expect 11 '.' -- verify check "$b" nothing "${there[@]}"
expect 4 'InRelease: ' -- verify check "$b" "${there[@]}" --max-age 1h --now "@$((date + 3601))"
expect 4 'InRelease: ' -- verify check "$b" "${there[@]}" --now "@$((date + 86400 * 30))"
expect 0 '' -- verify check "$b" "${there[@]}" --as-of "@$((date + 60))"
expect 5 'InRelease: ' -- verify check "$b" "${there[@]}" --now "@$((date - 3600))"
expect 3 'InRelease: ' -- verify check "$b" --keyring "$KEYS/evil.gpg" --no-state
expect 6 'testing' -- verify check "$b" "${there[@]}" --suite testing
expect 0 '*' -- consume bundle "$plain" pool/h/hello-1.0.tar.gz -o "$T/plain.tar"
expect 0 '' -- verify check "$T/plain.tar" "${there[@]}"
stdout_has 'plain.tar: good: 1 package, '
expect 0 '*' -- verify unpack "$T/plain.tar" pool/h/hello-1.0.tar.gz "${there[@]}" --into "$T/unpacked/plain"

# An older one is an older one, whatever its receipt says and wherever it lies (F05).
make_package "$archive/$package" newer
publish "$archive" --layout apt --suite stable --origin Example --architecture amd64
expect 0 '*' -- consume bundle "$archive" hello -o "$T/newer.tar"
expect 0 '' -- verify check "$T/newer.tar" "${there[@]}"
expect 6 'seen before' -- verify check "$b" "${there[@]}"
cp "$b" "$T/elsewhere.tar"
expect 6 'seen before' -- verify check "$T/elsewhere.tar" "${there[@]}"

# ---- What is no bundle, or a hostile one -----------------------------------------------------------------------
# tampered NAME STATUS REGEX PYTHON: the bundle with its bytes in d changed by PYTHON; m(path) is where the header is.
tampered()
{
    local name=$1 status=$2 regex=$3
    python3 - "$T/newer.tar" "$T/bad.tar" "$4" <<'END'
import sys
d = bytearray(open(sys.argv[1], "rb").read())
members, at = [], 0
while d[at]:
    path = (d[at + 345:at + 500].rstrip(b"\0") + b"/" + d[at:at + 100].rstrip(b"\0")).lstrip(b"/").decode()
    size = int(d[at + 124:at + 135], 8)
    members.append((path, at, size))
    at += 512 + (size + 511) // 512 * 512
end = at
def m(part):
    return next(a for p, a, s in members if part in p)
def whole(part):
    p, a, s = next(x for x in members if part in x[0])
    return d[a:a + 512 + (s + 511) // 512 * 512]
def name(path, kind=b"0", size=0, link=b"", mode=b"0000644"):
    h = bytearray(512)
    h[0:len(path)] = path
    h[100:107], h[108:115], h[116:123] = mode, b"0000000", b"0000000"
    h[124:135], h[136:147] = b"%011o" % size, b"0" * 11
    h[156:157], h[157:157 + len(link)], h[257:265] = kind, link, b"ustar\x0000"
    h[329:336], h[337:344] = b"0000000", b"0000000"
    h[148:156] = b" " * 8
    h[148:155] = b"%06o\0" % sum(h)
    return h
exec(sys.argv[3])
open(sys.argv[2], "wb").write(d)
END
    find "$T/out" "$TMPDIR" | sort >"$T/before"
    WATCHED=("$T/there")
    [ "$name" = P03-bundle-unlisted ] ||
        refuses "$name" "$status" "$regex" -- verify unpack "$T/bad.tar" "$package" "${there[@]}" --into "$T/out/x"
    expect "$status" '*' -- verify check "$T/bad.tar" "${there[@]}"
    grep -qE -- "$regex" "$T/stderr" || { show_output; fail "$name"; }
    find "$T/out" "$TMPDIR" | sort | diff "$T/before" - >&2 || fail "$name: something is left"
}
tampered P01-bundle-package 7 '.' "d[m('.deb') + 600] ^= 1"
tampered S17-bundle-manifest 3 'InRelease: ' "d[m('InRelease') + 700] ^= 1"
tampered F11-bundle-index 7 '.' "d[m('Packages') + 530] ^= 1"
tampered A01-bundle-dot-dot 8 'name of a member' "d[end:end] = name(b'../x')"
tampered A02-bundle-absolute 8 'name of a member' "d[end:end] = name(b'/etc/x')"
tampered bundle-link 8 'no regular file' "d[end:end] = name(b'pool/x', b'2', 0, b'/etc')"
tampered bundle-hard-link 8 'no regular file' "d[end:end] = name(b'pool/x', b'1', 0, b'/etc/passwd')"
tampered bundle-directory 8 'no regular file|name of a member' "d[end:end] = name(b'pool/x/', b'5')"
tampered bundle-device 8 'no regular file' "d[end:end] = name(b'pool/x', b'3')"
tampered bundle-mode 8 'no regular file' "d[end:end] = name(b'pool/x', mode=b'0004755')"
tampered bundle-pax 8 'no regular file' "d[0:0] = name(b'pax', b'x')"
tampered bundle-twice 8 'is there twice' "d[end:end] = whole('InRelease')"
tampered bundle-below-file 8 'is there twice, or below' "d[end:end] = name(b'$package/x')"
tampered bundle-checksum 8 'damaged' "d[m('.deb') + 149] ^= 1"
tampered bundle-size 8 'ends in the middle' "d[end:end] = name(b'pool/x', size=1 << 32)"
tampered bundle-cut 8 'ends in the middle' "del d[end - 100:]"
tampered bundle-no-end 8 'ends in the middle' "del d[end + 512:]"
tampered bundle-more 8 'does not end behind' "d += b'x'"
tampered bundle-between 8 'between its members' "d[end - 1] = 1"
tampered bundle-many 8 'more than 10000 files' "d[end:end] = b''.join(name(b'pool/%d' % i) for i in range(10001))"
tampered P03-bundle-unlisted 11 'pool/x' "d[end:end] = name(b'pool/x')"
tampered S01-bundle-unsigned 3 'holds neither InRelease' "a = m('InRelease'); del d[a:a + len(whole('InRelease'))]"
# Without what is signed about sizes, a package could unpack to more.
python3 - "$T/newer.tar" "$T/bad.tar" <<'END'
import sys
d = open(sys.argv[1], "rb").read()
out, at = b"", 0
while d[at]:
    size = 512 + (int(d[at + 124:at + 135], 8) + 511) // 512 * 512
    if b"Unpacked-Sizes" not in d[at:at + 512]:
        out += d[at:at + size]
    at += size
open(sys.argv[2], "wb").write(out + d[at:])
END
expect 7 'Unpacked-Sizes: is missing' -- verify unpack "$T/bad.tar" "$package" "${there[@]}" --into "$T/out/x"
[ -z "$(ls -A "$TMPDIR")" ] || fail "left: $(ls -A "$TMPDIR")"

# Killed while it lays out, it leaves nothing either; and not where everybody may exchange what is laid out.
if have strace && [ -z "${HALLMARK_TEST_WRAPPER:-}" ]; then
    status=0
    timeout 60 strace -qq -o "$T/trace" -e trace=write -e inject=write:signal=KILL:when=1 \
        "$REPO_VERIFY" check "$T/newer.tar" "${there[@]}" >"$T/stdout" 2>"$T/stderr" || status=$?
    [ $status = 137 ] || fail "it was not killed: $status"
    grep -q KILL "$T/trace" || fail "$(cat "$T/trace")"
    for ((i = 0; i < 100; i++)); do
        [ -n "$(ls -A "$TMPDIR")" ] || break
        sleep 0.1
    done
    [ -z "$(ls -A "$TMPDIR")" ] || fail "left: $(ls -A "$TMPDIR")"
fi
mkdir -m 777 "$T/everybody"
TMPDIR=$T/everybody expect 2 'no sticky bit' -- verify check "$T/newer.tar" "${there[@]}"
