# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# root.sh DEVICE: in the VM, still in the initramfs: the filesystem on DEVICE at /.root, with what
# the tests run in it. What it has already, the libraries of its own release for one, stays.
set -eu

for module in virtio_pci virtio_blk ext4 overlay; do
	modprobe "$module"
done
mkdir /.root
mount -t ext4 "$1" /.root
cp -a /init /selftests /policies /.root/
cp -a /usr/bin/policyctl /usr/bin/policyd-forward /.root/usr/bin/
cp -a /usr/sbin/policyd /.root/usr/sbin/
for lib in /usr/lib/x86_64-linux-gnu/*; do
	[ -e "/.root$lib" ] || cp -a "$lib" "/.root$lib"
done
ifconfig lo up
