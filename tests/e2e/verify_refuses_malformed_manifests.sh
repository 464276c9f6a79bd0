#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# A manifest with a good signature that breaks the format: exit status 8 (7 where its hash sections disagree, 3 where
# its bytes would not be signed by anybody), one line that says where, nothing changed. The names are the cases of
# tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
setup

root=$T/root
mkdir -p "$root/dir" "$T/out"
echo one >"$root/a.txt"
echo two >"$root/dir/b.txt"
publish "$root" --hash SHA512 --valid-for 30d
expect 0 '' -- consume check "$root"
sed -E '/^ /s/ +/ /g' "$root/Release" >"$T/Release"
rm -rf "$root/.hallmark" "$root/Release" "$root/Release.gpg" "$root/InRelease"
sum=$(sha256sum <"$root/a.txt" | cut -c 1-64)
WATCHED=("$root" "$T/consumer" "$T/out")

# signed CASE STATUS REGEX COMMAND...: the manifest is what COMMAND makes of a good one, well signed. What is accepted
# is good for $command.
signed()
{
    local what=$1 status=$2 regex=$3
    shift 3
    "$@" <"$T/Release" >"$T/edited"
    [ "$what" = ok-same ] || ! cmp -s "$T/edited" "$T/Release" || fail "$what: the case changes nothing"
    clearsign_as "$GNUPG" "$KEY" "$T/edited" >"$root/InRelease"
    if [ "$status" = 0 ]; then
        accepts "$what" -- consume "${command:-check}" "$root" --no-state --quiet
    elif [ "$status" = 8 ] || [ "$status" = 3 ]; then
        refuses "$what" "$status" "$regex" -- bounded 30 verify "${CONSUMER[@]}" check "$root"
    else # what is good so far, but another one than what is remembered
        refuses "$what" "$status" "$regex" -- bounded 30 verify "${CONSUMER[@]}" --no-state check "$root"
    fi
}

# one_line CASE STATUS REGEX FIELD VALUE: with another value of a field, which is put before Date where it is new.
one_line()
{
    local what=$1 status=$2 regex=$3 field=$4 value=$5
    if grep -q "^$field:" "$T/Release"; then
        signed "$what" "$status" "$regex" sed -E "s|^$field:.*|$field: $value|"
    else
        signed "$what" "$status" "$regex" sed "/^Date:/i $field: $value"
    fi
}

# entry CASE STATUS REGEX OLD NEW: with another path in both sections, a name in place of "a.txt" or "dir/b.txt".
entry()
{
    signed "$1" "$2" "$3" sed "s| $4\$| $5|"
}

signed ok-same 0 '' cat
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

# Twice.
signed M01-valid-until-twice 8 'InRelease: .*"Valid-Until" was on line' sed '/^Valid-Until:/p'
signed M01-suite-twice 8 'InRelease: .*"Suite" was on line' sed '/^Date:/i Suite: stable\nSuite: stable'
signed M01-unknown-twice 8 'InRelease: .*"X" was on line' sed '/^Date:/i X: 1\nX: 1'
signed M01-section-twice-in-other-case 8 'InRelease: .*was on line' bash -c "cat; printf 'sha256:\n %s 4 a.txt\n' $sum"
signed M01-empty-section-twice 8 'InRelease: .*was on line' bash -c "cat; printf 'SHA512:\n'"

# Too much.
python3 -c 'print("\n".join("X-%d: x" % i for i in range(260)))' >"$T/fields"
signed M03-260-fields 8 'limit of 256' bash -c "cat '$T/fields' -"
python3 -c 'print("X-Long:\n" + " some words\n" * 90000, end="")' >"$T/long"
signed M03-unknown-field-of-1M 0 '' bash -c "cat '$T/long' -"
signed M03-known-field-of-1M 8 'one line only' bash -c "sed 's/^X-Long/Origin/' '$T/long'; cat"
signed M03-line-of-1M 3 'longer than 4096' bash -c 'head -c 1000000 /dev/zero | tr "\0" x | sed "s/^/X: /;s/\$/\n/"; cat'
python3 -c 'import sys
print("\n".join(" %s 0 x%d" % (sys.argv[1], i) for i in range(1000000)))' "$sum" >"$T/entries"
{ sed '/^SHA256:/q' "$T/Release" && cat "$T/entries"; } >"$T/edited"
clearsign_as "$GNUPG" "$KEY" "$T/edited" >"$root/InRelease"
refuses M03-million-entries 8 'InRelease: .*10000000' -- bounded 30 verify "${CONSUMER[@]}" check "$root"
rm "$T/edited"

