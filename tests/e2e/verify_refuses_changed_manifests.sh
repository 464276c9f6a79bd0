#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A manifest that is not, in every byte, the one form in which a trusted key has signed it: exit status 3, nothing
# unpacked, nothing changed. The names are the cases of tests/ATTACKS. gpgv and sqv are asked as well.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup
setup_attacks

# inrelease CASE REGEX COMMAND...: InRelease is what COMMAND makes of the good one on its standard input.
inrelease()
{
    local what=$1 regex=$2
    shift 2
    "$@" <"$T/InRelease" | replace_inrelease "$bad"
    ! cmp -s "$bad/InRelease" "$T/InRelease" || fail "$what: the case changes nothing"
    judged "$what" 3 "^repo-verify: InRelease: .*$regex"
}

# Release and Release.gpg, likewise, without an InRelease.
release_text()
{
    local what=$1 regex=$2
    shift 2
    detached_only
    "$@" <"$T/Release" >"$bad/Release"
    ! cmp -s "$bad/Release" "$T/Release" || fail "$what: the case changes nothing"
    judged "$what" 3 "^repo-verify: Release: .*$regex"
}
release_gpg()
{
    local what=$1 regex=$2
    shift 2
    detached_only
    "$@" <"$T/Release.gpg" >"$bad/Release.gpg"
    judged "$what" 3 "$regex"
}

judged ok-inline 0 ''
detached_only
judged ok-detached 0 ''

# What is signed says something else.
inrelease S17-flipped-digit 'bad signature by key' sed -E '/^ [0-9a-f]{64} /{s/^ ./ g/;s/^ g/ 0/;:a;s/^ 0(.)/ 1\1/}'
inrelease S17-extra-line 'bad signature by key' sed '/^Date:/i Extra: line'
inrelease S17-line-lost 'bad signature by key' sed '/^Valid-Until:/d'
inrelease S17-blank-line-added 'bad signature by key' sed 's/^Date:/\n&/'
inrelease S17-blank-line-at-end 'bad signature by key' sed 's/^-----BEGIN PGP SIGNATURE/\n&/'
inrelease S17-lines-swapped 'bad signature by key' sed '/^Date:/{h;d};/^Valid-Until:/G'
inrelease S17-other-size 'bad signature by key' sed -E 's/ ([0-9]+) pool/ 1\1 pool/'
release_text S17-release-changed 'bad signature by key' sed '/^Date:/i Extra: line'
release_text S17-release-blank-line 'bad signature by key' bash -c 'cat; echo'

# Around, between, and inside of the two blocks.
inrelease S18-line-before 'line 1 is not' sed '1i before'
inrelease S18-empty-line-before 'line 1 is not' bash -c 'echo; cat'
inrelease S18-blank-before 'line 1 is not' sed '1s/^/ /'
inrelease S18-release-before 'line 1 is not' bash -c "cat '$T/Release' -"
inrelease S18-bom 'line 1 is not' sed '1s/^/\xef\xbb\xbf/'
inrelease S18-blank-behind-begin 'line 1 is not' sed '1s/$/ /'
inrelease S18-begin-longer 'line 1 is not' sed '1s/$/-/'
inrelease S18-begin-in-lower-case 'line 1 is not' sed '1s/BEGIN/begin/'
inrelease S19-text-behind 'behind the end' sed '$a behind'
inrelease S19-newline-behind '1 bytes behind the end' bash -c 'cat; echo'
inrelease S19-nul-behind '1 bytes behind the end' bash -c "cat; printf '\\0'"
inrelease S19-release-behind 'behind the end' bash -c "cat; cat '$T/Release'"
inrelease S19-doubled 'behind the end' bash -c "cat; cat '$T/InRelease'"
inrelease S19-second-signature-block 'behind the end' bash -c "cat; cat '$T/Release.gpg'"
inrelease S19-end-without-newline 'newline' bash -c "head -c $(($(size_of "$T/InRelease") - 1))"
inrelease S19-between 'PGP SIGNATURE|starts with|bad signature' sed '/^-----BEGIN PGP SIGNATURE/i between'
cp "$T/InRelease" "$T/again"
clearsign_as "$GNUPG" "$KEY" "$T/again" >"$T/nested"
inrelease S21-nested 'starts with "-"' cat "$T/nested"
inrelease S21-nested-not-escaped 'starts with "-"' bash -c "head -n 3 '$T/again'; cat '$T/again'"
inrelease S22-dash-escaped 'starts with "-"' awk \
    '/^-----BEGIN PGP SIGNATURE/ { b = 0 } b { $0 = "- " $0 } /^$/ && !n++ { b = 1 } { print }'
