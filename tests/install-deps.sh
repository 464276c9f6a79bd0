#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what building ("build"), testing ("test") or the whole CI ("ci") needs and this machine
# lacks: by apt-get (Debian, Ubuntu) or dnf (Fedora), as root or through sudo. Asks nothing, and calls
# no package manager where nothing is missing. Exit status: 0 unless something that is needed is missing
# at the end.
set -euo pipefail

# group | needed or wanted | probe | Debian package | Fedora package
# A probe is a command, "pc:" and a pkg-config module, "h:" and a header, or "libfuzzer".
dependencies()
{
    cat <<'END'
build needed cc gcc gcc
build needed h:stdlib.h libc6-dev glibc-devel
build needed h:linux/landlock.h linux-libc-dev kernel-headers
build needed make make make
build needed autoconf autoconf autoconf
build needed automake automake automake
build needed libtoolize libtool libtool
build needed pkg-config pkg-config pkgconf-pkg-config
build needed pc:gpgme libgpgme-dev gpgme-devel
build needed pc:libarchive libarchive-dev libarchive-devel
build needed pc:libcurl libcurl4-openssl-dev libcurl-devel
build needed pc:openssl libssl-dev openssl-devel
build needed pc:libxxhash libxxhash-dev xxhash-devel
build needed pc:libseccomp libseccomp-dev libseccomp-devel
build needed pc:zlib zlib1g-dev zlib-devel
build needed pc:liblzma liblzma-dev xz-devel
build needed gpg gpg gnupg2
build needed gpgconf gpgconf gnupg2
build needed gpg-agent gpg-agent gnupg2
build needed gpgv gpgv gnupg2
build needed tar tar tar
build needed gzip gzip gzip
build needed bzip2 bzip2 bzip2
build needed xz xz-utils xz
build needed zstd zstd zstd
build needed find findutils findutils
build needed diff diffutils diffutils
test needed pc:cmocka libcmocka-dev libcmocka-devel
test needed python3 python3 python3
test needed flock util-linux util-linux
test needed nm binutils binutils
test wanted setpriv util-linux util-linux
test wanted ps procps procps-ng
test wanted mandoc mandoc mandoc
test wanted shellcheck shellcheck ShellCheck
test wanted ctags universal-ctags ctags
test wanted faketime faketime libfaketime
test wanted strace strace strace
test wanted unshare util-linux util-linux
test wanted prlimit util-linux util-linux
test wanted mkfs.ext4 e2fsprogs e2fsprogs
test wanted nginx nginx-light nginx
test wanted openssl openssl openssl
test wanted curl curl curl
test wanted sqv sqv sequoia-sqv
test wanted dpkg-deb dpkg dpkg
test wanted dpkg-source dpkg-dev dpkg-dev
test wanted apt-ftparchive apt-utils apt-utils
test wanted debootstrap debootstrap debootstrap
test wanted c++ g++ gcc-c++
test wanted gnuplot gnuplot-nox gnuplot
ci needed valgrind valgrind valgrind
ci wanted clang clang clang
ci wanted libfuzzer libclang-rt-dev compiler-rt
ci wanted clang-tidy clang-tidy clang-tools-extra
ci wanted cppcheck cppcheck cppcheck
ci wanted clang-format clang-format clang-tools-extra
END
}

# Commands that only root has in PATH count too.
PATH=$PATH:/usr/sbin:/sbin

have()
{
    case $1 in
    pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#pc:}" ;;
    h:*) [ -e "/usr/include/${1#h:}" ] || cc_finds "${1#h:}" ;;
    libfuzzer) clang_finds_libfuzzer ;;
    gpg-agent) command -v gpg-agent >/dev/null || [ -x /usr/lib/gnupg/gpg-agent ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

cc_finds()
{
    command -v cc >/dev/null && echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1
}

clang_finds_libfuzzer()
{
    local program status=0
    command -v clang >/dev/null || return 1
    program=$(mktemp)
    echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -fsanitize=fuzzer,address -x c - -o "$program" >/dev/null 2>&1 || status=$?
    rm -f "$program"
    return $status
}

# The lines of dependencies() of the groups given that are not met here.
missing()
{
    local group kind probe debian fedora
    dependencies | while read -r group kind probe debian fedora; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        have "$probe" || echo "$group $kind $probe $debian $fedora"
    done
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && [ -t 0 ]; then
        sudo "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        echo "install-deps.sh: this needs root or sudo: $*" >&2
        return 1
    fi
}

install_debian()
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o Dpkg::Use-Pty=0 \
        install --no-install-recommends "$@" </dev/null >&2
}

install_fedora()
{
    as_root dnf -y -q install --setopt=install_weak_deps=False "$@" </dev/null >&2
}

# Installs the packages in column $1 of the missing lines on standard input: all at once, or, where that
# fails, one by one, so that one that this release does not have keeps out no other.
install_column()
{
    local column=$1 install=$2 package
    local -a packages=()
    mapfile -t packages < <(awk -v c="$column" '{ print $c }' | sort -u)
    echo "install-deps.sh: installing ${packages[*]}" >&2
    "$install" "${packages[@]}" && return
    for package in "${packages[@]}"; do
        "$install" "$package" || echo "install-deps.sh: cannot install $package" >&2
    done
}

main()
{
    local -a groups
    case ${1:-} in
    build) groups=(build) ;;
    test) groups=(build test) ;;
    ci) groups=(build test ci) ;;
    *) echo "usage: install-deps.sh build|test|ci" >&2; return 2 ;;
    esac
    local lacking
    lacking=$(missing "${groups[@]}")
    [ -n "$lacking" ] || return 0
    if command -v apt-get >/dev/null; then
        as_root apt-get -qq -o Dpkg::Use-Pty=0 update </dev/null >&2 ||
            echo "install-deps.sh: apt-get update failed; trying with what is known" >&2
        install_column 4 install_debian <<<"$lacking"
    elif command -v dnf >/dev/null; then
        install_column 5 install_fedora <<<"$lacking"
    else
        echo "install-deps.sh: neither apt-get nor dnf is here; please install the packages of:" >&2
    fi
    lacking=$(missing "${groups[@]}")
    [ -n "$lacking" ] || return 0
    echo "$lacking" | awk '{ print "install-deps.sh: still missing (" $2 "): " $3 }' >&2
    ! grep -q '^[a-z]* needed ' <<<"$lacking"
}

main "$@"
