#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# An index of several blocks: other tools and real apt read every form of it; one more package changes two blocks at
# most; and what is taken from the blocks that are published is what would be made without them, which damage to them,
# or to the list of them, does not change either.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt.sh"
setup
need python3 apt-get dpkg-deb xz gzip zstd

# make_packages FIRST N: packages whose descriptions are long, in $root/pool.
make_packages()
{
    PYTHONDONTWRITEBYTECODE=1 python3 - "$srcdir/tests/bench" "$root/pool" "$ARCH" "$@" <<'END'
import gzip, os, random, sys
sys.path.insert(0, sys.argv[1])
import pool
os.makedirs(sys.argv[2], exist_ok=True)
for number in range(int(sys.argv[4]), int(sys.argv[4]) + int(sys.argv[5])):
    source = random.Random(number)
    text = "Package: p%d\nVersion: 1\nArchitecture: %s\nMaintainer: N <n@example.org>\nDescription: text\n" % (
        number, sys.argv[3])
    text += "".join(" " + " ".join("%x" % source.getrandbits(16) for _ in range(14)) + "\n" for _ in range(900))
    control = gzip.compress(pool.tar([(b"./control", text.encode())]), 1, mtime=0)
    data = gzip.compress(pool.tar([(b"./usr/", b"")]), 1, mtime=0)
    with open("%s/p%d_1_%s.deb" % (sys.argv[2], number, sys.argv[3]), "wb") as file:
        file.write(pool.ar([(b"debian-binary", b"2.0\n"), (b"control.tar.gz", control), (b"data.tar.gz", data)]))
END
}

root=$T/root
index=$root/dists/stable/main/binary-$ARCH/Packages
settings=(--layout apt --suite stable --compression xz --compression gz --compression zst)

# Every form is the index.
forms_are_good()
{
    xz -t "$index.xz" || fail "xz -t"
    gzip -t "$index.gz" || fail "gzip -t"
    zstd -qt "$index.zst" || fail "zstd -t"
    xz -dc "$index.xz" | cmp - "$index" || fail "xz"
    gzip -dc "$index.gz" | cmp - "$index" || fail "gzip"
    zstd -qdc "$index.zst" | cmp - "$index" || fail "zstd"
    python3 - "$index" <<'END' || fail "python reads something else"
import gzip, lzma, sys
plain = open(sys.argv[1], "rb").read()
assert lzma.open(sys.argv[1] + ".xz").read() == plain and gzip.open(sys.argv[1] + ".gz").read() == plain
END
    expect 0 '' -- consume check "$root"
}

blocks()
{
    sed 1d "$T/publisher/blocks" | cut -d ' ' -f 1-3 | sort
}

make_packages 100 70
publish "$root" "${settings[@]}"
forms_are_good
# One of them is Unpacked-Sizes.
n=$(($(grep -c '^1 ' "$T/publisher/blocks") - 1))
[ "$n" -ge 3 ] || fail "only $n blocks"
[ "$(xz --robot -l "$index.xz" | awk '$1 == "file" { print $2, $3 }')" = "1 $n" ] || fail "not one stream of $n blocks"

for form in xz gz zst; do
    make_apt "deb [signed-by=$KEYS/signer.asc] file://$root stable main"
    echo "Acquire::CompressionTypes::Order { \"$form\"; };" >>"$T/apt/apt.conf"
    update_is_silent
    [ "$(apt-cache pkgnames | grep -c '^p1')" = 70 ] || fail "apt does not see all packages of $form"
done

# One more: at most two blocks of each form are new.
blocks >"$T/before"
make_packages 900 1
publish "$root" "${settings[@]}"
forms_are_good
blocks >"$T/after"
new=$(comm -13 "$T/before" "$T/after" | wc -l)
[[ "$new" -ge 3 && "$new" -le 6 ]] || fail "$new blocks are new"
sha256sum "$index"* >"$T/sums"

# The same packages, published from nothing, give the same bytes.
again()
{
    cp -a "$root/pool" "$T/again-pool"
    rm -rf "$T/again"
    mkdir "$T/again"
    mv "$T/again-pool" "$T/again/pool"
    rm -rf "$T/state-again"
    expect 0 '' -- release update "${PUBLISHER[@]}" --state "$T/state-again" "${settings[@]}" "$T/again"
    (cd "$T/again/dists/stable/main/binary-$ARCH" && sha256sum Packages*) | sed 's/ .* / /' >"$T/again.sums"
    diff "$T/again.sums" <(sed "s, .*/, ," "$T/sums") >&2 || fail_above "without the blocks the bytes differ"
}
again

# What is published was changed, and hashes tell; the list of blocks was changed, or is somebody else's.
flip "$(readlink -f "$index.xz")" 100000
make_packages 901 1
publish "$root" "${settings[@]}"
forms_are_good
for damage in 'printf x >>"$list"' 'sed -i "2{s/^\(. [^ ]*\) 0/\1 1/;t;s/^\(. [^ ]*\) ./\1 0/}" "$list"' \
    'chmod 666 "$list"' 'rm "$list"; mkdir "$list"'; do
    list=$T/publisher/blocks
    eval "$damage"
    number=$((${number:-901} + 1))
    make_packages $number 1
    if [ -d "$list" ]; then
        expect 0 'list of blocks cannot be kept' -- release update "${PUBLISHER[@]}" "${settings[@]}" "$root"
        rmdir "$list"
    else
        publish "$root" "${settings[@]}"
    fi
    forms_are_good
done
sha256sum "$index"* >"$T/sums"
again
