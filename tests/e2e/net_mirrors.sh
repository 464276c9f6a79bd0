#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Several locations of one repository: when one cannot be reached or lies, another one is used, and what was wrong
# with each is said; a bad one never decides (N20). The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root evil=$T/evil good=$T/good
make_repository "$root"
package=pool/h/hello-1.0.tar.gz
publish "$root" --valid-for 10d
cp -RL "$root" "$T/first"
make_package "$root/pool/h/hello-1.0.tar.gz" changed
publish "$root" --valid-for 10d
cp -RL "$root" "$evil"
cp -RL "$root" "$good"
rm -rf "$evil/.hallmark" "$good/.hallmark" "$T/first/.hallmark"
mkdir "$T/out"
serve "$evil"
evil_url=http://127.0.0.1:$PORT
serve "$good"
good_url=http://127.0.0.1:$PORT
WATCHED=("$T/out") PARENTS=()

# A source of both, the evil one first; and one of the evil one alone.
mkdir -p "$T/etc/sources.d"
source_of()
{
    printf 'URIs: %s\nSuites: ./\nSigned-By: %s\n' "$2" "$KEYS/signer.gpg" >"$T/etc/sources.d/$1.sources"
}
source_of both "$evil_url $good_url"
source_of alone "$evil_url"
both()
{
    local command=$1
    shift
    verify "$command" both --config "$T/etc" --state "$T/consumer" "$@"
}

