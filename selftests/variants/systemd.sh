# shellcheck shell=sh disable=SC2317,SC2329 # functions that are arguments
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# On a host whose init is systemd, with a user's session: ceilings by transient scopes, as root and
# as that user. What is asserted of cgroups is read from their files, not from systemd.
#
# root: systemd
# cmdline: policy.init=/usr/lib/systemd/systemd

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh

cgroups=/sys/fs/cgroup

as_root() { "$@"; }
as_user() {
	setpriv --reuid 1000 --regid 1000 --init-groups env -i PATH="$PATH" HOME=/home/user \
		XDG_RUNTIME_DIR=/run/user/1000 "$@"
}
systemctl_as_root() { systemctl "$@"; }
systemctl_as_user() { as_user systemctl --user "$@"; }

# the_files: what a guest reads of its own cgroup, on one line
the_files=$(
	cat <<-'SH'
		cd /sys/fs/cgroup$(cut -d: -f3- /proc/self/cgroup) && echo $(basename $PWD) $(cat memory.max \
			memory.swap.max memory.oom.group pids.max cpu.max)
	SH
)
scope_of() { sed 's,.*/,,' "/proc/$1/cgroup" 2>/dev/null; }
# Its directory goes with its last process.
scope_is_gone() { [ ! -e "$scope" ]; }
lies_in() { [ "$(scope_of "$1")" = "$2" ]; }

check user_session_starts systemctl start user@1000.service
check user_session_has_a_bus within test -S /run/user/1000/bus

dir=/srv/policies
mkdir -p $dir
# policy NAME LIMITS: of a guest vm
policy() {
	printf 'version = 1\n[guest.vm]\n[guest.vm.limits]\n%s\n' "$2" >"$dir/$1.toml"
}
policy vm 'vm_memory = "128MiB"
swap = 0
pids = 64
cpu = 0.5'
policy more 'vm_memory = "256MiB"
swap = 0
pids = 65
cpu = 1'
policy two_gib 'vm_memory = "2GiB"'
policy small 'memory = "64MiB"
swap = 0'
policy one 'pids = 1'
policy two 'pids = 2'
policy three 'pids = 3'
# A page less than 8 EiB is no ceiling any more to the kernel, which reads it back as "max".
policy too_high 'memory = "9007199254740988KiB"
best_effort = true'
policy lifted 'memory = "max"
swap = "max"
cpu = "max"'
policy descriptors 'fds = 20'

vm_files='policyctl-vm.scope 805306368 0 1 64 50000 100000'
more_files='policyctl-vm.scope 1073741824 0 1 65 100000 100000'

# only WHO VERB POLICY ARGUMENT...: with --ceilings-only
only() {
	only_who=$1 only_verb=$2 only_policy=$3
	shift 3
	"$only_who" policyctl "$only_verb" --ceilings-only --policy "$dir/$only_policy.toml" "$@"
}

# start_sleeper WHO: in $sleeper, a shell with a child that both sleep
start_sleeper() {
	"$1" sh -c 'sleep 1000 & echo $$ >/tmp/sleeper; exec sleep 1001' &
	# shellcheck disable=SC2016
	within sh -c 'grep -q "^sleep" /proc/$(cat /tmp/sleeper)/comm && pgrep -P $(cat /tmp/sleeper) >/dev/null' 2>/dev/null
	sleeper=$(cat /tmp/sleeper)
	rm -f /tmp/sleeper
	child=$(pgrep -P "$sleeper")
}
end_sleeper() {
	kill "$sleeper" "$child" 2>/dev/null
	wait 2>/dev/null
}

