# shellcheck shell=sh disable=SC2317,SC2329 # functions that are arguments
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# policyd by its unit, with all its hardening, on a host whose init is systemd: it is ready, finds the
# engine that comes later, reads it whole, is started again when it is killed, and ends when told to.
# And policyd-forward by its own.
#
# root: systemd
# cmdline: policy.init=/usr/lib/systemd/systemd

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh

units=/etc/systemd/system
for unit in policyd policyctl-load; do
	sed 's|@sbindir@|/usr/sbin|; s|@bindir@|/usr/bin|' /selftests/$unit.service.in >$units/$unit.service
done
cp /selftests/policyctl-load.path $units/
sed 's|@bindir@|/usr/bin|' /selftests/policyd-forward@.service.in >$units/policyd-forward@.service
mkdir -p /srv/web /srv/no /etc/policyctl
echo no >/srv/no/first
echo no >/srv/no/second
cat >/etc/policyctl/policy.toml <<'TOML'
version = 1
[guest.web]
files = [
	{ path = "/usr", access = "rx" },
	{ path = "/etc", access = "ro" },
	{ path = "/dev/null", access = "rw" },
	{ path = "/srv/web", access = "rw" },
]
TOML

journal_has() { journalctl -u policyd -o cat | grep -q "$1"; }
status_is() { systemctl show -p StatusText --value policyd | grep -q "$1"; }
main_pid() { systemctl show -p MainPID --value policyd; }
is_another() { [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ]; }

generation_is() { policyctl status --json | grep -q "\"generation\":$1,"; }
loader_is() { [ "$(systemctl show -p ActiveState --value policyctl-load)" = "$1" ]; }
load_id() { systemctl show -p InvocationID --value policyctl-load; }
is_new_load() { [ "$(load_id)" != "$1" ]; }
# systemd watches the file again: not while the loader runs.
watches() { [ "$(systemctl show -p SubState --value policyctl-load.path)" = waiting ]; }
# put TEXT: the policy with TEXT behind it, in place of the one before, as an editor does.
put() {
	{ cat /srv/policy.toml && echo "$1"; } >/etc/policyctl/new
	mv /etc/policyctl/new /etc/policyctl/policy.toml
}

check units_are_clean systemd-analyze verify --man=no $units/policyd.service $units/policyctl-load.service \
	$units/policyctl-load.path
check starts_without_a_policy systemctl start policyd
check says_that_it_waits within status_is 'waiting for one'
cp /etc/policyctl/policy.toml /srv/policy.toml
check loads_the_policy systemctl start policyctl-load.service
check watches_the_policy systemctl start policyctl-load.path
check is_watching within watches
check finds_the_engine within status_is 'Reading the events'
expect_status refused 1 '' policyctl run web -- cat /srv/no/first
check writes_to_the_journal within journal_has '"path":"/srv/no/first"'
# What only a process with the host's view can say: the rule's policy, the cgroup's path, the parent.
check names_the_cgroup journal_has '"cgroup":"/policyctl/web"'
check names_the_guest journal_has '"name":"web"'
check serves_root test -S /run/policyd/policyd.sock
check reloads systemctl reload policyd
pid=$(main_pid)
kill -9 "$pid"
expect_status refused_without_it 1 '' policyctl run web -- cat /srv/no/second
check is_started_again within is_another "$pid"
check delivers_what_came_meanwhile within journal_has '"path":"/srv/no/second"'
expect_status a_second_one_is_busy 5 'another policyd serves' policyd
check first_generation generation_is 1
put '[guest.other]'
check a_change_is_loaded within generation_is 2
check watches_after_it within watches
check is_idle_after_it loader_is inactive
# More in 10 s than systemd's default limit.
for i in 1 2 3 4 5 6 7; do
	id=$(load_id)
	put "nonsense $i"
	check "broken_${i}_is_loaded" within is_new_load "$id"
	check "broken_${i}_fails" within loader_is failed
	check "watches_after_broken_$i" within watches
