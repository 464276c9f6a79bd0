#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror that was killed while it fetched: nothing new is served, and the next run goes on from there, with the packages
# and the indexes that had come; what was damaged meanwhile, or is of another publication, is fetched again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../net/net.sh"
setup
need dpkg-deb

root=$T/root dest=$T/mirror
mkdir -p "$root/pool/main"
for name in one two three; do
    make_package "$root/pool/main/${name}_1.0_amd64.deb" $name
done
publish "$root" --layout apt --suite stable
serve "$root"
sync=(mirror sync --suite stable "http://127.0.0.1:$PORT" "$dest")
index=dists/stable/main/binary-amd64

# killed: a run that is killed when all has been fetched but one package, which does not come.
killed()
{
    lies "$root" /pool/main/two_.* silence
    local pid i
    "${sync[@]}" >"$T/killed.out" 2>&1 &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        [ ! -e "$dest/pool/main/one_1.0_amd64.deb" ] || [ ! -e "$dest/pool/main/three_1.0_amd64.deb" ] || break
        kill -0 $pid 2>/dev/null || fail_above "the run has ended: $(cat "$T/killed.out")"
        sleep 0.1
    done
    kill -9 "$(pgrep -P $pid -f "sync" || echo $pid)"
    wait $pid 2>/dev/null || :
    [ ! -e "$dest/dists" ] || fail_above "something is served"
    [ -s "$dest/.hallmark/.stage/$index/Packages.xz" ] || fail_above "no index was fetched before"
    lies "$root"
}

# is_like: the mirror has what the source has, and no leftovers.
is_like()
{
    diff -r -x by-hash -x .hallmark "$root" "$dest" >&2 || fail_above "the copy differs"
    expect 0 '' -- mirror check --suite stable "$dest"
    [ "$(find "$dest/.hallmark" -name '.old-*' -o -name .stage)" = "" ] || fail_above "something was left"
}

killed
expect 0 '' -- "${sync[@]}"
[ "$(grep -c '^GET /pool/' "$root.log")" = 1 ] || fail "packages were fetched again: $(cat "$root.log")"
! grep '^GET .*\(Packages\|by-hash\)' "$root.log" || fail "indexes were fetched again"
is_like

# Damaged, with the size that it should have; a link; nothing of that is looked at twice.
rm -rf "$dest" "$T/mirror-state"
killed
left=$dest/.hallmark/.stage/$index
size=$(size_of "$left/Packages.xz")
head -c "$size" /dev/zero >"$left/Packages.xz"
mv "$left/Packages.gz" "$T/elsewhere"
ln -s "$T/elsewhere" "$left/Packages.gz"
expect 0 '' -- "${sync[@]}"
[ "$(grep -c '^GET .*by-hash' "$root.log")" = 2 ] || fail "not what was damaged was fetched: $(cat "$root.log")"
is_like

# Another publication meanwhile.
rm -rf "$dest" "$T/mirror-state"
killed
make_package "$root/pool/main/four_1.0_amd64.deb" four
publish "$root" --layout apt --suite stable
expect 0 '' -- "${sync[@]}"
is_like
