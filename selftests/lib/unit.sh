#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# unit.sh [CRITERION ARGUMENT]...: the unit tests. Criterion does not see what the leak checker says
# when a test's process ends, so the sanitizers report to files and any file is a failure.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

rm -f build/tests/sanitizer.*
export ASAN_OPTIONS=detect_stack_use_after_return=1:log_path=$PWD/build/tests/sanitizer
# libcriterion 2.4.1 itself leaks what it makes of parameterized tests; nothing of ours is in there.
mkdir -p build/tests
echo 'leak:libcriterion' >build/tests/lsan.supp
export LSAN_OPTIONS=suppressions=$PWD/build/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
build/tests/unit "$@"
status=$?
for report in build/tests/sanitizer.*; do
	if [[ -e $report ]]; then
		cat "$report"
		status=1
	fi
done
exit $status
