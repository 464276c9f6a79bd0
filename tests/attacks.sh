# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154,SC2034 # lib.sh and repository.sh set srcdir, T, KEYS and more
# For the end-to-end tests of hostile cases, after repository.sh. A case is called by the id that tests/ATTACKS
# lists and a word of its own; each one that held prints "attack CASE: RESULT", which tests/run.sh counts.

# What no refusal may change. Of the directories in PARENTS, in which something is staged and removed again, the
# times of the directory itself do not count.
WATCHED=() PARENTS=()

watched()
{
    local dir
    for dir in "${WATCHED[@]}"; do
        echo "== $dir"
        snapshot "$dir"
    done
    for dir in "${PARENTS[@]}"; do
        echo "== $dir"
        snapshot "$dir" | sed '/^\.|/d'
    done
}

# passed CASE RESULT
passed()
{
    echo "attack $1: $2"
}

# refuses CASE STATUS REGEX -- COMMAND...: fails with STATUS, says why in one line, prints nothing, and leaves all
# that is watched as it was.
refuses()
{
    local what=$1
    shift
    watched >"$T/watched.before"
    echo "case $what"
    expect "$@"
    stdout_is_empty
    watched >"$T/watched.after"
    diff "$T/watched.before" "$T/watched.after" >&2 || fail_above "$what: something has changed"
    passed "$what" "exit status $1"
}

# accepts CASE -- COMMAND...: is good, without a word on standard error.
accepts()
{
    local what=$1
    shift 2
    echo "case $what"
    expect 0 '' -- "$@"
    passed "$what" accepted
}

# ---- Signatures ---------------------------------------------------------------------------------

# Keys for which the world is not any more as it was when they signed: $ODD/home can sign with all of them;
# $ODD/NAME.gpg is what a verifier has. NAME.fpr is the primary key, NAME.signer the key that signs.
make_odd_keys()
{
    local home=$1/home now=$1/now name
    mkdir -m 700 "$home"
    for name in revoked superseded outlived retired; do
        make_key "$home" $name "" ed25519 sign never
    done
    make_key "$home" rsa "" rsa2048 sign never
    make_key "$home" nist "" nistp256 sign never
    make_key "$home" brainpool "" brainpoolP256r1 sign never
    make_key "$home" secp "" secp256k1 sign never
    make_key "$home" dsa "" dsa1024 sign never
    make_key "$home" weak-primary "" rsa1024 cert never
    for name in weak-subkey revoked-subkey expired-subkey; do
        make_key "$home" $name "" ed25519 cert never
    done
    make_key "$home" expired-primary "" ed25519 cert 20200601T000000
    quick_gpg "$home" --cert-digest-algo SHA1 --passphrase '' --quick-gen-key "sha1-bound (test) <sha1-bound@example.org>" \
        ed25519 sign never
    odd_subkey "$home" weak-primary ed25519 never
    odd_subkey "$home" weak-subkey rsa1024 never
    odd_subkey "$home" revoked-subkey ed25519 never
    odd_subkey "$home" expired-subkey ed25519 20200601T000000
    odd_subkey "$home" expired-primary ed25519 never
    quick_gpg "$home" --passphrase '' --allow-freeform-uid --quick-gen-key \
        $'\e[2J\e[31mhostile (test) <hostile@example.org>' ed25519 sign never
    gpgconf --homedir "$home" --kill gpg-agent
    odd_list "$home" >"$1/list"
    cp -R "$home" "$now"
    sed 's/^:---/---/' "$home/openpgp-revocs.d/$(odd_fpr "$1/list" revoked).rev" >"$1/rev"
    quick_gpg "$now" --import "$1/rev"
    edit_key "$now" "$(odd_fpr "$1/list" superseded)" revkey y 2 '' y
    edit_key "$now" "$(odd_fpr "$1/list" revoked-subkey)" 'key 1' revkey y 0 '' y
    edit_key "$now" "$(odd_fpr "$1/list" retired)" change-usage s q
    edit_key "$now" "$(odd_fpr "$1/list" outlived)" expire 20210101T000000
    while read -r name primary signer; do
        echo "$primary" >"$1/$name.fpr"
        echo "$signer" >"$1/$name.signer"
        quick_gpg "$now" --export "$primary" >"$1/$name.gpg"
        quick_gpg "$home" --export "$primary" >"$1/$name-before.gpg"
    done <"$1/list"
    gpgconf --homedir "$now" --kill gpg-agent
    rm -rf "$now" "$1/rev"
}

