#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Contents of real Debian packages, line by line beside what dpkg-deb tells of them and what apt-ftparchive writes; read
# once and then kept. Intended difference: apt-ftparchive has sections from overrides only, of which there are none.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../packages.sh"
. "$(dirname "$0")/../apt.sh"
setup
need dpkg-deb python3
fetch_packages

ROOT=$T/root
mkdir -p "$ROOT/pool"
OPTIONS=(--layout apt --suite stable --component main --component extra --architecture "$ARCH" --architecture s390x
    --rule 'zz-* * * * extra')
again()
{
    publish "$ROOT" "${OPTIONS[@]}" --contents yes "$@"
}
n_hashed()
{
    expect 0 '' -- release update "${PUBLISHER[@]}" "${OPTIONS[@]}" --contents yes --json "$ROOT"
    json "o['repositories'][0]['n_hashed'] == $1"
}
while read -r package; do
    cp "$PACKAGES/pool/$package" "$ROOT/pool"
done < <(archives "$PACKAGES/pool" | grep "_$ARCH\.deb\$")
n=$(find "$ROOT/pool" -name '*.deb' | wc -l)
[ "$n" -ge 5 ] || fail "only $n packages"
# Names as Debian has few, a second version, one for all architectures, one without files, and one without Section.
odd()
{
    local name=$1 version=$2 architecture=$3 tree=$T/odd
    rm -rf "$tree"
    mkdir -p "$tree/DEBIAN" "$tree/usr/share/$name"
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: N <n@example.org>\nDescription: x\n' \
        "$name" "$version" "$architecture" >"$tree/DEBIAN/control"
    [ -z "${4:-}" ] || echo "Section: $4" >>"$tree/DEBIAN/control"
    [ "$name" = empty ] || {
        echo 1 >"$tree/usr/share/$name/with blank"
        echo 2 >"$tree/usr/share/$name/grüße"
        echo 3 >"$tree/usr/share/$name/$(printf 'a\tb')"
        ln -s nowhere "$tree/usr/share/$name/link"
        ln "$tree/usr/share/$name/with blank" "$tree/usr/share/$name/hard"
        echo 4 >"$tree/usr/share/common"
    }
    chmod -R go-w "$tree"
    dpkg-deb --root-owner-group --build "$tree" "$ROOT/pool/${name}_${version}_$architecture.deb" >/dev/null 2>&1
}
odd odd 1 all contrib/misc
odd odd 2 "$ARCH" contrib/misc
odd bare 1 all
odd empty 1 all misc
odd zz-extra 1 s390x misc
build "$T/installer_1_$ARCH.deb" gzip
mv "$T/installer_1_$ARCH.deb" "$ROOT/pool/installer_1_$ARCH.udeb"
again

main=$ROOT/dists/stable/main extra=$ROOT/dists/stable/extra
for file in Contents-$ARCH Contents-s390x; do
    for dir in "$main" "$extra"; do
        gzip -dc "$dir/$file.gz" | cmp - "$dir/$file" || fail "$file.gz differs"
        for form in "" .gz .xz; do
            hash=$(sha256sum <"$dir/$file$form")
            grep -q "^ ${hash%% *} *[0-9]* ${dir##*/}/$file$form\$" "$ROOT/dists/stable/Release" ||
                fail "${dir##*/}/$file$form is not listed"
            cmp "$dir/$file$form" "$dir/by-hash/SHA256/${hash%% *}" || fail "$file$form by its hash"
        done
    done
done
line()
{
    grep -qxE "$1 +$2" "$3" || fail_above "no \"$1 $2\": $(cat "$3")"
}
line usr/share/common bare,contrib/misc/odd "$main/Contents-$ARCH"
line 'usr/share/odd/with blank' contrib/misc/odd "$main/Contents-$ARCH"
line 'usr/share/odd/gr.*e' contrib/misc/odd "$main/Contents-$ARCH"
line usr/share/bare/link bare "$main/Contents-s390x"
line usr/share/bare/hard bare "$main/Contents-s390x"
line usr/share/zz-extra/link misc/zz-extra "$extra/Contents-s390x"
! grep -q 'usr/bin/hello' "$main/Contents-s390x" || fail "hello is not for s390x"
[ ! -s "$extra/Contents-$ARCH" ] || fail "nothing is in extra for $ARCH"
! grep -qE 'installer|empty|a.b' "$main/Contents-$ARCH" || fail "$(grep -E 'installer|empty|a.b' "$main/Contents-$ARCH")"
awk '{ print $1 }' "$main/Contents-$ARCH" | LC_ALL=C sort -c || fail "not sorted"

# ---- apt-ftparchive, and dpkg-deb -----------------------------------------------------------------------------
cat >"$T/compare.py" <<'END'
import subprocess, sys, glob, os

def lines(path):
    out = {}
    for line in open(path, "rb"):
        name, labels = line.rstrip(b"\n").rsplit(None, 1)
        assert name.rstrip() not in out, name
        out[name.rstrip()] = set(labels.split(b","))
    return out

