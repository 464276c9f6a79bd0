# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154,SC2164 # lib.sh sets top_builddir and -e
# Real upstream tarballs and Debian packages for the end-to-end tests, after repository.sh: fetched once by apt, with a
# configuration of their own, into $PACKAGES/pool, and kept for the next time.

# Small ones; together they have .tar.gz, .tar.xz, .tar.bz2 and .deb of both compressions.
sources=(hello dash ed bc tree mawk patch mtools libassuan sed grep less gzip lzip)
binaries=(hello time ed bc tree patch dash mawk)
PACKAGES=${HALLMARK_PACKAGES:-$top_builddir/tests/e2e/packages}

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

# An apt of its own, which knows the distribution's packages and none that is installed.
prepare_apt()
{
    local apt=$PACKAGES/apt
    rm -rf "$apt" && mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/etc/apt.conf.d" \
        "$apt/etc/preferences.d" "$apt/etc/trusted.gpg.d" "$apt/etc/sources.list.d" "$PACKAGES/pool"
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
}

fetch_archives()
{
    local apt=$PACKAGES/apt name
    prepare_apt
    cd "$PACKAGES/pool"
    for name in "${sources[@]}"; do
        timeout 120 apt-get -qq --only-source --download-only source "$name" </dev/null >>"$apt/log" 2>&1 || :
    done
    timeout 300 apt-get -qq download "${binaries[@]}" </dev/null >>"$apt/log" 2>&1 || :
    cd "$OLDPWD"
    unset APT_CONFIG
    rm -rf "$apt/state" "$apt/cache"
}

# As many small packages of the distribution as a repository of some size has: all that a minimal system consists of,
# and libraries.
choose_binaries()
{
    apt-cache dumpavail | awk -v RS= -F '\n' '{
        name = ""; priority = ""; section = ""; size = 0; essential = 0
        for (i = 1; i <= NF; i++) {
            if ($i ~ /^Package: /) name = substr($i, 10)
            if ($i ~ /^Priority: /) priority = substr($i, 11)
            if ($i ~ /^Section: /) section = substr($i, 10)
            if ($i ~ /^Size: /) size = substr($i, 7) + 0
            if ($i ~ /^Essential: yes/) essential = 1
        }
        if (essential || priority == "required" || name == "apt") print "a", name
        else if (size < 30000 && section ~ /^(libs|utils|doc|admin|net)$/) print "b", name
    }' | sort -u >"$PACKAGES/apt/chosen"
    sed -n 's/^a //p' "$PACKAGES/apt/chosen" >"$PACKAGES/apt/minimal"
    cp "$PACKAGES/apt/minimal" "$PACKAGES/apt/names"
    # shellcheck disable=SC2046 # names without blanks
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances $(cat "$PACKAGES/apt/minimal") | grep '^[a-z0-9]' >>"$PACKAGES/apt/names" || :
    sed -n 's/^b //p' "$PACKAGES/apt/chosen" | awk 'NR % 10 == 0 && n++ < 160' >>"$PACKAGES/apt/names"
    sort -u "$PACKAGES/apt/names"
}

fetch_many()
{
    local apt=$PACKAGES/apt name
    prepare_apt
    mkdir -p "$PACKAGES/many"
    cd "$PACKAGES/many"
    choose_binaries >"$PACKAGES/apt/wanted"
    # One that cannot be had must not hinder all others.
    xargs -n 20 timeout 120 apt-get -qq download <"$PACKAGES/apt/wanted" >>"$apt/log" 2>&1 || :
    cd "$OLDPWD"
    unset APT_CONFIG
    rm -rf "$apt/state" "$apt/cache"
}

# At least 200 real .deb files in $PACKAGES/many, with all that debootstrap wants; likewise.
fetch_many_packages()
{
    mkdir -p "$PACKAGES"
    exec 7>"$PACKAGES/lock"
    flock 7
    if [ ! -e "$PACKAGES/many.complete" ]; then
        fetch_many
        [ "$(archives "$PACKAGES/many" | wc -l)" -ge 200 ] ||
            skip "only $(archives "$PACKAGES/many" | wc -l) packages could be fetched: $(tail -n 1 "$PACKAGES/apt/log")"
        touch "$PACKAGES/many.complete"
    fi
    exec 7>&-
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

# Fetches them if that has not been done; skips the test where it cannot be done.
fetch_packages()
{
    mkdir -p "$PACKAGES"
    exec 7>"$PACKAGES/lock"
    flock 7
    if [ ! -e "$PACKAGES/complete" ]; then
        fetch_archives
        [ "$(upstream "$PACKAGES/pool")" -ge 10 ] ||
            skip "only $(upstream "$PACKAGES/pool") upstream tarballs could be fetched: $(tail -n 1 "$PACKAGES/apt/log")"
        touch "$PACKAGES/complete"
    fi
    exec 7>&-
}
