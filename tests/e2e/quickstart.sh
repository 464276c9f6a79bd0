#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# examples/quickstart.sh does what it says, with packages of its own and with a directory of ours, needs no
# input, leaves nothing running, and writes nowhere else.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
export HALLMARK_BUILDDIR=$top_builddir
quickstart=$srcdir/examples/quickstart.sh

snapshot "$HOME" >"$T/home.before"
HALLMARK_QUICKSTART=$T/one bash "$quickstart" </dev/null >"$T/stdout" 2>"$T/stderr" ||
    fail "status $?: $(tail -n 20 "$T/stdout" "$T/stderr")"
! grep -vE '^repo-(verify|release): ' "$T/stderr" || fail "something else on standard error"
for shown in '+ repo-release update ' '+ repo-release status ' '+ repo-verify check ' '+ repo-verify list ' \
    '+ repo-verify unpack ' '+ gpg '; do
    grep -qF -- "$shown" "$T/stdout" || fail "\"$shown\" is not shown"
done
grep -q ': good: 3 packages' "$T/stdout" || fail "nothing was verified: $(cat "$T/stdout")"
grep -qx 'exit status 7' "$T/stdout" || fail "a tampered package is not shown"
[ -n "$(ls -A "$T/one/unpacked")" ] || fail "nothing was unpacked"
unchanged "$HOME" "$T/home.before"

# The commands that it shows can be repeated as they stand.
grep '^+ repo-verify list' "$T/stdout" | sed 's/^+ //' >"$T/again.sh"
gpgconf --homedir "$T/one/gnupg" --kill all
PATH=$top_builddir:$PATH bash -e "$T/again.sh" >"$T/list" || fail "what is shown cannot be repeated"
[ "$(wc -l <"$T/list")" = 3 ] || fail "$(cat "$T/list")"

# A directory of ours, published in place; a second time it is refused.
make_repository "$T/my packages"
(cd "$T/my packages" && find . -type f -exec sha256sum {} + | sort) >"$T/files"
HALLMARK_QUICKSTART=$T/two bash "$quickstart" "$T/my packages" </dev/null >"$T/stdout" 2>"$T/stderr" ||
    fail "status $?: $(tail -n 20 "$T/stdout" "$T/stderr")"
grep -q 'published in place' "$T/stdout" || fail "it does not say that it writes there"
(cd "$T/my packages" && find . -type f ! -path './.hallmark/*' -exec sha256sum {} + | sort) | diff "$T/files" - ||
    fail "the packages were changed"
expect 0 '' -- verify --keyring "$T/two/consumer/keyring.gpg" --no-state "$T/my packages"
[ -n "$(ls -A "$T/two/unpacked")" ] || fail "nothing was unpacked"
served "$T/my packages" >"$T/served"
status=0
HALLMARK_QUICKSTART=$T/three bash "$quickstart" "$T/my packages" </dev/null >"$T/stdout" 2>&1 || status=$?
[ $status = 2 ] || fail "status $status for a directory that is published already"
[ ! -e "$T/three" ] || fail "it made something all the same"
served_is "$T/my packages" "$T/served"

for home in "$T/one/gnupg" "$T/two/gnupg"; do
    ! pgrep -f "gpg-agent.*--homedir $home" >/dev/null || fail "an agent still runs for $home"
done