inrelease S22-one-dash-escaped 'starts with "-"' sed 's/^Date:/- Date:/'
inrelease S23-dash-line 'starts with "-"' sed '/^SHA256:/i -x'
inrelease S23-begin-message 'starts with "-"' sed '/^SHA256:/i -----BEGIN PGP MESSAGE-----'
inrelease S23-begin-signed-message 'starts with "-"' sed '/^SHA256:/i -----BEGIN PGP SIGNED MESSAGE-----'
inrelease S23-end-signature-first 'starts with "-"' sed '/^SHA256:/i -----END PGP SIGNATURE-----'

# Bytes that tools do not agree about.
inrelease S24-crlf 'line 1' sed 's/$/\r/'
inrelease S24-crlf-body 'carriage return' sed '/^Date:/s/$/\r/'
inrelease S24-lone-carriage-return 'carriage return' sed '/^Date:/s/:/:\r/'
inrelease S24-crlf-signature 'PGP SIGNATURE|carriage return|line' sed '/^-----BEGIN PGP SIGNATURE/,$s/$/\r/'
release_text S24-release-crlf 'carriage return' sed 's/$/\r/'
inrelease S26-nul-at-end 'not printable' sed '/^Date:/s/$/\x00/'
inrelease S26-nul-inside 'not printable' sed '/^Date:/s/:/:\x00/'
inrelease S26-nul-in-header 'line 2 is not' sed '/^Hash:/s/$/\x00/'
inrelease S26-nul-in-begin 'line 1 is not' sed '1s/$/\x00/'
release_text S26-release-nul 'not printable' sed '/^Date:/s/$/\x00/'
inrelease S26-trailing-blank 'blanks at its end' sed '/^Date:/s/$/ /'
inrelease S26-trailing-tab 'blanks at its end' sed '/^Date:/s/$/\t/'
release_text S26-release-trailing-blank 'blanks at its end' sed '/^Date:/s/$/ /'
for byte in 0c 0b 1b 07 08 7f; do
    inrelease S27-control-$byte 'not printable' sed "/^Date:/s/: /: \\x$byte/"
done
inrelease S27-escape-sequence 'not printable' sed '/^Date:/s/: /: \x1b[2J/'
inrelease S27-c1-control 'not printable' sed '/^Date:/s/: /: \xc2\x9b/'
inrelease S27-right-to-left 'not printable' sed '/^Date:/s/: /: \xe2\x80\xae/'
inrelease S27-line-separator 'not printable' sed '/^Date:/s/: /: \xe2\x80\xa8/'
inrelease S27-not-utf8 'not UTF-8' sed '/^Date:/s/: /: \xff/'
inrelease S27-overlong 'not UTF-8' sed '/^Date:/s/: /: \xc0\xaf/'
release_text S27-release-escape 'not printable' sed '/^Date:/s/: /: \x1b[2J/'

# The header of the text.
inrelease S28-missing 'line 2 is not' sed '/^Hash:/d'
inrelease S28-twice 'line 3 is not the empty line' sed '/^Hash:/p'
inrelease S28-list 'line 2 is not' sed '/^Hash:/s/$/,SHA1/'
inrelease S28-list-of-strong-ones 'line 2 is not' sed '/^Hash:/s/:.*/: SHA256,SHA512/'
inrelease S28-weak 'line 2 is not' sed 's/^Hash:.*/Hash: SHA1/'
inrelease S28-md5 'line 2 is not' sed 's/^Hash:.*/Hash: MD5/'
inrelease S28-unknown 'line 2 is not' sed 's/^Hash:.*/Hash: SHA3-256/'
inrelease S28-another-strong-one 'the Hash header says' sed -E 's/^Hash: .*/Hash: SHA384/'
inrelease S28-lower-case 'line 2 is not' sed 's/^Hash:.*/Hash: sha512/'
inrelease S28-no-blank 'line 2 is not' sed 's/^Hash: /Hash:/'
inrelease S28-trailing-blank 'line 2 is not' sed '/^Hash:/s/$/ /'
inrelease S28-other-header 'line 3 is not the empty line' sed '/^Hash:/a Charset: utf-8'
inrelease S28-other-header-first 'line 2 is not' sed '/^Hash:/i Charset: utf-8'
inrelease S28-notdash 'line 3 is not the empty line' sed '/^Hash:/a NotDashEscaped: You need GnuPG to verify this message'
inrelease S30-blank-separator 'line 3 is not the empty line' sed '0,/^$/s/^$/ /'
inrelease S30-tab-separator 'line 3 is not the empty line' sed '0,/^$/s/^$/\t/'
inrelease S30-no-separator 'line 3 is not the empty line' sed '0,/^$/{/^$/d}'
inrelease S30-return-separator 'line 3 is not the empty line' sed '0,/^$/s/^$/\r/'
inrelease S30-separator-of-signature 'PGP SIGNATURE' sed '/^-----BEGIN PGP SIGNATURE/,${s/^$/ /}'

