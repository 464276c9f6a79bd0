#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# check: the published tree against its own manifest, as one who trusts exactly the keys of Sign-With.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root"
snapshot "$root" >"$T/before"
expect 0 '' -- release check "${PUBLISHER[@]}" "$root"
unchanged "$root" "$T/before"

# Not listed yet: told, and no failure.
echo new >"$root/new.txt"
expect 0 '' -- release check "${PUBLISHER[@]}" "$root"
stdout_has '1 file is not listed yet|new.txt'
expect 0 '' -- release check "${PUBLISHER[@]}" --json "$root"
json "o['repositories'][0]['n_added'] == 1"
rm "$root/new.txt"

cp -p "$root/README.txt" "$T/README.txt"
flip "$root/README.txt" 3
expect_bad 1 6 'README.txt: .*SHA256' -- release check "${PUBLISHER[@]}" "$root"
rm "$root/README.txt"
expect_bad 1 6 'README.txt: .*missing' -- release check "${PUBLISHER[@]}" "$root"
cp -p "$T/README.txt" "$root/README.txt"
expect 0 '' -- release check "${PUBLISHER[@]}" "$root"

# Another key than Sign-With says.
second=$(cat "$KEYS/second.fpr")
expect 3 'Release' -- release check --key "$second" --gnupg-home "$GNUPG" --state "$T/publisher" "$root"

# A manifest that somebody has changed in place.
sed -i 's/^Date:/X-Evil: y\nDate:/' "$(readlink -f "$root/InRelease")"
expect 3 'InRelease' -- release check "${PUBLISHER[@]}" "$root"

# Nothing is published.
mkdir "$T/none"
expect 3 'Release' -- release check "${PUBLISHER[@]}" --state "$T/none-state" "$T/none"
