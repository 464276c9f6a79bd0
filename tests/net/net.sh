# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154,SC2034 # lib.sh and repository.sh set srcdir, T and more
# For the end-to-end tests over a network, after attacks.sh: servers on this machine that lie as they are told.

unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY SSL_CERT_FILE SSL_CERT_DIR

# serve ROOT [OPTION...]: a server of tests/net/server.py for ROOT; sets $PORT. It ends with the test.
serve()
{
    need python3
    local root=$1
    : >>"$root.log"
    rm -f "$T/port"
    python3 "$srcdir/tests/net/server.py" "$@" >"$T/port" 2>"$T/server.err" &
    SERVER=$!
    at_exit "kill $SERVER 2>/dev/null; wait $SERVER 2>/dev/null"
    local i
    for ((i = 0; i < 600; i++)); do
        [ ! -s "$T/port" ] || break
        kill -0 $SERVER 2>/dev/null || fail_above "the server has ended: $(cat "$T/server.err")"
        sleep 0.1
    done
    PORT=$(cat "$T/port")
    [ -n "$PORT" ] || fail_above "the server has not said its port"
}

# lies ROOT [REGEX LIE...]: from now on the server of ROOT does LIE for paths that match REGEX, and is honest
# otherwise; the log is empty again, and what was kept of earlier answers is gone.
lies()
{
    local root=$1
    shift
    rm -rf "$T/consumer/cache"
    : >"$root.log"
    SERIAL=$((${SERIAL:-0} + 1))
    echo "serial $SERIAL" >"$root.rules" # matches nothing; what is counted is counted from here
    [ $# = 0 ] || echo "$*" >>"$root.rules"
}

# also_lies ROOT REGEX LIE...: besides.
also_lies()
{
    local root=$1
    shift
    echo "$*" >>"$root.rules"
}

# asked ROOT LINE...: the server of ROOT was asked exactly that, in any order.
asked()
{
    local root=$1
    shift
    printf '%s\n' "$@" | sort >"$T/asked.wanted"
    sort "$root.log" >"$T/asked.found"
    diff "$T/asked.wanted" "$T/asked.found" >&2 || fail_above "the server was asked something else (>) than it should be (<)"
}

# authority DIR NAME: a certificate authority, DIR/NAME.crt.
authority()
{
    need openssl
    local dir=$1 name=$2
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/$name.key" -out "$dir/$name.crt" -days 30 \
        -subj "/CN=hallmark test authority $name" -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign 2>>"$T/openssl.log" || fail_above "openssl: $(tail -n 3 "$T/openssl.log")"
}

# certificate DIR CA NAME ALTNAME [OPTION...]: DIR/NAME.crt with its key, signed by CA for ALTNAME. OPTION: those of
# "openssl x509"; $NEW_KEY, what kind of key.
certificate()
{
    local dir=$1 ca=$2 name=$3 alt=$4
    shift 4
    {
        openssl req -newkey "${NEW_KEY:-rsa:2048}" -nodes -keyout "$dir/$name.key" -out "$dir/$name.csr" -subj "/CN=$name"
        printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$alt" >"$dir/$name.ext"
        openssl x509 -req -in "$dir/$name.csr" -CA "$dir/$ca.crt" -CAkey "$dir/$ca.key" -CAcreateserial \
            -out "$dir/$name.crt" -extfile "$dir/$name.ext" "${@:--days=30}"
    } >>"$T/openssl.log" 2>&1 || fail_above "openssl: $(tail -n 3 "$T/openssl.log")"
}
