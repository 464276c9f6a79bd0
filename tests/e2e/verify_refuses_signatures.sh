#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# A manifest in the right form whose signatures do not count: by others, by keys that are weak, expired or revoked, by
# weak digests, of another kind, too many of them, from the future. The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup
setup_attacks

signer=(--keyring "$KEYS/signer.gpg")

# inline CASE STATUS REGEX HOME FPR [GPG-OPTION...] -- [OPTION...]: both forms of a signature over the Release.
both()
{
    local what=$1 status=$2 regex=$3 home=$4 fpr=$5
    local -a how=()
    shift 5
    while [ "$1" != -- ]; do
        how+=("$1")
        shift
    done
    shift
    clearsign_as "$home" "$fpr" "$T/Release" "${how[@]}" | replace_inrelease "$bad"
    judged "$what" "$status" "$regex" "$@"
    detached_only
    detach "$home" "$fpr" "$T/Release" "${how[@]}" | armoured >"$bad/Release.gpg"
    judged "$what-detached" "$status" "$regex" "$@"
}

# odd CASE STATUS REGEX NAME [GPG-OPTION...]: signed by one of the odd keys, which the reader trusts.
odd()
{
    local what=$1 status=$2 regex=$3 name=$4
    shift 4
    both "$what" "$status" "$regex" "$GNUPG_ODD" "$(cat "$ODD/$name.signer")" "$@" -- \
        --keyring "$ODD/$name.gpg" --state "$T/consumer"
}
then=(--faked-system-time 20200301T000000)
known=(--keyring "$KEYS/signer.gpg" --state "$T/consumer")

# By others.
both S04-other-key 3 'not in the keyring' "$GNUPG_EVIL" "$EVIL" -- "${known[@]}"
both S04-same-user-id 3 'not in the keyring' "$GNUPG_EVIL" "$(fingerprint "$GNUPG_EVIL" signer)" -- "${known[@]}"
both S04-pinned-elsewhere 3 'not trusted for this repository' "$GNUPG" "$KEY" -- --keyring "$KEYS/signer.gpg" \
    --keyring "$KEYS/second.gpg" --signed-by "$(cat "$KEYS/second.fpr")" --state "$T/consumer"
both S45-key-comes-along 3 'not in the keyring' "$GNUPG_EVIL" "$EVIL" --include-key-block -- "${known[@]}"

# Keys whose time is over, or that were given up.
expired()
{
    both "$1" 3 "the key has expired, on .*clock says" "$GNUPG" "$(cat "$KEYS/expired.fpr")" \
        --faked-system-time "$2" -- --keyring "$KEYS/expired.gpg" --state "$T/consumer"
}
expired S05-expired-key 20200301T000000
odd S05-expired-subkey 3 'the key has expired' expired-subkey "${then[@]}"
odd S05-subkey-of-expired-key 3 'the key has expired' expired-primary "${then[@]}"
odd S05-shortened-after-signing 3 'the key has expired' outlived
odd S06-revoked 3 'the key is revoked' revoked
odd S06-superseded 3 'the key is revoked' superseded
odd S06-signed-before-the-revocation 3 'the key is revoked' superseded "${then[@]}"
odd S06-revoked-subkey 3 'the key is revoked' revoked-subkey
both S06-another-copy-is-not-revoked 3 'revoked' "$GNUPG_ODD" "$(cat "$ODD/revoked.fpr")" -- \
    --keyring "$ODD/revoked-before.gpg" --keyring "$ODD/revoked.gpg" --state "$T/consumer"
both S06-another-copy-is-revoked-first 3 'revoked' "$GNUPG_ODD" "$(cat "$ODD/revoked.fpr")" -- \
    --keyring "$ODD/revoked.gpg" --keyring "$ODD/revoked-before.gpg" --state "$T/consumer"
odd S06-may-not-sign-any-more 3 'Wrong key usage' retired
both S07-expired-signature 3 'the signature has expired' "$GNUPG" "$KEY" --faked-system-time 20210301T000000 \
    --default-sig-expire 10d -- "${known[@]}"