# Hashes that nobody may rely on.
for section in MD5Sum SHA1 SHA224 XXH64 XXH3 CRC32 SHA3-256 SHA-256 sha256sum; do
    signed "M04-only-$section" 8 'InRelease: .*neither SHA256 nor SHA512' sed -E "/^SHA512:/,\$d;s/^SHA256:/$section:/"
done
signed M04-no-section 8 'InRelease: .*neither SHA256 nor SHA512' sed '/^SHA256:/,$d'
signed M04-weak-beside-strong 0 '' bash -c "cat; printf 'MD5Sum:\n %s 999 a.txt\n' d41d8cd98f00b204e9800998ecf8427e"
signed M04-section-on-the-line 8 'InRelease: .*beside the name' sed -E 's/^SHA256:/SHA256: x/'

# Sizes.
for size in 1e3 4.0 '4,' ٤ 9223372036854775808 18446744073709551616 18446744073709551620 00000000 0x0 -0 ' ' 4k "''" 4_0; do
    signed "M06-size-$size" 8 'InRelease' sed "s| 4 a.txt| $size a.txt|"
done
command=list signed M06-size-2-to-63-less-1 0 '' sed 's| 4 a.txt| 9223372036854775807 a.txt|'

# Hashes.
signed M07-hash-empty 8 'InRelease' sed -E 's/^ [0-9a-f]{64} 4 a.txt/  4 a.txt/'
signed M07-tab-before 3 'not printable' sed -E 's/^ ([0-9a-f]{64} 4 a.txt)/\t\1/'
signed M07-blank-and-tab-before 3 'not printable' sed -E 's/^ ([0-9a-f]{64} 4 a.txt)/ \t\1/'
signed M07-tab-between 3 'not printable' sed -E 's/^ ([0-9a-f]{64}) 4 a.txt/ \1\t4 a.txt/'
signed M07-other-order 8 'InRelease' sed -E 's/^ ([0-9a-f]{64}) 4 a.txt/ a.txt 4 \1/'
signed M07-sha1-in-sha256 8 'InRelease: .*64 lower-case' sed -E 's/^ [0-9a-f]{24}([0-9a-f]{40} 4 a.txt)/ \1/'
signed M07-prefixed 8 'InRelease' sed -E 's/^ ([0-9a-f]{64} 4 a.txt)/ sha256:\1/'
signed M07-sha256-in-sha512 8 'InRelease' sed -E '/^SHA512:/,$s/^ [0-9a-f]{64}([0-9a-f]{64} 4 a.txt)/ \1/'

# Paths.
entry M08-absolute-in-one-component 8 '"/etc"' a.txt /etc
entry M08-file-url 8 'empty component' a.txt file:///etc/passwd
for path in . .. ./ ../ ../../etc/passwd dir/.. dir/../../x dir/./b a/../b dir//b /dir/ // -rf dir/-rf; do
    entry "M09-path-$path" 8 'InRelease: .*the name' a.txt "$path"
done
command=list entry M09-dots-are-a-name 0 '' a.txt ...
for path in 'a\\b' '..\\x' 'C:\\x' 'a\\n'; do
    entry "M10-backslash-$path" 8 'InRelease: .*backslash' a.txt "${path//\\/\\\\}"
done
for byte in 01 0d 1b 7f 00; do
    entry "M10-control-$byte" 3 'InRelease: line' a.txt "a\\x$byte.txt"
