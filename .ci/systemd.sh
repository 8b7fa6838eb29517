#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A root whose init is systemd, with a system bus, logind and user sessions:
# $POL_CACHE/systemd/CODENAME.ext4. See image.sh. It boots into selftests.target, whose one service
# is /init with the job of the kernel's command line.
set -euo pipefail

PACKAGES=(usr-is-merged base-files base-passwd dash bash coreutils findutils grep sed mawk diffutils
	libc-bin mount util-linux procps systemd systemd-sysv dbus dbus-user-session libpam-systemd libpam-modules)
LEFT_OUT=(./usr/share/{doc,man,info,locale,lintian,perl,perl5,zoneinfo} ./usr/lib/x86_64-linux-gnu/perl)
# What has nothing to do in a VM that lives for a minute.
MASKED=(systemd-{udevd,udev-trigger,udev-settle,hwdb-update,update-done,random-seed,sysusers}.service
	systemd-{machine-id-commit,firstboot,timesyncd,networkd,resolved,journal-flush}.service
	systemd-{journal-catalog-update,update-utmp,update-utmp-runlevel,pstore,modules-load}.service
	systemd-udevd-{control,kernel}.socket ldconfig.service remote-fs.target swap.target
	modprobe@.service sys-{fs-fuse-connections,kernel-config,kernel-debug}.mount dev-hugepages.mount
	e2scrub_reap.service e2scrub_all.timer systemd-tmpfiles-clean.timer)

configure() {
	local etc=$1/etc unit
	ln -s mawk "$1/usr/bin/awk"
	# Else by adduser and sysusers, in the packages' scripts.
	printf '%s\n' user:x:1000:1000::/home/user:/bin/sh messagebus:x:100:100::/nonexistent:/bin/false \
		systemd-network:x:101:101::/:/bin/false >>"$etc/passwd"
	printf '%s:x:%s:\n' user 1000 messagebus 100 systemd-network 101 systemd-journal 102 >>"$etc/group"
	printf 'user:*:19000:0:99999:7:::\n' >>"$etc/shadow"
	mkdir -p "$1/home/user"
	# Known from the start: a first boot would look at every preset.
	printf '0123456789abcdef0123456789abcdef\n' >"$etc/machine-id"
	# Else by pam-auth-update.
	printf '%s\n' 'account required pam_permit.so' 'session required pam_permit.so' \
		'session optional pam_systemd.so' >"$etc/pam.d/systemd-user"
	printf '%s required pam_deny.so\n' auth account password session >"$etc/pam.d/other"
	for unit in "${MASKED[@]}"; do
		ln -s /dev/null "$etc/systemd/system/$unit"
	done
	cat >"$etc/systemd/system/selftests.target" <<-'UNIT'
		[Unit]
		Requires=basic.target selftests.service
		After=basic.target
		AllowIsolate=yes
	UNIT
	cat >"$etc/systemd/system/selftests.service" <<-'UNIT'
		[Unit]
		Requires=dbus.socket systemd-logind.service
		After=basic.target dbus.socket systemd-logind.service
		[Service]
		ExecStart=/init
		OOMPolicy=continue
	UNIT
	ln -sf selftests.target "$etc/systemd/system/default.target"
}

# shellcheck source=.ci/image.sh
. "$(dirname "$0")/image.sh"
image "$@"
