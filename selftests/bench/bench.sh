#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bench.sh SERIES: in-vm.sh in two fresh VMs, one after the other; then the table, build/bench/
# SERIES.json and SERIES.svg - or, if the two differ, which row by how much, and exit status 1.
# BENCH_PART=shadows: what shadows.sh has instead, SERIES-shadows.json and .svg.
set -euo pipefail
cd "$(dirname "$0")/../.."

kernel=$1
out=build/bench
: "${BENCH_LIMIT:=0.5}" # per cent
: "${BENCH_PART:=all}"
export POL_CACHE=${POL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/policyctl}
if [[ ! -s $POL_CACHE/kernels/$kernel/vmlinuz ]]; then
	echo "skipped: kernel $kernel: no Debian suite has it any more (make kernels)"
	exit 0
fi

# One CPU that executes one instruction a nanosecond: its clocks count instructions.
export VM_CPUS=1 VM_ICOUNT=shift=0,sleep=off ACCEL=tcg VM_BENCH=1
export VM_CPU=max,-erms,-fsrm,-fsrs,-fzrm,-fsrc
cmdline='lsm=capability,landlock,bpf cgroup.memory=nokmem'
name=$out/$kernel
if [[ $BENCH_PART != all ]]; then
	cmdline+=" bench.part=$BENCH_PART"
	name+=-$BENCH_PART
fi

mkdir -p "$out"
rm -f "$name".{json,svg,rows1,rows2} # of an earlier run: a refusal leaves none
changed=
if [[ $(git status --porcelain 2>/dev/null) ]]; then
	changed=', changed'
fi
{
	echo "qemu $(qemu-system-x86_64 --version | sed -n '1s/^QEMU emulator version //p')"
	echo "cpu -cpu $VM_CPU -smp $VM_CPUS -accel $ACCEL -icount $VM_ICOUNT"
	echo "cmdline $cmdline"
	echo "commit $(git describe --always --abbrev=12 2>/dev/null || echo unknown)$changed"
} >"$name.facts"

for vm in 1 2; do
	printf '\nVM %s of 2\n' "$vm"
	rm -f build/vm/out/bench.rows
	selftests/run.sh --kernel "$kernel" --mode run --script /selftests/bench/in-vm.sh \
		--cmdline "$cmdline"
	mv build/vm/out/bench.rows "$name.rows$vm"
done
build/selftests/bench/report "$BENCH_LIMIT" "$name" "$name".{facts,rows1,rows2}
