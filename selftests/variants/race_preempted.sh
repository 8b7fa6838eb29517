# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The races of race_test for what is forbidden, where a walk can be preempted at any instruction.
#
# cmdline: preempt=full

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh

mount -t debugfs none /sys/kernel/debug
expect_status fully_preemptible 0 '(full)' cat /sys/kernel/debug/sched/preempt
for t in forbidden_moved_within_the_forbidden forbidden_while_the_allowed_move; do
	check $t /selftests/race_test $t
done
check unload policyctl unload
finish
