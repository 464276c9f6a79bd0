#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A mirror of what is on a server: its certificate, by an authority of one's own; a server that stalls, where what was
# fetched until then stays; proxies of the environment. What goes wrong leaves nothing to see.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root tls=$T/tls dest=$T/mirror
make_repository "$root"
publish "$root"
mkdir "$tls"
authority "$tls" ca
authority "$tls" foreign
certificate "$tls" ca good IP:127.0.0.1
serve "$root" --tls "$tls/good.crt" "$tls/good.key"
url=https://127.0.0.1:$PORT

# An authority that nobody knows, another one, and none that can be read: nothing is asked, nothing is made.
expect 1 "$url/InRelease: .*certificate" -- mirror sync "$url" "$dest"
expect 1 "$url/InRelease: .*certificate" -- mirror sync --ca-file "$tls/foreign.crt" "$url" "$dest"
expect 2 'certificates: .*nowhere' -- mirror sync --ca-file "$T/nowhere" "$url" "$dest"
[ ! -s "$root.log" ] || fail "something was asked: $(cat "$root.log")"
[ ! -e "$dest/InRelease" ] || fail "something is served"

# A server that stalls at the last package: the run ends in time, nothing new is served, and what was fetched is there.
lies "$root" /pool/w/.* stall
expect 1 "$url/pool/w/world-2.0.tar.bz2: .* 2 seconds" -- mirror sync --ca-file "$tls/ca.crt" --timeout 2s "$url" "$dest"
[ ! -e "$dest/InRelease" ] || fail "an incomplete mirror is served"
cmp "$root/pool/h/hello-1.0.tar.gz" "$dest/pool/h/hello-1.0.tar.gz"
lies "$root"
expect 0 '' -- mirror sync --ca-file "$tls/ca.crt" "$url" "$dest"
! grep -q 'GET /pool/h/' "$root.log" || fail "what was there was fetched again: $(cat "$root.log")"
expect 0 '' -- mirror check "$dest"
served "$root" >"$T/served"
served_is "$dest" "$T/served"
expect 2 'timeout' -- mirror sync --timeout never "$url" "$dest"
expect 2 'ca-file' -- mirror check --ca-file "$tls/ca.crt" "$dest" # which talks to nobody

# A proxy, by the environment; and hosts for which there is none.
serve "$root"
url=http://127.0.0.1:$PORT
export http_proxy=http://you:hidden@127.0.0.1:1/
expect 1 "$url/InRelease: " -- mirror sync "$url" "$T/other"
! grep -q hidden "$T/stderr" || fail "the proxy's password is shown"
export http_proxy=http://127.0.0.1:$PORT/
lies "$root"
expect 0 '' -- mirror sync "http://nowhere.example" "$T/other"
grep -q '^GET /pool/.* via=http://nowhere.example/' "$root.log" || fail "not through the proxy: $(cat "$root.log")"
export no_proxy=nowhere.example
expect 1 'nowhere.example/InRelease: ' -- mirror sync "http://nowhere.example" "$T/third"
