#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# Some hundred real packages out of Debian's main suite, with Debian's own signature and its whole index, over http from
# nginx: only those packages are copied, bit by bit; the second run asks for InRelease and for nothing else; apt installs
# from the copy.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../packages.sh"
. "$(dirname "$0")/../debian_mirror.sh"
. "$(dirname "$0")/../apt.sh"
PATH=$PATH:/usr/sbin
setup
need nginx
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
need_mirror
fetch_many_packages
[ "$ARCH" = amd64 ] || skip "the indexes in the mirror are those of $ARCH"
SUITE=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
dists=$(find "$MIRROR" -path "*/dists/$SUITE/InRelease" -printf '%h\n' | head -n 1)
[ -n "$dists" ] || skip "apt knows no suite $SUITE here"
NOW=@$(($(date -u -d "$(sed -n 's/^Date: //p' "$dists/InRelease")" +%s) + 3600))

# ---- The source: what of the index is at hand, under its path ---------------------------------
ROOT=$T/debian M=$T/mirror STATE=$T/mirror-state
mkdir -p "$ROOT/dists/$SUITE/main/binary-amd64"
cp -a "$dists/InRelease" "$ROOT/dists/$SUITE"
cp -a "$dists/main/binary-amd64/Packages.xz" "$ROOT/dists/$SUITE/main/binary-amd64"
xz -dc "$dists/main/binary-amd64/Packages.xz" >"$T/Packages"
# Names of which every file that the index lists is at hand: PATH FILE NAME, and whether it wants nothing else.
find "$PACKAGES/many" -name '*.deb' -printf '%f\n' >"$T/files"
awk -v RS= -F '\n' 'NR == FNR { for (i = 1; i <= NF; i++) is_here[$i] = 1; next }
    { name = ""; alone = "alone"
      for (i = 1; i <= NF; i++) {
          if ($i ~ /^Package: /) name = substr($i, 10)
          if ($i ~ /^Version: /) version = substr($i, 10)
          if ($i ~ /^Architecture: /) architecture = substr($i, 15)
          if ($i ~ /^Filename: /) path = substr($i, 11)
          if ($i ~ /^(Pre-)?Depends: /) alone = "-"
      }
      gsub(/:/, "%3a", version)
      file = name "_" version "_" architecture ".deb"
      total[name]++
      if (file in is_here) { found[name]++; line[name] = line[name] path " " file " " name " " alone "\n" } }
    END { for (name in found) if (found[name] == total[name]) printf "%s", line[name] }' "$T/files" "$T/Packages" |
    sort >"$T/list"
N=$(wc -l <"$T/list")
[ "$N" -ge 200 ] || skip "only $N packages of $SUITE are here as its index has them"
while read -r path file _; do
    mkdir -p "$ROOT/${path%/*}"
    cp "$PACKAGES/many/$file" "$ROOT/$path"
done <"$T/list"
BYTES=$(cd "$ROOT" && cut -d' ' -f1 "$T/list" | xargs stat -c %s | awk '{ n += $1 } END { print n }')
mapfile -t parts < <(cut -d' ' -f3 "$T/list" | sed 's/^/--package=/')
parts+=(--component main --arch amd64)
start_server "$ROOT"
url=http://127.0.0.1:$PORT/dists/$SUITE

# debian COMMAND ARGS...: repo-mirror as one who trusts Debian's keys.
debian()
{
    local command=$1
    shift
    "$REPO_MIRROR" "$command" --keyring "$DEBIAN_KEYS" --state "$STATE" --now "$NOW" --allow-no-expiry "$@"
}

# asked_for: what the server was asked for since the last time.
asked_for()
{
    sed -n 's/^[^"]*"\([^"]*\) HTTP[^"]*".*/\1/p' "$ACCESS"
    : >"$ACCESS"
}

# ---- The first run ----------------------------------------------------------------------------
expect 0 '' -- debian sync --json "${parts[@]}" "$url" "$M"
json "o['published'] and o['n_files'] == $N and o['n_bytes'] == $BYTES and o['n_fetched'] == $N + 1"
asked_for >"$T/asked"
[ "$(grep -c '^GET /pool/' "$T/asked")" = "$N" ] || fail "asked for $(grep -c '^GET /pool/' "$T/asked") packages of $N"
diff -r -x by-hash -x .hallmark "$ROOT" "$M" >&2 || fail "the copy differs"
gpgv --keyring "$DEBIAN_KEYS" "$M/dists/$SUITE/InRelease" 2>"$T/gpgv" || fail "gpgv: $(cat "$T/gpgv")"
expect 0 '' -- debian check "${parts[@]}" "$M"
stdout_has ": good: $N files and 1 of metadata"

# ---- The second one ---------------------------------------------------------------------------
snapshot "$M" >"$T/before"
snapshot "$STATE" >"$T/before.state"
expect 0 '' -- debian sync --json "${parts[@]}" "$url" "$M"
json "not o['published'] and o['n_fetched'] == 0 and o['n_hashed'] == 0"
[ "$(asked_for)" = "GET /dists/$SUITE/InRelease" ] || fail "the second run asked for more: $(asked_for)"
unchanged "$M" "$T/before"
unchanged "$STATE" "$T/before.state"

# ---- One name less, and one file less ---------------------------------------------------------
read -r path _ name _ < <(tail -n 1 "$T/list")
rm "$M/$path"
expect 0 '' -- debian sync --full --json "${parts[@]}" "$url" "$M"
json "o['n_fetched'] == 1 and o['n_files'] == $N"
cmp "$ROOT/$path" "$M/$path"
: >"$ACCESS"
mapfile -t fewer < <(printf '%s\n' "${parts[@]}" | grep -vxF -- "--package=$name")
expect 0 '' -- debian sync --json "${fewer[@]}" "$url" "$M"
json "o['n_fetched'] == 0 and o['n_files'] == $N - $(grep -c " $name " "$T/list") and o['n_retired'] >= 1"
! asked_for | grep '/pool/' || fail "packages were fetched again"
[ -e "$M/$path" ] || fail "a file was removed before its time"

# ---- apt --------------------------------------------------------------------------------------
kill "$SERVER"
unset PORT
start_server "$M"
make_apt "deb [signed-by=$DEBIAN_KEYS] http://127.0.0.1:$PORT $SUITE main"
echo 'Acquire::Languages "none"; Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false";' >>"$APT_CONFIG"
update_is_silent
# Packages that want nothing else and run nothing in a root that has nothing.
installed=()
while read -r path _ name alone; do
    [ "$alone" = alone ] || continue
    [ "${#installed[@]}" -lt 5 ] || break
    dpkg-deb --ctrl-tarfile "$M/$path" | tar -t | grep -qE '/(preinst|postinst|triggers)$' || installed+=("$name")
done < <(grep -v " $name " "$T/list")
[ "${#installed[@]}" -ge 1 ] || fail "no package can be installed by itself"
apt-get -qq install --no-install-recommends "${installed[@]}" >"$T/install" 2>&1 || fail "apt-get install: $(cat "$T/install")"
for name in "${installed[@]}"; do
    grep -A 2 "^Package: $name\$" "$T/target/var/lib/dpkg/status" | grep -q '^Status: install ok installed' ||
        fail "$name is not installed"
    [ -s "$T/target/usr/share/doc/$name/copyright" ] || fail "nothing of $name is there"
done
echo "$SUITE: $N packages, $BYTES bytes; installed ${installed[*]}"
