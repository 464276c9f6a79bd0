#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# A second update without changes makes no write at all, says nothing, and needs neither key nor agent.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
# What is younger than two seconds is not believed to be the same and is hashed again; still nothing is
# written.
publish "$root" --valid-for 7d
snapshot "$root" >"$T/root.before"
snapshot "$T/publisher" >"$T/state.before"
publish "$root" --valid-for 7d
stdout_is_empty
unchanged "$root" "$T/root.before"
unchanged "$T/publisher" "$T/state.before"
sleep 2.5
echo old enough >"$T/more.txt"
cp "$T/more.txt" "$root"
sleep 2.5
publish "$root" --valid-for 7d
served "$root" >"$T/served"
snapshot "$root" >"$T/root.before"
snapshot "$T/publisher" >"$T/state.before"
gpgconf --homedir "$GNUPG" --kill gpg-agent

publish "$root" --valid-for 7d
stdout_is_empty
unchanged "$root" "$T/root.before"
unchanged "$T/publisher" "$T/state.before"
served_is "$root" "$T/served"
expect 0 '' -- release update "${PUBLISHER[@]}" --valid-for 7d --json "$root"
json "o['repositories'][0]['published'] is False and o['repositories'][0]['n_hashed'] == 0"

# The same, by system call: nothing is opened for writing, made, renamed or removed, but for the lock.
need strace
changes='rename|unlink|mkdir|rmdir|link|symlink|mknod|chmod|chown|fchmod|fchown|truncate|ftruncate|utime|creat'
trace_writes()
{
    traced %file,ftruncate,fchmod,fchown,fsync "$REPO_RELEASE" update "${PUBLISHER[@]}" --valid-for 7d "$root" ||
        fail "strace: $(tail -n 3 "$T/trace")"
    grep -E "(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)|^[0-9]+ +($changes)[a-z0-9]*\\(" "$T/trace" |
        grep -vE '= -1 |"(/dev/null|/dev/tty)"|/lock"|"lock"' >"$T/writes" || :
}
trace_writes
[ ! -s "$T/writes" ] || fail "an idle update writes: $(cat "$T/writes")"
! grep -E 'execve\(' "$T/trace" | sed 1d | grep -v '= -1' || fail "an idle update runs something"
for package in hello-1.0.tar.gz hello-1.2.tar.xz world-2.0.tar.bz2 README.txt; do
    ! grep -E "open(at|at2)?\(.*$package" "$T/trace" || fail "an idle update opens $package"
done
unchanged "$root" "$T/root.before"
unchanged "$T/publisher" "$T/state.before"

# There is work again when there is a change: another content of the same size and time.
touch -r "$root/README.txt" "$T/time"
sed -i 's/not/NOT/' "$root/README.txt"
touch -r "$T/time" "$root/README.txt"
trace_writes
[ "$(wc -l <"$T/writes")" -ge 5 ] || fail "the trace does not show writes: $(cat "$T/writes")"
grep -q 'README.txt' "$T/trace" || fail "the trace does not show what is read"
! served "$root" | diff -q "$T/served" - >/dev/null || fail "a change was not noticed"
expect 0 '' -- consume check "$root"

# When less than Refresh-Before is left, it is renewed although nothing has changed.
served "$root" >"$T/served"
publish "$root" --valid-for 7d --refresh-before 6d
served_is "$root" "$T/served"
sleep 2
publish "$root" --valid-for 7d --refresh-before 604799s
! served "$root" | diff -q "$T/served" - >/dev/null || fail "it was not renewed in time"
