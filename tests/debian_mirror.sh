# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154,SC2164 # lib.sh and packages.sh set what is used here and -e
# A local mirror of real suites of Debian, after packages.sh: what apt-get update has put under lists, with the
# index as it is served, and packages and sources that apt has fetched, in $MIRROR; kept for the next time.

# The last three were built when control.tar was compressed by gzip.
mirror_binaries=(adduser base-files bc cowsay dash ed figlet grep gzip hello hostname lsb-release mawk mime-support
    ncurses-base netbase patch sed sl time tree tzdata ucf whiptail cgroupfs-mount gtk3-nocsd libjctools-java)
mirror_sources=(hello dash ed bc libassuan sed mawk lzip) # .tar.gz, .tar.xz, .tar.bz2 among them
MIRROR=${HALLMARK_MIRROR:-$top_builddir/tests/e2e/mirror}

# The suites that write_sources() of packages.sh finds, and what the system itself has of the same archive.
write_mirror_sources()
{
    write_sources "$1" || return 1
    apt-get indextargets --format '$(CREATED_BY) $(REPO_URI) $(RELEASE) $(CODENAME) $(COMPONENT)' 2>/dev/null |
        awk '$1 == "Packages" && $2 ~ /debian/ && $4 ~ /-(security|updates)$/ && !seen[$2 $3]++ { print $2, $3, $5 }' |
        while read -r uri suite component; do
            printf '\nTypes: deb\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n' "$uri" "$suite" "$component" \
                "$DEBIAN_KEYS"
        done >>"$1"
}

# InRelease and the indexes of every suite, from names that encode the path.
lay_out_lists()
{
    local key uri file base root
    apt-get indextargets --format '$(METAKEY) $(REPO_URI) $(FILENAME) $(BASE_URI)' |
        while read -r key uri file base; do
            [ -f "$file" ] || continue
            root=$MIRROR/${uri#*://}
            root=${root%/}/${base#"$uri"}
            mkdir -p "$root/${key%/*}"
            cp "$file" "$root/$key.${file##*.}"
            cp "${file%%"_$(echo "$key" | tr / _)"*}_InRelease" "$root/InRelease"
        done
}

fetch_mirror()
{
    local apt=$MIRROR/apt name
    rm -rf "$MIRROR"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/etc/apt.conf.d" \
        "$apt/etc/preferences.d" "$apt/etc/trusted.gpg.d" "$apt/etc/sources.list.d" "$MIRROR/files"
    write_mirror_sources "$apt/etc/sources.list.d/test.sources" || skip "no Debian archive is configured here"
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
Acquire::GzipIndexes "true";
Acquire::IndexTargets::deb::Packages::KeepCompressedAs "xz";
Acquire::IndexTargets::deb-src::Sources::KeepCompressedAs "xz";
END
    export APT_CONFIG=$apt/apt.conf
    timeout 300 apt-get -qq update </dev/null >"$apt/log" 2>&1 || skip "apt-get update: $(tail -n 1 "$apt/log")"
    lay_out_lists
    cd "$MIRROR/files"
    timeout 300 apt-get -qq download "${mirror_binaries[@]}" </dev/null >>"$apt/log" 2>&1 ||
        for name in "${mirror_binaries[@]}"; do
            timeout 60 apt-get -qq download "$name" </dev/null >>"$apt/log" 2>&1 || :
        done
    for name in "${mirror_sources[@]}"; do
        timeout 120 apt-get -qq --download-only source "$name" </dev/null >>"$apt/log" 2>&1 || :
    done
    cd "$OLDPWD"
    unset APT_CONFIG
    rm -rf "$apt/state" "$apt/cache"
}

need_mirror()
{
    DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -f $DEBIAN_KEYS ] || skip "Debian's keyring is not here"
    need apt-get xz gpgv
    mkdir -p "$MIRROR"
    exec 6>"$MIRROR.lock"
    flock 6
    if [ ! -e "$MIRROR/complete" ]; then
        fetch_mirror
        [ "$(find "$MIRROR/files" -name '*.deb' | wc -l)" -ge 20 ] ||
            skip "only $(find "$MIRROR/files" -name '*.deb' | wc -l) packages could be fetched: $(tail -n 1 "$MIRROR/apt/log")"
        touch "$MIRROR/complete"
    fi
    exec 6>&-
}
