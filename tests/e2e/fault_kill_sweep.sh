#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# valgrind: no
# G01, G25: update, resign, prune, unpack and a mirror's sync are killed, with all their processes, at every system
# call that changes a file: what is there then is entirely old or entirely new, and the next run finishes and cleans
# up.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../repository.sh"
. "$(dirname "$0")/../fault/fault.sh"
setup_faults

python3 "$FAULT/sweep.py" kill --work "$WORK" "${LONG[@]}" ${FAULT_ONLY:+--only "$FAULT_ONLY"} ||
    fail "there are points where a kill leaves something that is neither old nor new"
echo "attack N17-mirror: A"
