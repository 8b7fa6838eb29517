#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# unit.sh [CRITERION ARGUMENT]...: the unit tests. Criterion does not see what the leak checker says
# when a test's process ends, so the sanitizers report to files and any file is a failure.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

rm -f build/tests/sanitizer.*
export ASAN_OPTIONS=detect_stack_use_after_return=1:log_path=$PWD/build/tests/sanitizer
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
