#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# From nothing to a signed repository, a verified one and an unpacked package, each command shown so that
# you can repeat it. Asks nothing; everything that it makes, keys included, is in one new directory, except
# what publishing adds to DIR.
set -euo pipefail

usage()
{
    cat <<'END'
usage: examples/quickstart.sh [DIR]
Installs what is missing (as root or with sudo), builds, makes a throw-away key, publishes DIR as a signed
repository, verifies it as a consumer would, and unpacks one package.
DIR is published in place: Release, Release.gpg, InRelease and .hallmark/ appear in it and nothing else in
it changes. Without DIR, a few packages are made for the purpose.
Environment: HALLMARK_BUILDDIR, a directory with tools that are built already;
HALLMARK_QUICKSTART, a directory that does not exist yet, for everything that is made.
END
}

case ${1:-} in
--help | -h) usage; exit 0 ;;
-*) usage >&2; exit 2 ;;
esac
[ $# -le 1 ] || { usage >&2; exit 2; }

source_dir=$(cd "$(dirname "$0")/.." && pwd)
repository=
if [ $# = 1 ]; then
    [ -d "$1" ] || { echo "quickstart.sh: $1 is not a directory" >&2; exit 2; }
    repository=$(cd "$1" && pwd)
    for name in InRelease Release Release.gpg .hallmark; do
        if [ -e "$repository/$name" ] || [ -L "$repository/$name" ]; then
            echo "quickstart.sh: $repository/$name exists: this has been published already, and should" \
                "not be signed by a throw-away key; choose another directory" >&2
            exit 2
        fi
    done
fi

# The one place for everything; short, because gpg-agent's socket lies in it.
if [ -n "${HALLMARK_QUICKSTART:-}" ]; then
    mkdir -m 700 "$HALLMARK_QUICKSTART"
    work=$(cd "$HALLMARK_QUICKSTART" && pwd)
else
    work=$(mktemp -d "${TMPDIR:-/tmp}/hallmark-quickstart.XXXXXX")
fi
trap 'gpgconf --homedir "$work/gnupg" --kill all >/dev/null 2>&1 || :' EXIT

say()
{
    printf '\n== %s\n' "$*"
}

# Shows a command as one would type it, and runs it.
run()
{
    local shown='' word
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=@%+,-]* | '') word=\'$word\' ;;
        esac
        shown+=" $word"
    done
    printf '+%s\n' "$shown"
    "$@"
}

build()
{
    cd "$source_dir"
    if [ ! -e configure ] || [ configure.ac -nt configure ]; then
        autoreconf -fi
    fi
    mkdir -p build
    cd build
    [ -e config.status ] || ../configure --quiet
    make -s -j"$(nproc)"
}

say "1. Install what is missing, and build"
if [ -n "${HALLMARK_BUILDDIR:-}" ]; then
    tools=$(cd "$HALLMARK_BUILDDIR" && pwd)
else
    "$source_dir/tests/install-deps.sh" build
    (build) >"$work/build.log" 2>&1 || {
        tail -n 30 "$work/build.log" >&2
        echo "quickstart.sh: the build failed; all of its output is in $work/build.log" >&2
        exit 1
    }
    tools=$source_dir/build
fi
echo "+ export PATH=$tools:\$PATH"
export PATH=$tools:$PATH
run repo-release --version

if [ -z "$repository" ]; then
    say "2. Make a few packages"
    repository=$work/repository
    mkdir -p "$repository/pool"
    cd "$source_dir"
    run tar -czf "$repository/pool/manual-1.0.tar.gz" man
    run tar -cJf "$repository/pool/header-1.1.tar.xz" include
    run tar -czf "$repository/pool/header-1.0.tar.gz" include
else
    say "2. The packages in $repository"
    echo "It is published in place: Release, Release.gpg, InRelease and .hallmark/ will appear in it."
fi

say "3. Make a throw-away key, in a home of its own"
mkdir -m 700 "$work/gnupg"
run gpg --homedir "$work/gnupg" --batch --quiet --pinentry-mode loopback --passphrase '' \
    --quick-gen-key 'Quickstart (throw-away) <quickstart@example.org>' ed25519 sign 1y
key=$(gpg --homedir "$work/gnupg" --batch --with-colons --list-keys 2>/dev/null |
    awk -F: '$1 == "fpr" { print $10; exit }')
echo "Its fingerprint is $key."

say "4. Publish: what the maintainer does, after every change and from cron"
publisher=(--key "$key" --gnupg-home "$work/gnupg" --state "$work/publisher")
run repo-release update "${publisher[@]}" --origin Quickstart --verbose "$repository"
run repo-release status "${publisher[@]}" "$repository"
echo "Nothing has changed since then, so this one writes nothing and says nothing:"
run repo-release update "${publisher[@]}" --origin Quickstart "$repository"

say "5. Verify: what the user does, who has nothing but the public key"
mkdir "$work/consumer"
run gpg --homedir "$work/gnupg" --batch --quiet --output "$work/consumer/keyring.gpg" --export "$key"
consumer=(--keyring "$work/consumer/keyring.gpg" --state "$work/consumer/state")
run repo-verify check "${consumer[@]}" "$repository"
run repo-verify list "${consumer[@]}" "$repository"

say "6. Unpack one package, verified while it is copied"
package=$(repo-verify list "${consumer[@]}" "$repository" | cut -f 1 |
    grep -E '\.(tar|tgz|tbz2|txz|tlz|tzst|deb|udeb|ddeb|tar\.(gz|bz2|xz|lzma|zst))$' | head -n 1 || :)
if [ -n "$package" ]; then
    run repo-verify unpack "${consumer[@]}" "$repository" "$package" --into "$work/unpacked"
    run ls -A "$work/unpacked"
else
    echo "None of the files there is an archive that could be unpacked."
fi

if [ "$repository" = "$work/repository" ]; then
    say "7. What an attacker would see: one byte more in a package"
    run cp -R "$repository" "$work/tampered"
    printf '+ echo >>%s\n' "$work/tampered/$package"
    echo >>"$work/tampered/$package"
    status=0
    run repo-verify check "${consumer[@]}" "$work/tampered" || status=$?
    echo "exit status $status"
    [ $status = 7 ] || { echo "quickstart.sh: it should have been 7" >&2; exit 1; }
fi

say "What next"
cat <<END
All that was made is in $work; remove it when you have seen enough.
For a repository of your own:
  1. make a key that you keep:  gpg --quick-gen-key 'My archive <me@example.org>' ed25519 sign 2y
  2. write a configuration:     repo-release init /srv/www/archive --name archive --key FINGERPRINT
  3. publish, and from cron:    repo-release update archive
  4. give your users the key:   gpg --export FINGERPRINT >archive.gpg
  5. they verify and unpack:    repo-verify --keyring archive.gpg file:///srv/www/archive
The manual pages repo-release(1), repo-verify(1) and hallmark.conf(5) are in $source_dir/man.
END
