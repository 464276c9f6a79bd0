#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Shows that every check of the code that decides is seen by a test: takes them out one by one and runs the tests that
# must fail then (mutants.py; the files, their tests, and what may survive are in mutants.list). Needs a finished build
# with the unit tests (make check TESTS=). Run by hand, an hour on one core. Prints a line for each, then the counts;
# fails where one survives that is not on the list. Usage: see --help.
set -euo pipefail
cd "$(dirname "$0")/.."
exec nice python3 tests/mutants.py "$@"
