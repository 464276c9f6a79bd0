#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A repository that somebody has published by hand, or by another tool, is taken over without a moment in which
# readers see anything else; what was changed behind our back is put right.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
setup

root=$T/root
make_repository "$root"
cat >"$root/Release" <<END
Origin: By hand
Date: $(date -u -d yesterday '+%a, %d %b %Y %H:%M:%S UTC')
SHA256:
 $(sha256sum <"$root/README.txt" | cut -c 1-64) $(size_of "$root/README.txt") README.txt
END
clearsign_as "$GNUPG" "$KEY" "$root/Release" >"$root/InRelease"
gpg --homedir "$GNUPG" --batch --quiet -u "$KEY" --armor --detach-sign -o "$root/Release.gpg" "$root/Release"
expect 0 '' -- consume check "$root" --allow-no-expiry
served "$root" >"$T/served"

publish "$root"
for name in Release Release.gpg InRelease; do
    [ "$(readlink "$root/$name")" = ".hallmark/current/$name" ] || fail "$name is no link to the generation"
done
expect 6 'has Origin' -- consume check "$root" # as apt-get asks for --allow-releaseinfo-change
expect 0 '' -- consume check "$root" --accept-change
stdout_has 'good: 4 packages'

# One of the links replaced by a file, or gone: the next update puts it right, and says what the tree says.
for name in Release Release.gpg InRelease; do
    cp "$root/$name" "$T/copy"
    rm "$root/$name"
    publish "$root"
    [ -L "$root/$name" ] || fail "$name was not put back"
    cp "$root/$name" "$T/copy"
    rm "$root/$name"
    sed '1s/^/X: y\n/' "$T/copy" >"$root/$name"
    publish "$root"
    [ -L "$root/$name" ] || fail "$name was not put right"
    expect 0 '' -- consume check "$root"
done
# The whole .hallmark gone; another one's manifest in place of ours.
rm -rf "$root/.hallmark"
publish "$root"
expect 0 '' -- consume check "$root"
copy_home evil "$T/evil"
evil=$(cat "$KEYS/evil.fpr")
sed -i 's/^Date:/Origin: evil\nDate:/' "$(readlink -f "$root/Release")"
clearsign_as "$T/evil" "$evil" "$root/Release" >"$T/InRelease"
cp "$T/InRelease" "$(readlink -f "$root/InRelease")"
publish "$root"
expect 0 '' -- consume check "$root"
! grep -q evil "$root/Release" || fail "an evil field was kept"
# The state directory gone: nothing is wrong with what is published.
rm -rf "$T/publisher"
publish "$root"
expect 0 '' -- consume check "$root"

# A hostile arrangement: .hallmark is a link elsewhere, or current leaves the tree. Nothing is written there.
mkdir "$T/elsewhere"
snapshot "$T/elsewhere" >"$T/before"
hostile=$T/hostile
mkdir "$hostile"
echo one >"$hostile/a.txt"
ln -s "$T/elsewhere" "$hostile/.hallmark"
status=0
release update "${PUBLISHER[@]}" --state "$T/state2" "$hostile" 2>"$T/stderr" || status=$?
unchanged "$T/elsewhere" "$T/before"
[ $status = 0 ] || [ "$(wc -l <"$T/stderr")" = 1 ] || fail "$(cat "$T/stderr")"
