#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# TLS: a server is believed to be who it says by a certificate for its name, by an authority that is trusted, in its
# time, with strong keys, and a protocol that is not broken (N11). The names are the cases of tests/ATTACKS.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root tls=$T/tls
make_repository "$root"
publish "$root"
mkdir "$tls" "$T/out"
authority "$tls" ca
authority "$tls" foreign
certificate "$tls" ca good IP:127.0.0.1,DNS:localhost
trust=(--ca-file "$tls/ca.crt")
package=pool/h/hello-1.0.tar.gz

# tls_server NAME [OPTION...]: the repository with the certificate NAME; sets $url.
tls_server()
{
    local name=$1
    shift
    serve "$root" --tls "$tls/$name.crt" "$tls/$name.key" "$@"
    url=https://127.0.0.1:$PORT
}

tls_server good
WATCHED=("$T/consumer") PARENTS=("$T/out")
accepts N11-good -- consume check "${trust[@]}" "$url" --quiet
# The environment is not asked where to write the keys of a connection.
export SSLKEYLOGFILE=$T/keylog
accepts N11-no-key-log -- consume check "${trust[@]}" "$url" --quiet
[ ! -e "$T/keylog" ] || fail "the keys of a connection were written"
unset SSLKEYLOGFILE
accepts N11-good-by-name -- consume check "${trust[@]}" "https://localhost:$PORT" --quiet
accepts N11-good-fetch -- consume fetch "${trust[@]}" "$url" $package -o "$T/out" --quiet
cmp "$T/out/hello-1.0.tar.gz" "$root/$package"
rm "$T/out/hello-1.0.tar.gz"

# Long enough for any machine, but where nothing else ends the wait.
patience=30s

# refused CASE REGEX: whatever is asked, and before any request.
refused()
{
    local what=$1 regex=$2
    : >"$root.log"
    refuses "$what" 1 "$url/InRelease: .*($regex)" -- consume check "${trust[@]}" "$url" --timeout "$patience"
    refuses "$what-fetch" 1 "$url/InRelease: .*($regex)" -- \
        consume fetch "${trust[@]}" "$url" $package -o "$T/out" --timeout "$patience"
    [ ! -s "$root.log" ] || fail "$what: a request was sent: $(cat "$root.log")"
}

# Without a certificate of the authority, and whatever the environment says of one.
trust=()
refused N11-unknown-authority 'certificate'
export SSL_CERT_FILE=$tls/ca.crt CURL_CA_BUNDLE=$tls/ca.crt SSL_CERT_DIR=$tls
refused N11-authority-of-the-environment 'certificate'
unset SSL_CERT_FILE CURL_CA_BUNDLE SSL_CERT_DIR
trust=(--ca-file "$tls/foreign.crt")
refused N11-other-authority 'certificate'
trust=(--ca-file "$tls/ca.crt")
for file in "$tls/none" "$T"; do
    expect 2 "certificates: $file: " -- consume check --ca-file "$file" "$url"
done
echo "no certificate" >"$tls/text"
trust=(--ca-file "$tls/text")
refused N11-no-certificates '.'
trust=(--ca-file "$tls/ca.crt")

certificate "$tls" ca elsewhere DNS:example.org,IP:127.0.0.2
tls_server elsewhere
refused N11-wrong-name 'alternative certificate subject name|does not match|certificate'
certificate "$tls" ca named DNS:127.0.0.1
tls_server named
refused N11-address-as-name 'certificate|subject name'

# openssl x509 has had -not_after only since version 3.4: a day that is over, and one that has not come.
openssl x509 -req -in "$tls/good.csr" -CA "$tls/ca.crt" -CAkey "$tls/ca.key" -CAcreateserial -days -1 \
    -extfile "$tls/good.ext" -out "$tls/expired.crt" 2>>"$T/openssl.log" ||
    fail "openssl: $(tail -n 3 "$T/openssl.log")"
cp "$tls/good.key" "$tls/expired.key"
tls_server expired
refused N11-expired 'expired'

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tls/self.key" -out "$tls/self.crt" -days 30 -subj /CN=self \
    -addext subjectAltName=IP:127.0.0.1 2>>"$T/openssl.log"
tls_server self
refused N11-self-signed 'self.signed certificate'

# An authority's own word that is not for servers: one that signs, but is none.
certificate "$tls" good imposter IP:127.0.0.1
cat "$tls/good.crt" >>"$tls/imposter.crt"
tls_server imposter
refused N11-signed-by-no-authority 'certificate'

NEW_KEY=rsa:1024 certificate "$tls" ca small IP:127.0.0.1
tls_server small --weak
refused N11-small-key 'key too small|too weak|certificate'
certificate "$tls" ca sha1 IP:127.0.0.1 -sha1 -days 30
tls_server sha1 --weak
refused N11-sha1 'too weak|md too weak|certificate'

if python3 -c 'import ssl, sys
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.set_ciphers("ALL:@SECLEVEL=0")
c.minimum_version = ssl.TLSVersion.TLSv1' 2>/dev/null; then
    tls_server good --old-tls
    refused N11-old-protocol 'alert protocol version|unsupported protocol|SSL|TLS'
fi

# Not TLS at all, on either side; and a handshake that is never answered (N02).
serve "$root"
url=https://127.0.0.1:$PORT
patience=3s
refused N11-no-tls 'SSL|TLS|wrong version'
patience=30s
tls_server good
refuses N11-http-to-https 1 ': ' -- consume check "http://127.0.0.1:$PORT" --timeout "$patience"
serve "$root" --mute
url=https://127.0.0.1:$PORT
patience=3s
refused N02-silent-handshake 'time|Time'