done
entry M10-tab 3 'not printable' a.txt 'a\tb'
command=list entry M10-newline-in-percent 0 '' a.txt 'a%0Ab'
entry M11-overlong 3 'not UTF-8' a.txt 'a\xc0\xaf.txt'
entry M11-invalid-utf8 3 'not UTF-8' a.txt 'a\xff.txt'
entry M11-surrogate 3 'not UTF-8' a.txt 'a\xed\xa0\x80.txt'
entry M11-right-to-left 3 'not printable' a.txt 'a\xe2\x80\xaetxt.exe'
entry M11-composed 8 'not ASCII' a.txt '\xc3\xa9.txt'
entry M11-decomposed 8 'not ASCII' a.txt 'e\xcc\x81.txt'
entry M11-no-break-space 8 'not ASCII|not printable' a.txt 'a\xc2\xa0b'
entry M11-case-twin-directories 8 'differ only in case|InRelease' a.txt DIR/b.txt
entry M12-directory-and-file 8 'file and directory' dir/b.txt a.txt/b.txt
entry M12-deep-file-and-directory 8 'file and directory' a.txt dir/b.txt/c/d
entry M12-case-twin-of-a-directory 8 'file and directory|differ only in case' a.txt DIR
command=list entry M12-component-of-255 0 '' a.txt "$(printf 'x%.0s' {1..255})"
entry M12-65-deep 8 'more than 64 directories' a.txt "$(printf 'd/%.0s' {1..64})x"
entry M12-path-of-4096 3 'longer than 4096' a.txt "$(printf 'dddddddddddddddddddddddddddddddd/%.0s' {1..124})xxxx"
for path in Release InRelease Release.gpg; do # as apt-ftparchive lists them: passed over
    command=list entry "M12-own-name-$path" 0 '' a.txt "$path"
    ! grep -q "^$path" "$T/stdout" || fail "$path is listed as a package"
done
for path in .hallmark .hallmark/current/Release Release/x InRelease/x; do
    entry "M12-own-name-$path" 8 'a name that the manifest itself needs' a.txt "$path"
done

# Dates.
n=0
while read -r status date; do
    n=$((n + 1))
    one_line "M16-date-$n" "$status" 'InRelease: .*Date' Date "$date"
done <<'END'
8 Thu, 01 Jan 1970 00:00:00 UTC
8 Fri, 31 Dec 9999 23:59:59 UTC
8 Sat, 30 Feb 2024 00:00:00 UTC
8 Fri, 29 Feb 2023 00:00:00 UTC
8 Thu, 31 Apr 2025 00:00:00 UTC
8 Sat, 11 Nov 2023 24:00:00 UTC
8 Sat, 11 Nov 2023 23:60:00 UTC
8 Sat, 11 Nov 2023 23:59:60 UTC
8 Sat, 11 Nov 2023 9:59:32 UTC
8 Sat, 1 Nov 23 09:59:32 UTC
8 Sat, 11 Nov 23 09:59:32 UTC
8 Fri, 11 Nov 2023 09:59:32 UTC
8 Saturday, 11 Nov 2023 09:59:32 UTC
8 11 Nov 2023 09:59:32 UTC
8 Sat, 11 nov 2023 09:59:32 UTC
8 Sat, 11 11 2023 09:59:32 UTC
8 Sat, 11 Nov 2023 09:59 UTC
8 Sat, 11 Nov 2023 09:59:32 EST
8 Sat, 11 Nov 2023 09:59:32 +0100
8 Sat, 11 Nov 2023 09:59:32 UTC+1
8 Sat, 11 Nov 2023 09:59:32  UTC
8 Sat, 00 Nov 2023 09:59:32 UTC
8 Sat, 11 Nov -2023 09:59:32 UTC
8 2023-11-11T09:59:32Z
8 1699696772
8 @1699696772
8 now
END
signed M16-date-empty 8 'InRelease: .*Date' sed 's/^Date:.*/Date:/'
n=0
while read -r status date; do
    n=$((n + 1))
    one_line "M20-valid-until-$n" "$status" 'InRelease: .*Valid-Until' Valid-Until "$date"
done <<'END'
0 Tue, 19 Jan 2038 03:14:08 UTC
0 Sun, 07 Feb 2106 06:28:16 UTC
0 Fri, 31 Dec 9999 23:59:59 UTC
8 Sat, 01 Jan 10000 00:00:00 UTC
8 Wed, 31 Dec 1969 23:59:59 UTC
8 Fri, 01 Jan 0000 00:00:00 UTC
8 Sat, 01 Jan 99999999999999999999 00:00:00 UTC
END
signed M18-valid-until-empty 8 'InRelease: .*Valid-Until' sed 's/^Valid-Until:.*/Valid-Until:/'
one_line M18-valid-until-epoch 8 'InRelease: .*Valid-Until' Valid-Until 'Thu, 01 Jan 1970 00:00:00 UTC'
signed M18-no-valid-until 4 'InRelease: has no Valid-Until' sed '/^Valid-Until:/d'

