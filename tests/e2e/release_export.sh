#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# What clients need: the public keys in a file, as binary and as text, and a stanza with which a real apt in a private
# root reads the repository just as it is printed, over file: and http:, flat and with suites.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../apt.sh"
setup
need apt-get apt-cache dpkg dpkg-deb python3 gpgv

root=$T/root
build "$root/alpha_1.0_$ARCH.deb" gzip
build "$root/beta_2.0_all.deb" xz
build "$root/other_1_s390x.deb" xz

# ---- The keys ---------------------------------------------------------------------------------------------
expect 0 '' -- release keyring "${PUBLISHER[@]}" "$root"
gpg --homedir "$GNUPG" --batch --export --export-options export-minimal "$KEY" >"$T/wanted.gpg" 2>/dev/null
cmp "$T/stdout" "$T/wanted.gpg" || fail "not the key"
mkdir "$T/new"
expect 0 '' -- release keyring "${PUBLISHER[@]}" --output "$T/new/out.gpg" "$root"
stdout_is_empty
cmp "$T/new/out.gpg" "$T/wanted.gpg" || fail "not the key"
[ "$(stat -c %a "$T/new/out.gpg")" = 644 ] || fail "$(ls -l "$T/new")"
expect 0 '' -- release keyring "${PUBLISHER[@]}" --output "$T/new/out.asc" "$root"
expect 0 '' -- release keyring "${PUBLISHER[@]}" --armor "$root"
cmp "$T/stdout" "$T/new/out.asc" || fail "--armor and .asc differ"
gpg --batch --dearmor <"$T/new/out.asc" 2>/dev/null | cmp - "$T/wanted.gpg" || fail "gpg reads another key"
[ "$(ls "$T/new")" = $'out.asc\nout.gpg' ] || fail "$(ls -la "$T/new")"
expect 0 '' -- release keyring "${PUBLISHER[@]}" --key "$(cat "$KEYS/second.fpr")" --output "$T/both.asc" "$root"
[ "$(gpg --batch --show-keys --with-colons "$T/both.asc" 2>/dev/null | grep -c '^pub:')" = 2 ] || fail "not two keys"
expect 0 '' -- release keyring "${PUBLISHER[@]}" --json "$root"
json 'o["exit"] == 0 and o["keyring"].startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n")'

# Never a secret one, and never to a terminal as binary.
gpg --batch --list-packets "$T/new/out.gpg" 2>/dev/null | grep -q secret && fail "a secret key"
cat >"$T/terminal.py" <<'END'
import os, pty, sys
status = pty.spawn(sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))
END
python3 "$T/terminal.py" "$REPO_RELEASE" keyring "${PUBLISHER[@]}" "$root" >"$T/shown" </dev/null && fail "binary to a terminal"
grep -q 'binary, which is nothing for a terminal: --armor writes text' "$T/shown" || fail "$(cat "$T/shown")"
python3 "$T/terminal.py" "$REPO_RELEASE" keyring --armor "${PUBLISHER[@]}" "$root" >"$T/shown" </dev/null
grep -q 'BEGIN PGP PUBLIC KEY BLOCK' "$T/shown" || fail "$(cat "$T/shown")"

expect 2 'apt takes an armoured keyring only by a name that ends with .asc' -- \
    release keyring "${PUBLISHER[@]}" --armor --output "$T/x.gpg" "$root"
expect 1 'x.gpg: cannot write: No such file' -- release keyring "${PUBLISHER[@]}" --output "$T/none/x.gpg" "$root"
expect 2 'there is no key to sign with' -- release keyring --config "$T/etc" "$root"
expect 3 '.' -- release keyring "${PUBLISHER[@]}" --key "$(cat "$KEYS/evil.fpr")" --output "$T/new/out.gpg" "$root"
cmp "$T/new/out.gpg" "$T/wanted.gpg" || fail "a file was changed by a run that failed"
[ ! -e "$T/x.gpg" ] || fail "written in spite of an error"

# ---- A flat repository ------------------------------------------------------------------------------------
expect 2 'nothing is published yet' -- release sources "${PUBLISHER[@]}" "$root"
publish "$root"
before=$(snapshot "$root" && snapshot "$T/publisher")
expect 0 '' -- release sources "${PUBLISHER[@]}" "$root"
[ "$(snapshot "$root" && snapshot "$T/publisher")" = "$before" ] || fail "something was changed"
stdout_has "^Types: deb\$"
stdout_has "^URIs: file://$root\$"
stdout_has "^Suites: \./\$"
stdout_has "^Architectures: $ARCH s390x\$"
! grep -q '^Components' "$T/stdout" || fail "a flat repository has no components"

