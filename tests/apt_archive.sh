# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154,SC2164 # lib.sh and repository.sh set srcdir, T and -e
# A small apt archive by apt-ftparchive and gpg, as others write it, after repository.sh.

# compress FILE: beside it in every compression.
compress()
{
    gzip -9nk "$1"
    bzip2 -k "$1"
    xz -k "$1"
    xz --format=lzma -k "$1"
    zstd -qk "$1"
}

# make_stanza DSC: what Sources says of a source package of one tarball.
make_stanza()
{
    local dsc=$1 directory=${1%/*} name tarball
    name=$(sed -n 's/^Source: //p' "$dsc")
    tarball=${dsc%.dsc}.tar.xz
    printf 'Package: %s\nBinary: %s\nVersion: 1.0\nFormat: 3.0 (native)\nFiles:\n' "$name" "$name"
    for file in "$dsc" "$tarball"; do
        echo " $(md5sum <"$file" | cut -d' ' -f1) $(size_of "$file") ${file##*/}"
    done
    printf 'Checksums-Sha256:\n'
    for file in "$dsc" "$tarball"; do
        echo " $(sha256sum <"$file" | cut -d' ' -f1) $(size_of "$file") ${file##*/}"
    done
    printf 'Directory: %s\n\n' "$directory"
}

# make_pool ROOT: packages of two components and architectures, and a source package.
make_pool()
{
    local pool=$1/pool
    make_package "$pool/main/h/hello_1.0_amd64.deb" one
    make_package "$pool/main/h/hello_2.0_amd64.deb" two
    make_package "$pool/main/h/hello_2.0_arm64.deb" arm
    make_package "$pool/main/d/docs_1.0_all.deb" all
    make_package "$pool/main/f/foreign_1.0_arm64.deb" arm
    make_package "$pool/main/f/foreign_1.0_riscv64.deb" risc
    make_package "$pool/contrib/e/extra_1.0_amd64.deb" extra
    make_package "$pool/contrib/e/extra_1.0_arm64.deb" extra
    make_package "$pool/main/t/tool_1.0.tar.xz" tool
    printf 'Format: 3.0 (native)\nSource: tool\nBinary: tool\nVersion: 1.0\n' >"$pool/main/t/tool_1.0.dsc"
}

# make_indexes ROOT SUITE: of what is in the pool, with every compression.
make_indexes()
{
    local component arch directory suite=dists/$2
    (
        cd "$1"
        for component in main contrib; do
            for arch in amd64 arm64 riscv64; do
                directory=$suite/$component/binary-$arch
                mkdir -p "$directory"
                apt-ftparchive --arch "$arch" packages "pool/$component" >"$directory/Packages" 2>>"$T/ftparchive.log"
                printf 'Archive: %s\nComponent: %s\nArchitecture: %s\n' "$2" $component $arch >"$directory/Release"
                compress "$directory/Packages"
            done
        done
        mkdir -p "$suite/main/source"
        make_stanza pool/main/t/tool_1.0.dsc >"$suite/main/source/Sources"
        compress "$suite/main/source/Sources"
        apt-ftparchive contents pool/main 2>>"$T/ftparchive.log" >"$suite/main/Contents-amd64"
    )
}

# sign_archive ROOT SUITE [APT-FTPARCHIVE-OPTION...]: Release of all that is there, InRelease and Release.gpg.
sign_archive()
{
    local directory=$1/dists/$2 suite=$2 option
    local -a options=()
    shift 2
    for option in Origin=Example Label=Example "Suite=$suite" "Codename=code$suite" ValidTime=864000 \
        "Architectures=amd64 arm64 riscv64" "Components=main contrib" "$@"; do
        options+=(-o "APT::FTPArchive::Release::$option")
    done
    rm -f "$directory"/{InRelease,Release,Release.gpg}
    apt-ftparchive "${options[@]}" -o APT::FTPArchive::DoByHash=true -o APT::FTPArchive::MD5=false \
        -o APT::FTPArchive::SHA1=false -o APT::FTPArchive::SHA512=false release "$directory" \
        >"$T/Release.new" 2>>"$T/ftparchive.log"
    sed '/^Architectures:/i No-Support-for-Architecture-all: Packages' "$T/Release.new" \
        >"$directory/Release"
    sign_release "$directory"
}

# sign_release DIRECTORY: InRelease and Release.gpg for the Release that is there.
sign_release()
{
    rm -f "$1/InRelease" "$1/Release.gpg"
    sign -o "$1/InRelease" --clearsign "$1/Release"
    sign -o "$1/Release.gpg" --armor --detach-sign "$1/Release"
}

sign()
{
    gpg --homedir "$GNUPG" --batch --quiet --no-tty --digest-algo SHA512 -u "$KEY" "$@" 2>>"$T/gpg.log" ||
        fail "gpg: $(tail -n 3 "$T/gpg.log")"
}
