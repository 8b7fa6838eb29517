# shellcheck shell=sh disable=SC2317,SC2329 # same() calls fresh_machine
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A virtual machine under policies/qemu.toml: a real QEMU, and in it a payload of ours that reads and
# writes its disk (selftests/software/boot.S) - the same confined and not.
#
# root: software

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh
# shellcheck source=selftests/lib/confined.sh
. /selftests/lib/confined.sh

disk=/srv/vm/disk.img
machine='-M pc -accel tcg -m 32 -nodefaults -display none -serial stdio'

fresh_machine() {
	mkdir -p /srv/vm
	rm -rf /srv/vm/*
	{
		cat /selftests/software/boot.bin
		echo 'of the disk' | dd bs=512 conv=sync
		head -c 1047552 /dev/zero
	} >$disk 2>/dev/null
	cd / || exit 1
}

sector() { dd if=$disk bs=512 skip="$1" count=1 2>/dev/null | tr -d '\0'; }

fresh_machine
policy qemu
# It asks at its start, and goes on without.
intended='io_uring EPERM by EPERM'
# shellcheck disable=SC2086
same machine vm 0 qemu-system-x86_64 $machine -drive file=$disk,format=raw
check machine_said_all test "$(tail -n 3 "$out/machine")" = 'payload: read: of the disk
payload: wrote: by the payload
status 0'
check machine_has_written test "$(sector 2)" = 'by the payload'
check machine_was_the_guest test "$(policyctl status --json |
	sed -n 's/.*"name":"vm".*"fds":{"now":0,"peak":\([0-9]*\).*/\1/p')" -gt 0

# shellcheck disable=SC2086
never machine_has_no_other_disk vm 'open /etc/shadow missing=read EACCES' \
	qemu-system-x86_64 $machine -drive file=$disk,format=raw \
	-drive file=/etc/shadow,format=raw,readonly=on,if=none
# shellcheck disable=SC2086
never machine_writes_no_log vm 'create /srv/vm/log missing=write,create EACCES' \
	qemu-system-x86_64 $machine -drive file=$disk,format=raw -D /srv/vm/log
cp $disk /srv/vm/copy
cp $disk /srv/vm/other
# shellcheck disable=SC2086
never machine_changes_no_other_disk vm 'open /srv/vm/other missing=read EACCES' \
	qemu-system-x86_64 $machine -drive file=/srv/vm/other,format=raw

intended=
forget
# shellcheck disable=SC2086
policyctl run vm -- qemu-system-x86_64 $machine -drive file=$disk,format=raw >/dev/null </dev/null
check machine_has_no_io_uring test "$(refused)" = 'io_uring EPERM by EPERM'

check unload policyctl unload
finish