for who in as_root as_user; do
	name=${who#as_}
	case $who in
	as_root) scope=$cgroups/system.slice/policyctl-vm.scope ;;
	*) scope=$cgroups/user.slice/user-1000.slice/user@1000.service/app.slice/policyctl-vm.scope ;;
	esac
	check "${name}_run_has_its_ceilings_at_its_first_instruction" \
		test "$(only $who run vm vm -- sh -c "$the_files" 2>/dev/null)" = "$vm_files"
	within scope_is_gone
	check "${name}_two_gib_to_the_byte" test "$(only $who run two_gib vm -- sh -c "$the_files" 2>/dev/null)" = \
		'policyctl-vm.scope 4831838208 max 1 1024 max 100000'
	within scope_is_gone
	check "${name}_max_lifts" test "$(only $who run lifted vm -- sh -c "$the_files" 2>/dev/null)" = \
		'policyctl-vm.scope max max 1 1024 max 100000'
	within scope_is_gone
	expect_status "${name}_says_files_not_confined" 7 'files not confined' \
		only $who run vm vm -- sh -c 'exit 7'
	within scope_is_gone
	expect_status "${name}_run_says_what_does_not_hold" 0 'not set, as best_effort has it: memory.max' \
		only $who run too_high vm -- true
	within scope_is_gone
	expect_status "${name}_run_passes_a_signal_on" 143 '' only $who run vm vm -- sh -c 'kill $$'
	within scope_is_gone
	expect_status "${name}_command_not_found" 127 'not found' only $who run vm vm -- /no/such
	expect_status "${name}_run_of_no_such_guest" 125 "no guest 'other'" only $who run vm other -- true

	start_sleeper $who
	expect_status "${name}_attach_takes_a_tree" 0 "$sleeper: 2 processes adopted by 'vm'" \
		only $who attach vm vm "$sleeper"
	check "${name}_attached_is_itself" grep -qx sleep "/proc/$sleeper/comm"
	check "${name}_attached_lies_in_the_scope" lies_in "$sleeper" policyctl-vm.scope
	check "${name}_its_child_too" lies_in "$child" policyctl-vm.scope
	home=$cgroups$(cut -d: -f3- "/proc/$sleeper/cgroup")
	expect_status "${name}_attached_again_it_is_counted_once" 0 '' only $who attach three vm "$sleeper"
	check "${name}_what_is_not_set_any_more_is_lifted" test \
		"$(cat "$home/memory.max" "$home/memory.swap.max" "$home/cpu.max" "$home/pids.max" | tr '\n' ' ')" = \
		'max max max 100000 3 '
	check "${name}_run_joins" test "$(only $who run more vm -- sh -c "$the_files" 2>/dev/null)" = "$more_files"
	check "${name}_joining_left_the_others" lies_in "$sleeper" policyctl-vm.scope
	check "${name}_reload_of_systemd" "systemctl_$who" daemon-reload
	check "${name}_ceilings_outlive_it" test "$(cat "$home/memory.max" "$home/pids.max" "$home/cpu.max" | tr '\n' ' ')" = \
		'1073741824 65 100000 100000 '
	end_sleeper
	check "${name}_scope_goes_with_its_last_process" within test ! -e "$home"

	start_sleeper $who
	# Two processes are two tasks; a third has no room. Nobody is moved.
	was=$(scope_of "$sleeper")
	expect_status "${name}_attach_of_more_than_its_tasks" 1 'may have 1 tasks' \
		only $who attach one vm "$sleeper"
	check "${name}_nobody_was_moved" lies_in "$sleeper" "$was"
	expect_status "${name}_attach_caps_descriptors" 0 'limits.fds caps the descriptors of each process' \
		only $who attach descriptors vm "$sleeper"
	check "${name}_descriptors_are_capped" grep -q '^Max open files *23 *23 ' "/proc/$sleeper/limits"
	end_sleeper
	within scope_is_gone

	# With one task there is room for the shell, not for the command that it waits for.
	expect_status "${name}_attach_leaves_itself_out" 0 ': 1 process adopted by' $who \
		sh -c "policyctl attach --ceilings-only --policy $dir/one.toml vm \$\$; exit \$?"
	within scope_is_gone
	start_sleeper $who
	expect_status "${name}_attach_says_what_does_not_hold" 0 'not set, as best_effort has it: memory.max' \
		only $who attach too_high vm "$sleeper"
	end_sleeper
	within scope_is_gone

	expect_status "${name}_forks_end_at_the_ceiling" 2 'Cannot fork' \
		only $who run two vm -- sh -c 'sleep 5 & sleep 5 & exit 0'
	within scope_is_gone
	expect_status "${name}_eater_control" 0 '' $who sh -c 'head -c 100M /dev/zero | tail -n 1 >/dev/null'
	expect_status "${name}_eater_is_killed_with_its_guest" 137 '' only $who run small vm -- \
		sh -c 'head -c 100M /dev/zero | tail -n 1 >/dev/null; echo survived'
	check "${name}_no_scope_is_left_failed" test "$("systemctl_$who" show -p LoadState --value policyctl-vm.scope)" = not-found