# Long lines. What gpg cuts is signed by gpg as well.
inrelease S32-line-of-4097 'longer than 4096' sed "/^Date:/i X: $(printf '%4094s' x | tr ' ' x)"
python3 -c 'print("x: " + "y" * 200000)' >"$T/long"
inrelease S32-line-of-200k 'longer than 4096' sed "/^Date:/r $T/long"
{ cat "$T/Release" && cat "$T/long"; } >"$T/with-long"
clearsign_as "$GNUPG" "$KEY" "$T/with-long" | replace_inrelease "$bad"
judged S32-signed-line-of-200k 3 'InRelease: line [0-9]+ is longer than 4096'
printf 'X: %4093s\n' x | tr ' ' x >"$T/just"
{ cat "$T/just" && cat "$T/Release"; } >"$T/with-just"
clearsign_as "$GNUPG" "$KEY" "$T/with-just" | replace_inrelease "$bad"
judged ok-line-of-4096 0 ''

# Not clearsigned at all.
replace_inrelease "$bad" <"$T/Release"
judged S01-plain-inrelease 3 'InRelease: line 1 is not'
detached_only && rm "$bad/Release.gpg"
judged S01-plain-release 3 'Release has no signature'
detached_only && : >"$bad/Release.gpg"
judged S01-empty-signature 3 'Release.gpg is empty'
detached_only && printf '%s\n\n%s\n' '-----BEGIN PGP SIGNATURE-----' '-----END PGP SIGNATURE-----' >"$bad/Release.gpg"
judged S01-signature-of-nothing 3 'holds nothing'
: | replace_inrelease "$bad"
judged S01-empty-inrelease 3 'InRelease: is empty'
rm "$bad/InRelease" "$bad/Release"
judged S01-nothing 3 'neither InRelease nor Release'
rm "$bad/InRelease" "$bad/Release.gpg"
judged S02-signatures-taken-away 3 'Release has no signature'
[ "$(remembered)" = 2 ] || fail "S02 is about somebody who has signed state"
inrelease S03-broken-beside-a-good-release 'bad signature' sed '/^Date:/i Extra: line'
inrelease S03-empty-beside-a-good-release 'is empty' true
rm "$bad/InRelease" && mkdir "$bad/InRelease"
judged_alone S03-directory-beside-a-good-release 8 'InRelease'
rm "$bad/InRelease" && mkfifo "$bad/InRelease"
judged_alone S03-fifo-beside-a-good-release 8 'InRelease'
rm "$bad/InRelease" && ln -s /dev/zero "$bad/InRelease"
judged_alone S03-device-beside-a-good-release 8 'InRelease'
rm "$bad/InRelease" && ln -s InRelease "$bad/InRelease"
judged_alone S03-loop-beside-a-good-release 8 'InRelease'

# Other things that gpg reads where a clearsigned text is wanted.
other_message()
{
    gpg --homedir "$GNUPG" --batch --quiet --no-tty --pinentry-mode loopback -u "$KEY!" "$@" -o - \
        "$T/Release" 2>>"$T/gpg.log"
}
message()
{
    local what=$1
    shift
    "$@" | replace_inrelease "$bad"
    judged "$what" 3 'InRelease: line 1 (is not|has no newline)'
}
message S34-literal other_message --store
message S34-armoured-literal other_message --armor --store
message S34-signed-message other_message --sign
message S34-armoured-signed-message other_message --armor --sign
message S34-compressed other_message --armor --compress-algo zlib --sign
message S35-public-key cat "$KEYS/signer.asc"
message S35-binary-public-key cat "$KEYS/signer.gpg"
message S35-secret-key cat "$KEYS/signer.secret"
message S35-signature-block cat "$T/Release.gpg"
message S37-encrypted other_message --armor --passphrase x -c
message S37-encrypted-binary other_message --passphrase x -c
other_message --armor --passphrase x -c >"$T/encrypted"
inrelease S37-encrypted-inside 'starts with "-"' bash -c "head -n 3 '$T/InRelease'; cat '$T/encrypted'"

