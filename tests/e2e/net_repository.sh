#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Repositories on a web server: every command of repo-verify, with the same verdicts as on the tree itself, and
# with no more requests than are needed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../attacks.sh"
. "$(dirname "$0")/../net/net.sh"
setup

root=$T/root
make_repository "$root"
publish "$root"
serve "$root"
url=http://127.0.0.1:$PORT

# The same words, but for the place, and how much was read: of an index that is one form over a network.
words()
{
    sed -E 's/, [0-9.]+ KiB, signed/, signed/; /^ *"(n_bytes|n_indexes)":/d'
}
for command in "check" "list" "manifest --print" "check --json" "manifest --json" "list --json"; do
    # shellcheck disable=SC2086 # two words
    expect 0 '' -- consume $command "$root"
    words <"$T/stdout" | sed "s|file://$root|$url|; s|$root|$url|" >"$T/wanted"
    # shellcheck disable=SC2086
    expect 0 '' -- consume $command "$url"
    words <"$T/stdout" | diff "$T/wanted" - >&2 || fail "$command says something else over http"
done

# What is asked for, and nothing else. No encoding ever is.
lies "$root"
expect 0 '' -- consume manifest "$url/"
asked "$root" "GET /InRelease"
lies "$root"
expect 0 '' -- consume check "$url" pool/h/hello-1.0.tar.gz
asked "$root" "GET /InRelease" "GET /pool/h/hello-1.0.tar.gz"
lies "$root"
expect 0 'hello is pool/h/hello-1.2.tar.xz' -- consume unpack "$url" hello --into "$T/hello"
sizes=$(awk '/ Unpacked-Sizes/ { print $2, $1 }' "$root/Release" | sort -n | sed -n '1s/.* //p')
asked "$root" "GET /InRelease" "HEAD /by-hash/SHA256/$sizes" "GET /by-hash/SHA256/$sizes" "GET /pool/h/hello-1.2.tar.xz"
unpack_reference "$root/pool/h/hello-1.2.tar.xz" "$T/reference"
same_tree "$T/hello" "$T/reference"

# The manifest by its name, and its other form. What is remembered is remembered of one place.
expect 0 '' -- consume manifest "$url/InRelease"
lies "$root"
expect 0 '' -- consume manifest "$url/Release"
asked "$root" "GET /Release" "GET /Release.gpg"
mv "$root/InRelease" "$T/InRelease"
lies "$root"
expect 0 '' -- consume manifest "$url"
asked "$root" "GET /InRelease" "GET /Release" "GET /Release.gpg"
mv "$T/InRelease" "$root/InRelease"
n=$(remembered)
expect 0 '' -- consume manifest "HTTP://127.0.0.1:$PORT//"
[ "$(remembered)" = "$n" ] || fail "two spellings of one URL are remembered as two places"

# fetch: the file as it is, durable, with the mode that the umask says; from a directory as well.
mkdir "$T/out" "$T/out2"
lies "$root"
expect 0 'world is pool/w/world-2.0.tar.bz2' -- consume fetch "$url" pool/h/hello-1.0.tar.gz world README.txt -o "$T/out"
stdout_has "^$url: fetched 3 packages, 18.1 KiB, into $T/out\$"
asked "$root" "GET /InRelease" "GET /pool/h/hello-1.0.tar.gz" "GET /pool/w/world-2.0.tar.bz2" "GET /README.txt"
cmp "$root/pool/h/hello-1.0.tar.gz" "$T/out/hello-1.0.tar.gz"
cmp "$root/pool/w/world-2.0.tar.bz2" "$T/out/world-2.0.tar.bz2"
[ "$(cd "$T/out" && find . -mindepth 1 -printf '%P %m\n' | sort | tr '\n' ,)" = \
    "README.txt 644,hello-1.0.tar.gz 644,world-2.0.tar.bz2 644," ] || fail "$(find "$T/out" -ls)"
