#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Real data: Debian's own InRelease, Packages and Sources, and packages of theirs, laid out as a local mirror.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../packages.sh"
. "$(dirname "$0")/../debian_mirror.sh"
setup
need_mirror

DEBIAN=(--keyring "$DEBIAN_KEYS" --allow-no-expiry --no-state)
mapfile -t suites < <(find "$MIRROR" -path '*/dists/*' -name InRelease -printf '%h\n' | sort)
[ ${#suites[@]} -ge 1 ] || fail "no suite in $MIRROR"
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
stable=$(printf '%s\n' "${suites[@]}" | grep "/dists/$codename\$")
echo "suites: ${suites[*]#"$MIRROR"/}"

# ---- InRelease: the same verdict as gpgv's -------------------------------------------------------
gpgv_says()
{
    local status=0
    gpgv --keyring "$1" "$2" >/dev/null 2>"$T/gpgv" || status=$?
    echo $status
}
for suite in "${suites[@]}"; do
    date=$(sed -n 's/^Date: //p' "$suite/InRelease")
    until=$(sed -n 's/^Valid-Until: //p' "$suite/InRelease")
    now=@$(($(date -u -d "$date" +%s) + 3600))
    verify_it=(verify manifest --keyring "$DEBIAN_KEYS" --as-of "$now")
    # The keyring on this machine must have all keys, or gpgv says 2: see below.
    [ "$(gpgv_says "$DEBIAN_KEYS" "$suite/InRelease")" = 0 ] || fail "gpgv: $(cat "$T/gpgv")"
    expect 0 '' -- "${verify_it[@]}" --allow-no-expiry "$suite"
    cp "$T/stdout" "$T/manifest"
    [ "$(grep -c ': good$' "$T/manifest")" = "$(grep -c 'Good signature' "$T/gpgv")" ] || fail "$(cat "$T/manifest")"
    expect 0 '' -- "${verify_it[@]}" --allow-no-expiry --print "$suite"
    cmp <(sed -n '/^$/,$p' "$suite/InRelease" | sed '1d;/^-----BEGIN PGP SIGNATURE/,$d') "$T/stdout" ||
        fail "another text than was signed"
    # Freshness is more than gpgv looks at.
    if [ -n "$until" ]; then
        expect 0 '' -- "${verify_it[@]}" "$suite"
        expect 4 'expired' -- verify manifest --keyring "$DEBIAN_KEYS" --as-of "@$(($(date -u -d "$until" +%s) + 1))" "$suite"
        echo "${suite##*/}: valid until $until"
    else
        expect 4 'no Valid-Until' -- "${verify_it[@]}" "$suite"
        expect 0 '' -- "${verify_it[@]}" --max-age 2h "$suite"
    fi
    expect 5 'clock' -- verify manifest --keyring "$DEBIAN_KEYS" --allow-no-expiry --as-of "@$((${now#@} - 7200))" "$suite"
    # Which suite it is.
    for name in "$(sed -n 's/^Suite: //p' "$suite/InRelease")" "$(sed -n 's/^Codename: //p' "$suite/InRelease")"; do
        expect 0 '' -- "${verify_it[@]}" --allow-no-expiry --suite "$name" --origin Debian "$suite"
    done
    expect 6 '"sid" is wanted' -- "${verify_it[@]}" --allow-no-expiry --suite sid "$suite"

    # Both refuse what was changed, and all keys that are others.
    for line in 5 40; do
        sed "${line}s/.\$/@/" "$suite/InRelease" >"$T/InRelease"
        cmp -s "$suite/InRelease" "$T/InRelease" && fail "nothing was changed"
        [ "$(gpgv_says "$DEBIAN_KEYS" "$T/InRelease")" != 0 ] || fail "gpgv accepts a change"
        expect 3 'bad signature' -- "${verify_it[@]}" --allow-no-expiry "$T/InRelease"
    done
    [ "$(gpgv_says "$KEYS/signer.gpg" "$suite/InRelease")" = 2 ] || fail "gpgv: $(cat "$T/gpgv")"
    expect 3 'not in the keyring' -- verify manifest --keyring "$KEYS/signer.gpg" --allow-no-expiry --as-of "$now" "$suite"
    # An old client has some of the keys only: gpgv says 2 then, and apt and we go by the good signatures.
    for keyring in /usr/share/keyrings/debian-archive-"$codename"-*.gpg; do
        [ -f "$keyring" ] || continue
        status=$(gpgv_says "$keyring" "$suite/InRelease")
        if grep -q 'Good signature' "$T/gpgv"; then
            expect 0 '' -- verify manifest --keyring "$keyring" --allow-no-expiry --as-of "$now" "$suite"
            n=$(grep -c ': good$' "$T/stdout")
            expect 3 'needed' -- verify manifest --keyring "$keyring" --threshold $((n + 1)) --allow-no-expiry \
                --as-of "$now" "$suite"
        else
            [ "$status" != 0 ] || fail "gpgv accepts without a good signature"
            expect 3 'not in the keyring' -- verify manifest --keyring "$keyring" --allow-no-expiry --as-of "$now" \
                "$suite"
        fi
    done
done

# ---- InRelease, index, package --------------------------------------------------------------------
arch=$(dpkg --print-architecture)
root=${stable%/dists/*}
DEBIAN+=(--suite "$codename")
PART=(--component main --arch "$arch" --arch source)
expect 0 '' -- verify list "${DEBIAN[@]}" "${PART[@]}" "$root"
cp "$T/stdout" "$T/list"
cut -f 1 "$T/list" >"$T/paths"
grep '\.deb$' "$T/paths" >"$T/debs"
stanzas=$(xz -dc "$stable/main/binary-$arch/Packages.xz" | grep -c '^Package: ')
n_files=$(xz -dc "$stable/main/source/Sources.xz" | sed -n '/^Checksums-Sha256:/,/^[^ ]/{/^ /p}' | sort -u | wc -l)
[ "$(wc -l <"$T/debs")" = "$stanzas" ] || fail "not $stanzas packages of Packages"
[ "$(grep -vc '\.deb$' "$T/paths")" -ge "$n_files" ] || fail "not $n_files files of Sources"
echo "$stanzas packages and $n_files files of sources are listed"
# Every stanza says the same as apt's own reading of it.
xz -dc "$stable/main/binary-$arch/Packages.xz" | awk -F': ' -v OFS='\t' '
    $1 ~ /^(Package|Version|Filename|Size)$/ { f[$1] = $2; if ($1 == "Version") f[$1] = substr($0, 10) }
    $0 == "" { print f["Filename"], f["Package"], f["Version"], f["Size"] }' >"$T/wanted"
head -n "$stanzas" "$T/list" | diff - "$T/wanted" >&2 || fail "another list than Packages has"

# The same indexes as apt reads are enough, in every suite: none more is asked for, such as binary-all.
for suite in "${suites[@]}"; do
    date=$(date -u -d "$(sed -n 's/^Date: //p' "$suite/InRelease")" +%s)
    expect 11 'no such package \(in 1 indexes' -- verify check --keyring "$DEBIAN_KEYS" --allow-no-expiry \
        --as-of "@$((date + 3600))" --component main --arch "$arch" "$suite" no-such-package:"$arch"
done

# The files that apt fetched, where they belong.
n_debs=0
: >"$T/kinds"
while read -r file; do
    plain=$(basename "$file" | sed -E 's/_[0-9]*%3a/_/') # an epoch is in no name of the archive
    path=$(grep -E "/$(printf '%s' "$plain" | sed 's/[.+]/\\&/g')\$" "$T/paths" | head -n 1 || :)
    [ -n "$path" ] || continue # of another suite
    mkdir -p "$T/mirror/${path%/*}"
    cp "$file" "$T/mirror/$path"
    echo "$path" >>"$T/fetched"
    case $path in
    *.deb) n_debs=$((n_debs + 1)) && echo "deb with $(ar t "$file" | tail -n 2 | xargs)" >>"$T/kinds" ;;
    *) echo "${path##*.}" >>"$T/kinds" ;;
    esac
done < <(find "$MIRROR/files" -type f | sort)
cp -a "$root/dists" "$T/mirror"
sort "$T/kinds" | uniq -c
[ "$(grep '^deb with' "$T/kinds" | sort -u | wc -l)" -ge 2 ] || fail "all .deb files are compressed in one way"
[ $n_debs -ge 20 ] || [ "$(wc -l <"$T/fetched")" -ge 30 ] || fail "only $n_debs packages"
for kind in gz xz bz2 dsc; do
    grep -qx $kind "$T/kinds" || echo "no .$kind among the sources" >&2
done
[ "$(grep -vc 'deb with\|dsc\|asc' "$T/kinds")" -ge 10 ] || fail "too few sources: $(cat "$T/kinds")"
# All of them in one run: whatever else the index lists is missing, and nothing else is wrong.
expect 7 '*' -- verify check "${DEBIAN[@]}" "${PART[@]}" "$T/mirror" --json
python3 - "$T/stdout" "$T/fetched" <<'END' || fail "the check of all files of the index"
import json, sys
o = json.load(open(sys.argv[1]))
fetched = set(open(sys.argv[2]).read().split())
bad = {p["path"]: p["text"] for p in o["problems"]}
assert not fetched & set(bad), fetched & set(bad)
assert all("is missing" in text for text in bad.values())
assert o["n_checked"] == len(bad) + len(fetched), (o["n_checked"], len(bad), len(fetched))
END
expect 0 'hello is pool/main/h/hello/hello_.*\.deb' -- verify check "${DEBIAN[@]}" "${PART[@]}" "$T/mirror" hello
deb=$(grep '/hello_.*\.deb$' "$T/fetched")
expect 0 '' -- verify unpack "${DEBIAN[@]}" --component main "$T/mirror" "$deb" --into "$T/hello"
[ -x "$T/hello/usr/bin/hello" ] || fail "no program in hello"
tarball=$(grep '/hello_.*\.orig\.tar\.[a-z0-9]*$' "$T/fetched")
expect 0 '' -- verify unpack "${DEBIAN[@]}" --component main "$T/mirror" "$tarball" --into "$T/source"
ls "$T"/source/*/configure >/dev/null || fail "no source of hello"

# One that was swapped for another real package, and one that has another bit.
other=$(grep '\.deb$' "$T/fetched" | grep -v hello_ | head -n 1)
cp "$T/mirror/$other" "$T/mirror/$deb"
for what in "$deb" hello; do
    expect 7 '*' -- verify check "${DEBIAN[@]}" --component main "$T/mirror" "$what"
    grep -q "$deb: .*the index says" "$T/stderr" || fail "$(cat "$T/stderr")"
    expect 7 '*' -- verify unpack "${DEBIAN[@]}" --component main "$T/mirror" "$what" --into "$T/none"
    [ ! -e "$T/none" ] || fail "unpacked"
done
flip "$T/mirror/$other" 4000
expect 7 '*' -- verify check "${DEBIAN[@]}" --component main "$T/mirror" "$other"
# The index of yesterday, or of somebody: not of this InRelease (F09).
flip "$T/mirror/dists/$codename/main/binary-$arch/Packages.xz" 5000
expect 7 'Packages.xz: SHA256 is' -- verify list "${DEBIAN[@]}" --component main --arch "$arch" "$T/mirror"

# The client needs little memory beside the index: 12 MiB are the aim; this allows for the libraries.
if ! grep -q 'fsanitize' "$top_builddir/config.log" && ! under_wrapper; then
    memory=$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$REPO_VERIFY" list "${DEBIAN[@]}" \
        --component main --arch "$arch" "$root")
    echo "list of $stanzas packages: $memory KiB"
    [ "$memory" -le 40960 ] || fail "list takes $memory KiB of memory"
fi
