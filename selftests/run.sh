#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# run.sh: boot a VM with the build in it, run a job there, print its report.
#
#	run.sh --kernel SERIES [--mode selftests|run|shell] [--tests GLOB[,GLOB]] [--skip GLOB[,GLOB]]
#	       [--script FILE] [--count ci|soak] [--cmdline WORDS] [--root NAME]
#
# Mode selftests: all matching /selftests/*_test (but those of --skip, named and counted) in one VM, then each matching script of
# selftests/variants/ in a VM of its own, with the words of its line "# cmdline: ..." added to the
# kernel's command line (the last lsm= wins) and, with a line "# root: NAME", the image of
# .ci/NAME.sh as its root (--root for modes run and shell). Mode run: one script; exits with its
# status.
#
# A run has failed unless the VM says "::result passed" (init.c has the protocol). Only a failed
# boot - no "::init" line - and a crashed QEMU are tried again, and that is said. The console is kept
# in build/vm/log.
set -euo pipefail
cd "$(dirname "$0")/.."

kernel=''
mode=selftests
tests='*'
skip=''
script=''
count=ci
root=
extra=${CMDLINE:-}
seed=${SEED:-}
while (($#)); do
	case $1 in
	--kernel) kernel=$2 ;;
	--mode) mode=$2 ;;
	--tests) tests=$2 ;;
	--skip) skip=$2 ;;
	--script) script=$2 ;;
	--count) count=$2 ;;
	--seed) seed=$2 ;;
	--cmdline) extra+=" $2" ;;
	--root) root=$2 ;;
	*) echo "run.sh: unknown option '$1'" >&2; exit 2 ;;
	esac
	shift 2
done
export POL_CACHE=${POL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/policyctl}
# Without make: what selftests.mk says.
export VM_MODULES=${VM_MODULES-$(make --no-print-directory -s vm-modules)}
: "${BOOT_TIMEOUT:=120}" "${VM_MEM:=1024}" "${ACCEL:=tcg,thread=multi}"
: "${VM_CPUS:=2}" "${VM_CPU:=max,-erms,-fsrm,-fsrs,-fzrm,-fsrc}" "${VM_ICOUNT:=}"
# Of one test binary, in the guest, and of its VM; soak runs do 20 times the work and more.
case $count in
ci) : "${BINARY_TIMEOUT:=1800}" "${VM_TIMEOUT:=4500}" ;;
*) : "${BINARY_TIMEOUT:=14400}" "${VM_TIMEOUT:=28800}" ;;
esac
seed=${seed:-$((RANDOM * 32768 + RANDOM))}
image=$POL_CACHE/kernels/$kernel

if [[ ! -s $image/vmlinuz ]]; then
	echo "skipped: kernel $kernel: no Debian suite has it any more (make kernels)"
	echo "0 passed, 0 failed, 1 skipped (kernel $kernel: gone)"
	exit 0
fi

