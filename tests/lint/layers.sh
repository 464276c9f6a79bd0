#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The directory tree is the architecture: who may include what (DESIGN.md, section 4), who may look at
# the clock, and that the library neither prints nor exits.
. "$(dirname "$0")/../lib.sh"
cd "$srcdir/src"

problems=0
problem()
{
    echo "$*" >&2
    problems=$((problems + 1))
}

# What a layer may include from src/.
declare -A allowed=(
    [base]=" base "
    [format]=" base format "
    [crypto]=" base crypto "
    [system]=" base system "
    [trust]=" base format crypto trust "
    [repo]=" base format crypto system trust repo "
    [tools]=" tools "
)

# Sets $owner: which layer owns a foreign library; the public header and libc belong to nobody. What is
# neither is listed here when it is first needed.
find_owner()
{
    case $1 in
    cpuid.h | gpgme.h | gpg-error.h | openssl/* | xxhash.h) owner=crypto ;;
    archive.h | archive_entry.h | curl/curl.h | seccomp.h | zlib.h | bzlib.h | lzma.h | zstd.h) owner=system ;;
    linux/landlock.h | linux/seccomp.h | linux/filter.h) owner=system ;;
    hallmark.h) owner=public ;;
    sys/* | linux/*) owner=libc ;;
    assert.h | byteswap.h | ctype.h | dirent.h | dlfcn.h | endian.h | errno.h | fcntl.h | features.h | fnmatch.h) owner=libc ;;
    ftw.h | getopt.h | glob.h | grp.h | inttypes.h | langinfo.h | libgen.h | limits.h | locale.h) owner=libc ;;
    malloc.h | netdb.h | poll.h | pthread.h | pwd.h | sched.h | signal.h | spawn.h | stdalign.h | stdarg.h) owner=libc ;;
    stdbool.h | stddef.h | stdint.h | stdio.h | stdlib.h | stdnoreturn.h | string.h | strings.h) owner=libc ;;
    sysexits.h | syslog.h | termios.h | time.h | unistd.h | wchar.h | wctype.h) owner=libc ;;
    *) owner=foreign ;;
    esac
}

check_own()
{
    local file=$1 layer=$2 target=$3
    [ "$target" != config.h ] || return 0
    if [[ $target != */* ]]; then
        problem "$file: includes \"$target\": includes are written from src/"
        return
    fi
    [ -e "$target" ] || problem "$file: includes \"$target\", which does not exist"
    [[ ${allowed[$layer]} == *" ${target%%/*} "* ]] ||
        problem "$file: includes \"$target\": $layer may include:${allowed[$layer]}"
}

check_foreign()
{
    local file=$1 layer=$2 target=$3
    find_owner "$target"
    case $owner in
    "$layer" | libc) ;;
    public)
        case $file in
        base/error.[ch] | base/alloc.[ch] | repo/* | tools/*) ;;
        *) problem "$file: includes <hallmark.h>: its categories come with base/error.h" ;;
        esac
        ;;
    foreign) problem "$file: includes <$target>, which no layer owns" ;;
    *) problem "$file: includes <$target>, which belongs to $owner/ only" ;;
    esac
}

find . -name '*.[ch]' -printf '%P\n' | sort >"$T/files"
[ "$(wc -l <"$T/files")" -ge 30 ] || fail "found only $(wc -l <"$T/files") source files"
while read -r file; do
    [ -n "${allowed[${file%%/*}]:-}" ] || problem "$file: src/${file%%/*} is no layer"
done <"$T/files"
quoted='^([^:]+):[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]+)"'
angled='^([^:]+):[[:space:]]*#[[:space:]]*include[[:space:]]*<([^>]+)>'
n=0
while read -r line; do
    n=$((n + 1))
    if [[ $line =~ $quoted ]]; then
        check_own "${BASH_REMATCH[1]}" "${BASH_REMATCH[1]%%/*}" "${BASH_REMATCH[2]}"
    elif [[ $line =~ $angled ]]; then
        check_foreign "${BASH_REMATCH[1]}" "${BASH_REMATCH[1]%%/*}" "${BASH_REMATCH[2]}"
    else
        problem "$line: an include that cannot be judged"
    fi
done < <(xargs grep -HE '^[[:space:]]*#[[:space:]]*include' <"$T/files")
[ $n -ge 200 ] || fail "found only $n includes"

# The same files without comments and strings.
need gcc
mkdir "$T/plain"
while read -r file; do
    mkdir -p "$T/plain/${file%/*}"
    gcc -fpreprocessed -dD -E -P -x c "$file" 2>/dev/null | sed -E 's/"([^"\\]|\\.)*"/""/g' >"$T/plain/$file"
done <"$T/files"
cd "$T/plain"

# calls REGEX FILES...: where one of the functions is called.
calls()
{
    local regex=$1
    shift
    grep -oHE "(^|[^A-Za-z0-9_>.])($regex)[[:space:]]*\(" "$@" | sed -E 's/:.*[^A-Za-z0-9_]([a-z0-9_]+) *\(/: calls \1/' |
        sort -u
}
clock='time|clock_gettime|gettimeofday|timestamp_now|localtime|localtime_r|mktime'
inout='open|openat|fopen|fdopen|read|write|pread|stat|fstat|lstat|getenv|secure_getenv|fork|unlink|rename'
found=$(calls "$clock|$inout" format/*.[ch] trust/*.[ch] || :)
[ -z "$found" ] || problem "$found"$'\n'"format/ and trust/ know no clock and do no input or output"

ending='exit|quick_exit|abort|err|errx|verr|verrx'
printing='printf|vprintf|puts|putchar|perror|psignal|warn|warnx|syslog|fputs|fprintf|vfprintf'
mapfile -t library < <(grep '\.c$' "$T/files" | grep -v '^tools/')
found=$(calls "$printing|$ending" "${library[@]}" | grep -vE '^base/alloc.c: calls (abort|fputs)$' || :)
[ -z "$found" ] || problem "$found"$'\n'"the library neither prints nor exits (base/alloc.c may abort)"
found=$(grep -HnE '\b(stdout|stderr)\b' "${library[@]}" | grep -v '^base/alloc\.c' || :)
[ -z "$found" ] || problem "$found"$'\n'"the library does not use standard output or error"

[ $problems = 0 ] || fail "$problems problems"
