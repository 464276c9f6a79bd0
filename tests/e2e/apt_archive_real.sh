#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# A pool of real Debian packages in the layout apt: each stanza says field by field what dpkg-scanpackages says (which
# has MD5sum and SHA1 beside it; nothing that is signed may hang on them, so we have not), and debootstrap takes a
# minimal system from it, with its own check of the signature.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../packages.sh"
setup
need dpkg-scanpackages apt-get python3
fetch_many_packages

root=$T/root
mkdir -p "$root/pool/main" "$root/pool/extra"
while read -r package; do
    name=${package//[^A-Za-z0-9._+~-]/_}
    [ $((${#name} % 5)) = 0 ] && component=extra || component=main
    cp "$PACKAGES/many/$package" "$root/pool/$component/$name"
done < <(archives "$PACKAGES/many")
sleep 3 # what is too fresh is hashed once more by the next run
n=$(find "$root/pool" -name '*.deb' | wc -l)
[ "$n" -ge 200 ] || fail "only $n packages"
settings=(--layout apt --suite stable --codename bookworm --component main --component extra)
expect 0 '' -- release update "${PUBLISHER[@]}" "${settings[@]}" --json "$root"
json "o['repositories'][0]['n_packages'] == $n"
arch=$(dpkg --print-architecture)
(cd "$root" && dpkg-scanpackages --multiversion pool 2>/dev/null) >"$T/scanned"
python3 - "$T/scanned" "$n" "$root/dists/stable/main/binary-$arch/Packages" \
    "$root/dists/stable/extra/binary-$arch/Packages" <<'END' || fail "they disagree"
import sys

def stanzas(path, out):
    for text in open(path, encoding="utf-8").read().split("\n\n"):
        if not text.strip():
            continue
        fields, name = {}, None
        for line in text.strip("\n").split("\n"):
            if line[0] in " \t":
                fields[name] += "\n" + line.rstrip()
            else:
                name, value = line.split(":", 1)
                assert name not in fields, (path, name)
                fields[name] = value.strip()
        assert fields["Filename"] not in out
        out[fields["Filename"]] = fields

theirs, ours = {}, {}
stanzas(sys.argv[1], theirs)
for path in sys.argv[3:]:
    before = set(ours)
    stanzas(path, ours)
    component = path.split("/")[-3]
    assert all(name.startswith("pool/%s/" % component) for name in set(ours) - before), path
bad = set(theirs) ^ set(ours)
if bad or len(ours) != int(sys.argv[2]):
    print("other files:", bad, len(ours))
differences = {}
for name in sorted(set(theirs) & set(ours)):
    a, b = theirs[name], ours[name]
    for field in sorted(set(a) | set(b)):
        if a.get(field) != b.get(field):
            differences.setdefault(field, []).append((name, a.get(field), b.get(field)))
intended = {"MD5sum", "SHA1"}
for field, names in differences.items():
    if field in intended and all(ours is None for _, _, ours in names):
        print("%s: dpkg-scanpackages has it, we have not: %d times" % (field, len(names)))
    else:
        print("%s: %d times, such as %r" % (field, len(names), names[0]))
        bad = True
print("%d stanzas with %d fields agree" % (len(ours), sum(len(s) for s in ours.values())))
sys.exit(1 if bad else 0)
END

# A second update opens no package; the whole of what is published is good.
sleep 2.1
expect 0 '' -- release update "${PUBLISHER[@]}" "${settings[@]}" "$root"
expect 0 '' -- release update "${PUBLISHER[@]}" "${settings[@]}" --json "$root"
json "o['repositories'][0]['n_hashed'] == 0 and not o['repositories'][0]['published']"
expect 0 '' -- release check "${PUBLISHER[@]}" "${settings[@]}" "$root"

# ---- debootstrap -------------------------------------------------------------------------------------------------
# Its first stage: it checks the signature with gpgv, reads the index, finds out what a minimal system consists of,
# compares hashes and unpacks. It wants to be root, and to make device files.
if have debootstrap && [ "$(id -u)" = 0 ] && [ -e /usr/share/debootstrap/scripts/bookworm ]; then
    bootstrap()
    {
        debootstrap --foreign --variant=minbase --components=main,extra --keyring="$1" stable "$T/chroot" \
            "file://$root" /usr/share/debootstrap/scripts/bookworm >"$T/log" 2>&1
    }
    if bootstrap "$KEYS/signer.gpg"; then
        [ -x "$T/chroot/usr/bin/dpkg" ] || fail "no dpkg: $(tail "$T/log")"
        [ -e "$T/chroot/debootstrap/debootstrap" ] || fail "no second stage: $(tail "$T/log")"
        ! grep -q '^W: ' "$T/log" || fail "$(grep '^W: ' "$T/log")"
        echo "debootstrap: $(find "$T/chroot/var/cache/apt/archives" -name '*.deb' | wc -l) packages"
    elif grep -qE "Cannot install into target|device node|noexec|nodev" "$T/log"; then
        echo "debootstrap cannot make a system here: $(tail -n 1 "$T/log")"
    else
        fail "debootstrap: $(tail -n 20 "$T/log")"
    fi
    rm -rf "$T/chroot"
    ! bootstrap "$KEYS/evil.gpg" || fail "debootstrap accepts any key"
    grep -q 'Release signed by unknown key' "$T/log" || fail "$(tail "$T/log")"
else
    echo "debootstrap is not here, or not root"
fi
