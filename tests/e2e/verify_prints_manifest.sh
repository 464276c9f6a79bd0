#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# manifest: who signed, when and until when; with --print exactly the verified bytes and nothing else.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
publish "$root" --origin Hallmark --suite stable --valid-for 5d
expect 0 '' -- consume manifest "$root" --print
cmp "$T/stdout" "$root/Release" || fail "--print is not Release"
expect 0 '' -- consume manifest "$root/InRelease" --print
cmp "$T/stdout" "$root/Release" || fail "--print is not the text of InRelease"
gpgv --keyring "$KEYS/signer.gpg" --output - "$root/InRelease" >"$T/gpgv" 2>/dev/null
cmp "$T/stdout" "$T/gpgv" || fail "--print is not what gpgv prints"

expect 0 '' -- consume manifest "$root"
stdout_has "$KEY"
stdout_has "signer \(test\) <signer@example.org>"
stdout_has "Hallmark"
stdout_has "4"
year=$(date -u -d "@$(seconds "$root" Date)" +%Y)
stdout_has "$year"

expect 0 '' -- consume manifest "$root" --json
json "o['manifest']['n_packages'] == 4 and o['manifest']['n_indexes'] > 0"

# An unverified byte never appears on standard output.
sed '/^Date:/i Evil: line' "$root/InRelease" | replace_inrelease "$root"
for print in "" --print --json; do
    # shellcheck disable=SC2086
    expect 3 '*' -- consume manifest "$root" $print
    ! grep -q Evil "$T/stdout" || fail "unverified: $(cat "$T/stdout")"
done
