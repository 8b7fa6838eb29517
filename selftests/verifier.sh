#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What loading costs: instructions that the verifier went through, for each program.
#
# On the host, verifier.sh SERIES [--update]: boots a VM that runs this same file, compares with
# selftests/verifier.baseline (lines "SERIES PROGRAM INSTRUCTIONS") and fails when a program grew by
# more than a tenth, or is new; --update writes the baseline instead.
set -eu

in_vm() {
	printf 'version = 1\n[guest.g]\n' >/tmp/policy.toml
	begin=$(cut -d. -f1 /proc/uptime)
	policyctl load /tmp/policy.toml
	echo "# loaded in $(($(cut -d. -f1 /proc/uptime) - begin)) s"
	bpftool --json prog show | tr '{' '\n' |
		sed -nE 's/.*"name":"(pol_[a-z0-9_]+)".*"verified_insns":([0-9]+).*/\1 \2/p' |
		sort >/tmp/insns
	policyctl unload
	cat /tmp/insns
	echo "::file verifier"
	base64 /tmp/insns
	echo "::end"
	test -s /tmp/insns
}

on_host() {
	cd "$(dirname "$0")/.."
	rm -f build/vm/out/verifier
	selftests/run.sh --kernel "$1" --mode run --script /selftests/verifier.sh
	if [ "${2:-}" = --update ]; then
		{
			grep -v "^$1 " selftests/verifier.baseline 2>/dev/null || true
			sed "s/^/$1 /" build/vm/out/verifier
		} | sort >build/vm/out/baseline
		mv build/vm/out/baseline selftests/verifier.baseline
		return
	fi
	awk -v series="$1" '
		NR == FNR && $1 == series { was[$2] = $3 }
		NR == FNR { next }
		!($1 in was) { print "new: " $1 " " $2; bad = 1; next }
		$2 > was[$1] * 1.1 { print "grew: " $1 " from " was[$1] " to " $2; bad = 1 }
		END { exit bad }' selftests/verifier.baseline build/vm/out/verifier
}

if [ -d /selftests/guests ]; then
	in_vm
else
	on_host "$@"
fi
