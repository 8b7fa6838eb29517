# shellcheck shell=sh disable=SC2317,SC2329 # functions that are arguments
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# On a host whose init is systemd: units as members of a policy. What is asserted of cgroups is read
# from their files; of what a unit may do, from what it gets.
#
# root: systemd
# cmdline: policy.init=/usr/lib/systemd/systemd

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh
# shellcheck source=selftests/lib/units.sh
. /selftests/lib/units.sh

cgroup=/sys/fs/cgroup/system.slice/web.service
disk=$(cat /sys/block/vda/dev)

unit web.service 'ExecStart=/srv/bin/web
Restart=always
ExecStop=/usr/bin/touch /srv/web/stopped
TasksMax=77
MemoryMax=128M
CPUQuota=20%
IOWriteBandwidthMax=/dev/vda 10M'
ln -s web.service $units/www.service
printf '[Service]\nExecStart=/no\nType=nonsense\nExecStart=\n' >$units/bad.service
ln -s /dev/null $units/masked.service
systemctl daemon-reload

web='units = ["web.service"]'

# ceilings: of the files, on one line
ceilings() {
	(cd "$cgroup" && cat pids.max memory.max memory.oom.group cpu.max io.max | tr '\n' ' ') | sed 's/ $//'
}
# ceilings_are LINE [but_the_group]
ceilings_are() {
	ceilings_now=$(ceilings)
	[ -z "${2-}" ] || ceilings_now=$(echo "$ceilings_now" | sed 's/ [01] / 1 /')
	[ "$ceilings_now" = "${1% }" ] || {
		echo "$ceilings_now"
		return 1
	}
}
properties_are() {
	properties=$(systemctl show -p TasksMax -p MemoryMax -p CPUQuotaPerSecUSec \
		-p IOWriteBandwidthMax web.service | sort | tr '\n' ' ')
	[ "$properties" = "$1" ] || {
		echo "$properties"
		return 1
	}
}
own_files="77 134217728 0 20000 100000 $disk rbps=max wbps=10000000 riops=max wiops=max "
own_properties='CPUQuotaPerSecUSec=200ms IOWriteBandwidthMax=/dev/vda 10000000 MemoryMax=134217728 TasksMax=77 '
limits='pids = 20
memory = "64MiB"
cpu = 0.5
io = [{ device = "/dev/vda", riops = 5000 }]'
our_files="20 67108864 1 50000 100000 $disk rbps=max wbps=max riops=5000 wiops=max "

# ---- not there, and refused

policy "$web" ''
expect_status one_that_is_not_running 0 "warning[P0614]: unit 'web.service' is not running (inactive)" load
policy 'units = ["none.service"]' ''
expect_status one_that_nobody_knows 0 "systemd knows no unit 'none.service'" load
policy 'units = ["masked.service"]' ''
expect_status one_that_is_masked 0 "unit 'masked.service' is masked" load
policy 'units = ["bad.service"]' ''
expect_status one_that_cannot_be_loaded 0 "cannot load unit 'bad.service' (bad-setting)" load
policy 'units = ["init.scope"]' ''
expect_status that_of_systemd 3 "error[P0516]: cgroup '/init.scope' holds pid 1" load
policy 'units = ["selftests.service"]' ''
expect_status that_of_the_command 3 "holds this command" load
systemctl start web.service
policy 'units = ["web.service", "www.service"]' ''
expect_status one_by_two_names 3 "which is, lies in or lies above that of line" load
policy 'units = ["web.service"]
cgroups = ["/system.slice/web.service"]' ''
expect_status one_that_is_a_cgroup_too 3 "which is, lies in or lies above that of line" policyctl check $policy
policy "$web" ''
expect_status without_a_bus 3 "unit 'web.service': cannot reach systemd over the system bus" \
	env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no policyctl load $policy
expect_status check_says_it_too 3 'dbus.socket' \
	env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no policyctl check $policy
check check_offline_does_not_ask env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no policyctl check --offline $policy

# ---- in place