# shellcheck disable=SC2031
(umask 077 && expect 0 '' -- consume fetch "$root" pool/h/hello-1.0.tar.gz --output="$T/out2" --json)
json 'o["status"] == "good" and o["n_fetched"] == 1 and o["packages"] == ["pool/h/hello-1.0.tar.gz"]'
[ "$(stat -c %a "$T/out2/hello-1.0.tar.gz")" = 600 ] || fail "the umask does not count"
cmp "$root/pool/h/hello-1.0.tar.gz" "$T/out2/hello-1.0.tar.gz"

# What is there and good is not fetched again; what is there and something else stays.
lies "$root"
snapshot "$T/out" >"$T/before"
expect 0 '' -- consume fetch "$url" pool/h/hello-1.0.tar.gz -o "$T/out"
stdout_has 'fetched 0 packages, 0 bytes, into .*; 1 were there'
asked "$root" "GET /InRelease"
unchanged "$T/out" "$T/before"
echo other >"$T/out/README.txt"
expect 2 'README.txt: another file .* is there' -- consume fetch "$url" README.txt pool/h/hello-1.2.tar.xz -o "$T/out"
[ "$(cat "$T/out/README.txt")" = other ] || fail "a file was overwritten"
[ ! -e "$T/out/hello-1.2.tar.xz" ] || fail "something was fetched beside a refusal"
for file in a b c d e f g h i j; do : >"$T/out2/$file"; done # much more than is asked for
rm "$T/out2/hello-1.0.tar.gz"
for out in out out2; do
    echo other >"$T/$out/README.txt"
    expect 2 'README.txt: another file .* is there' -- consume fetch "$url" README.txt pool/h/hello-1.0.tar.gz -o "$T/$out"
    [ "$(cat "$T/$out/README.txt")" = other ] || fail "a file was overwritten"
    rm -f "$T/$out/hello-1.0.tar.gz" "$T/$out/README.txt"
    cp "$root/README.txt" "$T/$out"
    expect 0 '' -- consume fetch "$url" README.txt pool/h/hello-1.0.tar.gz -o "$T/$out"
    stdout_has 'fetched 1 package, .*; 1 were there'
    cmp "$root/pool/h/hello-1.0.tar.gz" "$T/$out/hello-1.0.tar.gz"
done

# What somebody else puts there meanwhile is as good if it is the package, and stays if not.
mkdir "$T/out3"
lies "$root" /README.txt meanwhile "$T/out3/README.txt" README.txt
expect 0 '' -- consume fetch "$url" README.txt pool/h/hello-1.0.tar.gz -o "$T/out3"
stdout_has 'fetched 1 package, .*; 1 were there'
lies "$root" /README.txt meanwhile "$T/out3/README.txt" pool/h/hello-1.0.tar.gz
rm "$T/out3/README.txt"
expect 1 'README.txt: File exists' -- consume fetch "$url" README.txt pool/h/hello-1.0.tar.gz -o "$T/out3"
cmp "$root/pool/h/hello-1.0.tar.gz" "$T/out3/README.txt"
[ "$(ls -A "$T/out3" | tr '\n' ,)" = README.txt,hello-1.0.tar.gz, ] || fail "left behind: $(ls -A "$T/out3")"
# A file system may have files without a name, and no names for them; that one has them no longer is an error.
if have strace; then
    without_names()
    {
        local nth=$1
        rm -rf "${T:?}/out4"
        mkdir "$T/out4"
        lies "$root"
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 timeout 120 strace -qq -o "$T/trace" -e trace=linkat \
            -e "inject=linkat:error=EOPNOTSUPP:when=$nth" "$REPO_VERIFY" "${CONSUMER[@]}" fetch "$url" README.txt \
            pool/h/hello-1.0.tar.gz -o "$T/out4" >"$T/stdout" 2>"$T/stderr"
    }
    without_names 1+ || fail "$(cat "$T/stderr")"
    [ "$(ls -A "$T/out4" | tr '\n' ,)" = README.txt,hello-1.0.tar.gz, ] || fail "there is $(ls -A "$T/out4")"
    if [ "$(id -u)" = 0 ]; then # others ask twice for each name
        ! without_names 2+ || fail "it succeeds without names"
        grep -q ': Operation not supported' "$T/stderr" || fail "$(cat "$T/stderr")"
        [ -z "$(ls -A "$T/out4")" ] || fail "left behind: $(ls -A "$T/out4")"
    fi