both S07-expires-later 0 '' "$GNUPG" "$KEY" --default-sig-expire 10d -- "${signer[@]}"
both S07-expired-meanwhile 3 'the signature has expired' "$GNUPG" "$KEY" --default-sig-expire 10d \
    --faked-system-time "$(date -u -d "@$DATE" +%Y%m%dT%H%M%S)" -- "${known[@]}" --now "@$((DATE + 864000 + 100))"

# From the future, or read by a clock that is behind.
both S08-three-days-ahead 5 'signed on .*, but the clock says' "$GNUPG" "$KEY" \
    --faked-system-time "$(date -u -d '+3 days' +%Y%m%dT%H%M%S)" -- "${known[@]}"
both S08-a-minute-ahead 5 'signed on .*, but the clock says' "$GNUPG" "$KEY" \
    --faked-system-time "$(date -u -d '+60 seconds' +%Y%m%dT%H%M%S)" -- "${known[@]}" --now "@$DATE"
both S09-clock-before-the-key 5 '2020.*clock says|clock says.*2019' "$GNUPG" "$KEY" \
    --faked-system-time 20200301T000000 -- "${signer[@]}" --state "$T/consumer" --now 2019-06-01
if can_fake_time; then
    refuses S09-machine-before-the-key 5 'clock' -- env TZ=UTC faketime '2019-06-01 00:00:00' "$REPO_VERIFY" "${signer[@]}" \
        --state "$T/consumer" unpack "$bad" pool/hello-1.0.tar.gz --into "$T/out/x"
fi

# Weak.
both S10-sha1 3 'line 2|too weak|refused by gpg' "$GNUPG" "$KEY" --digest-algo SHA1 -- "${known[@]}"
odd S10-key-bound-by-sha1 3 'the key|gpg' sha1-bound
both S11-md5 3 'line 2|too weak|refused by gpg' "$GNUPG_ODD" "$(cat "$ODD/rsa.fpr")" --digest-algo MD5 \
    --allow-weak-digest-algos -- --keyring "$ODD/rsa.gpg" --state "$T/consumer"
both S11-ripemd160 3 'line 2|too weak|refused by gpg' "$GNUPG" "$KEY" --digest-algo RIPEMD160 -- "${known[@]}"
both S11-sha224 3 'line 2|too weak' "$GNUPG" "$KEY" --digest-algo SHA224 -- "${known[@]}"
for digest in SHA256 SHA384 SHA512; do
    both S11-$digest-is-strong 0 '' "$GNUPG" "$KEY" --digest-algo $digest -- "${signer[@]}"
done
clearsign_as "$GNUPG" "$KEY" "$T/Release" --digest-algo SHA1 | sed 's/^Hash:.*/Hash: SHA512/' | replace_inrelease "$bad"
judged S10-sha1-under-another-header 3 'uses SHA1, the Hash header says SHA512'
both S12-rsa1024 3 'its key is too weak' "$GNUPG" "$(cat "$KEYS/weak.fpr")" --digest-algo SHA256 -- \
    --keyring "$KEYS/weak.gpg" --state "$T/consumer"
odd S12-dsa1024 3 'Bad public key|its key is too weak' dsa --digest-algo SHA256
odd S12-weak-primary-key 3 'its key is too weak' weak-primary
odd S12-weak-subkey 3 'its key is too weak' weak-subkey --digest-algo SHA256
odd S12-rsa2048-is-strong 0 '' rsa
odd S12-nistp256-is-strong 0 '' nist
odd S12-brainpool-is-strong 0 '' brainpool

# Several. The signed text of an InRelease goes to the last character before the signature's newline.
head -c -1 "$T/Release" >"$T/unended"
for name in signer second third; do
    detach "$GNUPG" "$(cat "$KEYS/$name.fpr")" "$T/Release" >"$T/by-$name"
    detach "$GNUPG" "$(cat "$KEYS/$name.fpr")" "$T/unended" --digest-algo SHA512 --textmode >"$T/text-by-$name"