odd_subkey()
{
    quick_gpg "$1" --passphrase '' --quick-add-key "$(fingerprint "$1" "$2")" "$3" sign "$4"
}

# NAME PRIMARY SIGNER of each key.
odd_list()
{
    gpg --homedir "$1" --batch --with-colons --list-keys 2>/dev/null | awk -F: '
        function finish() { if (name != "") print name, primary, signer; name = "" }
        $1 == "pub" { finish(); primary = "" }
        $1 == "fpr" { if (primary == "") primary = $10; signer = $10 }
        $1 == "uid" { name = $10 ~ /hostile/ ? "hostile" : $10; sub(/ .*/, "", name) }
        END { finish() }'
}

odd_fpr()
{
    awk -v name="$2" '$1 == name { print $2 }' "$1"
}

# edit_key HOME FPR ANSWER...: gpg --edit-key, a year after the key was made.
edit_key()
{
    local home=$1 fpr=$2
    shift 2
    printf '%s\n' "$@" save | gpg --homedir "$home" --no-tty --quiet --command-fd 0 --pinentry-mode loopback \
        --passphrase '' --faked-system-time 20200701T000000 --edit-key "$fpr" >>"$T/gpg.log" 2>&1 ||
        fail "gpg --edit-key: $(tail "$T/gpg.log")"
}

# After setup: the odd keys in $ODD, made once for a build directory, and $GNUPG_ODD to sign with them; a
# published repository in $T/root with its state in $T/consumer, the texts in $T/Release and $T/InRelease, and a
# copy of what is served, as plain files, in $bad. Refusals may change none of these, nor $T/out.
setup_attacks()
{
    local cache=$top_builddir/tests/e2e sum
    sum=$(declare -f make_odd_keys | cksum)
    ODD=$cache/odd-keys.${sum%% *}
    exec 8>"$cache/odd-keys.lock"
    flock 8
    if [ ! -e "$ODD" ]; then
        rm -rf "$ODD.new"
        mkdir "$T/odd"
        make_odd_keys "$T/odd"
        cp -R "$T/odd" "$ODD.new"
        mv "$ODD.new" "$ODD"
        rm -rf "$T/odd"
    fi
    exec 8>&-
    GNUPG_ODD=$T/odd-home GNUPG_EVIL=$T/evil-home
    mkdir -m 700 "$GNUPG_ODD"
    cp -R "$ODD/home/." "$GNUPG_ODD"
    copy_home evil "$GNUPG_EVIL"
    EVIL=$(cat "$KEYS/evil.fpr")
    make_package "$T/root/pool/hello-1.0.tar.gz" hello
    publish "$T/root" --valid-for 30d
    cp "$T/root/Release" "$T/root/InRelease" "$T/root/Release.gpg" "$T"
    DATE=$(seconds "$T/root" Date)
    mkdir "$T/out" "$T/split"
    expect 0 '' -- consume check "$T/root"
    bad=$T/bad
    fresh
    expect 0 '' -- consume check "$bad"
    WATCHED=("$bad" "$T/consumer" "$T/out")
    : >"$T/verdicts"
}

fresh()
{
    rm -rf "${bad:?}"
    mkdir "$bad"
    cp -R "$T/root/pool" "$bad"
    cp "$T/Release" "$T/Release.gpg" "$T/InRelease" "$T/root"/Unpacked-Sizes* "$bad"
}

# $bad has no InRelease.
detached_only()
{
    rm -f "$bad/InRelease"
}

# detach HOME FPR FILE [OPTION...]: a binary signature, on standard output.
detach()
{
    local home=$1 fpr=$2 file=$3
    shift 3
    gpg --homedir "$home" --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' -u "$fpr!" "$@" \
        --detach-sign -o - "$file" 2>>"$T/gpg.log" || fail_above "gpg: $(tail -n 3 "$T/gpg.log")"
}

