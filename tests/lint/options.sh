#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What --help says and what the man pages say are the same options and commands; hallmark.3 tells of
# every public function; hallmark.conf.5 of every field.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
find_tools

problems=0
problem()
{
    echo "$*" >&2
    problems=$((problems + 1))
}

# The long options in the text on standard input.
options_in()
{
    grep -oE -e '(^|[^-a-z0-9])--[a-z][a-z-]*' | grep -oE -e '--[a-z-]+' | sort -u
}

# The commands that "TOOL --help" lists: an indented word at a line's start, behind the tool's name or not.
compare_tool()
{
    local tool=$1 program=$2 command
    shift 2
    local page=$srcdir/man/$tool.1
    [ -e "$page" ] || { problem "man/$tool.1 is missing"; return; }
    "$program" --help >"$T/help" || problem "$tool --help: status $?"
    [ -s "$T/help" ] || problem "$tool --help prints nothing"
    cp "$T/help" "$T/all"
    for command in "$@"; do
        grep -qE "(^|[^a-z-])$command([^a-z-]|\$)" "$T/help" || problem "$tool --help: no word about $command"
        "$program" "$command" --help >"$T/$tool.$command" 2>"$T/stderr" ||
            problem "$tool $command --help: status $?: $(cat "$T/stderr")"
        cat "$T/$tool.$command" >>"$T/all"
        grep -qE "^\.(It|Nm|Ss|Ic|Cm).* $command( |\$)|^\.(Ic|Cm) $command" "$page" ||
            problem "man/$tool.1: no item for the command $command"
    done
    options_in <"$T/all" >"$T/$tool.help"
    grep -E '^\.It ' "$page" | grep -oE 'Fl -[a-z][a-z-]*' | sed 's/^Fl /-/' | sort -u >"$T/$tool.man"
    [ -s "$T/$tool.help" ] || problem "$tool --help lists no options"
    diff "$T/$tool.help" "$T/$tool.man" >"$T/diff" ||
        problem "$tool: options, < in --help, > in the man page:"$'\n'"$(grep '^[<>]' "$T/diff")"
}

compare_tool repo-release "$REPO_RELEASE" init update resign status check prune keyring sources
compare_tool repo-verify "$REPO_VERIFY" check manifest list unpack fetch bundle
compare_tool repo-mirror "$REPO_MIRROR" sync check trigger

# Every option that help lists is known: a tool that does not know one says so by name.
for tool in repo-release repo-verify repo-mirror; do
    case $tool in
    repo-release) program=$REPO_RELEASE ;;
    repo-verify) program=$REPO_VERIFY ;;
    *) program=$REPO_MIRROR ;;
    esac
    while read -r option; do
        status=0
        "$program" "$option" --help </dev/null >/dev/null 2>"$T/stderr" || status=$?
        ! grep -q 'unknown option' "$T/stderr" || problem "$tool $option: $(cat "$T/stderr")"
    done <"$T/$tool.help"
done

page=$srcdir/man/hallmark.3
if [ -e "$page" ]; then
    grep -v '^#' "$srcdir/include/hallmark.h" | tr '\n' ' ' | grep -oE 'HALLMARK_API [^;]*;' |
        sed -E 's/^[^(]*[^a-z0-9_]([a-z0-9_]+)\(.*/\1/' | sort >"$T/functions"
    while read -r function; do
        grep -qE "^\.F[no] \"?$function\"?( |\$)" "$page" || problem "man/hallmark.3: no synopsis of $function"
    done <"$T/functions"
    grep -oE '^\.F[no] "?hallmark_[a-z_]+' "$page" | sed -E 's/^\.F[no] "?//' | sort -u >"$T/described"
    comm -13 "$T/functions" "$T/described" | grep -v '_fn$' >"$T/extra" || :
    [ ! -s "$T/extra" ] || problem "man/hallmark.3: no such function: $(tr '\n' ' ' <"$T/extra")"
else
    problem "man/hallmark.3 is missing"
fi

page=$srcdir/man/hallmark.conf.5
fields=$(grep -ohE '"[A-Z][A-Za-z]+(-[A-Za-z]+)*"' "$srcdir/src/format/settings_value.c" | tr -d '"' | sort -u)
for field in Name Root Layout Origin Label Suite Codename Version Description Architectures Components \
    Not-Automatic But-Automatic-Upgrades Rules Compression Hashes \
    Valid-For Refresh-Before Sign-With GnuPG-Home Exclude Keep-Generations Keep-For State; do
    grep -qx -- "$field" <<<"$fields" || problem "src/format/settings_value.c: no field $field"
    grep -qE "^\.It .*$field( |:|\$)" "$page" || problem "man/hallmark.conf.5: no item for $field"
done

# Every exit status, in the page of every tool.
for tool in repo-release repo-verify repo-mirror; do
    for status in 0 1 2 3 4 5 6 7 8 9 10 11 12; do
        [ "$tool $status" != "repo-verify 12" ] || continue
        grep -qE "^\.It (Sy |Er |Cm |Li |Ic )?$status\$" "$srcdir/man/$tool.1" ||
            problem "man/$tool.1: no item for exit status $status"
    done
done
[ $problems = 0 ] || fail "$problems problems"
