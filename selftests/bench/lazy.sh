#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lazy.sh SERIES: lazy.c in a VM; then two tables as Documentation/shadow-lazy.rst has them.
set -euo pipefail
cd "$(dirname "$0")/../.."

kernel=$1
rows=build/vm/out/lazy.rows
export POL_CACHE=${POL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/policyctl}
if [[ ! -s $POL_CACHE/kernels/$kernel/vmlinuz ]]; then
	echo "skipped: kernel $kernel: no Debian suite has it any more (make kernels)"
	exit 0
fi

# One CPU that executes one instruction a nanosecond; room for the file, a copy, and the guest's own.
export VM_CPUS=1 VM_ICOUNT=shift=0,sleep=off ACCEL=tcg VM_BENCH=1 VM_MEM=2560
rm -f "$rows"
selftests/run.sh --kernel "$kernel" --mode run --script /selftests/bench/lazy-in-vm.sh \
	--cmdline 'lsm=capability,landlock,bpf'

# Memory: what the memfd holds, and what is the guest's own. Touching all after every hundredth page is 99 of
# a hundred pages.
awk '
	function mib(bytes) { return bytes < 10485760 ? sprintf("%.3f", bytes / 1048576) : sprintf("%.1f", bytes / 1048576) }
	BEGIN {
		line = "=====  ========  ==========  ========  ========  ========  ========"
		print line
		print "MiB    kind      copied      M instr.  first     1 %       100 %"
		print line
	}
	{ printf "%-5d  %-8s  %-10s  %-8.2f  %-8s  %-8s  %s\n", $1 / 1048576, $2, mib($3), $4, mib($5 + $7), mib($8 + $10), mib($11 + $13) }
	{ each[$2] = $14 / ($1 / 4096 * 99 / 100) * 1000 }
	END {
		print line
		printf "\ninstructions a page, of the last: %.0f eager, %.0f lazy\n", each["eager"] * 1000, each["lazy"] * 1000
	}
' "$rows"
