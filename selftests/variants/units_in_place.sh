# shellcheck shell=sh disable=SC2317,SC2329 # functions that are arguments
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Units that make themselves the guest: ExecStart=policyctl run GUEST --in-place -- CMD.
#
# root: systemd
# cmdline: policy.init=/usr/lib/systemd/systemd

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh
# shellcheck source=selftests/lib/units.sh
. /selftests/lib/units.sh

cgroup=/sys/fs/cgroup/system.slice/web.service
in_place='/usr/bin/policyctl run web --in-place'
chmod 0666 /srv/web/in /srv/web/out
chmod 0777 /srv/web

# Its first instruction of its own, then what it is.
cat >/srv/bin/first <<'SH'
#!/bin/sh
if true 2>/dev/null </srv/secret; then echo yes; else echo no; fi >/srv/web/first
exec /srv/bin/web
SH
printf '#!/bin/sh\n' >/srv/outside
chmod +x /srv/bin/first /srv/outside

# service COMMAND [LINES]
service() {
	unit web.service "ExecStart=$1
Restart=always
${2-}"
	systemctl daemon-reload
}
# Asked only once it is there: what was answered before is another one's.
start_anew() {
	rm -f /srv/web/first
	systemctl restart web.service
	within test -s /srv/web/first
}
first_is() { grep -qx "$1" /srv/web/first; }
# status_is NUMBER: with which the unit's program has ended
status_is() { [ "$(systemctl show -p ExecMainStatus --value web.service)" = "$1" ]; }
is_another_than() {
	now=$(main_pid)
	[ "$now" != 0 ] && [ "$now" != "$1" ] && [ -s /srv/web/first ]
}

web='units = ["web.service"]'
service /srv/bin/first
start_anew
check control_it_reads_the_secret first_is yes
systemctl stop web.service

# ---- confined before its first instruction

service "$in_place -- /srv/bin/first"
policy "$web" 'pids = 1
memory = "64MiB"'
load >/dev/null 2>&1
start_anew
check first_instruction first_is no
check confined confined
pid=$(main_pid)
check it_is_the_main_process test "$(cat "$cgroup/cgroup.procs")" = "$pid"
check it_has_become_the_program grep -qx web "/proc/$pid/comm"
check it_has_no_child test -z "$(pgrep -P "$pid")"
check ceilings test "$(cd "$cgroup" && cat pids.max memory.max memory.oom.group | tr '\n' ' ')" = '1 67108864 1 '
start_anew
check restarted_first_instruction first_is no
check restarted_confined confined
check restarted_group grep -qx 1 $cgroup/memory.oom.group
pid=$(main_pid)
rm -f /srv/web/first
kill -9 "$pid"
check killed_it_is_started_again within is_another_than "$pid"
check killed_first_instruction first_is no
check killed_confined confined

# ---- what it brings along

service "/bin/sh -c 'exec 9</srv/secret; exec $in_place -- /srv/bin/first'"
start_anew
# shellcheck disable=SC2010
check descriptors_are_closed sh -c "! ls -l /proc/$(main_pid)/fd | grep secret"
check descriptors_confined confined
service "/bin/sh -c 'exec 9</srv/web/good; exec $in_place --keep-fd 9 -- /srv/bin/first'"
start_anew
# shellcheck disable=SC2010
check descriptors_are_kept sh -c "ls -l /proc/$(main_pid)/fd | grep good"
cat >/srv/bin/shadowed <<'SH'
#!/bin/sh
read -r line <&9
echo "$line" >/srv/web/shadowed
exec /srv/bin/first
SH
chmod +x /srv/bin/shadowed
printf '[guest.web.shadow]\npaths = ["/srv/secret"]\n' >>$policy
load >/dev/null 2>&1
service "$in_place --shadow /srv/secret=9 -- /srv/bin/shadowed"
start_anew
check shadow_is_read grep -qx secret /srv/web/shadowed
check shadow_confined confined
check shadow_is_listed sh -c "policyctl status -v | grep -qx 'shadow web: /srv/secret, 7 bytes'"
service "$in_place --user user --no-new-privs -- /srv/bin/first"
start_anew
pid=$(main_pid)
check user test "$(stat -c %u "/proc/$pid")" = 1000
check no_new_privs grep -qx 'NoNewPrivs:.1' "/proc/$pid/status"
check user_confined confined

# ---- stop, and start again

expect_status stop 0 "stopped: 'web'" policyctl stop web --timeout 300
check stopped test "$(systemctl show -p ActiveState --value web.service)" = inactive
start_anew
check after_stop first_is no
systemctl stop web.service

# ---- refused: the program is not started

service "$in_place -- /srv/outside" 'Restart=no'
systemctl start web.service
check what_no_rule_allows within status_is 126
service "$in_place -- /no/such" 'Restart=no'
systemctl start web.service
check what_is_not_there within status_is 127
expect_status elsewhere 125 "is no member of guest 'web'" policyctl run web --in-place -- /usr/bin/true
expect_status no_such_guest 125 "no guest 'other'" policyctl run other --in-place -- /usr/bin/true
expect_status with_ceilings_only 125 'not with --ceilings-only' \
	policyctl run web --ceilings-only --policy $policy --in-place -- /usr/bin/true
expect_status without_a_bus 125 'cannot reach systemd' \
	env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/no policyctl run web --in-place -- /usr/bin/true
sed -i 's/^\[guest.web\]/&\ntmp = "private"/' $policy
load >/dev/null 2>&1
expect_status private_tmp 125 'PrivateTmp=yes' policyctl run web --in-place -- /usr/bin/true
check unload policyctl unload
rm -f /srv/web/first
service "$in_place -- /srv/bin/first" 'Restart=no'
systemctl start web.service
check nothing_loaded within status_is 125
check it_did_not_run test ! -e /srv/web/first
finish
