#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every header compiles alone, and the public one in strict ISO C11 and in C++ too.
. "$(dirname "$0")/../lib.sh"
CC=${CC:-cc}
need "${CC%% *}"
cd "$srcdir"

read -ra cc <<<"$CC"
read -ra libraries <<<"$(pkg-config --cflags gpgme libarchive openssl libxxhash 2>/dev/null || :)"
n=0
while read -r header; do
    n=$((n + 1))
    "${cc[@]}" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wstrict-prototypes -Werror -fsyntax-only -Iinclude -Isrc \
        "${libraries[@]}" -include "$header" -x c /dev/null || fail "$header does not compile alone"
    guard=$(sed 's|^src/||; s|^include/||' <<<"$header" | tr 'a-z/.-' 'A-Z___')
    grep -q "^#ifndef $guard\$" "$header" || fail "$header: its guard should be $guard"
done < <(find src include -name '*.h' | sort)
[ $n -ge 15 ] || fail "found only $n headers"

"${cc[@]}" -std=c11 -pedantic -Wall -Wextra -Wstrict-prototypes -Werror -fsyntax-only \
    -include include/hallmark.h -x c /dev/null || fail "hallmark.h is not strict C11"
if have "${CXX:-c++}"; then
    "${CXX:-c++}" -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only -include include/hallmark.h \
        -x c++ /dev/null || fail "hallmark.h is not C++11"
fi