done
detach "$GNUPG_EVIL" "$EVIL" "$T/Release" >"$T/by-evil"
echo other >"$T/other"
detach "$GNUPG" "$KEY" "$T/other" >"$T/by-signer-of-other"
detach "$GNUPG" "$(cat "$KEYS/second.fpr")" "$T/other" >"$T/by-second-of-other"
detach "$GNUPG_ODD" "$(cat "$ODD/revoked.fpr")" "$T/Release" >"$T/by-revoked"
detach "$GNUPG" "$(cat "$KEYS/expired.fpr")" "$T/Release" "${then[@]}" >"$T/by-expired"
detach "$GNUPG_EVIL" "$EVIL" "$T/other" >"$T/by-evil-of-other"

# several CASE STATUS REGEX SIGNATURES [OPTION...]: the named ones, detached, in this order.
several()
{
    local what=$1 status=$2 regex=$3 names=$4 name
    shift 4
    detached_only
    for name in $names; do cat "$T/by-$name"; done | armoured >"$bad/Release.gpg"
    judged "$what" "$status" "$regex" "$@" --state "$T/consumer"
}
second=(--keyring "$KEYS/second.gpg")
several S13-two-good-ones 0 '' 'signer second' "${signer[@]}" "${second[@]}"
several S13-two-good-ones-other-order 0 '' 'second signer' "${signer[@]}" "${second[@]}"
several S14-unknown-second 0 '' 'signer evil' "${signer[@]}"
several S14-unknown-first 0 '' 'evil signer' "${signer[@]}"
several S14-unknown-and-bad 0 '' 'evil-of-other signer' "${signer[@]}"
several S14-only-unknown-ones 3 'not in the keyring' 'evil second' "${signer[@]}"
several S15-good-and-bad 3 'bad signature by key' 'signer signer-of-other' "${signer[@]}"
several S15-bad-and-good 3 'bad signature by key' 'signer-of-other signer' "${signer[@]}"
several S15-good-and-bad-by-another 3 'bad signature by key' 'signer second-of-other' "${signer[@]}" "${second[@]}"
several S15-only-bad 3 'bad signature by key' 'signer-of-other' "${signer[@]}"
several S16-good-and-expired 0 '' 'signer expired' "${signer[@]}" --keyring "$KEYS/expired.gpg"
several S16-revoked-and-good 0 '' 'revoked signer' "${signer[@]}" --keyring "$ODD/revoked.gpg"
several S16-revoked-and-expired 3 'revoked|expired' 'revoked expired' --keyring "$KEYS/expired.gpg" --keyring "$ODD/revoked.gpg"
# The report warns.
detached_only
cat "$T/by-revoked" "$T/by-signer" | armoured >"$bad/Release.gpg"
accepts S16-report -- verify --no-state "${signer[@]}" --keyring "$ODD/revoked.gpg" manifest "$bad" --json
json "[(s['counted'], 'revoked' in s['verdict']) for s in o['manifest']['signatures']] == [(False, True), (True, False)]"
fresh
# Two blocks, and the inline form.
detached_only
{ armoured <"$T/by-signer" && armoured <"$T/by-evil"; } >"$bad/Release.gpg"
judged S14-two-blocks 0 '' "${signer[@]}"
inline_by()
{
    sed '/^-----BEGIN PGP SIGNATURE-----/,$d' "$T/InRelease"
    for name in "$@"; do cat "$T/text-by-$name"; done | armoured
}
detach "$GNUPG_EVIL" "$EVIL" "$T/unended" --digest-algo SHA512 --textmode >"$T/text-by-evil"
detach "$GNUPG" "$KEY" "$T/other" --digest-algo SHA512 --textmode >"$T/text-by-signer-of-other"
inline_by signer second | replace_inrelease "$bad"
judged S13-two-good-ones-inline 0 '' "${signer[@]}" "${second[@]}" --threshold 2
inline_by signer evil | replace_inrelease "$bad"
judged S14-unknown-second-inline 0 '' "${signer[@]}"
inline_by evil signer | replace_inrelease "$bad"
judged S14-unknown-first-inline 0 '' "${signer[@]}"
inline_by signer signer-of-other | replace_inrelease "$bad"
judged S15-good-and-bad-inline 3 'bad signature by key' "${known[@]}"
inline_by signer-of-other signer | replace_inrelease "$bad"
judged S15-bad-and-good-inline 3 'bad signature by key' "${known[@]}"

