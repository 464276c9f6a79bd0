#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A manifest that is not, in every byte, what a trusted key has signed: exit status 3, nothing is
# unpacked, nothing remembered. The names are the cases of the attacks that this is about.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

make_repository "$T/root"
publish "$T/root" --valid-for 30d
mkdir "$T/out"
expect 0 '' -- consume check "$T/root"
bad=$T/bad
cp "$T/root/Release" "$T/Release"
cp "$T/root/InRelease" "$T/InRelease"

# A fresh copy of what is served, as plain files.
fresh()
{
    rm -rf "$bad"
    mkdir "$bad"
    cp -R "$T/root/pool" "$T/root/README.txt" "$bad"
    cp "$T/root/Release" "$T/root/Release.gpg" "$T/root/InRelease" "$bad"
}

# refused CASE STATUS REGEX: of $bad as it is now.
refused()
{
    local what=$1 status=$2 regex=$3
    echo "case $what"
    expect "$status" "$regex" -- bounded 15 verify "${CONSUMER[@]}" check "$bad"
    stdout_is_empty
    expect "$status" "$regex" -- consume unpack "$bad" hello-1.0.tar.gz --into "$T/out/x"
    nothing_unpacked "$T/out/x"
    [ "$(remembered)" = 1 ] || fail "$what: something was remembered"
    fresh
}

# inrelease CASE COMMAND...: InRelease is what COMMAND makes of the good one on its standard input.
inrelease()
{
    local what=$1
    shift
    "$@" <"$T/InRelease" | replace_inrelease "$bad"
    ! cmp -s "$bad/InRelease" "$T/InRelease" || fail "$what: the case changes nothing"
    refused "$what" 3 InRelease
}

fresh
mkdir -p "$T/consumer"
expect 0 '' -- verify --keyring "$KEYS/signer.gpg" --no-state check "$bad"

# Bytes.
inrelease S17-flipped-digit sed -E '/^ [0-9a-f]{64} /{s/^ ./ g/;s/^ g/ 0/;:a;s/^ 0(.)/ 1\1/}'
inrelease extra-line sed '/^Date:/i Extra: line'
inrelease S18-line-before sed '1i before'
inrelease S18-empty-line-before bash -c 'echo; cat'
inrelease S19-text-behind sed '$a behind'
inrelease S19-release-behind bash -c "cat; cat '$T/Release'"
inrelease S19-doubled bash -c "cat; cat '$T/InRelease'"
inrelease S24-crlf sed 's/$/\r/'
inrelease S24-crlf-body sed '/^Date:/s/$/\r/'
inrelease trailing-blank sed '/^Date:/s/$/ /'
inrelease trailing-tab sed '/^Date:/s/$/\t/'
inrelease S26-nul sed '/^Date:/s/$/\x00/'
inrelease S27-formfeed sed '/^Date:/s/$/\x0c/'
inrelease S27-escape sed '/^Date:/s/: /: \x1b[2J/'
inrelease S28-no-hash sed '/^Hash:/d'
inrelease S28-two-hashes sed '/^Hash:/p'
inrelease S28-hash-list sed '/^Hash:/s/$/,SHA1/'
inrelease S28-weak-hash sed 's/^Hash:.*/Hash: SHA1/'
inrelease S28-unknown-header sed '/^Hash:/a Charset: utf-8'
inrelease S30-blank-separator sed '0,/^$/s/^$/ /'
inrelease S22-dash-escaped awk '/^-----BEGIN PGP SIG/ { b = 0 } b { $0 = "- " $0 } /^$/ && !n++ { b = 1 } { print }'
inrelease S23-dash-line sed '/^SHA256:/i -x'
inrelease no-end sed '$d'
inrelease cut bash -c 'head -c 400'
inrelease empty true
inrelease S26-bom sed '1s/^/\xef\xbb\xbf/'
inrelease signature-line-lost sed '/^-----BEGIN PGP SIG/{n;n;d}'
inrelease checksum-wrong sed -E 's/^=(....)$/=AAAA/'
inrelease S32-long-line sed "/^Date:/i Long: $(head -c 5000 /dev/zero | tr '\0' x)"

# Signatures by others, weak ones, and other things than signatures.
evil_home=$T/evil
copy_home evil "$evil_home"
evil=$(cat "$KEYS/evil.fpr")
clearsign_as "$evil_home" "$evil" "$T/Release" | replace_inrelease "$bad"
refused S04-other-key 3 'InRelease.*([Kk]ey|signature)'
same_name=$(fingerprint "$evil_home" signer)
clearsign_as "$evil_home" "$same_name" "$T/Release" | replace_inrelease "$bad"
refused S04-same-user-id 3 'InRelease'
clearsign_as "$GNUPG" "$KEY" "$T/Release" --digest-algo SHA1 | replace_inrelease "$bad"
refused S10-sha1 3 'InRelease'
clearsign_as "$GNUPG" "$KEY" "$T/Release" --digest-algo RIPEMD160 | replace_inrelease "$bad"
refused S11-ripemd 3 'InRelease'
clearsign_as "$GNUPG" "$(cat "$KEYS/weak.fpr")" "$T/Release" | replace_inrelease "$bad"
expect 3 'InRelease.*weak' -- verify --no-state --keyring "$KEYS/weak.gpg" check "$bad"
refused S12-rsa1024 3 'InRelease'
clearsign_as "$GNUPG" "$(cat "$KEYS/expired.fpr")" "$T/Release" --faked-system-time 20200301T000000 |
    replace_inrelease "$bad"
