#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a package's name means: a path, a file's name, or a name whose newest version is taken, told on
# standard error; several candidates and none are errors of their own.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
for version in 1.0 1.2 1.10; do
    make_package "$root/pool/hello-$version.tar.gz" "hello $version"
done
make_package "$root/a/tool-2.0.tar.gz" "tool in a"
make_package "$root/b/tool-2.0.tar.gz" "tool in b"
make_package "$root/pool/other-1.0.tar.gz" "other"
make_package "$root/pool/other-1.0.tar.xz" "other"
make_package "$root/pool/lib-x-3.0rc1.tar.gz" "x"
echo text >"$root/README"
publish "$root"
mkdir "$T/out"

# check and list.
expect 0 '' -- consume list "$root"
printf '%s\t%s\t%s\t%s\n' \
    README README "" 5 \
    a/tool-2.0.tar.gz tool 2.0 "$(size_of "$root/a/tool-2.0.tar.gz")" \
    b/tool-2.0.tar.gz tool 2.0 "$(size_of "$root/b/tool-2.0.tar.gz")" \
    pool/hello-1.0.tar.gz hello 1.0 "$(size_of "$root/pool/hello-1.0.tar.gz")" \
    pool/hello-1.10.tar.gz hello 1.10 "$(size_of "$root/pool/hello-1.10.tar.gz")" \
    pool/hello-1.2.tar.gz hello 1.2 "$(size_of "$root/pool/hello-1.2.tar.gz")" \
    pool/lib-x-3.0rc1.tar.gz lib-x 3.0rc1 "$(size_of "$root/pool/lib-x-3.0rc1.tar.gz")" \
    pool/other-1.0.tar.gz other 1.0 "$(size_of "$root/pool/other-1.0.tar.gz")" \
    pool/other-1.0.tar.xz other 1.0 "$(size_of "$root/pool/other-1.0.tar.xz")" >"$T/wanted"
diff "$T/wanted" "$T/stdout" || fail "list says something else"
# It is the manifest's word only: no package is looked at.
mv "$root/pool" "$root/a" "$T"
expect 0 '' -- consume list "$root"
diff "$T/wanted" "$T/stdout" || fail "list looks at the packages"
mv "$T/pool" "$T/a" "$root"

# By name: the newest, and which one it is.
expect 0 'hello.*pool/hello-1\.10\.tar\.gz' -- consume unpack "$root" hello --into "$T/out/hello"
grep -q 'hello 1.10' "$T/out/hello/hello-1.10/src/main.c" || fail "not the newest"
expect 0 'pool/lib-x-3.0rc1.tar.gz' -- consume unpack "$root" lib-x --into "$T/out/x"
expect 0 '' -- consume unpack "$root" pool/hello-1.2.tar.gz --into "$T/out/two"
grep -q 'hello 1.2' "$T/out/two/hello-1.2/src/main.c" || fail "not what was asked for"
expect 0 '' -- consume unpack "$root" b/tool-2.0.tar.gz --into "$T/out/b"
grep -q 'tool in b' "$T/out/b/tool-2.0/src/main.c" || fail "not the one in b"
rm -rf "$T/out" && mkdir "$T/out"
expect 0 'hello-1.0.tar.gz is pool/hello-1.0.tar.gz' -- consume check "$root" hello-1.0.tar.gz pool/hello-1.2.tar.gz README --json
json "o['n_checked'] == 3"

# Ambiguous: the candidates.
for name in tool tool-2.0.tar.gz; do
    expect 2 'a/tool-2.0.tar.gz.*b/tool-2.0.tar.gz' -- consume unpack "$root" $name --into "$T/out/x"
    expect 2 'a/tool-2.0.tar.gz.*b/tool-2.0.tar.gz' -- consume check "$root" $name
done
expect 2 'other-1.0.tar.gz.*other-1.0.tar.xz' -- consume unpack "$root" other --into "$T/out/x"

# Unknown.
for name in nothing hell hello-1.3.tar.gz pool pool/hello ../root/README /etc/passwd "" "hello*"; do
    expect 11 'no .*package|no package' -- consume unpack "$root" "$name" --into "$T/out/x"
    expect 11 'no .*package|no package' -- consume check "$root" "$name"
done
expect 11 '*' -- consume unpack "$root" nothing --into "$T/out/x" --json
json "o['exit'] == 11 and 'nothing' in o['error']"
# A file that lies there but is not in the manifest.
make_package "$root/pool/new-1.0.tar.gz" new
expect 11 'new-1.0.tar.gz' -- consume unpack "$root" pool/new-1.0.tar.gz --into "$T/out/x"
# No archive at all.
expect 2 'README' -- consume unpack "$root" README --into "$T/out/x"
nothing_unpacked "$T/out/x"
