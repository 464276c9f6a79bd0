#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# No script gives shellcheck anything to say.
. "$(dirname "$0")/../lib.sh"
need shellcheck
cd "$srcdir"
mapfile -t scripts < <(project_files | grep -E '\.sh$|^\.ci/run$')
[ "${#scripts[@]}" -ge 30 ] || fail "found only ${#scripts[@]} scripts"
# SC2016: expressions in single quotes are meant for sed and awk. SC2012: tests choose the names that ls lists.
shellcheck -x -P SCRIPTDIR -e SC2016,SC2012 "${scripts[@]}" || fail "shellcheck found something"
# What is run is executable; what is read by others has no interpreter of its own.
for script in "${scripts[@]}"; do
    read -r first <"$script"
    case $first in
    '#!/bin/sh' | '#!/usr/bin/env bash') [ -x "$script" ] || fail "$script is not executable" ;;
    '#!'*) fail "$script: an unexpected first line: $first" ;;
    *) [ ! -x "$script" ] || fail "$script is executable and names no interpreter" ;;
    esac
done
