#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G03, G04, G05, G06: each system call of update, resign, prune and unpack fails once: exit status 0 only if all is
# done, else one line that tells the reason; old and new are never mixed; nothing staged is left. Calls that
# are interrupted, or do half of their work, change nothing.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"
setup_faults

python3 "$FAULT/sweep.py" errors --work "$WORK" "${LONG[@]}" ${FAULT_ONLY:+--only "$FAULT_ONLY"} \
    ${FAULT_STRIDE:+--stride-other "$FAULT_STRIDE"} ||
    fail "there are calls whose failure is not dealt with"