# Very many: refused by their number, before gpg is asked.
many()
{
    local n=$1 name=$2
    detached_only
    { for ((i = 0; i < n; i++)); do cat "$T/by-$name"; done && cat "$T/by-signer"; } | armoured >"$bad/Release.gpg"
}
many 15 evil
judged S41-sixteen 0 '' "${signer[@]}"
many 16 evil
judged S41-seventeen 3 'more than 16 signatures' "${known[@]}"
many 1000 signer
judged_alone S41-1001 3 'more than 16 signatures' "${known[@]}"
detached_only
python3 -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], "rb").read() * 20000)' "$T/by-signer" |
    armoured >"$bad/Release.gpg"
judged_alone S41-20000 8 'Release.gpg: .*262144' "${known[@]}"
{ sed '/^-----BEGIN PGP SIGNATURE-----/,$d' "$T/InRelease"
  python3 -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], "rb").read() * 20000)' "$T/text-by-signer" |
      armoured; } | replace_inrelease "$bad"
judged_alone S41-20000-inline 3 'at most 262144' "${known[@]}"

# Another kind of signature, and packets that are not quite signatures: PYTHON changes the packet d, whose body begins
# behind two bytes of header; hashed(TYPE) tells where the length of such a subpacket stands.
packet()
{
    local what=$1 regex=$2 python=$3
    detached_only
    python3 -c "import sys
d = bytearray(open(sys.argv[1], 'rb').read())
def hashed(type):
    i = 8
    while d[i + 1] != type: i += 1 + d[i]
    return i
$python
sys.stdout.buffer.write(d)" "$T/by-signer" | armoured >"$bad/Release.gpg"
    judged "$what" "${status:-3}" "$regex" "${known[@]}"
}
detached_only
armoured <"$T/text-by-signer" >"$bad/Release.gpg"
judged S43-text-mode 3 'Release: signature 1 is of type 0x01, must be 0x00' "${known[@]}"
detached_only
sed 's/$/\r/' "$T/Release" >"$T/crlf"
detach "$GNUPG" "$KEY" "$T/Release" --textmode | armoured >"$bad/Release.gpg"
cp "$T/crlf" "$bad/Release"
judged S43-text-mode-over-crlf 3 'carriage return' "${known[@]}"
detach "$GNUPG" "$KEY" "$T/unended" | { sed '/^-----BEGIN PGP SIGNATURE-----/,$d' "$T/InRelease" && armoured; } |
    replace_inrelease "$bad"
judged S43-binary-inline 3 'InRelease: signature 1 is of type 0x00, must be 0x01' "${known[@]}"
for type in 02 10 13 18 1f 20 30 40 50; do
    packet S43-type-$type "is of type 0x$type, must be 0x00" "d[3] = 0x$type"