done

policy disk 'io = [{ device = "/dev/vda", wbps = "50MiB", riops = 5000 }]'
# shellcheck disable=SC2016
expect_status io_by_device 0 "$(cat /sys/block/vda/dev) rbps=max wbps=52428800 riops=5000 wiops=max" \
	only as_root run disk vm -- sh -c 'cat /sys/fs/cgroup$(cut -d: -f3- /proc/self/cgroup)/io.max'
scope=$cgroups/system.slice/policyctl-vm.scope
within scope_is_gone
start_sleeper as_root
expect_status io_attach 0 '' only as_root attach disk vm "$sleeper"
check io_attached grep -q 'wbps=52428800' $scope/io.max
expect_status io_attach_without 0 '' only as_root attach three vm "$sleeper"
check io_that_is_not_set_any_more_is_lifted test -z "$(cat $scope/io.max)"
end_sleeper
within scope_is_gone

# A child that was forked between its parent's move and its cap is in by birth, and uncapped.
# shellcheck disable=SC2016
sh -c 'echo $$ >/tmp/forker; for i in $(seq 200); do sleep 1000 & done; wait' &
within test -s /tmp/forker
expect_status forker_is_attached 0 'adopted by' only as_root attach descriptors vm "$(cat /tmp/forker)"
none_is_uncapped() {
	while read -r pid; do
		! grep -q '^Max open files *[0-9]\{3\}' "/proc/$pid/limits" || return 1
	done <"$scope/cgroup.procs"
}
check children_forked_meanwhile_are_capped none_is_uncapped
systemctl stop policyctl-vm.scope
wait 2>/dev/null
within scope_is_gone

expect_status io_is_not_delegated 125 "no controller 'io'" only as_user run disk vm -- true
policy no_disk 'io = [{ device = "/dev/null", wbps = "50MiB" }]'
expect_status io_of_no_disk 125 'is no block device' only as_root run no_disk vm -- true

expect_status user_without_a_bus_run 125 'loginctl enable-linger' \
	setpriv --reuid 1000 --regid 1000 --clear-groups env -i PATH="$PATH" \
	policyctl run --ceilings-only --policy $dir/vm.toml vm -- true
expect_status user_without_a_bus_attach 4 'cannot reach systemd over the user bus' \
	setpriv --reuid 1000 --regid 1000 --clear-groups env -i PATH="$PATH" \
	policyctl attach --ceilings-only --policy $dir/vm.toml vm $$
systemd-run --quiet --scope --unit=policyctl-vm.scope sleep 1000 &
scope=$cgroups/system.slice/policyctl-vm.scope
within test -e $scope
expect_status name_taken 125 'is not a scope of policyctl' only as_root run vm vm -- true
systemctl stop policyctl-vm.scope
wait
expect_status attach_of_pid_1 1 'it is pid 1' only as_root attach vm vm 1
expect_status attach_of_nobody 1 'no process' only as_root attach vm vm 4194304
expect_status user_attaches_nobody_elses 1 'cannot' only as_user attach vm vm $$
check nobody_elses_stays lies_in $$ selftests.service

# A session without the controller cpu, as Debian's had before 12.
mkdir -p /run/systemd/system/user@.service.d
printf '[Service]\nDelegate=\nDelegate=pids memory\n' >/run/systemd/system/user@.service.d/less.conf
systemctl stop user@1000.service
systemctl daemon-reload
systemctl start user@1000.service
within test -S /run/user/1000/bus
start_sleeper as_user
was=$(scope_of "$sleeper")
expect_status undelegated_is_an_error 4 "no controller 'cpu'" only as_user attach vm vm "$sleeper"
check undelegated_moved_nobody lies_in "$sleeper" "$was"
expect_status undelegated_run 125 'Delegate=pids memory cpu io' only as_user run vm vm -- true
policy effort 'memory = "64MiB"
cpu = 0.5
best_effort = true'
expect_status best_effort_says_what_lacks 0 'not set, as best_effort has it: cpu.max' \
	only as_user attach effort vm "$sleeper"
check best_effort_holds_the_rest grep -qx 67108864 "$cgroups$(cut -d: -f3- "/proc/$sleeper/cgroup")/memory.max"
end_sleeper
finish