done
check the_one_before_stays generation_is 2
put '[guest.third]'
check and_a_whole_one_is_loaded_again within generation_is 3
# dropin LINES: of [Service], and started with them
dropin() {
	mkdir -p "$units/policyd.service.d"
	printf '[Service]\n%s\n' "$1" >"$units/policyd.service.d/test.conf"
	systemctl daemon-reload && systemctl restart policyd
}
# Metrics by TCP, with what metrics.rst says the unit needs for it: its hardening hides nothing of them.
scrape() {
	bash -c 'exec 3<>/dev/tcp/127.0.0.1/9812 && printf "GET /metrics HTTP/1.0\r\n\r\n" >&3 && cat <&3'
}
metrics_have() { scrape | grep -qF "$1"; }
check restarts_with_metrics dropin 'ExecStart=
ExecStart=/usr/sbin/policyd --metrics 127.0.0.1:9812
RestrictAddressFamilies=AF_INET
IPAddressAllow=127.0.0.1'
check metrics_know_the_engine within metrics_have 'policyctl_up 1'
check metrics_know_the_guest metrics_have 'policyctl_guest_denials_total{guest="web"} 2'
check metrics_know_its_memory metrics_have 'policyctl_guest_memory_bytes{guest="web"}'
check metrics_know_the_programs metrics_have 'policyctl_program_skipped_runs_total{program="pol_file_open"} 0'
check metrics_know_the_ring metrics_have 'policyd_ring_size_bytes{ring="0"} 16777216'
# Its /dev is not the host's, so it cannot know.
check metrics_say_nothing_of_stale_rules test "$(scrape | grep -c stale_rules)" = 0
entry_has() { journalctl -t policyd POLICYD_TYPE=violation "POLICYD_PATH=$1" -o json | grep -qF "$2"; }
echo no >'/srv/no/third
line'
check starts_on_the_journal dropin 'ExecStart=
ExecStart=/usr/sbin/policyd --journal'
expect_status refused_to_the_journal 1 '' policyctl run web -- cat '/srv/no/third
line'
check is_an_entry_with_fields within entry_has '/srv/no/third
line' '"POLICYD_GUEST":"web"'
check has_the_message_id entry_has '/srv/no/third
line' '"MESSAGE_ID":"2e570ece47ed44a29891b9603cbe425f"'
check may_not_use_the_network dropin 'ExecStart=
ExecStart=/usr/sbin/policyd --syslog tcp:127.0.0.1:6514'
check says_that_it_may_not within journal_has 'Address family not supported by protocol, waiting'
check may_use_it_by_a_dropin dropin 'ExecStart=
ExecStart=/usr/sbin/policyd --syslog tcp:127.0.0.1:6514
RestrictAddressFamilies=AF_INET
IPAddressAllow=127.0.0.1'
check asks_the_receiver within journal_has 'Connection refused, waiting'
# A forwarder whose receiver is not there: it is nobody, subscribes by its group, and waits.
forwarder_says() { journalctl -u policyd-forward@t -o cat | grep -q "$1"; }
forwarder_has() { grep -q "$1" "/proc/$(systemctl show -p MainPID --value policyd-forward@t)/status"; }
some_wait() { systemctl show -p StatusText --value policyd-forward@t | grep -q '^0 lines delivered, [1-9]'; }
echo policyd:x:990: >>/etc/group
echo 'OPTIONS=--kafka 127.0.0.1:1 --topic t' >/etc/policyctl/forward-t.conf
check serves_a_group dropin 'ExecStart=
ExecStart=/usr/sbin/policyd --group policyd'
check forwarder_starts systemctl start policyd-forward@t
expect_status refused_to_the_forwarder 1 '' policyctl run web -- cat /srv/no/first
check forwarder_subscribes within some_wait
check forwarder_waits within forwarder_says 'the receiver takes no more events: .*, waiting'
check forwarder_is_not_root forwarder_has '^Uid:.[1-9]'
check forwarder_has_no_capability forwarder_has '^CapBnd:.0*$'
check forwarder_stops systemctl stop policyd-forward@t
check forwarder_ended_well test "$(systemctl show -p Result --value policyd-forward@t)" = success
check forwarder_says_what_waits forwarder_says 'lines wait that the receiver has not acknowledged'
rm "$units/policyd.service.d/test.conf"
check goes_back_to_its_unit systemctl daemon-reload
check as_it_was systemctl restart policyd
check stops systemctl stop policyd
check ended_well test "$(systemctl show -p Result --value policyd)" = success
expect_status the_ring_is_free 0 '' policyctl events
expect_status unload 0 '' policyctl unload --force
finish
