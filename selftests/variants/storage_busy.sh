# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Before 6.2 a look-up of a label gives up while another is under way on the same CPU: with full
# preemption, others can make that happen to a guest at will. It stays the guest: what it may not open
# it never opens, what it may it always does; a fork may be refused, but a child is the guest.
#
# cmdline: preempt=full

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh

case $(uname -r) in
5.* | 6.0.* | 6.1.*) ;;
*)
	skip look_ups_give_up 'from 6.2 on, kernels look labels up without giving up'
	finish
	;;
esac

probe=/selftests/guests/probe
labels=/sys/fs/bpf/policyctl/maps/labels
seconds=6
[ "${POL_TEST_COUNT:-ci}" = ci ] || seconds=120
news=$(seq 24)
dir=/tmp/busy
mkdir -p $dir/ok $dir/no
echo good >$dir/ok/f
echo bad >$dir/no/f
cat >$dir/policy.toml <<POLICY
version = 1
[guest.g]
files = [
	{ path = "/usr", access = "rx" }, { path = "/etc", access = "ro" },
	{ path = "/selftests", access = "rx" }, { path = "$dir/ok", access = "rw" },
]
POLICY

# wait_for WORD FILE...: each has a line that begins so; 60 s.
# shellcheck disable=SC2317,SC2329
wait_for() {
	wait_word=$1 wait_left=600
	shift
	until [ "$(grep -l "^$wait_word" "$@" | wc -l)" = $# ] || [ "$wait_left" = 0 ]; do
		sleep 0.1
		wait_left=$((wait_left - 1))
	done
	[ "$wait_left" != 0 ]
}

# guest NAME STEP...: in the background, on CPU 1, its steps after a line from the fifo go.NAME.
guest() {
	guest_name=$1
	shift
	mkfifo "$dir/go.$guest_name"
	taskset -c 1 policyctl run g -- $probe pause "$@" <>"$dir/go.$guest_name" \
		>"$dir/$guest_name" 2>&1 &
}

pid_of() {
	sed -n 's/^paused 0 \([0-9]*\).*/\1/p' "$dir/$1"
}

# number KEY: the first in status that is called so
number() {
	policyctl status --json | sed 's/[,{}]/\n/g' | sed -n "s/^\"$1\": *//p" | head -n 1
}

# judge NAME: rounds, good refused, bad not; children, refused forks, other failures
judge() {
	# shellcheck disable=SC2046
	set -- "$1" $(sed -n 's/^hammered 0 //p' "$dir/$1")
	echo "# $1: $2 rounds, $5 children, $6 forks refused"
	check "$1_ran" test "${2:-0}" -ge 100
	check "$1_is_never_refused_what_it_may" test "$3" = 0
	check "$1_never_opens_what_it_may_not" test "$4" = 0
	check "$1_has_children" test "${5:-0}" -ge 1
	check "$1_meets_no_other_error" test "$7" = 0
}

mount -t debugfs none /sys/kernel/debug
expect_status fully_preemptible 0 '(full)' cat /sys/kernel/debug/sched/preempt
check load policyctl load $dir/policy.toml
guest stays hammer-tasks $seconds $dir/ok/f $dir/no/f
guest moved hammer-tasks $seconds $dir/ok/f $dir/no/f
check guests_run wait_for paused $dir/stays $dir/moved
pid_of moved >/sys/fs/cgroup/cgroup.procs

lookers=
for i in 1 2 3 4 5 6 7 8; do
	$probe on-cpu 1 lookups $labels "$(pid_of stays)" 600 >/dev/null &
	lookers="$lookers $!"
done
echo >$dir/go.stays
echo >$dir/go.moved
for i in $news; do
	guest "new.$i" open r $dir/no/f
done
check they_hammer wait_for hammered $dir/stays $dir/moved
check they_have_started wait_for '\(paused\|policyctl\)' $dir/new.*
# On a machine that is busy itself it takes a while.
for i in 1 2 3 4 5; do
	[ "$(number no_storage)" = 0 ] || break
	guest "again.$i" hammer-tasks $seconds $dir/ok/f $dir/no/f
	wait_for paused "$dir/again.$i"
	echo >"$dir/go.again.$i"
	check "they_hammer_again_$i" wait_for hammered "$dir/again.$i"
done
# shellcheck disable=SC2086
check look_ups_ran kill $lookers
check look_ups_gave_up test "$(number no_storage)" -ge 1
judge stays
judge moved

# What was started meanwhile has a label: it is counted, and it is the guest wherever it lies.
echo "# $(cat $dir/new.* | grep -c '^paused') started, $(number tasks) tasks"
check whoever_was_started_is_counted test "$(number tasks)" = "$(number now)"
for i in $news; do
	pid=$(pid_of "new.$i")
	[ "$pid" ] || continue # refused, as a fork may be
	echo "$pid" >/sys/fs/cgroup/cgroup.procs
	echo >"$dir/go.new.$i"
done
wait
check whoever_was_started_is_confined test "$(cat $dir/new.* | grep -c '^open 0')" = 0
check all_are_gone test "$(number tasks)" = 0
check unload policyctl unload
finish
