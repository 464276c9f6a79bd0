#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# resign: a new Date and Valid-Until over the same content, without reading a single package.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root" --valid-for 1h --origin Test
cp "$root/Release" "$T/before"
date=$(seconds "$root" Date)

# Neither changed, removed nor new files matter.
flip "$root/pool/h/hello-1.0.tar.gz" 7
rm "$root/pool/w/world-2.0.tar.bz2"
echo new >"$root/new.txt"
expect 0 '' -- release resign "${PUBLISHER[@]}" --valid-for 2h --origin Test "$root"
stdout_is_empty
(($(seconds "$root" Date) > date)) || fail "the Date is not later"
[ $(($(seconds "$root" Valid-Until) - $(seconds "$root" Date))) = 7200 ] || fail "Valid-Until"
diff <(grep -vE '^(Date|Valid-Until):' "$T/before") <(grep -vE '^(Date|Valid-Until):' "$root/Release") ||
    fail "resign changed more than the dates"
expect 0 '' -- consume manifest "$root"
expect_bad 2 6 'pool/(h/hello-1.0|w/world-2.0)' -- consume check "$root"

if have strace; then
    traced open,openat,openat2 "$REPO_RELEASE" resign "${PUBLISHER[@]}" --valid-for 2h --origin Test "$root" ||
        fail "resign under strace: status $?"
    grep -q '"Release"' "$T/trace" || fail "strace saw nothing"
    ! grep -E 'hello-1|world-2|README|new\.txt' "$T/trace" || fail "resign opened a package"
fi

# What cannot be vouched for is not signed again: somebody else's manifest, a broken one, none.
copy_home evil "$T/evil"
evil=$(cat "$KEYS/evil.fpr")
clearsign_as "$T/evil" "$evil" "$root/Release" >"$T/InRelease"
gpg --homedir "$T/evil" --batch --quiet -u "$evil" --armor --detach-sign -o - "$root/Release" \
    >"$T/Release.gpg" 2>/dev/null
cp "$root/Release" "$T/Release"
forged=$T/forged
mkdir "$forged"
cp "$T/InRelease" "$T/Release.gpg" "$T/Release" "$forged"
expect 7 'forged.*not signed' -- release resign "${PUBLISHER[@]}" --state "$T/state3" "$forged"
cmp "$T/InRelease" "$forged/InRelease" || fail "a forged manifest was signed again"
mkdir "$T/none"
expect 2 'nothing is published' -- release resign "${PUBLISHER[@]}" --state "$T/state4" "$T/none"
[ -z "$(ls -A "$T/none")" ] || fail "resign published something out of nothing"

# In the layout apt, the indexes are compared with their hashes, whether their number of packages was recorded or is
# counted; every one of them that is changed, missing, or no longer under its hash is refused.
need dpkg-deb
archive=$T/archive
APT=(--layout apt --suite stable --state "$T/state5")
for name in one two three; do
    make_package "$archive/pool/${name}_1_amd64.deb"
done
expect 0 '' -- release update "${PUBLISHER[@]}" "${APT[@]}" "$archive"
resigned()
{
    expect 0 '' -- release resign "${PUBLISHER[@]}" "${APT[@]}" --json "$archive"
    json "(lambda r: r['published'] and r['n_packages'] == 3)(o['repositories'][0])"
}
resigned
grep -qx 'Packages: 3' "$T/state5/state" || fail "the number of packages was not recorded"
sed -i /^Packages:/d "$T/state5/state"
resigned
refused()
{
    expect 7 'not what was published last' -- release resign "${PUBLISHER[@]}" "${APT[@]}" "$archive"
    sed '/^Packages:/d' "$T/state5/state" >"$T/state5/without"
    cp "$T/state5/state" "$T/kept"
    cp "$T/state5/without" "$T/state5/state"
    expect 7 'not what was published last' -- release resign "${PUBLISHER[@]}" "${APT[@]}" "$archive"
    cp "$T/kept" "$T/state5/state"
}
n=0
for file in "$archive"/dists/stable/main/binary-amd64/*; do
    [ -f "$file" ] || continue
    cp -p "$file" "$T/saved"
    flip "$file" 20
    refused
    cp -p "$T/saved" "$file" # in place: it has links
    mv "$file" "$T/moved"
    refused
    mv "$T/moved" "$file"
    n=$((n + 1))
done
[ "$n" -ge 7 ] || fail "only $n files were tried"
resigned
