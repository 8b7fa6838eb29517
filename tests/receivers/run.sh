#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make receivers: a line of every kind of event, and every evil name in every text, to programs that
# read these formats: what they have is compared with the native JSON. And promtool on the metrics.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
passed=0 failed=0

# check NAME COMMAND...
check() {
	if "${@:2}"; then
		((passed += 1))
	else
		echo "failed: $1"
		((failed += 1))
	fi
}

check schema tests/receivers/schema.py
check cef tests/receivers/cef.py
# A machine that cannot get it fails: that a receiver was not asked is no success.
check rsyslog tests/receivers/syslog.py rsyslog "$(.ci/unpacked.sh rsyslog)"
check metrics tests/receivers/metrics.sh "$(.ci/unpacked.sh prometheus)"
check syslog-ng tests/receivers/syslog.py syslog-ng "$(.ci/unpacked.sh syslog-ng-core)"
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
