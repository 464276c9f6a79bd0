# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154,SC2164 # lib.sh sets T and -e
# Real apt in a private root, for the end-to-end tests, after repository.sh.

ARCH=$(dpkg --print-architecture 2>/dev/null || :)

# build FILE COMPRESSION [FIELD...]: NAME_VERSION_ARCH.deb, where "%" stands for the colon of an epoch.
build()
{
    local file=$1 compression=$2 name version arch tree=$T/build
    shift 2
    IFS=_ read -r name version arch <<<"${file##*/}"
    rm -rf "$tree"
    mkdir -p "$tree/DEBIAN" "$tree/usr/share/doc/$name" "$(dirname "$file")"
    echo "$name $version" >"$tree/usr/share/doc/$name/content"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: %s\n' "$name" "${version//%/:}" "${arch%.deb}"
        printf 'Maintainer: Nobody <nobody@example.org>\n'
        [ $# = 0 ] || printf '%s\n' "$@"
        printf 'Description: a package for a test\n with several lines\n .\n of text\n'
    } >"$tree/DEBIAN/control"
    chmod -R go-w "$tree"
    SOURCE_DATE_EPOCH=1614834367 dpkg-deb --root-owner-group "-Z$compression" --build "$tree" "$file" >/dev/null
}

# An apt of its own for the source line $1, with everything that a distribution may have switched off on.
make_apt()
{
    local apt=$T/apt
    rm -rf "$apt"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/etc/apt.conf.d" \
        "$apt/etc/preferences.d" "$apt/etc/trusted.gpg.d" "$apt/etc/sources.list.d" "$apt/log" \
        "$T/target/var/lib/dpkg/info" "$T/target/var/lib/dpkg/updates"
    : >>"$T/target/var/lib/dpkg/status"
    echo "$1" >"$apt/etc/sources.list"
    cat >"$apt/apt.conf" <<END
#clear APT::Update;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear Acquire::Languages;
Dir::Etc "$apt/etc";
Dir::State "$apt/state";
Dir::State::status "$T/target/var/lib/dpkg/status";
Dir::Cache "$apt/cache";
Dir::Log "$apt/log";
APT::Architecture "$ARCH";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Check-Date "true";
Acquire::Check-Valid-Until "true";
Acquire::AllowInsecureRepositories "false";
Acquire::GzipIndexes "false";
DPkg::Options { "--root=$T/target"; "--force-not-root"; "--force-bad-path"; "--log=$apt/log/dpkg"; };
DPkg::Use-Pty "false";
END
    export APT_CONFIG=$apt/apt.conf
}

# apt-get update, which has nothing to complain about.
update_is_silent()
{
    local status=0
    apt-get update >"$T/update" 2>&1 </dev/null || status=$?
    if [ $status != 0 ] || grep -qE '^(W|E|N|Err|Ign)[: ]' "$T/update"; then
        cat "$T/update" >&2
        fail_above "apt-get update: status $status"
    fi
}

candidate()
{
    apt-cache policy "$1" | sed -n 's/^  Candidate: //p'
}

# start_server DIR: serves DIR on $PORT of the loopback interface; requests are logged in $ACCESS.
start_server()
{
    if have nginx; then
        PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        mkdir -p "$T/nginx"
        cat >"$T/nginx.conf" <<END
pid $T/nginx/pid;
error_log $T/nginx/error;
events {}
http {
    access_log $T/nginx/access;
    client_body_temp_path $T/nginx/body; proxy_temp_path $T/nginx/proxy; fastcgi_temp_path $T/nginx/fastcgi;
    uwsgi_temp_path $T/nginx/uwsgi; scgi_temp_path $T/nginx/scgi;
    server { listen 127.0.0.1:$PORT; root $1; }
}
END
        nginx -c "$T/nginx.conf" -e "$T/nginx/error" -g 'daemon off; user root;' >/dev/null 2>&1 &
        ACCESS=$T/nginx/access
    else
        python3 -u -c 'import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_address[1], flush=True)
server.serve_forever()' "$1" >"$T/port" 2>"$T/access" &
        ACCESS=$T/access
    fi
    SERVER=$!
    at_exit "kill $SERVER 2>/dev/null"
    local i
    for ((i = 0; i < 100; i++)); do
        [ -n "${PORT:-}" ] || [ ! -s "$T/port" ] || PORT=$(cat "$T/port")
        [ -z "${PORT:-}" ] || ! (: <>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || return 0
        sleep 0.1
    done
    fail "the server does not answer"
}