# The form of a stanza.
signed M21-blank-line-first 8 'InRelease: .*blank' sed '1s/^/\n/'
signed M21-blank-line-inside 8 'InRelease: .*blank' sed 's/^SHA256:/\n&/'
signed M21-blank-line-last 8 'InRelease: .*blank' bash -c 'cat; echo'
signed M21-tab-continues 3 'not printable' sed '/^Date:/i X: one\n\ttwo'
signed M21-continuation-first 8 'InRelease: .*continues nothing' sed '1i \ more'
signed M21-comment 8 'InRelease: .*no field' sed '/^Date:/i # a comment'
signed M21-name-with-blank 8 'InRelease: .*no field' sed '/^Date:/i X Y: z'
signed M21-blank-before-colon 8 'InRelease: .*no field' sed '/^Date:/i X : z'
signed M21-no-name 8 'InRelease: .*no field' sed '/^Date:/i : z'
signed M21-name-not-ascii 8 'InRelease: .*no field' sed '/^Date:/i Ü: z'
for field in Origin Label Suite Codename Version Architectures Components Acquire-By-Hash NotAutomatic; do
    signed "M21-continued-$field" 8 "InRelease: .*$field" sed "/^Date:/i $field: one\n two"
done
signed M21-continued-valid-until 8 'InRelease: .*Valid-Until' sed '/^Valid-Until:/a \ more'
signed M22-unknown-continued-field 0 '' sed '/^Date:/i X-Unknown: field\n more\n .\n and more'
clearsign_as "$GNUPG" "$KEY" "$T/edited" >"$root/InRelease"
accepts M22-kept-in-order -- consume manifest "$root" --no-state --print
cmp "$T/stdout" "$T/edited" || fail "not the bytes that were signed"

# Names that are bad for hash tables, sorts and trees of names; the manifest just fits.
n=0
for order in sorted reversed zigzag prefixes; do
    n=$((n + 1))
    python3 - "$T/Release" "$sum" $order >"$T/edited" <<'END'
import sys
text, digest, order = open(sys.argv[1]).read(), sys.argv[2], sys.argv[3]
n = 100000
names = ["%05d" % i for i in range(n)]
if order == "reversed":
    names.reverse()
elif order == "zigzag":
    names = [names[i // 2 if i % 2 else -1 - i // 2] for i in range(n)]
elif order == "prefixes":
    names = ["%s%d" % ("a" * (i % 13), i) for i in range(n)]
sys.stdout.write(text[:text.index("SHA256:")] + "SHA256:\n")
sys.stdout.write("".join(" %s 4 %s\n" % (digest, name) for name in names))
END
    clearsign_as "$GNUPG" "$KEY" "$T/edited" >"$root/InRelease"
    accepts "M25-100000-names-$order" -- bounded 60 verify "${CONSUMER[@]}" list "$root" --no-state
    [ "$(wc -l <"$T/stdout")" = 100000 ] || fail "not all were listed"
done

# A manifest of another suite or release than the reader wants, by the same key.
sed '/^Date:/i Suite: testing\nCodename: crow' "$T/Release" >"$T/edited"
clearsign_as "$GNUPG" "$KEY" "$T/edited" >"$root/InRelease"
accepts M14-wanted-codename -- consume check "$root" --no-state --quiet --codename crow
refuses M14-other-codename 6 'has Codename "crow"; "dove" is wanted' -- consume check "$root" --no-state --codename dove
refuses M14-codename-in-other-case 6 'is wanted' -- consume check "$root" --no-state --codename Crow
cp "$T/Release" "$T/edited"
clearsign_as "$GNUPG" "$KEY" "$T/edited" >"$root/InRelease"
refuses M14-no-codename 6 'is wanted' -- consume check "$root" --no-state --codename crow