check nothing_is_confined_yet unconfined
check its_own_ceilings ceilings_are "$own_files"
pid=$(main_pid)
policy "$web" "$limits"
check load_adopts_it load
check it_is_confined confined
check it_is_the_same_process test "$(main_pid)" = "$pid"
check it_lies_where_it_was grep -qx 0::/system.slice/web.service "/proc/$pid/cgroup"
expect_status its_denials_are_told 0 "/srv/secret" policyctl events
check has_ceilings ceilings_are "$our_files"
check systemd_reloads systemctl daemon-reload
# But for memory.oom.group, which systemd may write anew by its OOMPolicy=.
check ceilings_outlive_it ceilings_are "$our_files" but_the_group
check load_once_more load
check the_group_is_checked_by_each_load ceilings_are "$our_files"
policy "$web" 'pids = 21
memory = "96MiB"
cpu = 1'
check load_again load
check they_change_and_what_is_not_set_is_its_own ceilings_are \
	"21 100663296 1 100000 100000 $disk rbps=max wbps=10000000 riops=max wiops=max "
policy "$web" ''
check load_without load
check what_is_not_set_is_as_it_was ceilings_are "1024 ${own_files#* }"
systemctl daemon-reload
check also_after_a_reload ceilings_are "1024 ${own_files#* }"

# ---- it leaves

policy "$web" "$limits"
load >/dev/null 2>&1
policy '' ''
expect_status it_has_tasks 1 "is no member of guest 'web' any more, and has tasks" load
check still_confined confined
check still_has_ceilings ceilings_are "$our_files"
check by_force policyctl load --force $policy
check files_as_they_were ceilings_are "$own_files"
check properties_as_they_were properties_are "$own_properties"
check who_runs_stays_the_guest confined
systemctl restart web.service
check who_comes_is_none unconfined
check comes_with_its_own_ceilings ceilings_are "$own_files"

# ---- it starts anew

policy "$web" "$limits"
load >/dev/null 2>&1
check adopted_once_more confined
systemctl restart web.service
check without_policyd_a_new_one_is_free unconfined
check but_it_has_what_systemd_keeps ceilings_are "$(echo "$our_files" | sed 's/ 1 / 0 /')"
check the_next_load_adopts_it load
check and_it_is_confined confined
check with_the_group ceilings_are "$our_files"
systemctl stop web.service
policy '' ''
check it_leaves_while_it_is_stopped load
check and_gets_its_own_back properties_are "$own_properties"

# ---- stop

# What ignores SIGTERM, in its own time.
printf '[Service]\nExecStart=/bin/sh -c "trap : TERM; echo >/srv/web/out; while :; do sleep 1; done"\nTimeoutStopSec=600\n' \
	>$units/stubborn.service
systemctl daemon-reload
systemctl start web.service stubborn.service
check stubborn_has_begun timeout 60 cat /srv/web/out
policy 'units = ["web.service", "none.service"]' ''
load 2>/dev/null >&2
rm -f /srv/web/stopped
check confined_before_stop confined
expect_status stop_without_a_bus 4 'cannot reach systemd' \
	env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no policyctl stop web
check it_runs_on confined
expect_status stop_in_place 0 "stopped: 'web'" policyctl stop web --timeout 300
check it_is_stopped test "$(systemctl show -p ActiveState -p Result --value web.service | tr '\n' ' ')" = 'success inactive '
check in_its_own_way test -e /srv/web/stopped
expect_status stop_of_what_is_stopped 0 "'web' had no tasks" policyctl stop web
policy 'units = ["stubborn.service"]' ''
load >/dev/null 2>&1
expect_status stop_of_a_stubborn_one 0 'SIGTERM was not enough' policyctl stop web --timeout 500ms
check it_is_gone test "$(systemctl show -p ActiveState -p MainPID --value stubborn.service | tr '\n' ' ')" = '0 failed '
systemctl start web.service
policy "$web" ''
load >/dev/null 2>&1
check started_again_it_can_be_adopted confined

# ---- unload

policy "$web" "$limits"
load >/dev/null 2>&1
check confined_before_unload confined
check unloads policyctl unload --force
check free_after_it unconfined
check files_after_it ceilings_are "$own_files"
check properties_after_it properties_are "$own_properties"
finish
