#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A manifest with a good signature that breaks the format: exit status 8 (7 where its hash sections
# disagree), one line that says where, nothing remembered. The names are the cases of the attacks.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
mkdir -p "$root/dir"
echo one >"$root/a.txt"
echo two >"$root/dir/b.txt"
publish "$root" --hash SHA512 --valid-for 30d
sed -E '/^ /s/ +/ /g' "$root/Release" >"$T/Release"
rm -rf "$root/.hallmark" "$root/Release" "$root/Release.gpg" "$root/InRelease"
sum=$(sha256sum <"$root/a.txt" | cut -c 1-64)

# signed CASE STATUS REGEX COMMAND...: the manifest is what COMMAND makes of a good one, well signed.
signed()
{
    local what=$1 status=$2 regex=$3
    shift 3
    echo "case $what"
    "$@" <"$T/Release" >"$T/edited"
    [ "$what" = same ] || ! cmp -s "$T/edited" "$T/Release" || fail "$what: the case changes nothing"
    clearsign_as "$GNUPG" "$KEY" "$T/edited" >"$root/InRelease"
    expect "$status" "$regex" -- consume check "$root" --no-state
}

signed same 0 '' cat
signed M22-unknown-field 0 '' sed '/^Date:/i X-Unknown: field'
signed M22-unknown-section 0 '' sed '/^SHA256:/i SHA3:\n anything goes here'
signed M01-date-twice 8 'InRelease.*Date' sed '/^Date:/p'
signed M01-other-case-twice 8 'InRelease' sed '/^Date:/{p;s/Date/DATE/}'
signed M01-section-twice 8 'InRelease.*SHA256' bash -c "cat; printf 'SHA256:\n %s 4 a.txt\n' $sum"
signed M04-md5-only 8 'InRelease' sed 's/^SHA256:/MD5Sum:/; s/^SHA512:/SHA1:/'
signed M06-size-negative 8 'InRelease.*size' sed -E 's/ 4 a.txt/ -4 a.txt/'
signed M06-size-plus 8 'InRelease.*size' sed -E 's/ 4 a.txt/ +4 a.txt/'
signed M06-size-hex 8 'InRelease.*size' sed -E 's/ 4 a.txt/ 0x4 a.txt/'
signed M06-size-octal 8 'InRelease.*size' sed -E 's/ 4 a.txt/ 04 a.txt/'
signed M06-size-empty 8 'InRelease' sed -E 's/ 4 a.txt/  a.txt/'
signed M06-size-huge 8 'InRelease.*size' sed -E 's/ 4 a.txt/ 99999999999999999999 a.txt/'
signed M07-hash-short 8 'InRelease' sed -E 's/^ [0-9a-f]([0-9a-f]{63} 4 a.txt)/ \1/'
signed M07-hash-long 8 'InRelease' sed -E 's/^ ([0-9a-f]{64} 4 a.txt)/ 0\1/'
signed M07-hash-upper 8 'InRelease' sed -E 's/^ [0-9a-f]([0-9a-f]{63} 4 a.txt)/ A\1/'
signed M07-hash-no-digit 8 'InRelease' sed -E 's/^ [0-9a-f]([0-9a-f]{63} 4 a.txt)/ g\1/'
signed M07-two-blanks 8 'InRelease' sed -E 's/^ ([0-9a-f]{64} 4 a.txt)/  \1/'
signed M08-absolute 8 'InRelease.*/a.txt' sed 's| 4 a.txt| 4 /a.txt|'
signed M09-parent 8 'InRelease.*\.\.' sed 's| 4 dir/b.txt| 4 ../b.txt|'
signed M09-inner-parent 8 'InRelease.*\.\.' sed 's| 4 dir/b.txt| 4 dir/../b.txt|'
signed M09-dot 8 'InRelease' sed 's| 4 dir/b.txt| 4 ./b.txt|'
signed M09-double-slash 8 'InRelease' sed 's| 4 dir/b.txt| 4 dir//b.txt|'
signed M09-trailing-slash 8 'InRelease' sed 's| 4 dir/b.txt| 4 dir/|'
signed M10-backslash 8 'InRelease' sed 's| 4 dir/b.txt| 4 dir\\b.txt|'
signed M11-not-ascii 8 'InRelease' sed 's| 4 dir/b.txt| 4 dir/ü.txt|'
signed M11-case-twins 8 'InRelease' sed 's| 4 dir/b.txt| 4 A.txt|'
signed M12-file-and-directory 8 'InRelease' sed 's| 4 a.txt| 4 dir|'
signed M12-component-long 8 'InRelease' sed "s| 4 a.txt| 4 $(printf 'x%.0s' {1..256})|"
signed twice-the-same-path 8 'InRelease' sed 's| 4 dir/b.txt| 4 a.txt|'
signed dash-component 8 'InRelease' sed 's| 4 dir/b.txt| 4 dir/-b.txt|'
signed disagreeing-sizes 7 'InRelease' sed -E '/^SHA512:/,$s/ 4 a.txt/ 5 a.txt/'
signed disagreeing-files 7 'InRelease' sed -E '/^SHA512:/,${/ 4 a.txt/d}'
signed M16-no-date 8 'InRelease.*Date' sed '/^Date:/d'
signed M16-february 8 'InRelease.*Date' sed -E 's/^Date:.*/Date: Wed, 30 Feb 2022 10:00:00 UTC/'
signed M16-hour 8 'InRelease.*Date' sed -E 's/^(Date:.*) ..:..:..(.*)/\1 24:61:00\2/'
signed M16-leap-second 8 'InRelease.*Date' sed -E 's/^(Date:.* ..:..):..(.*)/\1:60\2/'
signed M16-weekday 8 'InRelease.*Date' sed -E 's/^Date:.*/Date: Mon, 11 Nov 2023 09:59:32 UTC/'
signed M16-zone 8 'InRelease.*Date' sed -E '/^Date:/s/UTC/CET/'
signed M16-no-zone 8 'InRelease.*Date' sed -E '/^Date:/s/ UTC//'
signed M18-valid-until-before-date 8 'InRelease.*Valid-Until' \
    sed -E 's/^Valid-Until:.*/Valid-Until: Sat, 11 Nov 2023 09:59:32 UTC/'
signed M18-valid-until-is-date 8 'InRelease.*Valid-Until' \
    sed -E "s/^Valid-Until:.*/Valid-Until: $(sed -n 's/^Date: //p' "$T/Release")/"
signed M18-valid-until-wrong 8 'InRelease.*Valid-Until' sed -E 's/^Valid-Until:.*/Valid-Until: tomorrow/'
signed M20-year-10000 8 'InRelease.*Valid-Until' sed -E 's/^(Valid-Until:.*) (20..) /\1 10000 /'
# A blank or control character at a line's end, or a blank line with blanks, is not canonical: 3 or 8.
signed M21-second-stanza 8 'InRelease' bash -c "cat; printf '\nOrigin: another\n'"
signed M21-continued-date 8 'InRelease' sed '/^Date:/a \ more'
signed not-a-field 8 'InRelease' sed '/^Date:/i not a field'
signed path-missing 8 'InRelease' sed -E 's/ 4 a.txt/ 4/'
signed path-with-blank 8 'InRelease' sed -E 's/ 4 a.txt/ 4 a b.txt/'

# Nothing but the good ones would have been remembered.
clearsign_as "$GNUPG" "$KEY" "$T/edited" >"$root/InRelease"
expect 8 'InRelease' -- consume check "$root"
[ "$(remembered)" = 0 ] || fail "a malformed manifest was remembered"