expect 3 'InRelease.*expired' -- verify --no-state --keyring "$KEYS/expired.gpg" check "$bad"
refused S05-expired-key 3 InRelease
clearsign_as "$GNUPG" "$KEY" "$T/Release" --faked-system-time 20210301T000000 --default-sig-expire 10d |
    replace_inrelease "$bad"
refused S07-expired-signature 3 'InRelease.*expired'
gpg --homedir "$GNUPG" --batch --quiet --store -o - "$T/Release" | replace_inrelease "$bad"
refused S34-literal 3 InRelease
gpg --homedir "$GNUPG" --batch --quiet --armor --store -o - "$T/Release" | replace_inrelease "$bad"
refused S34-armoured-literal 3 InRelease
replace_inrelease "$bad" <"$KEYS/signer.asc"
refused S35-public-key 3 InRelease
gpg --homedir "$GNUPG" --batch --quiet --armor --pinentry-mode loopback --passphrase x -c -o - \
    "$T/Release" | replace_inrelease "$bad"
refused S37-encrypted 3 InRelease
clearsign_as "$GNUPG" "$KEY" "$T/InRelease" | replace_inrelease "$bad"
refused S21-nested 3 InRelease
replace_inrelease "$bad" <"$T/Release"
refused S01-unsigned-inrelease 3 InRelease

# Release and Release.gpg. A broken InRelease is never made up for by them.
rm -f "$bad/InRelease"
expect 0 '' -- consume check "$bad" --json --no-state
json "o['manifest']['document'] == 'Release'"
rm -f "$bad/InRelease" "$bad/Release.gpg"
refused S02-no-signature 3 'Release'
sed '/^Date:/i Extra: line' "$T/InRelease" | replace_inrelease "$bad"
refused S03-broken-inrelease-good-release 3 'InRelease'
rm -f "$bad/InRelease"
sed -i '/^Date:/i Extra: line' "$bad/Release"
refused S17-release-changed 3 'Release'
rm -f "$bad/InRelease"
gpg --homedir "$evil_home" --batch --quiet -u "$evil" --armor --detach-sign -o - "$T/Release" \
    >"$bad/Release.gpg" 2>/dev/null
refused S04-release-by-other-key 3 'Release'
rm -f "$bad/InRelease"
cp "$T/InRelease" "$bad/Release.gpg"
refused S38-inline-as-detached 3 'Release'
rm -f "$bad/InRelease"
gpg --homedir "$GNUPG" --batch --quiet -u "$KEY" --textmode --armor --detach-sign -o - "$T/Release" \
    >"$bad/Release.gpg" 2>/dev/null
refused S43-text-mode 3 'Release.*(0x01|type)'
for where in 1i '$a'; do
    rm -f "$bad/InRelease"
    sed -i "$where some text" "$bad/Release.gpg"
    refused "S39-text-around-armour-$where" 3 'Release'
done
rm -f "$bad/InRelease"
: >"$bad/Release.gpg"
refused empty-signature 3 'Release'
rm -f "$bad/InRelease" "$bad/Release"
refused nothing 3 'Release'

# Several signatures: one that counts is enough, a bad one by a trusted key is not tolerated.
detached()
{
    gpg --homedir "$1" --batch --quiet -u "$2" --detach-sign -o - "$3" 2>/dev/null
}
armoured()
{
    echo "-----BEGIN PGP SIGNATURE-----"
    echo
    base64 -w 64
    echo "-----END PGP SIGNATURE-----"
}
detached "$GNUPG" "$KEY" "$T/Release" >"$T/by-signer"
detached "$evil_home" "$evil" "$T/Release" >"$T/by-evil"
echo other >"$T/other"
detached "$GNUPG" "$KEY" "$T/other" >"$T/by-signer-of-other"
for both in "by-signer by-evil" "by-evil by-signer"; do
    rm -f "$bad/InRelease"
    read -r one two <<<"$both"
    cat "$T/$one" "$T/$two" | armoured >"$bad/Release.gpg"
    expect 0 '' -- consume check "$bad" --no-state --json
    json "[s['counted'] for s in o['manifest']['signatures']].count(True) == 1"
    json "len(o['manifest']['signatures']) == 2"
done
cat "$T/by-signer" "$T/by-signer-of-other" | armoured >"$bad/Release.gpg"
refused S15-good-and-bad 3 'Release.*bad signature'
rm -f "$bad/InRelease"
for _ in {1..1000}; do cat "$T/by-signer"; done | armoured >"$bad/Release.gpg"
refused S41-many-signatures 3 'Release'

# Larger than any manifest may be.
{ sed '/^SHA256:/q' "$T/Release" && seq -f 'X-%.0f: padding to make it large' 400000; } | replace_inrelease "$bad"
refused M03-large 8 'InRelease'
