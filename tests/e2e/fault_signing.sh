#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G16, G17, G18, G19, G20, G21, G22, G30: whatever happens to gpg, to its agent, to the keys, to the clock: an end
# in bounded time with the reason, and what is published stays as it is, byte for byte.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"

# Another gpg than the one in /usr/bin is never run, so a bad one has to be mounted there.
if [ -z "${FAULT_NAMESPACE:-}" ] && have unshare; then
    map=()
    [ "$(id -u)" = 0 ] || map=(--map-root-user)
    if unshare "${map[@]}" --mount --propagation private true 2>/dev/null; then
        FAULT_NAMESPACE=1 unshare "${map[@]}" --mount --propagation private "$0" || exit $?
        exit 0
    fi
fi
setup_faults
need_plain_tools
need setsid

root=$WORK/root
export TMPDIR=$WORK/tmp
mkdir -p "$TMPDIR" "$root/pool"
cp "$FAULT_PACKAGE" "$root/pool"
n_cases=0

OPTIONS=(--config "$T/etc" --state "$T/publisher")
by()
{
    echo --gnupg-home "$GNUPG" --key "$(cat "$KEYS/$1.fpr")"
}
read -ra SIGNER <<<"$(by signer)"
# gpg_conf LINE...: the user's gpg.conf.
gpg_conf()
{
    printf '%s\n' "$@" >"$GNUPG/gpg.conf"
}
no_agent()
{
    gpgconf --homedir "$GNUPG" --kill gpg-agent || :
}

