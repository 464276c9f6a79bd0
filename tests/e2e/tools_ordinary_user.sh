#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An ordinary user who gives neither --config nor --state: settings and state below the home directory or the XDG
# directories, nothing anywhere else, nothing that needs root.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

if [ "$(id -u)" = 0 ]; then
    need setpriv
    chmod 711 "$T"
    mkdir "$T/bin"
    cp "$REPO_RELEASE" "$REPO_VERIFY" "$T/bin"
    [ -z "${LIBRARY_DIR:-}" ] || cp "$LIBRARY_DIR"/libhallmark.so* "$T/bin"
    as_user()
    {
        setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH=/usr/bin:/bin HOME="$T/user" \
            LD_LIBRARY_PATH="$T/bin" "$@"
    }
    REPO_RELEASE=$T/bin/repo-release REPO_VERIFY=$T/bin/repo-verify
else
    as_user()
    {
        env -i PATH=/usr/bin:/bin HOME="$T/user" LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" "$@"
    }
fi
mkdir "$T/user"
cp -R "$GNUPG" "$T/user/.gnupg"
cp "$KEYS/signer.gpg" "$T/user/keyring.gpg"
make_repository "$T/user/root"
[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$T/user"
chmod 700 "$T/user"
root=$T/user/root

# Straight from options, with the user's own GnuPG home.
expect 0 '' -- as_user "$REPO_RELEASE" update --key "$KEY" "$root"
[ -d "$T/user/.local/state/hallmark" ] || fail "no state: $(find "$T/user" -maxdepth 3)"
[ -z "$(find "$T/user/.local/state/hallmark" -perm /077 -type f)" ] ||
    fail "state that others can read: $(find "$T/user/.local/state/hallmark" -perm /077 -type f)"
expect 0 '' -- as_user "$REPO_VERIFY" --keyring "$T/user/keyring.gpg" "$root"
[ -d "$T/user/.local/state/hallmark/verified" ] || fail "no memory: $(find "$T/user/.local")"
expect 0 '' -- as_user "$REPO_VERIFY" unpack --keyring "$T/user/keyring.gpg" "$root" pool/h/hello-1.0.tar.gz \
    --into "$T/user/unpacked"
unpack_reference "$root/pool/h/hello-1.0.tar.gz" "$T/reference"
same_tree "$T/user/unpacked" "$T/reference"

# Who has no home has no state: that is said, not passed over.
if [ "$(id -u)" = 0 ]; then
    cp -R "$root" "$T/user/keyring.gpg" "$T/bin"
    chmod -R go+rX "$T/bin"
    as_nobody=(setpriv --reuid 54321 --regid 54321 --clear-groups env -u HOME -u XDG_STATE_HOME LD_LIBRARY_PATH="$T/bin")
    expect 2 'neither XDG_STATE_HOME nor HOME' -- "${as_nobody[@]}" "$REPO_VERIFY" --keyring "$T/bin/keyring.gpg" "$T/bin/root"
    stdout_is_empty
    expect 0 '' -- "${as_nobody[@]}" "$REPO_VERIFY" --keyring "$T/bin/keyring.gpg" --no-state "$T/bin/root"
fi

# Two roots of the same name do not share a state.
mkdir "$T/user/other"
cp -R "$root/pool" "$T/user/other/root"
[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$T/user/other"
expect 0 '' -- as_user "$REPO_RELEASE" update --key "$KEY" "$T/user/other/root"
n=$(find "$T/user/.local/state/hallmark" -name lock -path '*root*' | wc -l)
[ "$n" = 2 ] || fail "not two states: $(find "$T/user/.local/state/hallmark")"

# A configuration, in the home directory and where XDG says.
expect 0 '*' -- as_user "$REPO_RELEASE" init "$root" --name mine --key "$KEY"
[ -f "$T/user/.config/hallmark/repositories.d/mine.conf" ] || fail "$(find "$T/user/.config")"
expect 0 '' -- as_user "$REPO_RELEASE" update mine
[ -d "$T/user/.local/state/hallmark/mine" ] || fail "no state: $(ls "$T/user/.local/state/hallmark")"
expect 0 '*' -- as_user "$REPO_RELEASE" status
expect 0 '' -- as_user env XDG_CONFIG_HOME="$T/user/xc" XDG_STATE_HOME="$T/user/xs" "$REPO_RELEASE" init "$root" \
    --name xdg --key "$KEY" --quiet
[ -f "$T/user/xc/hallmark/repositories.d/xdg.conf" ] || fail "XDG_CONFIG_HOME is not used"
expect 0 '' -- as_user env XDG_CONFIG_HOME="$T/user/xc" XDG_STATE_HOME="$T/user/xs" "$REPO_RELEASE" update
[ -d "$T/user/xs/hallmark/xdg" ] || fail "XDG_STATE_HOME is not used"

# Without a home there is no place to remember in: that is said, and how to do without.
if [ "$(id -u)" = 0 ]; then
    as_user true
    status=0
    setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH=/usr/bin:/bin LD_LIBRARY_PATH="$T/bin" \
        "$REPO_VERIFY" --keyring "$T/user/keyring.gpg" "$root" 2>"$T/stderr" >/dev/null || status=$?
    case $status in
    0) ;;
    1 | 2) grep -q -- '--no-state' "$T/stderr" || fail "no way out is told: $(cat "$T/stderr")" ;;
    *) fail "status $status without a home: $(cat "$T/stderr")" ;;
    esac
fi
