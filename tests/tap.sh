#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tap.sh COMMAND...: runs a test program whose output is TAP (testanything.org, version 13). cmocka reports a
# skipped test as "not ok 3 # SKIP name", which automake's driver counts as a failure. Here it becomes
# "ok 3 - name # SKIP reason", with the reason that the test printed before: "skipped: reason".
set -o pipefail
"$@" | awk '
    /^skipped: / { reason = substr($0, 10) }
    /^(not )?ok [0-9]+ # SKIP / { sub(/^not /, ""); print $1, $2, "-", $5, "# SKIP", reason; fflush(); next }
    { print; fflush() }'
