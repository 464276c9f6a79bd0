#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Real upstream tarballs and Debian packages, fetched by apt with a configuration of this test's own (and kept for
# the next time): published, checked, and every one unpacked like GNU tar and dpkg-deb do it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
need apt-get dpkg-deb gpgv

# Small ones; together they have .tar.gz, .tar.xz, .tar.bz2 and .deb of both compressions.
sources=(hello dash ed bc tree mawk patch mtools libassuan sed grep less gzip lzip)
binaries=(hello time ed bc tree patch dash mawk)
cache=${HALLMARK_PACKAGES:-$top_builddir/tests/e2e/packages}

# The suite of this release, with its sources, out of what the system uses; nothing else.
write_sources()
{
    local codename uri key
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    key=$(find /usr/share/keyrings -name 'debian-archive-keyring.*' -o -name 'ubuntu-archive-keyring.*' | head -n 1)
    uri=$(apt-get indextargets --format '$(SITE) $(CODENAME) $(RELEASE)' 2>/dev/null |
        awk -v c="$codename" '($2 == c || $3 == c) && $1 ~ /(debian|ubuntu)/ { print $1; exit }')
    if [ -z "$uri" ]; then
        uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
            grep -oE '(https?|file|mirror[^:]*)://[^ ]*(debian|ubuntu)/?( |$)' | head -n 1 | tr -d ' ')
    fi
    [ -n "$codename" ] && [ -n "$uri" ] && [ -n "$key" ] || return 1
    printf 'Types: deb deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
        "$uri" "$codename" "$key" >"$1"
}

fetch()
{
    local apt=$cache/apt name
    rm -rf "$apt" && mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/etc/apt.conf.d" \
        "$apt/etc/preferences.d" "$apt/etc/trusted.gpg.d" "$apt/etc/sources.list.d" "$cache/pool"
    write_sources "$apt/etc/sources.list.d/test.sources" || skip "no Debian or Ubuntu archive is configured here"
    : >"$apt/status"
    cat >"$apt/apt.conf" <<END
Dir::Etc "$apt/etc";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
END
    export APT_CONFIG=$apt/apt.conf
    timeout 300 apt-get -qq update </dev/null >"$apt/log" 2>&1 || skip "apt-get update: $(tail -n 1 "$apt/log")"
    cd "$cache/pool"
    for name in "${sources[@]}"; do
        timeout 120 apt-get -qq --only-source --download-only source "$name" </dev/null >>"$apt/log" 2>&1 || :
    done
    timeout 300 apt-get -qq download "${binaries[@]}" </dev/null >>"$apt/log" 2>&1 || :
    cd "$OLDPWD"
    unset APT_CONFIG
    rm -rf "$apt/state" "$apt/cache"
}

# Signatures, .dsc files and what we do not unpack stay away.
archives()
{
    find "$1" -type f -regextype egrep -regex '.*(\.deb|\.tar|\.tgz|\.tar\.(gz|xz|bz2|zst|lzma))' -printf '%P\n' | sort
}

# How many upstream tarballs; what Debian adds to them does not count.
upstream()
{
    archives "$1" | grep -cvE '\.deb$|\.debian\.tar' || :
}

mkdir -p "$cache"
exec 7>"$cache/lock"
flock 7
if [ ! -e "$cache/complete" ]; then
    fetch
    [ "$(upstream "$cache/pool")" -ge 10 ] ||
        skip "only $(upstream "$cache/pool") upstream tarballs could be fetched: $(tail -n 1 "$cache/apt/log")"
    touch "$cache/complete"
fi
exec 7>&-

root=$T/root
mkdir -p "$root/pool"
archives "$cache/pool" >"$T/packages"
while read -r package; do
    cp "$cache/pool/$package" "$root/pool/${package//[^A-Za-z0-9._+~-]/_}"
done <"$T/packages"
n=$(wc -l <"$T/packages")
for kind in tar.gz tar.xz tar.bz2 deb; do
    grep -q "\.$kind\$" "$T/packages" || fail "no .$kind among: $(cat "$T/packages")"
done
[ "$(upstream "$root/pool")" -ge 10 ] || fail "fewer than ten upstream tarballs: $(cat "$T/packages")"

publish "$root" --hash SHA512
expect 0 '' -- consume check "$root"
stdout_has "good: $n packages"
gpgv --quiet --keyring "$KEYS/signer.gpg" "$root/InRelease" 2>/dev/null || fail "gpgv refuses InRelease"
gpgv --quiet --keyring "$KEYS/signer.gpg" "$root/Release.gpg" "$root/Release" 2>/dev/null ||
    fail "gpgv refuses Release.gpg"
awk '/^SHA256:/ { on = 1; next } /^[^ ]/ { on = 0 } on { print $1 "  " $3 }' "$root/Release" >"$T/sums"
[ "$(wc -l <"$T/sums")" = "$n" ] || fail "$(wc -l <"$T/sums") lines for $n packages"
(cd "$root" && sha256sum --check --strict --quiet "$T/sums") || fail "sha256sum disagrees"

mkdir "$T/out" "$T/reference"
while read -r package; do
    expect 0 '' -- consume unpack "$root" "$package" --into "$T/out/x"
    unpack_reference "$root/$package" "$T/reference/x"
    same_tree "$T/out/x" "$T/reference/x"
    echo "$package: $(find "$T/out/x" | wc -l) entries, the same"
    rm -rf "$T/out/x" "$T/reference/x"
done < <(awk '{ print $2 }' "$T/sums")
[ -z "$(ls -A "$T/out")" ] || fail "left behind: $(ls -A "$T/out")"