# use: the stanza that the last command printed, and nothing else.
use()
{
    cp "$T/stdout" "$T/used.sources"
    make_apt ''
    cp "$T/used.sources" "$T/apt/etc/sources.list.d/test.sources"
    update_is_silent
}
use
[ "$(candidate alpha) $(candidate beta)" = "1.0 2.0" ] || fail "$(apt-cache policy alpha beta)"

start_server "$root"
expect 0 '' -- release sources "${PUBLISHER[@]}" --uri "http://127.0.0.1:$PORT" --keyring "$T/new/out.asc" "$root"
stdout_has "^Signed-By: $T/new/out.asc\$"
cp "$T/stdout" "$T/printed"
use
(cd "$T" && apt-get -qq download alpha) >"$T/log" 2>&1 || fail "$(cat "$T/log")"
cmp "$T/alpha_1.0_$ARCH.deb" "$root/alpha_1.0_$ARCH.deb" || fail "another package"

# What is printed is what repo-verify takes, too: under a name, with the key in a file or in the stanza.
# named [OPTION...]: repo-verify check of the stanza that the last command printed, as the source test.
named()
{
    mkdir -p "$T/sources/sources.d"
    cp "$T/stdout" "$T/sources/sources.d/test.sources"
    stdout_has '^# For repo-verify: /.*/sources.d/.*\.sources$'
    expect 0 '' -- verify check test --config "$T/sources" --state "$T/consumer" "$@"
}
cp "$T/printed" "$T/stdout"
named
stdout_has 'test: good: '
expect 0 '' -- release sources "${PUBLISHER[@]}" --keyring "$T/new/out.gpg" --output "$T/file.sources" "$root"
stdout_is_empty
cp "$T/file.sources" "$T/stdout"
named --arch "$ARCH" --arch s390x
stdout_has 'test: good: 3 packages'
expect 0 '' -- release sources "${PUBLISHER[@]}" "$root"
named

# Somebody else's key in the stanza, and apt refuses.
expect 0 '' -- release sources --gnupg-home "$GNUPG" --config "$T/etc" --state "$T/publisher" \
    --key "$(cat "$KEYS/second.fpr")" "$root"
make_apt ''
cp "$T/stdout" "$T/apt/etc/sources.list.d/test.sources"
! apt-get update -o APT::Update::Error-Mode=any >"$T/update" 2>&1 </dev/null || fail "apt takes it: $(cat "$T/update")"

# ---- Odd names, and what cannot be said in a stanza ---------------------------------------------------------
odd="$T/with blank%41"
mkdir "$odd"
cp "$root/alpha_1.0_$ARCH.deb" "$odd"
publish "$odd"
expect 0 '' -- release sources "${PUBLISHER[@]}" "$odd"
stdout_has '^# For apt: /etc/apt/sources.list.d/repository.sources$'
stdout_has "^URIs: file://$T/with%20blank%2541\$"
use
[ "$(candidate alpha)" = 1.0 ] || fail "$(apt-cache policy alpha)"
for uri in 'x' 'https://a b' $'https://a\nSigned-By: /x' 'https://a;reboot' ':/x' ''; do
    expect 2 'is no URI' -- release sources "${PUBLISHER[@]}" --uri "$uri" "$root"
done
for file in x.gpg '/a b' $'/a\nb' ''; do
    expect 2 'is no absolute path' -- release sources "${PUBLISHER[@]}" --keyring "$file" "$root"
done
plain=$T/plain
mkdir "$plain"
echo text >"$plain/file.txt"
publish "$plain"
expect 0 '' -- release sources "${PUBLISHER[@]}" "$plain"
! grep -q '^# For apt\|^Types' "$T/stdout" || fail "that is nothing for apt: $(cat "$T/stdout")"
named
stdout_has 'test: good: 1 package,'
expect 0 '' -- release sources "${PUBLISHER[@]}" --json "$root"
json 'o["exit"] == 0 and "\nTypes: deb\n" in o["sources"] and o["sources"].endswith("-----\n")'

# ---- Suites -------------------------------------------------------------------------------------------------
apt=$T/archive
mkdir -p "$apt/pool/main"
cp "$root"/*.deb "$apt/pool/main"
options=(--layout apt --suite stable --component main --component extra --architecture "$ARCH" --architecture s390x)
publish "$apt" "${options[@]}"
expect 0 '' -- release sources "${PUBLISHER[@]}" "${options[@]}" "$apt"
stdout_has '^Suites: stable$'
stdout_has '^Components: extra main$'
cp "$T/stdout" "$T/printed"
named
cp "$T/printed" "$T/stdout"
use
[ "$(candidate alpha) $(candidate beta)" = "1.0 2.0" ] || fail "$(apt-cache policy alpha beta)"