# Puts armour around signatures.
armoured()
{
    gpg --batch --quiet --homedir "$GNUPG_EVIL" --enarmor 2>>"$T/gpg.log" |
        sed 's/PGP ARMORED FILE-----$/PGP SIGNATURE-----/; /^Comment: /d'
}

# judged CASE STATUS REGEX [OPTION...]: what repo-verify, with these options in place of $CONSUMER, says of $bad.
# What gpgv and sqv say, with the same keyrings and clock, is noted, unless it is judged_alone because they would
# never end. $bad is fresh again afterwards.
judged()
{
    ask=second_opinion judge "$@"
}

judged_alone()
{
    ask=: judge "$@"
}

judge()
{
    local what=$1 status=$2 regex=$3
    shift 3
    [ $# != 0 ] || set -- "${CONSUMER[@]}"
    if [ "$status" = 0 ]; then
        accepts "$what" -- bounded 30 verify --no-state "$@" --quiet unpack "$bad" pool/hello-1.0.tar.gz --into "$T/out/x"
        rm -rf "$T/out/x"
    else
        refuses "$what" "$status" "$regex" -- bounded 30 verify "$@" unpack "$bad" pool/hello-1.0.tar.gz \
            --into "$T/out/x"
    fi
    $ask "$what" "$status" "$@"
    fresh
}

# second_opinion CASE STATUS OPTION...: notes CASE, and "yes" or "no" of each program, in $T/verdicts.
second_opinion()
{
    local what=$1 ours=no document signature gpgv=- sqv=- threshold=1
    local -a keyrings=() at=()
    [ "$2" != 0 ] || ours=yes
    shift 2
    while [ $# != 0 ]; do
        case $1 in
        --keyring) keyrings+=(--keyring "$2") ;;
        --threshold) threshold=$2 ;;
        --now)
            have faketime || return 0
            at=(env TZ=UTC faketime "$(date -u -d "$2" '+%Y-%m-%d %H:%M:%S')")
            ;;
        esac
        shift
    done
    document=$bad/Release signature=$bad/Release.gpg
    [ ! -e "$bad/InRelease" ] || document=$bad/InRelease signature=
    if have gpgv; then
        gpgv=$(opinion "${at[@]}" gpgv "${keyrings[@]}" ${signature:+"$signature"} "$document")
    fi
    if have sqv && [ -z "$signature" ]; then
        rm -f "$T/split/"*
        python3 "$srcdir/tests/e2e/split_clearsigned.py" "$document" "$T/split/text" "$T/split/signature" 2>/dev/null || :
        document=$T/split/text signature=$T/split/signature
    fi
    ! have sqv || sqv=$(opinion "${at[@]}" sqv -n "$threshold" "${keyrings[@]}" "$signature" "$document")
    printf '%s\t%s\t%s\t%s\n' "$what" $ours "$gpgv" "$sqv" >>"$T/verdicts"
}

# yes, no, or - for one that did not come to an end; where it is not ours, the log has the reason.
opinion()
{
    local status=0 answer=no
    timeout -k 1 60 "$@" >"$T/opinion" 2>&1 </dev/null || status=$?
    if [ $status != 0 ] && [ "$ours" = yes ]; then # not a matter of chance
        status=0
        timeout -k 1 60 "$@" >"$T/opinion" 2>&1 </dev/null || status=$?
    fi
    case $status in
    0) answer=yes ;;
    124 | 137) answer=- ;;
    esac
    [ $answer = "$ours" ] || head -n 5 "$T/opinion" | cat -v >&2
    echo $answer
}

# differences: compares the verdicts with the list on standard input, of lines "CASES WHO: REASON": CASES is a glob
# and WHO gpgv, sqv or both. A line that starts with "+" is about cases that we accept and WHO does not. Whatever
# differs must be explained, and whatever is explained must differ.
differences()
{
    have gpgv || echo "skipped: gpgv is not here to be compared with"
    have sqv || echo "skipped: sqv is not here to be compared with"
    python3 "$srcdir/tests/e2e/compare_verdicts.py" "$T/verdicts" || fail_above "verdicts differ"
}
