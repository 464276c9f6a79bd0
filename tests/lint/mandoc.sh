#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The man pages are clean mdoc.
. "$(dirname "$0")/../lib.sh"
need mandoc
cd "$srcdir"
for page in repo-mirror.1 repo-release.1 repo-verify.1 hallmark.3 hallmark.conf.5 hallmark-repository.5; do
    [ -e "man/$page" ] || fail "man/$page is missing"
    # Other pages are perhaps not installed here.
    ignored='referenced manual not found|Mdocdate found|Mdocdate missing|operating system explicitly'
    mandoc -T lint -W style "man/$page" 2>&1 |
        grep -vE "^mandoc: outdated mandoc.db|STYLE: ($ignored)" >"$T/out" || :
    [ ! -s "$T/out" ] || fail "$(cat "$T/out")"
    grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' "man/$page" || fail "man/$page: no SPDX line"
    ! grep -nE '[[:blank:]]$' "man/$page" || fail "man/$page: blanks at a line's end"
done
