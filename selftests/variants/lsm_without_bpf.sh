# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A kernel whose lsm= lacks bpf: programs would load, attach and never be called. Nothing may say
# "enforcing"; the remedy is the exact words for the kernel command line.
#
# cmdline: lsm=landlock,yama

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh

cat >/tmp/policy.toml <<'POLICY'
version = 1
[guest.g]
files = [ { path = "/usr", access = "rx" } ]
POLICY

words="lsm=$(cat /sys/kernel/security/lsm),bpf"
expect_status doctor_names_the_parameter 4 "$words" policyctl doctor
expect_status doctor_json_names_it 4 "$words" policyctl doctor --json
expect_status doctor_does_not_enforce 4 '"enforcing":false' policyctl doctor --json
expect_status load_names_the_parameter 4 "$words" policyctl load /tmp/policy.toml
expect_status run_fails 125 '' policyctl run g -- /usr/bin/true
expect_status check_works 0 '' policyctl check /tmp/policy.toml
expect_status status_is_not_loaded 0 '"loaded":false' policyctl status --json
check nothing_is_pinned test ! -e /sys/fs/bpf/policyctl
check no_cgroup_is_left test ! -e /sys/fs/cgroup/policyctl
finish