# keeps STATUS REGEX [SECONDS] -- COMMAND...: this fails like that, and changes nothing that is published.
keeps()
{
    local status=$1 regex=$2 seconds=${3#--}
    [ -z "$seconds" ] || shift
    shift 3
    n_cases=$((n_cases + 1))
    echo "$n_cases" >"$root/pool/changing.txt"
    snapshot "$root" >"$T/root.before"
    expect "$status" "$regex" -- timeout -k 1 "${seconds:-10}" "$@"
    unchanged "$root" "$T/root.before"
    python3 "$FAULT/invariant.py" --unused "$TMPDIR" --empty "$TMPDIR" || fail_above "something is left"
}

# works COMMAND...: this publishes.
works()
{
    n_cases=$((n_cases + 1))
    echo "$n_cases" >"$root/pool/changing.txt"
    local before=nothing
    [ ! -e "$root/Release" ] || before=$(cat "$root/Release")
    expect 0 '' -- timeout -k 1 20 "$@"
    [ "$(cat "$root/Release")" != "$before" ] || fail_above "nothing was published"
    intact "$root" --floor "$T/floor" --unused "$TMPDIR" --empty "$TMPDIR"
}

update=("$REPO_RELEASE" update "${OPTIONS[@]}" "${SIGNER[@]}" "$root")
# update_by NAME [OPTION...]: fills $other, an update with another key.
update_by()
{
    local name=$1
    shift
    read -ra other <<<"$(by "$name")"
    other=("$REPO_RELEASE" update "${OPTIONS[@]}" "${other[@]}" "$@" "$root")
}
works "${update[@]}"

# G16: the agent.
no_agent
works "${update[@]}"
kill -KILL "$(pgrep -n -f "gpg-agent --homedir $GNUPG ")" # which leaves its socket
works "${update[@]}"
no_agent
gpg_conf "agent-program /nonexistent/gpg-agent"
keeps 3 'is gpg-agent reachable' -- "${update[@]}"
gpg_conf "agent-program /bin/false"
keeps 3 'is gpg-agent reachable' -- "${update[@]}"
gpg_conf "no-autostart"
keeps 3 'is gpg-agent reachable' -- "${update[@]}"
rm "$GNUPG/gpg.conf"
works "${update[@]}"

# G17, G18: the passphrase.
update_by locked
keeps 3 'needs a passphrase, and there is no terminal' 5 -- \
    env -i HOME="$HOME" LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" TMPDIR="$TMPDIR" setsid --wait "${other[@]}"
echo "wrong horse" >"$T/passphrase"
chmod 600 "$T/passphrase"
update_by locked --passphrase-file "$T/passphrase"
keeps 3 'wrong passphrase' -- "${other[@]}"
: >"$T/passphrase"
keeps 2 'passphrase' -- "${other[@]}"
rm "$T/passphrase"
keeps 2 'passphrase.*No such file' -- "${other[@]}"

# G19: the keys.
update_by expired
keeps 3 'expired on 2020-06-01' -- "${other[@]}"
GNUPG=$T/public
mkdir -m 700 "$GNUPG"
gpg --homedir "$GNUPG" --batch --quiet --import "$KEYS/second.gpg" 2>"$T/gpg.log"
update_by second
keeps 3 'no secret key' -- "${other[@]}"
keeps 3 'is not in the GnuPG home' -- "$REPO_RELEASE" update "${OPTIONS[@]}" --gnupg-home "$GNUPG" --key "$KEY" "$root"
GNUPG=$T/gnupg
copy_home publisher "$T/revoked"
sed -i 's/^:-----BEGIN/-----BEGIN/' "$T/revoked/openpgp-revocs.d/$KEY.rev"
gpg --homedir "$T/revoked" --batch --quiet --import "$T/revoked/openpgp-revocs.d/$KEY.rev" 2>"$T/gpg.log"
keeps 3 'is revoked' -- "$REPO_RELEASE" update "${OPTIONS[@]}" --gnupg-home "$T/revoked" --key "$KEY" "$root"
keeps 2 'is not a directory' -- "$REPO_RELEASE" update "${OPTIONS[@]}" --gnupg-home "$T/nowhere" --key "$KEY" "$root"

# G21: what the user's gpg.conf says is no part of it.
gpg_conf "digest-algo SHA1" "personal-digest-preferences SHA1" "local-user second" "armor" "comment hello" \
    "default-key $(cat "$KEYS/second.fpr")" "throw-keyids" "textmode" "emit-version"
works "${update[@]}"
[ "$(sed -n 2p "$root/InRelease")" = "Hash: SHA512" ] || fail "the digest is $(sed -n 2p "$root/InRelease")"
! grep -qE '^(Comment|Version):' "$root/InRelease" "$root/Release.gpg" || fail "gpg.conf adds headers"
rm "$GNUPG/gpg.conf"

# G20: a gpg that is killed, hangs, or says what it likes, when it is asked to sign.
bad_gpg()
{
    cat >"$T/bad-gpg" <<END
#!/bin/bash
case " \$* " in
*" --clearsign "* | *" --clear-sign "*) what=inline ;;
*" --detach "* | *" --detach-sign "* | *" -b "*) what=detached ;;
*) exec "$T/gpg.real" "\$@" ;;
esac
$1
END
    chmod 755 "$T/bad-gpg"
}
if [ -n "${FAULT_NAMESPACE:-}" ]; then
    cp /usr/bin/gpg "$T/gpg.real"
    bad_gpg "exec '$T/gpg.real' \"\$@\""
    mount --bind "$T/bad-gpg" /usr/bin/gpg
    works "${update[@]}"
    # The mounted file is changed in place.
    for end in 'kill -KILL $$' 'exit 2' 'exit 0' \
        'head -c 3000 /dev/urandom; exit 0' 'echo "-----BEGIN PGP SIGNED MESSAGE-----"; exit 0' \
        "exec '$T/gpg.real' \"\$@\" | head -c 100" \
        "'$T/gpg.real' \"\$@\" | head -c 100; kill -KILL \$\$" \
        "'$T/gpg.real' \"\$@\" | sed '/^Date: /s/20/21/'" \
        "'$T/gpg.real' \"\$@\" | sed '/SIGNATURE-----\$/,\$ { /^-/!y/ABCDEabcde/BCDEAbcdea/ }'" \
        "'$T/gpg.real' \"\$@\"; echo something behind"; do
        for what in inline detached; do
            bad_gpg "[ \$what = $what ] || exec '$T/gpg.real' \"\$@\"; $end"
            case "$what $end" in
            detached*BEGIN* | detached*Date:*) continue ;;
            esac
            echo "case $what: $end"
            keeps '3' 'gpg|verify|sign|answer' 15 -- "${update[@]}"
        done
    done
    # Signed by another key than the one that is wanted.
    second=$(cat "$KEYS/second.fpr")
    bad_gpg "exec '$T/gpg.real' --homedir '$GNUPG' --batch --no-tty --armor -u $second --status-fd 2 --clearsign"
    keeps 3 'gpg|verify|sign' 15 -- "${update[@]}"
    bad_gpg 'for i in $(seq 100000); do echo "[GNUPG:] PROGRESS x"; done >&2; exit 2'
    keeps 3 'gpg|sign' 15 -- "${update[@]}"
    if [ "${#LONG[@]}" != 0 ]; then
        bad_gpg 'sleep 600'
        keeps 1 'no answer within' 90 -- "${update[@]}"
        bad_gpg 'trap "" TERM; while :; do sleep 1; done'
        keeps 1 'no answer within' 90 -- "${update[@]}"
    fi
    # G30: no core can be made, nobody sees the passphrase, and no secret key leaves the agent.
    bad_gpg "{ grep '^Max core' /proc/self/limits /proc/\$PPID/limits; tr '\\0' '\\n' </proc/\$PPID/cmdline
        cat /proc/\$PPID/environ; printf '%s\n' \"\$@\"; env; find '$TMPDIR' -path '*private-keys*' -type f
        } >>'$T/seen' 2>&1; exec '$T/gpg.real' \"\$@\""
    echo "correct horse" >"$T/passphrase"
    chmod 600 "$T/passphrase"
    no_agent
    read -ra other <<<"$(by locked)"
    mkdir "$WORK/other"
    echo one >"$WORK/other/file"
    (ulimit -c unlimited 2>/dev/null || :
        expect 0 '' -- "$REPO_RELEASE" update --config "$T/etc" --state "$T/publisher-2" "${other[@]}" \
            --passphrase-file "$T/passphrase" "$WORK/other") || exit 1
    [ "$(grep -ac 'Max core file size  *0  *0 ' "$T/seen")" -ge 2 ] || fail "$(grep -a Max "$T/seen")"
    ! grep -aE 'correct horse|private-keys-v1.d/' "$T/seen" || fail "can be seen"
    rm "$T/passphrase"
    bad_gpg "exec '$T/gpg.real' \"\$@\""
    works "${update[@]}"
