#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Real source packages of Debian in the layout apt: every stanza of Sources beside what dpkg-scansources and
# apt-ftparchive write, apt-get source from a private root, and what is refused. Intended differences: no Files and no
# Checksums-Sha1 (nothing that is signed may hang on MD5 or SHA-1; apt needs neither), no Priority and Section (they come
# from the archive's overrides, of which there are none; apt-ftparchive makes some up), and the order of the fields.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../packages.sh"
. "$(dirname "$0")/../apt.sh"
setup
need dpkg-scansources apt-get apt-cache dpkg-source python3
fetch_packages

ROOT=$T/root
pool=$ROOT/pool/main
mkdir -p "$pool"
OPTIONS=(--layout apt --suite stable --suite testing --component main --component extra --architecture "$ARCH"
    --rule 'hello * * testing extra' --rule '* * * stable main')
again()
{
    publish "$ROOT" "${OPTIONS[@]}" "$@"
}

# Each in a directory of its own, as in Debian.
n=0
for dsc in "$PACKAGES"/pool/*.dsc; do
    name=${dsc##*/}
    name=${name%%_*}
    mkdir -p "$pool/${name:0:1}/$name"
    cp "$dsc" "$pool/${name:0:1}/$name"
    sed -n '/^Checksums-Sha256:/,/^[^ ]/s/^ [0-9a-f]* [0-9]* //p' "$dsc" | while read -r file; do
        cp "$PACKAGES/pool/$file" "$pool/${name:0:1}/$name"
    done
    n=$((n + 1))
done
[ $n -ge 10 ] || fail "only $n source packages"
# What a .dsc may look like, and Debian's do not: not signed, native, with the blanks of a careless hand.
mkdir -p "$T/odd-1/debian" "$pool/o/odd"
cat >"$T/odd-1/debian/control" <<END
Source: odd
Section: misc
Priority: optional
Maintainer: Jürgen Müßig <j@example.org>
Standards-Version: 4.6.2
Homepage: https://example.org/#x

Package: odd
Architecture: all
Description: odd
 odd
END
printf 'odd (1:2.0~rc1) unstable; urgency=low\n\n  * Odd.\n\n -- Nobody <n@example.org>  Sun, 22 Nov 2020 10:00:00 +0000\n' \
    >"$T/odd-1/debian/changelog"
mkdir "$T/odd-1/debian/source"
echo '3.0 (native)' >"$T/odd-1/debian/source/format"
(cd "$T" && dpkg-source -b odd-1 >/dev/null 2>&1) || fail "dpkg-source"
cp "$T"/odd_2.0~rc1.* "$pool/o/odd"
sed -i 's/^Binary: odd$/Binary: odd  /' "$pool/o/odd/odd_2.0~rc1.dsc"
n=$((n + 1))
echo "not listed" >"$pool/o/odd/README"
again --label first
sleep 2.1 # files that are too new are not believed to be unchanged
again
expect 0 '' -- release status "${PUBLISHER[@]}" "${OPTIONS[@]}" --json "$ROOT"
json "o['repositories'][0]['n_packages'] == $n and o['repositories'][0]['n_hashed'] == 0"

# ---- Every index is there, in every form, and listed -----------------------------------------------------------
for suite in stable testing; do
    for component in main extra; do
        dir=$ROOT/dists/$suite/$component/source
        gzip -dc "$dir/Sources.gz" | cmp - "$dir/Sources" || fail "Sources.gz differs"
        xz -dc "$dir/Sources.xz" | cmp - "$dir/Sources" || fail "Sources.xz differs"
        grep -qx 'Architecture: source' "$dir/Release" || fail "$(cat "$dir/Release")"
        for file in Sources Sources.gz Sources.xz Release; do
            hash=$(sha256sum <"$dir/$file")
            grep -q "^ ${hash%% *} *[0-9]* $component/source/$file\$" "$ROOT/dists/$suite/Release" ||
                fail "$suite/$component/source/$file is not listed"
            cmp "$dir/$file" "$dir/by-hash/SHA256/${hash%% *}" || fail "$file by its hash"
        done
    done