# lies_and CASE STATUS TEXT REGEX LIE...: the evil one lies: by itself it gives STATUS and TEXT; beside the good one,
# every command succeeds, and says TEXT as a warning (as a remark with --verbose where STATUS is 1).
lies_and()
{
    local what=$1 status=$2 text=$3 seen=()
    shift 3
    lies "$evil" "$@"
    lies "$good"
    expect "$status" "*" -- verify check alone --config "$T/etc" --state "$T/consumer" --timeout 2s
    grep -qE -- "$text" "$T/stderr" || { show_output; fail "$what: by itself it is not \"$text\""; }
    for command in "check" "check hello" "manifest" "list" "fetch $package -o $T/out" "unpack $package --into $T/out/x"; do
        rm -rf "$T/out"
        mkdir "$T/out"
        seen=("${command%% *}" --timeout 2s --verbose)
        # shellcheck disable=SC2086 # several words
        set -- ${command#"${command%% *}"}
        expect 0 '*' -- both "${seen[@]}" "$@"
        if grep -qE "^repo-verify: warning: $evil_url/ is not used: .*($text)" "$T/stderr"; then
            told=yes
        elif [ "$status" != 7 ]; then
            show_output
            fail "$what: $command does not say what was wrong"
        fi
    done
    [ -n "${told:-}" ] || fail "$what: nobody has said what was wrong"
    echo "attack $what: A"
}
expect 0 '' -- both check
stdout_has '^both: good: '
lies_and N20-captive-portal 3 'InRelease: ' '.*' page
lies_and N20-missing 3 'holds neither InRelease nor Release' '.*' status 404
lies_and N20-broken 1 'HTTP status 500|500' '.*' status 500
lies_and N20-bit 3 'InRelease: ' /InRelease flip
lies_and N20-older 6 'seen before' /InRelease other ../first/InRelease
lies_and N20-package 7 "$package: SHA256 is " "/$package" flip
lies_and N20-package-missing 7 "$package: is missing" "/$package" status 404
lies_and N20-stall 1 'Timeout|timed|slow|seconds' /InRelease stall

# By itself "older" above was seen by the state that both share; without one it is believed, as it would be from a
# server that has nothing newer.
lies "$evil" /InRelease other ../first/InRelease
lies "$good"
expect 0 '' -- verify manifest alone --config "$T/etc" --no-state
expect 6 'seen before' -- verify manifest alone --config "$T/etc" --state "$T/consumer"

# What is fetched is the signed package, and from the other one.
lies "$evil" "/$package" other ../first/$package
lies "$good"
rm -rf "$T/out"
mkdir "$T/out"
expect 0 "warning: $evil_url/ is not used: $package: has|warning: $evil_url/ is not used: $package: " -- \
    both fetch "$package" -o "$T/out"
cmp "$T/out/hello-1.0.tar.gz" "$root/$package" || fail "another package"
[ "$(ls -A "$T/out")" = hello-1.0.tar.gz ] || fail "$(ls -A "$T/out")"
grep -qx "GET /$package" "$good.log" || fail "the good one was not asked"
! grep -q InRelease "$good.log" || fail "the good one was asked for what was good"
expect 0 '' -- both check "$package" --quiet

# All fail: what is wrong decides, and not what cannot be reached; each verdict is said.
lies "$evil" '.*' status 500
lies "$good" /InRelease flip
expect 3 '*' -- both check
[ "$(grep -c 'warning: .* is not used: ' "$T/stderr")" = 1 ] || fail "$(cat "$T/stderr")"
grep -q 'InRelease: .*and no other location can be used' "$T/stderr" || fail "$(cat "$T/stderr")"
expect 3 '*' -- both check --verbose
[ "$(grep -c 'warning: .* is not used: ' "$T/stderr")" = 2 ] || fail "$(cat "$T/stderr")"
lies "$good" '.*' status 503
expect 1 '500.*and no other location' -- both check
expect 1 '*' -- both check --json
json 'o["exit"] == 1 and [t["code"] for t in o["not_used"]] == [1, 1] and o["manifest"] is None'
json "[t['location'] for t in o['not_used']] == ['$evil_url/', '$good_url/']"
lies "$evil" /InRelease flip
expect 3 '*' -- both manifest --quiet
[ "$(wc -l <"$T/stderr")" = 1 ] || fail "$(cat "$T/stderr")"
lies "$good"
expect 0 '*' -- both manifest --json
json "o['manifest']['location'] == '$good_url' and o['not_used'][0]['code'] == 3"

# What one has shown, the other one must not undo: the memory is of all of them.
rm -rf "$T/consumer"
lies "$evil" '.*' status 500
expect 0 '' -- both check
lies "$evil" /InRelease other ../first/InRelease
lies "$good" '.*' status 500
expect 6 '*' -- both check
expect 6 'seen before' -- consume check "$evil_url"
lies "$good"
expect 0 'is not used: InRelease: .*seen before' -- both check

# The command line names mirrors, too; a directory is one.
lies "$evil" '.*' status 404
expect 0 'not used' -- consume check "$evil_url" --mirror "$good_url"
expect 0 'not used' -- consume check "$evil_url" --mirror "$T/nothing" --mirror "$good"
expect 0 'not used' -- verify check alone --config "$T/etc" --no-state --mirror "$good"
lies "$evil" "/$package" flip
expect 0 "not used: $package: SHA256 is" -- consume unpack "$evil_url" "$package" --mirror "$good" --into "$T/tree"
unpack_reference "$root/$package" "$T/reference"
same_tree "$T/tree" "$T/reference"
expect 7 '*' -- consume check "$evil_url" --mirror "$T/first"
# One that shows what is new and has nothing of it does not keep us from one that lags behind and is whole, unless that
# is older than what was used before.
for command in "check $package" "fetch $package -o $T/out" "unpack $package --into $T/out/x" "bundle $package -o $T/out/b"; do
    rm -rf "$T/out"
    mkdir "$T/out"
    lies "$evil" "/$package" status 404
    set -- "${command%% *}" "$evil_url" --mirror "$T/first"
    # shellcheck disable=SC2086 # several words
    expect 0 '*' -- verify "$@" ${command#"$1"} --keyring "$KEYS/signer.gpg" --no-state
    grep -q "with the manifest of file://$T/first, once more: $package: " "$T/stderr" || fail "$command: $(cat "$T/stderr")"
    rm -rf "$T/out"
    mkdir "$T/out"
    # shellcheck disable=SC2086 # several words
    expect 7 '*' -- consume "$@" ${command#"$1"}
done

# A password stays what it is.
expect 3 '*' -- consume check "${evil_url/127/user:secret@127}" --mirror "$T/first" --verbose \
    --signed-by "$(cat "$KEYS/second.fpr")"
! grep -q secret "$T/stderr" || fail "a password: $(cat "$T/stderr")"

# A server that denies that there is a directory of the suite cannot show an old manifest in another place (F05).
archive=$T/archive site=$T/site
mkdir -p "$archive/pool/main"
make_package "$archive/pool/main/hello_1.0_all.deb" one
publish "$archive" --layout apt --suite stable --architecture amd64
mkdir "$site"
cp -RL "$archive/dists/stable/." "$site"
make_package "$archive/pool/main/hello_1.0_all.deb" two
publish "$archive" --layout apt --suite stable --architecture amd64
serve "$archive"
url=http://127.0.0.1:$PORT
expect 0 '' -- consume manifest "$url" --suite stable
lies "$archive" '/dists/.*' status 404
also_lies "$archive" /InRelease other ../site/InRelease
expect 6 'seen before' -- consume manifest "$url" --suite stable
expect 0 '' -- consume manifest "$url" --suite stable --no-state
