# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What enforcement rests on, taken away one by one: load and doctor exit with 4 and name the fix,
# nothing is left behind; and with all of it back, the same load works.

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh

cat >/tmp/policy.toml <<'POLICY'
version = 1
[guest.g]
files = [ { path = "/usr", access = "rx" }, { path = "/etc", access = "ro" } ]
POLICY

# lacks NAME FIX: both commands refuse, and say FIX.
lacks() {
	expect_status "$1_load" 4 "$2" policyctl load /tmp/policy.toml
	expect_status "$1_doctor" 4 "$2" policyctl doctor
	expect_status "$1_doctor_json" 4 '"enforcing":false' policyctl doctor --json
	check "$1_leaves_no_cgroup" test ! -e /sys/fs/cgroup/policyctl
}

restrict=/proc/sys/kernel/kptr_restrict
was=$(cat $restrict)
echo 2 >$restrict
lacks kptr_restrict kernel.kptr_restrict
echo "$was" >$restrict

mount -t tmpfs none /sys/kernel/btf
lacks btf CONFIG_DEBUG_INFO_BTF
umount /sys/kernel/btf

umount -l /sys/fs/cgroup
lacks cgroup2 'mount -t cgroup2'
mount -t cgroup2 cgroup2 /sys/fs/cgroup

umount -l /sys/fs/bpf
lacks bpffs 'mount -t bpf'
mount -t bpf bpf /sys/fs/bpf

umount -l /sys/kernel/security
lacks securityfs 'mount -t securityfs'
mount -t securityfs securityfs /sys/kernel/security

# No systemd in this VM.
for verb in "run --ceilings-only --policy /tmp/policy.toml g -- /usr/bin/true:125" \
	"attach --ceilings-only --policy /tmp/policy.toml g $$:4"; do
	# shellcheck disable=SC2086
	expect_status "systemd_${verb%% *}" "${verb##*:}" dbus.socket policyctl ${verb%:*}
done

expect_status control_doctor 0 '"enforcing":true' policyctl doctor --json
check control_load policyctl load /tmp/policy.toml
check control_run policyctl run g -- /usr/bin/true
expect_status control_refuses 1 'Permission denied' policyctl run g -- /usr/bin/cat /tmp/policy.toml
check control_unload policyctl unload
finish