# Where a detached signature is wanted.
wanted='where "-----BEGIN PGP SIGNATURE-----" is wanted'
release_gpg S38-clearsigned "$wanted" cat "$T/InRelease"
release_gpg S38-literal "$wanted|newline" other_message --store
release_gpg S38-armoured-literal "$wanted" other_message --armor --store
release_gpg S38-signed-message "$wanted" other_message --armor --sign
other_message --armor --sign | sed 's/PGP MESSAGE/PGP SIGNATURE/' >"$T/mislabelled"
release_gpg S38-signature-label-on-message 'only signatures|no definite length' cat "$T/mislabelled"
release_gpg S38-public-key "$wanted" cat "$KEYS/signer.asc"
release_gpg S38-public-key-as-signature 'only signatures' sed 's/PUBLIC KEY BLOCK/SIGNATURE/' "$KEYS/signer.asc"
release_gpg S38-encrypted "$wanted" other_message --armor --passphrase x -c
release_gpg S38-binary-signature "$wanted|newline" detach "$GNUPG" "$KEY" "$T/Release"
release_gpg S38-html "$wanted" echo '<html>404</html>'
release_gpg S39-text-before "$wanted" sed '1i some text'
release_gpg S39-text-behind 'BEGIN PGP SIGNATURE' sed '$a some text'
release_gpg S39-text-between 'BEGIN PGP SIGNATURE' bash -c "cat; echo between; cat '$T/Release.gpg'"
release_gpg S39-newline-before "$wanted" sed '1s/^/\n/'
release_gpg S39-newline-behind 'BEGIN PGP SIGNATURE' bash -c 'cat; echo'
release_gpg S39-header-without-colon 'header' sed '1a some text'
release_gpg S39-text-in-body 'base64|length' sed '/^$/a some text'
release_gpg S39-second-body 'END line|is no checksum|is wanted' sed '/^=/{p;p}'
release_gpg S39-crlf 'BEGIN PGP SIGNATURE|line' sed 's/$/\r/'
release_gpg S39-dashes-of-clearsigned 'line' sed '/^$/,$s/^/- /'
release_gpg S39-checksum-wrong 'wrong checksum' sed -E 's/^=(....)$/=AAAA/'
release_gpg S39-line-lost 'checksum|length' sed '/^$/{n;d}'
release_gpg S39-end-lost 'missing' sed '$d'
release_gpg S39-base64-padded 'base64|length' sed '/^$/{n;s/.$/=/}'
inrelease S39-checksum-wrong-inline 'wrong checksum' sed -E 's/^=(....)$/=AAAA/'
inrelease S39-line-lost-inline 'checksum|length' sed '/^-----BEGIN PGP SIGNATURE/{n;n;d}'
inrelease S39-end-lost-inline 'missing' sed '$d'
inrelease S39-cut 'missing|newline' head -c 400
inrelease S39-cut-in-signature 'missing|newline' head -c "$(($(size_of "$T/InRelease") - 60))"

# Old tools write headers, newer ones no checksum.
detached_only
sed -i '1a Version: GnuPG v1.4.2 (GNU/Linux)\nComment: old' "$bad/Release.gpg"
judged ok-armour-headers 0 ''
detached_only
sed -i '/^=/d' "$bad/Release.gpg"
judged_alone ok-no-checksum 0 '' # gpg 2.2 cannot read that of a multiple of three bytes
detached_only
sed -i $'1a Comment: \e[2Jhidden' "$bad/Release.gpg"
judged S50-escape-in-armour-header 3 'not printable'
sed -i $'s/^-----BEGIN PGP SIGNATURE-----/&\\nComment: \e[2Jhidden/' "$bad/InRelease"
judged S50-escape-in-armour-header-inline 3 'not printable'

# Larger than any manifest may be, before anything is parsed.
{ cat "$T/Release" && seq -f 'X-%.0f: padding to make it large' 400000; } | replace_inrelease "$bad"
judged_alone M03-inrelease-of-14M 8 'InRelease: .*10000000'
detached_only
truncate -s 10000001 "$bad/Release"
judged_alone M03-release-of-10000001 8 'Release: .*10000000'
detached_only
for _ in {1..1500}; do cat "$T/Release.gpg"; done >"$bad/Release.gpg"
judged_alone S41-signature-file-of-300k 8 'Release.gpg: .*262144'

differences <<'END'
S18-* both: what stands before the document, and blanks behind its first line, are not looked at
S19-* both: what stands behind the end of the signature is not looked at
S21-nested both: the dashes are taken off, and what was signed is the inner document
S22-* both: a dash and a blank before a line belong to the form, not to the text
S24-* both: a carriage return before the newline belongs to the line's end
S26-nul-* both: NULs are dropped, or stand in a header that is not covered
S26-trailing-* both: blanks at a line's end are not covered by the signature
S28-* both: the header is not covered by the signature, and not needed
S30-* both: blanks make an empty line
S32-signed-line-of-200k both: lines may have any length
S34-* gpgv: a signed message is as good as a clearsigned text, whatever the file is called
S38-binary-signature both: armour is not needed
S39-* both: what is around the armour, and what ends it, is not looked at
S50-* both: headers of the armour are not shown
END