mkdir -p build/vm/log build/vm/out
tmp=$(mktemp -d build/vm/run.XXXXXX)
qemu_pid='' qemu_status=0
# shellcheck disable=SC2317,SC2329
cleanup() {
	[[ ! $qemu_pid ]] || kill "$qemu_pid" 2>/dev/null || true
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
: >"$tmp/names"

selftests/lib/initramfs.sh "$kernel" "$tmp/initrd"

# The string instructions that QEMU's newest models announce make it slower, and counts differ
# between its versions with them (kernel-notes: the benchmarks pin the same).
qemu() {
	# Written to in the VM, and as it was for the next one.
	[[ ! $root ]] || set -- -drive "if=virtio,format=raw,snapshot=on,file=$drive" "$@"
	exec qemu-system-x86_64 -nodefaults -no-reboot -display none -m "$VM_MEM" -smp "$VM_CPUS" \
		-cpu "$VM_CPU" -accel "$ACCEL" ${VM_ICOUNT:+-icount "$VM_ICOUNT"} \
		-kernel "$image/vmlinuz" -initrd "$tmp/initrd" "$@"
}

[[ ! $root ]] || drive=$(".ci/$root.sh")

# cmdline WORDS...
cmdline() {
	printf '%s ' console=ttyS0 quiet panic=-1 lsm=landlock,lockdown,yama,apparmor,bpf \
		"policy.seed=$seed" "policy.count=$count" "policy.timeout=$BINARY_TIMEOUT" ${root:+policy.root=/dev/vda} "$extra" "$@"
}

if [[ $mode == shell ]]; then
	echo "kernel $(cat "$image/version"); 'exit' powers off, ctrl-a x kills"
	(qemu -append "$(cmdline policy.mode=shell)" -chardev stdio,id=c,mux=on,signal=off \
		-mon c -serial chardev:c -serial "file:build/vm/log/$kernel-shell.report")
	exit 0
fi

# What the VM has printed as JSON, against the schemas.
check_schemas() {
	local lines

	for lines in "$tmp"/{events,status}; do
		[[ -s $lines ]] || continue
		if PYTHONDONTWRITEBYTECODE=1 tests/receivers/schema.py "$lines"; then
			((passed += 1))
		else
			echo "failed: [$kernel] ${lines##*/}: not as Documentation/schema has it" >>"$tmp/names"
			((failed += 1))
		fi
	done
}

# One line of the report. Sets booted, result, status, total, current; collects names; writes what comes as
# "::file NAME" ... base64 ... "::end" to build/vm/out/NAME.
booted='' result='' status='' total='' current='' death='' file=''
take_line() {
	local line=$1
	if [[ $file && $line != ::end ]]; then
		printf '%s\n' "$line" >>"$tmp/file"
		return
	fi
	case $line in
	"::init "*) booted=$((SECONDS - begin)) ;;
	"::start "*)
		current=${line#::start }
		printf '\n[%s] %s (%d s)\n' "$kernel" "$current" $((SECONDS - begin))
		;;
	"::skipped "*) echo "skipped: [$kernel] ${line#::skipped }" >>"$tmp/names" ;;
	"::failed "*) echo "failed: [$kernel] ${line#::failed }" >>"$tmp/names" ;;
	"::event "*) printf '%s\n' "${line#::event }" >>"$tmp/events" ;;
	"::status "*) printf '%s\n' "${line#::status }" >>"$tmp/status" ;;
	"::total "*) total=${line#::total } ;;
	"::result "*) result=${line#::result } ;;
	"::exit "*) status=${line#::exit } ;;
	"::file "*) file=${line#::file } && file=${file##*/} && : >"$tmp/file" ;;
	::end) base64 -d "$tmp/file" >"build/vm/out/$file" && file='' ;;
	*) printf '%s\n' "$line" ;;
	esac
}

# why_dead CONSOLE STATUS: one line: what the kernel said of it, else QEMU's status and the last words.
why_dead() {
	grep -aoE -m 1 'Kernel panic.*|BUG: .*|Oops: .*|kernel BUG at.*' "$1" 2>/dev/null ||
		printf 'QEMU ended with status %s after "%s"\n' "$2" "$(tail -n 1 "$1" 2>/dev/null | tr -d '\r')"
}

# boot LOG WORDS...: one VM from start to power-off. Its report goes to stdout.
boot() {
	local log=$tmp/$1.console kept=build/vm/log/$1.console line part='' rc fd
	shift
	booted='' result='' status='' total='' current='' death='' begin=$SECONDS
	exec {fd}< <(qemu -append "$(cmdline "$@")" -serial "file:$log" -serial stdio \
		</dev/null 2>&1)
	qemu_pid=$!
	while :; do
		rc=0
		IFS= read -r -t 5 -u "$fd" line || rc=$?
		part+=$line
		if ((rc == 0)); then
			take_line "$part"
			part=''
		elif ((rc <= 128)); then
			break
		elif [[ ! $booted ]] && ((SECONDS - begin > BOOT_TIMEOUT)); then
			echo "run.sh: no sign of init after $BOOT_TIMEOUT s"
			kill "$qemu_pid"
		elif ((SECONDS - begin > VM_TIMEOUT)); then
			echo "run.sh: VM killed after $VM_TIMEOUT s"
			death="killed after $VM_TIMEOUT s"
			kill "$qemu_pid"
			break
		fi
	done
	[[ ! $part ]] || printf '%s\n' "$part"
	exec {fd}<&-
	rc=0
	wait "$qemu_pid" 2>/dev/null || rc=$?
	qemu_pid='' qemu_status=$rc
	# In $tmp until now: two runs of one kernel at a time must not read each other's.
	[[ ! -e $log ]] || cp "$log" "$kept"
	if [[ ! $result ]]; then
		: "${death:=$(why_dead "$log" "$rc")}"
		echo "run.sh: the VM ended without a result, QEMU with status $rc; the end of its console ($kept):"
		tail -n 25 "$log" 2>/dev/null || true
	fi
	# A kernel that hit a bug of its own has not passed, whatever the tests say.
	if grep -aE -m 3 -A 12 'BUG: |Oops: |general protection fault|kernel BUG at' "$log" 2>/dev/null; then
		echo "run.sh: the kernel hit a bug of its own ($kept)"
		result=failed death=$(why_dead "$log" "$rc")
	fi
}