else
    echo "not tried: a bad gpg, which needs a mount namespace" >&2
fi
if [ "${#LONG[@]}" != 0 ]; then
    kill -STOP "$(pgrep -n -f "gpg-agent --homedir $GNUPG ")"
    keeps 1 'no answer within' 90 -- "${update[@]}"
    kill -CONT "$(pgrep -n -f "gpg-agent --homedir $GNUPG ")"
fi

# No place for a private home.
keeps 1 'No such file' -- env TMPDIR=/nonexistent "${update[@]}"
keeps 2 'absolute' -- env TMPDIR=relative "${update[@]}"

# G22: the clock.
if have faketime; then
    faked=(env -u SOURCE_DATE_EPOCH faketime -f)
    keeps 5 'the clock says' -- "${faked[@]}" -1h "${update[@]}"
    keeps 5 'the clock says' -- "${faked[@]}" -20y "${update[@]}"
    if [ -n "${FAULT_NAMESPACE:-}" ]; then
        # It jumps while gpg signs.
        library=$("${faked[@]}" +0 printenv LD_PRELOAD)
        for jump in -1h -10y +1y; do
            for what in inline detached; do
                bad_gpg "[ \$what != $what ] || echo $jump >'$T/clock'; exec '$T/gpg.real' \"\$@\""
                echo +0 >"$T/clock"
                echo "jump $jump $what" >"$root/pool/changing.txt"
                served "$root" >"$T/served"
                status=0
                env LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$T/clock" FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 \
                    FAKETIME_DONT_FAKE_MONOTONIC=1 timeout 20 \
                    "${update[@]}" >"$T/stdout" 2>"$T/stderr" || status=$?
                case $status in
                0) intact "$root" --floor "$T/floor" ;;
                3 | 5) served_is "$root" "$T/served" ;;
                *) fail "the clock jumps by $jump: status $status: $(cat "$T/stderr")" ;;
                esac
                n_cases=$((n_cases + 1))
            done
        done
        bad_gpg "exec '$T/gpg.real' \"\$@\""
    fi
    # A year ahead by mistake: published, and then no way back without a decision.
    echo "a year ahead" >"$root/pool/changing.txt"
    expect 0 '*' -- "${faked[@]}" +1y "${update[@]}"
    keeps 5 'the clock says' -- "${update[@]}"
else
    echo "not tried: clocks that jump, which needs faketime" >&2
fi
echo "$n_cases faults of gpg, its agent, keys and clocks"
