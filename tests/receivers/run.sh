#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make receivers: a line of every kind of event, and every evil name in every text, to programs that
# read these formats: what they have is compared with the native JSON. promtool on the metrics. And
# policyd-forward to receivers that come, go and are not who they should be.
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
check metrics tests/receivers/metrics.sh "$(.ci/unpacked.sh prometheus)"
rsyslog=$(.ci/unpacked.sh rsyslog) syslog_ng=$(.ci/unpacked.sh syslog-ng-core)
check rsyslog tests/receivers/syslog.py rsyslog "$rsyslog"
check syslog-ng tests/receivers/syslog.py syslog-ng "$syslog_ng"
for way in tcp unix; do
	check "rsyslog.conf, $way" tests/receivers/siem.py rsyslog "$rsyslog" $way
	check "syslog-ng.conf, $way" tests/receivers/siem.py syslog-ng "$syslog_ng" $way
done
check "rsyslog-tls.conf" tests/receivers/forward.py rsyslog "$(.ci/unpacked.sh rsyslog-openssl)"
check "syslog-ng-tls.conf" tests/receivers/forward.py syslog-ng "$syslog_ng"
check kafka tests/receivers/kafka.py "$(.ci/unpacked.sh kcat)"
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