# Only what says nothing of the build is repeated, and said: a boot that failed, and a QEMU that died
# by a signal before a test had failed. A test that failed has failed; so has a kernel that panicked.
boot_retrying() {
	local try
	for try in 1 2 3; do
		boot "$@"
		if [[ ! $booted ]]; then
			echo "run.sh: boot failed (attempt $try of 3)"
		elif ((qemu_status > 128)) && [[ ! $result ]] && ! grep -q '^failed:' "$tmp/names"; then
			echo "again: [$kernel] $1${current:+ from $current on}: $death (attempt $try of 3)" >>"$tmp/names"
		else
			((try == 1)) || echo "run.sh: went on at attempt $try"
			return
		fi
	done
}

# vm NAME WORDS...: a VM whose report ends with a total; adds it to ours.
passed=0 failed=0 skipped=0
vm() {
	local name=$1 p=0 f=0 s=0
	shift
	boot_retrying "$kernel-$name" "$@"
	echo "[$kernel] $name: init after ${booted:-?} s, power-off after $((SECONDS - begin)) s"
	[[ ! $total ]] || read -r p f s <<<"$total"
	# No verdict, or "failed" without a failed test: the VM died, the kernel hit a bug.
	if [[ ! $result ]] || { [[ $result != passed ]] && ((f == 0)); }; then
		echo "failed: [$kernel] $name: the VM did not say passed${current:+, last in $current}: $death" \
			>>"$tmp/names"
		((f += 1))
	fi
	((passed += p, failed += f, skipped += s)) || true
}

if [[ $mode == run ]]; then
	boot_retrying "$kernel-run" policy.mode=run "policy.script=$script"
	if [[ $result != passed && ${status:-0} == 0 ]]; then
		status=1
	fi
	exit "${status:-0}"
fi

# matches NAME GLOB[,GLOB]
matches() {
	local glob
	local -a globs
	IFS=, read -ra globs <<<"$2"
	for glob in "${globs[@]}"; do
		# shellcheck disable=SC2053
		[[ $1 != $glob ]] || return 0
	done
	return 1
}

# wanted NAME: by --tests, and not by --skip, which is said.
wanted() {
	matches "$1" "$tests" || return 1
	matches "$1" "$skip" || return 0
	echo "skipped: [$kernel] $1: by --skip; make matrix runs it here" >>"$tmp/names"
	((skipped += 1))
	return 1
}

echo "kernel $(cat "$image/version"), seed $seed, counts: $count, $(qemu-system-x86_64 --version | head -n 1)"
binaries=''
for t in selftests/*_test.c; do
	if [[ -e $t ]] && wanted "$(basename "$t" .c)"; then
		binaries+=${binaries:+,}$(basename "$t" .c)
	fi
done
variants=()
for t in selftests/variants/*.sh; do
	if [[ -e $t ]] && wanted "$(basename "$t" .sh)"; then
		variants+=("$t")
	fi
done
if [[ $binaries ]]; then
	vm selftests policy.mode=selftests "policy.tests=$binaries"
fi
for t in "${variants[@]}"; do
	name=$(basename "$t" .sh)
	root=$(sed -n 's/^# root: *//p' "$t")
	if [[ $root ]] && ! drive=$(".ci/$root.sh"); then
		echo "failed: [$kernel] $name: no image for its root" >>"$tmp/names"
		((failed += 1))
		continue
	fi
	vm "$name" policy.mode=variant "policy.script=/$t" "$(sed -n 's/^# cmdline: *//p' "$t")"
done
check_schemas
if [[ ! $binaries ]] && ((!${#variants[@]})); then
	echo "failed: no selftest matches '$tests'" >>"$tmp/names"
	failed=1
fi
printf '\n'
cat "$tmp/names"
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
