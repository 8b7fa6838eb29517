#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# metrics.sh ROOT: promtool, of the package prometheus unpacked at ROOT, takes the golden metrics, and
# the example's configuration and rules; its rules ask only for metrics that there are; and the table
# of metrics.rst has just those, with their types.
set -uo pipefail
promtool=$1/usr/bin/promtool
golden=(tests/golden/metrics_*.prom)
rules=Documentation/prometheus/policyctl.rules.yml
status=0

fail() {
	echo "promtool: $*"
	status=1
}

((${#golden[@]} == 3)) || fail "${#golden[@]} golden files"
for file in "${golden[@]}"; do
	"$promtool" check metrics <"$file" || fail "$file: refused"
done
# It has to refuse something, else it was not asked.
! "$promtool" check metrics < <(sed s/denials_total/denials/ "${golden[1]}") >/dev/null 2>&1 ||
	fail 'a counter without _total was taken'

"$promtool" check rules "$rules" >/dev/null || fail "$rules: refused"
"$promtool" check config Documentation/prometheus/prometheus.yml >/dev/null ||
	fail 'prometheus.yml: refused'
"$promtool" test rules tests/receivers/metrics_rules.yml >/dev/null || fail "$rules: other alerts"

# "name type", of all golden files, and of the table.
families() { sed -n 's/^# TYPE //p' "${golden[@]}" | sort -u; }
# shellcheck disable=SC2016
documented() {
	sed -nE 's/^``((policyctl|policyd)_[a-z_]+)``( +|, )(gauge|counter)( .*)?$/\1 \4/p' \
		Documentation/metrics.rst | sort
}
diff <(families) <(documented) || fail 'metrics.rst (>) is not what is written (<)'

while read -r name; do
	grep -qh "^# TYPE $name " "${golden[@]}" || fail "$rules: no metric $name"
done < <(grep -oE '(policyctl|policyd)_[a-z_]+' <(sed '/^ *#/d; /name:/d; /summary:/d' "$rules") | sort -u)
exit $status
