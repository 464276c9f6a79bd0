#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Redirects, passwords and proxies: followed where that is safe, and nothing secret goes or is shown anywhere else
# (N05, N07, N15).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root
make_repository "$root"
publish "$root"
mkdir "$T/tls" "$T/out"
cp -RL "$root" "$T/other"
authority "$T/tls" ca
certificate "$T/tls" ca server IP:127.0.0.1
serve "$T/other"
other=http://127.0.0.1:$PORT
cp -RL "$root" "$T/safe"
serve "$T/safe" --tls "$T/tls/server.crt" "$T/tls/server.key"
safe=https://127.0.0.1:$PORT
serve "$root"
url=http://127.0.0.1:$PORT
tls=(--ca-file "$T/tls/ca.crt")
package=pool/h/hello-1.0.tar.gz
expect 0 '' -- consume check "$url"
WATCHED=("$T/consumer") PARENTS=("$T/out")

# followed CASE LIE...: the manifest and a package are had.
followed()
{
    local what=$1
    shift
    lies "$root" '/(InRelease|pool/.*)' "$@"
    accepts "$what" -- consume check "${tls[@]}" "$url" $package --quiet
}
lies "$root" '/(InRelease|pool/.*)' redirect /hop/0%PATH%
also_lies "$root" '/hop/.*' hop
accepts N07-own-server -- consume check "$url" $package --quiet
for status in 301 303 307 308; do
    followed "N07-status-$status" redirect "$other%PATH%" $status
done
followed N07-other-server redirect "$other%PATH%"
followed N07-to-https redirect "$safe%PATH%"
lies "$root" '/InRelease' hops 10
also_lies "$root" '/hop/.*' hop
accepts N07-ten-hops -- consume manifest "$url" --quiet

# refused CASE REGEX LIE...
refused()
{
    local what=$1 regex=$2
    shift 2
    lies "$root" '/(InRelease|hop/.*)' "$@"
    refuses "$what" 1 "$regex" -- consume check "${tls[@]}" "$url"
    lies "$root" "/$package" "$@"
    also_lies "$root" '/hop/.*' hop
    refuses "$what-fetch" 1 "$regex" -- consume fetch "${tls[@]}" "$url" $package -o "$T/out"
}
refused N05-file 'a redirect to file:.*, which is not http or https' redirect "file://$root%PATH%"
for scheme in ftp gopher data dict smb scp ldap telnet; do
    refused "N05-$scheme" "a redirect to $scheme:.*, which is not http or https" redirect "$scheme://127.0.0.1/x"
done
refused N05-no-place 'not where to look' status 302
refused N07-loop 'more than 10 redirects' redirect "$url%PATH%"
lies "$root" /InRelease hops 11
also_lies "$root" '/hop/.*' hop
refuses N07-eleven-hops 1 'more than 10 redirects' -- consume check "$url"
refused N15-password-in-redirect 'a redirect to http://\*\*\*@127.0.0.1.*, which holds a password' \
    redirect "http://me:secret@${other#http://}%PATH%"
if grep -rqs secret "$T/stderr" "$T/other.log"; then fail "a password went somewhere: $(cat "$T/stderr" "$T/other.log")"; fi

# From https to http: never.
lies "$T/safe" '/InRelease' redirect "$url%PATH%"
refuses N07-downgrade 1 'a redirect from https to http:' -- consume check "${tls[@]}" "$safe"
lies "$T/safe" "/$package" redirect "$url%PATH%"
expect 0 '' -- consume manifest "${tls[@]}" "$safe"
refuses N07-downgrade-fetch 1 'a redirect from https to http:' -- consume fetch "${tls[@]}" "$safe" $package -o "$T/out"
lies "$T/safe"

# ---- Passwords --------------------------------------------------------------------------------
auth=$(printf 'me:s@cret' | base64)
lies "$root" '.*' auth "$auth"
secret=http://me:s%40cret@127.0.0.1:$PORT
accepts N15-password -- consume check "$secret" --quiet
refuses N15-no-password 1 'status 401' -- consume check "$url"
refuses N15-wrong-password 1 "$url/InRelease: .*status 401" -- consume check "http://me:wrong@127.0.0.1:$PORT"
# It is neither shown, nor remembered, nor part of the place.
for command in check "check --json" manifest "manifest --json" "list --json"; do
    # shellcheck disable=SC2086 # two words
    expect 0 '' -- consume $command "$secret"
    ! grep -qE 's@cret|s%40cret' "$T/stdout" || fail "$command shows the password: $(cat "$T/stdout")"
done
expect 0 '' -- consume fetch "$secret" $package -o "$T/out" --verbose
! grep -qE 's@cret|s%40cret' "$T/stdout" || fail "fetch shows the password"
! grep -rqE 's@cret|s%40cret' "$T/consumer" || fail "the password is remembered"
rm "$T/out"/*
WATCHED=("$T/consumer") PARENTS=("$T/out")
# It stays where it is: another server, another port, does not get it; and no message shows it.
lies "$root" '/InRelease' redirect "$other%PATH%"
also_lies "$root" '.*' auth "$auth"
lies "$T/other"
accepts N15-redirect-drops-password -- consume manifest "$secret" --quiet
asked "$T/other" "GET /InRelease"
grep -q "auth=" "$root.log" || fail "the password was not sent to its own server: $(cat "$root.log")"
lies "$root" '.*' status 500
refuses N15-error-without-password 1 "$url/InRelease: " -- consume check "$secret"
! grep -qE 's@cret|s%40cret' "$T/stderr" || fail "an error shows the password"
for bad in "http://me:s3cret/x@127.0.0.1:99999/" "http://me:s@cret@127.0.0.1/?x" "https://me:s@cret@/"; do
    expect 2 '\*\*\*@' -- consume check "$bad"
    ! grep -q 'cret' "$T/stderr" || fail "an error shows the password"
done

# ---- Proxies ----------------------------------------------------------------------------------
lies "$T/other"
export http_proxy=http://you:hidden@${other#http://}/
lies "$root" '.*' status 500
accepts N15-proxy -- consume check "$url" --quiet
[ "$(grep -c "^GET .* proxy-auth=Basic_.* via=$url/" "$T/other.log")" = 6 ] || fail "not through the proxy: $(cat "$T/other.log")"
lies "$T/other" '.*' status 502
refuses N15-proxy-fails 1 'status 502' -- consume check "$url"
! grep -q hidden "$T/stderr" || fail "the proxy's password is shown"
export http_proxy=http://you:hidden@127.0.0.1:1/
refuses N15-no-proxy-there 1 ': ' -- consume check "$url"
! grep -q hidden "$T/stderr" || fail "the proxy's password is shown"
export no_proxy=127.0.0.1
lies "$root"
accepts N15-no-proxy -- consume check "$url" --quiet