done
[ "$(grep -c '^Package: ' "$ROOT/dists/testing/extra/source/Sources")" = 1 ] || fail "hello is not in testing/extra"
[ "$(cat "$ROOT/dists/testing/main/source/Sources" "$ROOT/dists/stable/extra/source/Sources")" = "" ] || fail "too much"
cat "$ROOT"/dists/*/*/source/Sources >"$T/ours"
! grep -qE '^(Files|Checksums-Sha1|Source):' "$T/ours" || fail "$(cat "$T/ours")"

# ---- dpkg-scansources, apt-ftparchive ----------------------------------------------------------------------------
cat >"$T/compare.py" <<'END'
import sys

def stanzas(path):
    out = {}
    for text in open(path, encoding="utf-8").read().split("\n\n"):
        if not text.strip():
            continue
        fields, name = {}, None
        for line in text.strip("\n").split("\n"):
            if line[0] in " \t":
                fields[name] += "\n" + line.strip()
            else:
                name, value = line.split(":", 1)
                name = name.lower()
                assert name not in fields, (path, name)
                fields[name] = value.strip()
        for name in fields:
            if name == "files" or name.startswith("checksums-"):
                fields[name] = "\n".join(sorted(fields[name].split("\n")))
        key = fields["package"], fields["version"]
        assert key not in out, key
        out[key] = fields
    return out

theirs, ours, hidden = stanzas(sys.argv[1]), stanzas(sys.argv[2]), sys.argv[4:]
bad = 0
if set(theirs) != set(ours) or len(ours) != int(sys.argv[3]):
    print("other packages:", set(theirs) ^ set(ours), len(ours))
    bad = 1
for key in sorted(set(theirs) & set(ours)):
    a, b = theirs[key], ours[key]
    # The same files and sizes, in all of their lists.
    sizes = {tuple(line.split()[1:]) for line in b["checksums-sha256"].split("\n") if line}
    for name in ("files", "checksums-sha1"):
        if name in a and sizes != {tuple(line.split()[1:]) for line in a[name].split("\n") if line}:
            print(key, name, a[name])
            bad = 1
    for name in hidden:
        a.pop(name, None)
        if name in b:
            print(key, name)
            bad = 1
    for name in sorted(set(a) | set(b)):
        if a.get(name) != b.get(name):
            print("%s %s: %s: %r, the other one %r" % (*key, name, b.get(name), a.get(name)))
            bad = 1
print("%d stanzas with %d fields" % (len(ours), sum(len(s) for s in ours.values())))
sys.exit(bad)
END
(cd "$ROOT" && dpkg-scansources pool 2>/dev/null) >"$T/scanned"
python3 "$T/compare.py" "$T/scanned" "$T/ours" $n files checksums-sha1 || fail "dpkg-scansources disagrees"
if have apt-ftparchive; then
    (cd "$ROOT" && unset APT_CONFIG && apt-ftparchive --no-md5 --no-sha1 --no-sha512 sources pool 2>/dev/null) >"$T/scanned"
    python3 "$T/compare.py" "$T/scanned" "$T/ours" $n files checksums-sha1 priority section ||
        fail "apt-ftparchive disagrees"
fi

# ---- apt-get source ----------------------------------------------------------------------------------------------
start_server "$ROOT"
for uri in "http://127.0.0.1:$PORT" "file:$ROOT"; do
    make_apt "deb-src [signed-by=$KEYS/signer.asc] $uri stable main extra
