#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --syslog: what goes to standard error goes to the system log as well, as errors or notices of one line; without
# the option, or on success, nothing does; where there is no system log, nothing else changes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"

# The socket of the system log has a fixed name, so this needs a /dev of its own.
if [ -z "${SYSLOG_NAMESPACE:-}" ]; then
    need unshare python3
    map=()
    [ "$(id -u)" = 0 ] || map=(--map-root-user)
    unshare "${map[@]}" --mount --propagation private true 2>/dev/null ||
        skip "no mount namespace can be made here, and so no system log"
    SYSLOG_NAMESPACE=1 unshare "${map[@]}" --mount --propagation private "$0" || exit $?
    exit 0
fi
setup

mkdir -p "$T/dev"
mount -t tmpfs tmpfs "$T/dev"
at_exit "umount -R -l '$T/dev'"
mkdir "$T/dev/shm"
for name in null zero full random urandom tty; do
    : >"$T/dev/$name"
    mount --bind "/dev/$name" "$T/dev/$name"
done
ln -s /proc/self/fd "$T/dev/fd"
mount --rbind "$T/dev" /dev

root=$T/root
mkdir "$root"
echo one >"$root/a.txt"
update=(release update "${PUBLISHER[@]}" --syslog "$root")

# Without a system log.
expect 0 '' -- "${update[@]}"
mkfifo "$root/fifo"
expect 8 'fifo' -- "${update[@]}"

python3 -c 'import socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
print("ready", flush=True)
while True:
    print(repr(log.recv(65536))[2:-1], flush=True)' >"$T/log" &
at_exit "kill $!"
until grep -q ready "$T/log"; do sleep 0.05; done

# logged N [REGEX]: so many messages have come since the last time, all of which match.
seen=0
logged()
{
    local n=$1 regex=${2:-.}
    python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"marker", "/dev/log")'
    until tail -n 1 "$T/log" | grep -qx marker; do sleep 0.05; done
    sed -e "1,$((seen + 1))d" -e '$d' "$T/log" >"$T/new"
    seen=$(($(wc -l <"$T/log") - 1))
    if [ "$(wc -l <"$T/new")" != "$n" ] || [ "$(grep -cE -- "$regex" "$T/new")" != "$n" ]; then
        fail_above "in the log: $(cat "$T/new"); wanted $n lines of $regex"
    fi
}

# What is wrong is there once, as it is on standard error, with the severity "error" of the facility "user".
expect 8 'fifo' -- "${update[@]}"
logged 1 "^<11>.* repo-release\[[0-9]+\]: $(sed 's/^repo-release: //; s/[][()*.]/\\&/g' "$T/stderr")\$"
expect 8 'fifo' -- release update "${PUBLISHER[@]}" "$root"
logged 0
rm "$root/fifo"
expect 0 '' -- "${update[@]}"
logged 0
# What is only told is a notice.
echo two >"$root/b.txt"
expect 0 '*' -- "${update[@]}" --verbose
logged "$(wc -l <"$T/stderr")" '^<13>.* repo-release\[[0-9]+\]: '
# A name is neither a format nor something that could make lines of its own.
echo three >"$root/%s%n
<11>forged"
expect 8 '%s%n\\x0a<11>forged' -- "${update[@]}"
logged 1 '^<11>.* repo-release\[[0-9]+\]: .*%s%n\\\\x0a<11>forged'
rm "$root"/%s*
expect 0 '*' -- consume check --syslog "$root"
logged 0
flip "$root/a.txt" 0
expect 7 '*' -- consume check --syslog "$root"
logged "$(wc -l <"$T/stderr")" '^<11>.* repo-verify\[[0-9]+\]: '
expect 2 'unknown option' -- release update "$root" --syslog --nonsense
