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
allowed_layers()
{
    case $1 in
    base) echo base ;;
    format) echo base format ;;
    crypto) echo base crypto ;;
    system) echo base system ;;
    trust) echo base format crypto trust ;;
    repo) echo base format crypto system trust repo ;;
    tools) echo tools ;;
    *) echo ;;
    esac
}

# Which layer owns a foreign library; the public header and libc belong to nobody.
owner_of()
{
    case $1 in
    gpgme.h | gpg-error.h | openssl/* | xxhash.h) echo crypto ;;
    archive.h | archive_entry.h | seccomp.h | linux/landlock.h | linux/seccomp.h | linux/filter.h) echo system ;;
    hallmark.h) echo public ;;
    */*)
        case $1 in
        sys/* | linux/*) echo libc ;;
        *) echo foreign ;;
        esac
        ;;
    *)
        # ISO C and POSIX name their headers without digits or underscores in most cases; what is neither
        # is listed here when it is first needed.
        case $1 in
        assert.h | ctype.h | dirent.h | endian.h | errno.h | fcntl.h | fnmatch.h | getopt.h | grp.h | \
            inttypes.h | limits.h | poll.h | pwd.h | sched.h | signal.h | spawn.h | stdalign.h | stdarg.h | \
            stdbool.h | stddef.h | stdint.h | stdio.h | stdlib.h | string.h | strings.h | termios.h | \
            time.h | unistd.h | langinfo.h | locale.h | glob.h | libgen.h | pthread.h | stdnoreturn.h | \
            sysexits.h | byteswap.h | ftw.h | features.h | malloc.h) echo libc ;;
        *) echo foreign ;;
        esac
        ;;
    esac
}

check_include()
{
    local file=$1 layer=$2 line=$3 target
    case $line in
    *'"'*)
        target=$(sed -E 's/.*"([^"]*)".*/\1/' <<<"$line")
        case $target in
        config.h) return ;;
        */*) ;;
        *) problem "$file: includes \"$target\": includes are written from src/" && return ;;
        esac
        [ -e "$target" ] || problem "$file: includes \"$target\", which does not exist"
        case " $(allowed_layers "$layer") " in
        *" ${target%%/*} "*) ;;
        *) problem "$file: includes \"$target\": $layer may include: $(allowed_layers "$layer")" ;;
        esac
        ;;
    *)
        target=$(sed -E 's/.*<([^>]*)>.*/\1/' <<<"$line")
        case $(owner_of "$target") in
        "$layer" | libc) ;;
        public)
            case $layer in
            format | crypto | system | trust)
                problem "$file: includes <hallmark.h>: its categories come with base/error.h"
                ;;
            base)
                case $file in
                base/error.[ch] | base/alloc.[ch]) ;;
                *) problem "$file: includes <hallmark.h>: only base/error.h and alloc do" ;;
                esac
                ;;
            esac
            ;;
        foreign) problem "$file: includes <$target>, which no layer owns" ;;
        *) problem "$file: includes <$target>, which belongs to $(owner_of "$target")/ only" ;;
        esac
        ;;
    esac
}

n_files=0
while read -r file; do
    n_files=$((n_files + 1))
    layer=${file%%/*}
    [ -n "$(allowed_layers "$layer")" ] || problem "$file: src/$layer is no layer"
    while read -r line; do
        check_include "$file" "$layer" "$line"
    done < <(grep -E '^[[:space:]]*#[[:space:]]*include' "$file" || :)
done < <(find . -name '*.[ch]' -printf '%P\n' | sort)
[ $n_files -ge 30 ] || fail "found only $n_files source files"

# calls REGEX FILES...: where one of the functions is called, comments left out.
calls()
{
    local regex=$1 file
    shift
    for file in "$@"; do
        gcc -fpreprocessed -dD -E -P -x c "$file" 2>/dev/null |
            sed -E 's/"([^"\\]|\\.)*"/""/g' |
            grep -oE "(^|[^A-Za-z0-9_>.])($regex)[[:space:]]*\(" | sed -E 's/[^A-Za-z0-9_]//g' | sort -u |
            sed "s|^|$file: calls |" || :
    done
}
need gcc

clock='time|clock_gettime|gettimeofday|timestamp_now|localtime|localtime_r|mktime'
inout='open|openat|fopen|fdopen|read|write|pread|stat|fstat|lstat|getenv|secure_getenv|fork|unlink|rename'
found=$(calls "$clock|$inout" format/*.[ch] trust/*.[ch])
[ -z "$found" ] || problem "$found"$'\n'"format/ and trust/ know no clock and do no input or output"

printing='printf|vprintf|puts|putchar|perror|psignal|err|errx|warn|warnx|syslog'
ending='exit|quick_exit|abort|err|errx'
mapfile -t library < <(find . -name '*.c' -printf '%P\n' | grep -v '^tools/' | sort)
found=$(calls "$printing|$ending" "${library[@]}" | grep -v '^base/alloc.c: calls abort$' || :)
[ -z "$found" ] || problem "$found"$'\n'"the library neither prints nor exits (base/alloc.c may abort)"
found=$(grep -nE '\b(stdout|stderr)\b' "${library[@]}" | grep -vE '^base/alloc\.c|\*|//' || :)
[ -z "$found" ] || problem "$found"$'\n'"the library does not use standard output or error"

[ $problems = 0 ] || fail "$problems problems"