deb-src [signed-by=$KEYS/signer.asc] $uri testing main extra"
    update_is_silent
    rm -rf "$T/got"
    mkdir "$T/got"
    (cd "$T/got" && apt-get source hello tree sed odd) >"$T/log" 2>&1 </dev/null || fail "apt-get source: $(cat "$T/log")"
    ! grep -E '^[WE]: ' "$T/log" || fail "apt-get source: $(cat "$T/log")"
    for name in hello tree sed odd; do
        [ -d "$(find "$T/got" -maxdepth 1 -type d -name "$name-*")" ] || fail "$name is not unpacked: $(cat "$T/log")"
        for file in "$pool/${name:0:1}/$name"/*; do
            [ "${file##*/}" = README ] || cmp "$file" "$T/got/${file##*/}" || fail "another ${file##*/}"
        done
    done
    [ "$(apt-cache showsrc odd | sed -n 's/^Version: //p')" = 1:2.0~rc1 ] || fail "$(apt-cache showsrc odd)"
done
# It is the hashes of Sources that apt goes by.
cp "$pool/h/hello"/hello_*.debian.tar.xz "$T/kept"
flip "$(echo "$pool/h/hello"/hello_*.debian.tar.xz)" 100
rm -rf "$T/got"
mkdir "$T/got"
! (cd "$T/got" && apt-get source --download-only hello) >"$T/log" 2>&1 </dev/null || fail "apt takes another tarball"

# ---- What does not fit is refused, and both names are told ----------------------------------------------------------
refused()
{
    before=$(snapshot "$ROOT/dists")
    expect "$1" "$2" -- release update "${PUBLISHER[@]}" "${OPTIONS[@]}" "$ROOT"
    [ "$(snapshot "$ROOT/dists")" = "$before" ] || fail_above "something was published"
}
tarball=$(echo "$pool/h/hello"/hello_*.debian.tar.xz)
dsc=$(echo "$pool/h/hello"/hello_*.dsc)
name='main/h/hello/hello_[^ ]*'
refused 7 "pool/$name.dsc: says that the SHA256 of pool/$name.debian.tar.xz is [0-9a-f]{64}, but it is [0-9a-f]{64}"
printf x >>"$tarball"
refused 7 "pool/$name.dsc: says that pool/$name.debian.tar.xz has [0-9]+ bytes, but it has [0-9]+"
rm "$tarball"
refused 7 "pool/$name.dsc: lists pool/$name.debian.tar.xz, which is not there"
expect 8 '*' -- release update "${PUBLISHER[@]}" "${OPTIONS[@]}" --keep-going --accept-loss "$ROOT"
grep -q 'left out: .*hello.*debian.tar.xz, which is not there' "$T/stderr" || fail "$(cat "$T/stderr")"
! grep -h '^Package: hello' "$ROOT"/dists/*/*/source/Sources || fail "hello is still there"
[ "$(cat "$ROOT"/dists/*/*/source/Sources | grep -c ^Package:)" = $((n - 1)) ] || fail "others are gone as well"
cp "$T/kept" "$tarball"
cp "$dsc" "$T/dsc"
sed -i 's/^Source: hello/Source: ..\/hello/' "$dsc"
refused 8 "pool/$name.dsc: line 2: \"\.\./hello\" is no Source"
printf 'Source: evil\n' | cat - "$T/dsc" >"$dsc"
refused 8 "pool/$name.dsc: line 2 "
head -c 700 "$T/dsc" >"$dsc"
refused 8 "pool/$name.dsc: line [0-9]+ "
cp "$T/dsc" "$dsc"
again
cat "$ROOT"/dists/*/*/source/Sources | cmp - "$T/ours" || fail "not what it was"

# One version twice: the same bytes are no harm, others are an error that names both.
mkdir "$pool/x"
cp "$pool/h/hello"/* "$pool/x"
again
[ "$(grep -c '^Package: hello' "$ROOT/dists/testing/extra/source/Sources")" = 2 ] || fail "hello is there once"
sed -i 's/^Standards-Version:.*/Standards-Version: 0/' "$pool/x"/hello_*.dsc
refused 8 "pool/main/h/hello/hello_[^ ]*.dsc and pool/main/x/hello_[^ ]*.dsc: both are the source of hello .* differs"
rm -r "$pool/x"

# With SHA512 in Release there is one in Sources; and where no source is left, there is no index but below by-hash.
again --hash SHA512
grep -q '^Checksums-Sha512:$' "$ROOT/dists/testing/extra/source/Sources" || fail "no SHA512"
apt-get update >/dev/null 2>&1
(cd "$T/got" && apt-get source --download-only hello) >"$T/log" 2>&1 </dev/null || fail "$(cat "$T/log")"
find "$pool" -name '*.dsc' -delete
build "$pool/binary_1_$ARCH.deb" gzip
again --accept-loss
left=$(find "$ROOT/dists/" -path '*/source/*' -not -path '*/by-hash*')
[ -z "$left" ] || fail "left: $left"
expect 0 '' -- release sources "${PUBLISHER[@]}" "${OPTIONS[@]}" "$ROOT"
stdout_has '^Types: deb$'
