# shellcheck shell=sh disable=SC2317,SC2329 # functions that are arguments
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# With policyd, by its unit: a unit of the policy that is started anew is the guest again.
#
# root: systemd
# cmdline: policy.init=/usr/lib/systemd/systemd

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh
# shellcheck source=selftests/lib/units.sh
. /selftests/lib/units.sh

cgroup=/sys/fs/cgroup/system.slice/web.service
sed 's|@sbindir@|/usr/sbin|' /selftests/policyd.service.in >/etc/systemd/system/policyd.service
unit web.service 'ExecStart=/srv/bin/web
Restart=always
TasksMax=77
MemoryMax=128M'
ln -s web.service $units/www.service
unit late.service 'ExecStart=/bin/sleep 1000'
systemctl daemon-reload

files_are() { [ "$(cd "$cgroup" && cat pids.max memory.max memory.oom.group | tr '\n' ' ')" = "$1 " ]; }
is_another_than() {
	now=$(main_pid)
	[ "$now" != 0 ] && [ "$now" != "$1" ]
}
journal_has() { journalctl -u policyd -o cat | grep -q "$1"; }
# Some more than limits.fds: policy.toml(5).
has_descriptors() { grep -qE "^Max open files +6[0-9] " "/proc/$(main_pid)/limits"; }
# Of each invocation once: what is the guest's is known to be.
adoptions_are() { [ "$(journalctl -u policyd -o cat | grep -c '^policyd: unit .* adopted')" = "$1" ]; }
tasks_are() { policyctl status --json | grep -q "\"tasks\":$1,"; }

policy 'units = ["web.service", "late.service"]' 'pids = 20
memory = "64MiB"
fds = 50'
systemctl start web.service
load >/dev/null 2>&1
check loaded confined
systemctl restart web.service
check control_without_policyd unconfined
check policyd_starts systemctl start policyd.service
check what_it_has_missed_it_adopts within confined
check it_says_so within journal_has "unit 'web.service' adopted: it was started after the load"
check its_denials_name_its_cgroup within journal_has '"errno":"EACCES".*"cgroup":"/system.slice/web.service"'
systemctl restart web.service
check restarted_it_is_confined_again within confined
check restarted_has_the_ceilings within files_are '20 67108864 1'
check restarted_has_the_limit_of_descriptors within has_descriptors
pid=$(main_pid)
kill -9 "$pid"
check killed_it_is_started_again within is_another_than "$pid"
check killed_it_is_confined_again within confined
systemctl stop web.service
systemctl start web.service
check stopped_and_started_it_is_confined within confined
systemctl daemon-reload
check reloaded_it_has_the_ceilings within files_are '20 67108864 1'
systemctl start late.service
check one_that_was_not_there_is_adopted within tasks_are 2
systemctl stop late.service
policy 'units = ["www.service"]' ''
check another_policy load
systemctl restart web.service
check by_another_name_too within confined
check each_is_adopted_once within adoptions_are 6
check policyd_runs_on systemctl is-active policyd.service
check unload policyctl unload --force
systemctl restart web.service
check unloaded_nobody_is_adopted unconfined
check unloaded_it_has_its_own_ceilings files_are '77 134217728 0'
finish
