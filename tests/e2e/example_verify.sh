#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The example of using libhallmark: short, and it says what repo-verify says.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup
[ "$(wc -l <"$srcdir/examples/verify.c")" -lt 60 ] || fail "examples/verify.c has $(wc -l <"$srcdir/examples/verify.c") lines"
! grep '#include "' "$srcdir/examples/verify.c" || fail "it includes something internal"
example=$(find_tool "$top_builddir/examples/verify" verify)
! under_wrapper || example=$(wrap "$example" no-command)
root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
publish "$root"
status=0
"$example" "$root" "$KEYS/signer.gpg" >"$T/stdout" 2>"$T/stderr" || status=$?
[ $status = 0 ] || fail "status $status: $(cat "$T/stderr")"
status=0
"$example" "$root" "$KEYS/evil.gpg" >"$T/stdout" 2>"$T/stderr" || status=$?
[ $status = 3 ] || fail "status $status with another key: $(cat "$T/stderr")"
echo two >"$root/a.txt"
status=0
"$example" "$root" "$KEYS/signer.gpg" >"$T/stdout" 2>"$T/stderr" || status=$?
[ $status = 7 ] || fail "status $status with another package: $(cat "$T/stderr")"
