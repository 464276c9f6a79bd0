#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# The index of real Debian packages says field by field what dpkg-scanpackages says. Intended differences: no MD5sum
# and no SHA1 (nothing that is signed may hang on them), and the order of stanzas and of the fields at their ends.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../packages.sh"
setup
need dpkg-scanpackages apt-get python3
fetch_packages

root=$T/root
mkdir -p "$root/pool"
while read -r package; do
    cp "$PACKAGES/pool/$package" "$root/pool/${package//[^A-Za-z0-9._+~-]/_}"
done < <(archives "$PACKAGES/pool" | grep '\.deb$')
n=$(find "$root/pool" -name '*.deb' | wc -l)
[ "$n" -ge 5 ] || fail "only $n packages"
# What a package's own control file may look like, and Debian's do not.
mkdir -p "$T/odd/DEBIAN"
cat >"$T/odd/DEBIAN/control" <<END
Package: odd
Version: 1:2.0+really1.9~rc1-3.1
Architecture: all
Maintainer: Jürgen Müßig <j@example.org>
Section:
XB-Unknown: one$(printf '  ')
 two$(printf '\t')
$(printf '\t')three
homepage: https://example.org/#x
Description: blanks at the end$(printf '   ')
  indented
 .
 last
END
chmod -R go-w "$T/odd"
dpkg-deb --root-owner-group --build "$T/odd" "$root/pool/odd_1.9_all.deb" >/dev/null 2>&1 || fail "dpkg-deb"
n=$((n + 1))

publish "$root"
(cd "$root" && dpkg-scanpackages --multiversion pool 2>/dev/null) >"$T/scanned"
python3 - "$T/scanned" "$root/Packages" "$n" <<'END' || fail "they disagree"
import sys

def stanzas(path):
    out = {}
    for text in open(path, encoding="utf-8").read().split("\n\n"):
        if not text.strip():
            continue
        fields, name = {}, None
        for line in text.strip("\n").split("\n"):
            if line[0] in " \t":
                fields[name] += "\n" + line.rstrip().replace("\t", " ", 1)
            else:
                name, value = line.split(":", 1)
                name = name.lower()
                assert name not in fields, (path, name)
                fields[name] = value.strip()
        assert fields["filename"] not in out
        out[fields["filename"]] = fields
    return out

theirs, ours = stanzas(sys.argv[1]), stanzas(sys.argv[2])
bad = 0
if set(theirs) != set(ours) or len(ours) != int(sys.argv[3]):
    print("other files:", set(theirs) ^ set(ours), len(ours))
    bad = 1
for name in sorted(set(theirs) & set(ours)):
    a, b = theirs[name], ours[name]
    for hidden in ("md5sum", "sha1"):
        a.pop(hidden)
        if hidden in b:
            print(name, hidden)
            bad = 1
    for field in sorted(set(a) | set(b)):
        if a.get(field) != b.get(field) and not (field == "section" and not a.get(field) and not b.get(field)):
            print("%s: %s: %r, dpkg-scanpackages %r" % (name, field, b.get(field), a.get(field)))
            bad = 1
fields = sum(len(s) for s in ours.values())
print("%d stanzas with %d fields" % (len(ours), fields))
sys.exit(bad)
END

# Ordered by name, then version, as deb-version(7) has it.
sed -n 's/^Package: //p' "$root/Packages" >"$T/names"
LC_ALL=C sort -c "$T/names" || fail "not in the order of names"

# A second update writes nothing and opens no package; without the cache all are read, and it is the same.
sleep 2.5
touch "$root/later.txt"
sleep 2.5
publish "$root"
snapshot "$root" >"$T/before"
snapshot "$T/publisher" >"$T/state"
if have strace; then
    traced %file "$REPO_RELEASE" update "${PUBLISHER[@]}" "$root" || fail "strace"
    ! grep -E '"[^"]*\.deb"' "$T/trace" | grep -E 'open' || fail "an idle update opens a package"
    ! grep -E '(O_WRONLY|O_RDWR|O_CREAT)|(rename|unlink|mkdir|link|symlink)[a-z0-9]*\(' "$T/trace" |
        grep -vE '= -1 |readlink|"(/dev/null|/dev/tty)"|lock"' || fail "an idle update writes"
fi
expect 0 '' -- release update "${PUBLISHER[@]}" --json "$root"
json "o['repositories'][0]['published'] is False and o['repositories'][0]['n_hashed'] == 0"
unchanged "$root" "$T/before"
unchanged "$T/publisher" "$T/state"
served "$root" >"$T/served"
rm "$T/publisher/cache"
expect 0 '' -- release update "${PUBLISHER[@]}" --json "$root"
json "o['repositories'][0]['published'] is False and o['repositories'][0]['n_hashed'] == $n + 1"
served_is "$root" "$T/served"

# One new package: the others are not read for it, and nothing changes about their stanzas.
cp "$root/Packages" "$T/Packages"
sed -i 's/^Version: .*/Version: 1:3/' "$T/odd/DEBIAN/control"
dpkg-deb --root-owner-group --build "$T/odd" "$root/pool/odd_3_all.deb" >/dev/null 2>&1 || fail "dpkg-deb"
sleep 2.5 # what the cache holds is old enough by then
expect 0 '' -- release update "${PUBLISHER[@]}" --json "$root"
json "o['repositories'][0]['published'] is True and o['repositories'][0]['n_added'] == 1"
json "o['repositories'][0]['n_hashed'] == 1"
[ "$(diff "$T/Packages" "$root/Packages" | grep -c '^<')" = 0 ] || fail "$(diff "$T/Packages" "$root/Packages")"

# The same version with other bytes.
sed -i 's/^ last/ very last/' "$T/odd/DEBIAN/control"
mkdir "$root/again"
dpkg-deb --root-owner-group --build "$T/odd" "$root/again/odd_3_all.deb" >/dev/null 2>&1 || fail "dpkg-deb"
served "$root" >"$T/served"
expect 8 'again/odd_3_all.deb and pool/odd_3_all.deb: both are odd 1:3 for all' -- \
    release update "${PUBLISHER[@]}" "$root"
served_is "$root" "$T/served"