done
packet S39-version-3 'is not a version 4 signature' 'd[2] = 3'
packet S39-version-5 'is not a version 4 signature' 'd[2] = 5'
packet S39-other-digest 'bad signature|too weak|refused by gpg' 'd[5] = 2'
packet S39-unknown-digest 'refused by gpg|too weak' 'd[5] = 99'
packet S39-other-algorithm 'signature' 'd[4] = 1'
packet S39-unknown-algorithm 'signature' 'd[4] = 99'
packet S39-cut-short 'is cut short' 'd = d[:-1]'
packet S39-byte-behind 'has no header|is cut short' 'd += b"x"'
packet S39-empty-packet-behind 'is not a version 4' 'd += b"\x88\x00"'
packet S39-marker-packet 'only signatures are wanted' 'd = b"\xca\x03PGP" + d'
packet S39-literal-packet 'only signatures are wanted' 'd = b"\xcb\x0ab\x01f\x00\x00\x00\x00hi" + d'
packet S39-one-pass-packet 'only signatures are wanted' 'd = b"\x90\x0d\x03\x00\x08\x16" + b"\0" * 9 + d'
packet S39-compressed-packet 'only signatures are wanted' 'd = b"\xc8\x03\x00\x00\x00" + d'
packet S39-indefinite-length 'has no definite length' 'd[0] = 0x8b'
packet S39-partial-length 'has no definite length' 'd = b"\xc2\xe1" + d[2:4] + d[4:]'
packet S39-changed-value 'bad signature' 'd[-1] ^= 1'
packet S39-changed-date 'bad signature|from the future|disagree|refused' 'd[hashed(2) + 5] ^= 1'
packet S39-no-subpackets 'without|cut short|wrong length' 'd[6] = d[7] = 0'
packet S39-other-issuer 'names two issuers' 'd[hashed(33) + 22] ^= 1'

# What a key may be called, and a signature may say.
refused_name=$(cat "$ODD/hostile.fpr")
both S50-escape-in-user-id 0 '' "$GNUPG_ODD" "$refused_name" -- --keyring "$ODD/hostile.gpg"
clearsign_as "$GNUPG_ODD" "$refused_name" "$T/Release" | replace_inrelease "$bad"
for command in check manifest; do
    accepts S50-escape-in-report-of-$command -- verify --no-state --keyring "$ODD/hostile.gpg" $command "$bad"
    stdout_has '\\x1b\[31mhostile'
    ! grep -q $'\e' "$T/stdout" || fail "$command shows an escape"
    accepts S50-escape-in-json-of-$command -- verify --no-state --keyring "$ODD/hostile.gpg" $command "$bad" --json
    ! grep -q $'\e' "$T/stdout" || fail "$command --json shows an escape"
done
fresh
both S50-notation 0 '' "$GNUPG" "$KEY" --sig-notation 'x@example.org=some text' --sig-policy-url \
    'https://example.org/policy' -- "${signer[@]}"
status=0 packet S50-escape-in-unhashed-notation '' 'h = d[6] << 8 | d[7]; u = 8 + h
note = b"\x80\0\0\0\0\x0d\0\x08x@example.org\x1b[2Jhide"; note = bytes([len(note) + 1, 20]) + note
n = (d[u] << 8 | d[u + 1]) + len(note); d[u:u + 2] = bytes([n >> 8, n & 255]); d[u + 2:u + 2] = note; d[1] += len(note)'
both S50-critical-notation 3 'refused|bad signature' "$GNUPG" "$KEY" --sig-notation '!x@example.org=must be understood' -- \
    "${known[@]}"

differences <<'END'
S04-pinned-elsewhere* both: every key of the keyring is trusted
S05-* both: expiry is that at the signature's own date, which whoever has the key can choose
S06-* both: gpgv's exit status tells nothing of it; sqv believes what is dated before the key was given up
S08-* gpgv: the clock is not looked at
S10-* gpgv: SHA-1 is accepted
S11-ripemd160* gpgv: RIPEMD-160 is accepted
S11-sha224* both: SHA-224 is accepted
S12-*[!g] gpgv: sizes of keys are not looked at
+S12-brainpool* sqv: its library does not know the curve, which has 256 bits
+S14-* gpgv: its exit status is that of the worst signature; apt reads the status lines as we do
S15-* sqv: one good signature is enough, even beside a bad one
S16-revoked-and-expired both: as in S05 and S06
+S41-sixteen gpgv: as in S14
S41-seventeen sqv: any number of signatures is tried
S43-text-mode-over-crlf both: the line ends of the text are not covered
S39-empty-packet-behind sqv: what is unknown is skipped
S39-marker-packet both: a marker packet is skipped
END