ours, bad = lines(sys.argv[1]), 0
wanted = {}
for deb in glob.glob(sys.argv[2] + "/*.deb"):
    field = lambda name: subprocess.run(["dpkg-deb", "-f", deb, name], capture_output=True).stdout.strip()
    if field("Architecture") not in (sys.argv[3].encode(), b"all"):
        continue
    label = field("Section") + b"/" + field("Package") if field("Section") else field("Package")
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True).stdout
    import io, tarfile
    for member in tarfile.open(fileobj=io.BytesIO(tar), encoding="utf-8", errors="surrogateescape"):
        name = member.name.removeprefix("./")
        if not member.isdir() and "\t" not in name:
            wanted.setdefault(name.encode("utf-8", "surrogateescape"), set()).add(label)
for name in sorted(set(wanted) | set(ours)):
    if wanted.get(name) != ours.get(name):
        print(name, wanted.get(name), ours.get(name))
        bad = 1
print(len(ours), "files as dpkg-deb has them")
if len(sys.argv) > 4:
    theirs = lines(sys.argv[4])
    for name in theirs:
        if not name.endswith(b"/") and name not in ours and b"\t" not in name:
            print("only apt-ftparchive:", name)
            bad = 1
    for name in ours:
        if theirs.get(name) != {label.rsplit(b"/", 1)[-1] for label in ours[name]}:
            print(name, theirs.get(name), ours[name])
            bad = 1
sys.exit(bad)
END
python3 "$T/compare.py" "$main/Contents-$ARCH" "$ROOT/pool" "$ARCH" || fail "not what is in the packages"
if have apt-ftparchive; then
    real=$T/real
    mkdir -p "$real/pool"
    find "$ROOT/pool" -name "*_$ARCH.deb" -not -name 'odd_*' -exec cp -t "$real/pool" {} +
    (cd "$real" && apt-ftparchive contents pool) >"$T/theirs" 2>/dev/null
    expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/real-state" "${OPTIONS[@]}" --contents yes "$real"
    python3 "$T/compare.py" "$real/dists/stable/main/Contents-$ARCH" "$real/pool" "$ARCH" "$T/theirs" ||
        fail "apt-ftparchive disagrees"
fi

# ---- Packages are read once --------------------------------------------------------------------------------------
cp "$main/Contents-$ARCH" "$T/first"
sleep 2.1 # files that are too new are not believed to be unchanged
again --label second
cmp "$main/Contents-$ARCH" "$T/first" || fail "not what it was"
n_hashed 0
before=$(snapshot "$T/publisher" && snapshot "$ROOT")
n_hashed 0
[ "$(snapshot "$T/publisher" && snapshot "$ROOT")" = "$before" ] || fail "a run that had nothing to do wrote something"
rm "$ROOT/pool/odd_2_$ARCH.deb"
odd odd 3 "$ARCH" misc
n_hashed 1
line usr/share/odd/link contrib/misc/odd,misc/odd "$main/Contents-$ARCH"
sleep 2.1
again --label third

# Without the lists, or with damaged ones, all is read again, and is the same.
cp "$main/Contents-$ARCH" "$T/third"
all=$(find "$ROOT/pool" -name '*.deb' | wc -l)
rm "$T/publisher/contents"
again --label fourth
[ -s "$T/publisher/contents" ] || fail "the lists are not kept"
cmp "$main/Contents-$ARCH" "$T/third" || fail "not what it was without the lists"
flip "$T/publisher/contents" 60
expect 0 '' -- release update "${PUBLISHER[@]}" "${OPTIONS[@]}" --contents yes --label fifth --json "$ROOT"
json "o['repositories'][0]['n_hashed'] == $all"
cmp "$main/Contents-$ARCH" "$T/third" || fail "not what it was with damaged lists"
# A list itself that is damaged is found when it is needed.
python3 - "$T/publisher/contents" <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
start = 32 + 56 * int.from_bytes(data[16:24], sys.byteorder)
assert start < len(data)
for i in range(start, len(data)):
    data[i] ^= 1
open(sys.argv[1], "wb").write(data)
END
odd odd 4 "$ARCH" misc
before=$(snapshot "$ROOT/dists")
expect 1 'contents: is damaged, and was removed; the next run reads all packages again' -- \
    release update "${PUBLISHER[@]}" "${OPTIONS[@]}" --contents yes "$ROOT"
[ "$(snapshot "$ROOT/dists")" = "$before" ] || fail "something was published"
again
line usr/share/odd/link contrib/misc/odd,misc/odd "$main/Contents-$ARCH"
python3 "$T/compare.py" "$main/Contents-$ARCH" "$ROOT/pool" "$ARCH" || fail "not what is in the packages"

# ---- Not wanted any more ------------------------------------------------------------------------------------------
publish "$ROOT" "${OPTIONS[@]}"
! grep -q Contents "$ROOT/dists/stable/Release" || fail "$(cat "$ROOT/dists/stable/Release")"
[ ! -e "$main/Contents-$ARCH" ] || fail "Contents is still there"