fi
lies "$root"
echo other >"$T/out/README.txt"
expect 0 '' -- consume fetch "$url" README.txt -o "$T/out" --replace --quiet
stdout_is_empty
cmp "$root/README.txt" "$T/out/README.txt"
WATCHED=("$T/out" "$root" "$T/consumer")
ln -sf "$T/elsewhere" "$T/out/hello-1.2.tar.xz"
refuses N18-link-at-the-destination 2 'hello-1.2.tar.xz: something that is no file' -- \
    consume fetch "$url" pool/h/hello-1.2.tar.xz -o "$T/out" --replace
[ ! -e "$T/elsewhere" ] || fail "written through a link"
rm "$T/out/hello-1.2.tar.xz"
mkfifo "$T/out/hello-1.2.tar.xz"
refuses N18-fifo-at-the-destination 2 'hello-1.2.tar.xz: something that is no file' -- \
    consume fetch "$url" pool/h/hello-1.2.tar.xz -o "$T/out"
rm "$T/out/hello-1.2.tar.xz"
refuses P03-over-http 11 'nothing' -- consume fetch "$url" nothing -o "$T/out"
refuses N18-no-directory 1 'No such file' -- consume fetch "$url" README.txt -o "$T/out/none"
expect 2 'usage' -- consume fetch "$url"
expect 2 'needs a value' -- consume fetch "$url" README.txt -o
expect 2 'option "--output" is not for "check"' -- consume check -o "$T/out" "$url"

# Two files of one name.
mkdir "$root/other"
echo twice >"$root/other/README.txt"
publish "$root"
refuses P03-two-of-one-name 2 'README.txt and other/README.txt have the same name' -- \
    consume fetch "$url" README.txt other/README.txt -o "$T/out"
expect 0 '' -- consume fetch "$url" README.txt README.txt -o "$T/out2" --quiet

# nginx, which is what most servers are.
if have nginx; then
    . "$srcdir/tests/apt.sh"
    start_server "$root"
    url=http://127.0.0.1:$PORT
    expect 0 '' -- consume check "$url"
    expect 0 '' -- consume unpack "$url" pool/h/hello-1.2.tar.xz --into "$T/hello2"
    same_tree "$T/hello2" "$T/reference"
fi

# The process that talks to a server: nobody, where we are root; its system calls filtered; no descriptor of a file.
if ! under_wrapper && have pgrep; then
    serve "$root"
    lies "$root" '.*' silence
    consume check "http://127.0.0.1:$PORT" 2>"$T/killed" &
    asking=$!
    for ((i = 0; i < 100; i++)); do
        [ ! -s "$root.log" ] || break
        sleep 0.1
    done
    # Beside it, there is the helper that has gpg list keys, which leads a session of its own.
    worker=
    for child in $(pgrep -P "$(pgrep -P $asking -f repo-verify || echo $asking)" || pgrep -P $asking); do
        [ "$(cut -d ' ' -f 6 "/proc/$child/stat")" = "$child" ] || worker=$child
    done
    [ -n "$worker" ] || fail "no process talks to the server"
    status=$(cat "/proc/$worker/status")
    [ "$(id -u)" != 0 ] || grep -qE '^Uid:.65534.65534.65534.65534$' <<<"$status" || fail "not nobody: $status"
    grep -q '^Seccomp:.2$' <<<"$status" || fail "no seccomp: $status"
    grep -q '^NoNewPrivs:.1$' <<<"$status" || fail "may gain privileges: $status"
    grep -q '^CapEff:.0000000000000000$' <<<"$status" || fail "has capabilities: $status"
    if [ "$(id -u)" = 0 ]; then
        files=$(find "/proc/$worker/fd" -type l -printf "%l\n")
        others="^(socket:.*|/dev/null|pipe:.*|anon_inode:.*|/tmp/.*/killed)\$"
        grep -vE "$others" <<<"$files" &&
            fail "it has files open"
    fi
    kill $asking
    wait $asking || :
    pgrep -P $asking && fail "the process has stayed"
fi
exit 0
