#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# As cron runs it: an empty environment, no terminal, no home, standard input closed; silent when all is well, one
# line and a status when not. Also in one call for several repositories.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

one=$T/one two=$T/two
mkdir "$one" "$two"
echo one >"$one/a.txt"
echo two >"$two/a.txt"
for name in one two; do
    expect 0 '*' -- release init "$T/$name" --name $name --key "$KEY" --gnupg-home "$GNUPG" \
        --state "$T/state-$name" --config "$T/etc"
done
cron()
{
    local -a env=(env -i)
    [ -z "${LD_LIBRARY_PATH:-}" ] || env+=("LD_LIBRARY_PATH=$LD_LIBRARY_PATH")
    (cd / && setsid -w "${env[@]}" "$REPO_RELEASE" "$@" <&-)
}
expect 0 '' -- cron update --config "$T/etc"
stdout_is_empty
expect 0 '' -- consume check "$one"
expect 0 '' -- consume check "$two"
served "$one" >"$T/served.one"
expect 0 '' -- cron update --config "$T/etc"
stdout_is_empty
served_is "$one" "$T/served.one"

# One of them fails: the others are done all the same, and the status tells.
mkfifo "$one/fifo"
echo more >"$two/more.txt"
expect 8 'fifo' -- cron update --config "$T/etc"
stdout_is_empty
expect 0 '' -- consume check "$two"
stdout_has 'good: 2 packages'
served_is "$one" "$T/served.one"
rm "$one/fifo"
expect 0 '' -- cron update one two --config "$T/etc"
expect 0 '*' -- cron status --config "$T/etc"
expect 0 '*' -- cron check --config "$T/etc"
