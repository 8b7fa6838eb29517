#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# initramfs.sh SERIES FILE: the VM's root as one uncompressed cpio (TCG unpacks that fastest).
#
# Three parts, one after the other, as the kernel takes them: what comes from this machine's Debian
# (cached), the kernel's modules (cached per kernel), and the build (made each time).
set -euo pipefail
cd "$(dirname "$0")/../.."

series=$1
out=$2
cache=${POL_CACHE:?}/kernels/$series
vm=build/vm
PATH=$PATH:/usr/sbin:/sbin

# Ordinary dynamically linked programs: what a guest is on a host. Those that are missing here are
# missing there, a test that needs one skips by name.
PROGRAMS=(sh dash cat ls cp mv ln mkdir rmdir rm touch stat dd head tail sort wc tr cut tee echo
	printf env id true false sleep chmod chown mknod mkfifo readlink realpath truncate sync seq
	timeout mktemp basename dirname uname nproc find xargs grep sed mawk awk tar gzip bash
	mount umount unshare nsenter setpriv losetup flock prlimit taskset chroot kill ps
	mkfs.ext4 mke2fs tune2fs mkfs.btrfs btrfs mkfs.xfs bpftool getfattr setfattr)

mkdir -p "$vm"
stage=$(mktemp -d "$vm/stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT

# put FILE [AS]: copy it, and if it is dynamically linked its libraries, to the same places.
put() {
	local file=$1 as=${2:-$1} lib
	mkdir -p "$stage${as%/*}"
	cp -L "$file" "$stage$as"
	while read -r lib; do
		[[ ! -e $stage$lib ]] || continue
		mkdir -p "$stage${lib%/*}"
		cp -L "$lib" "$stage$lib"
	done < <(ldd "$file" 2>/dev/null | sed -nE 's|^[^/]*(/[^ ]+) \(0x.*|\1|p')
}

# Debian's merged /usr: /lib/x86_64-linux-gnu/libc.so.6 as ldd names it has to land in usr/lib.
skeleton() {
	local d
	mkdir -p "$stage"/usr/{bin,sbin,lib,lib64}
	for d in bin sbin lib lib64; do
		ln -s "usr/$d" "$stage/$d"
	done
}

pack() { (cd "$stage" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0); }

# cached FILE KEY FUNCTION: make FILE by FUNCTION unless it was made for the same KEY.
cached() {
	local file=$1 key=$2
	exec 9>"$file.lock"
	flock 9
	if [[ ! -s $file || $(cat "$file.key" 2>/dev/null) != "$key" ]]; then
		rm -rf "$stage"
		mkdir "$stage"
		"$3"
		pack >"$file.new"
		mv "$file.new" "$file"
		printf '%s\n' "$key" >"$file.key"
	fi
	exec 9>&-
}

base() {
	local p file applet
	skeleton
	mkdir -p "$stage"/{dev,proc,sys,tmp,run,etc,root,mnt,home/user,opt,srv,var/{lib,log,tmp}} \
		"$stage/usr/lib/busybox"
	chmod 1777 "$stage/tmp" "$stage/var/tmp"
	for p in "${PROGRAMS[@]}"; do
		if file=$(type -P "$p"); then
			put "$file" "/usr/$(basename "${file%/*}")/$p"
		fi
	done
	put "$(command -v busybox)" /usr/bin/busybox
	# What `policyctl top` asks of its terminal: Debian has it in every base system.
	put /lib/terminfo/l/linux /usr/lib/terminfo/l/linux
	# policyd loads it by name, so ldd does not know of it.
	file=$(ldconfig -p | sed -n '/libmicrohttpd\.so\.12 .*x86-64/s/.* => //p')
	[[ ! $file ]] || put "$file"
	# After everything else on the path: for people at `make vm` and for scripts.
	while read -r applet; do
		ln -s ../../bin/busybox "$stage/usr/lib/busybox/$applet"
	done < <(busybox --list)
	# The kernel itself runs /sbin/modprobe when a filesystem is mounted.
	for p in modprobe insmod rmmod depmod; do
		ln -s ../bin/busybox "$stage/usr/sbin/$p"
	done
	printf 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' \
		>"$stage/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n' >"$stage/etc/group"
	printf '127.0.0.1 localhost\n' >"$stage/etc/hosts"
	printf 'vm\n' >"$stage/etc/hostname"
	cp -L /etc/os-release "$stage/etc/os-release"
	cp -L /etc/ld.so.conf "$stage/etc/ld.so.conf"
	cp -rL /etc/ld.so.conf.d "$stage/etc/ld.so.conf.d"
	printf 'alias ll="ls -l"\nPS1="vm:\\w# "\nstty cols 120 rows 40 2>/dev/null\n' >"$stage/etc/vm.profile"
	ldconfig -r "$stage" 2>/dev/null || true
}

# The modules named in VM_MODULES with what they depend on, unpacked: busybox loads them plain, and
# unpacking here is cheaper than under TCG.
modules() {
	local version src dst m file need
	version=$(cat "$cache/version")
	src=$cache/modules/lib/modules/$version
	dst=$stage/usr/lib/modules/$version
	skeleton
	mkdir -p "$dst"
	cp "$src"/modules.{order,builtin,builtin.modinfo} "$dst/" 2>/dev/null || true
	for m in $VM_MODULES; do
		need=$(sed -nE "s|^([^:]*/$m\\.ko[.a-z]*): ?(.*)|\\1 \\2|p" "$src/modules.dep")
		for file in $need; do
			mkdir -p "$dst/${file%/*}"
			case $file in
			*.xz) xz -dc "$src/$file" >"$dst/${file%.xz}" ;;
			*.zst) zstd -qdc "$src/$file" >"$dst/${file%.zst}" ;;
			*) cp "$src/$file" "$dst/$file" ;;
			esac
		done
	done
	depmod -b "$stage" "$version"
	rm -f "$dst"/*.bin
}

app() {
	local f
	skeleton
	cp build/selftests/init "$stage/init"
	mkdir -p "$stage"/selftests/{guests,variants,lib} "$stage/policies"
	if [[ -e build/policyctl ]]; then
		put build/policyctl /usr/bin/policyctl
	fi
	if [[ -e build/policyd ]]; then
		put build/policyd /usr/sbin/policyd
	fi
	# What `make install` made, where it says that it is.
	if [[ -e build/selftests/vmm ]]; then
		put build/selftests/installed/usr/lib/libpolicy.so.0 /usr/lib/libpolicy.so.0
		put build/selftests/vmm /selftests/vmm
		cp Documentation/examples/vmm.toml "$stage/selftests/"
	fi
	if [[ -e build/policyd-forward ]]; then
		put build/policyd-forward /usr/bin/policyd-forward
	fi
	# By source: a binary whose source is gone stays behind in build/.
	for f in selftests/*_test.c selftests/guests/*.c; do
		f=${f%.c}
		if [[ -x build/$f ]]; then
			put "build/$f" "/$f"
		fi
	done
	if [[ ${VM_BENCH:-} ]]; then
		for f in build/selftests/bench/{measure,copy,format,attach,lazy}; do
			put "$f" "/selftests/bench/${f##*/}"
		done
		cp selftests/bench/{in-vm,shadows,lazy-in-vm}.sh "$stage/selftests/bench/"
	fi
	cp selftests/*.sh selftests/verifier_baseline user/policyd/*.{in,path} user/forward/*.in "$stage/selftests/"
	"${CLANG:-clang}" -dumpversion | cut -d. -f1 >"$stage/selftests/clang"
	cp selftests/lib/{variant,confined,root,units}.sh "$stage/selftests/lib/"
	cp -r selftests/software "$stage/selftests/software"
	cp build/selftests/boot.bin "$stage/selftests/software/"
	[[ ! -d selftests/variants ]] || cp -r selftests/variants/. "$stage/selftests/variants/"
	[[ ! -d policies ]] || cp -r policies/. "$stage/policies/"
	if [[ -d tests/data ]]; then
		mkdir -p "$stage/tests"
		cp -r tests/data "$stage/tests/data"
	fi
}

base_key=$(sha256sum "$0"; dpkg-query -W 'libc6' coreutils dash util-linux busybox-static e2fsprogs \
	btrfs-progs xfsprogs bpftool libelf1 libmicrohttpd12 2>/dev/null || true)
cached "$vm/base.cpio" "$base_key" base
cached "$vm/modules-$series.cpio" "$(cat "$cache/version") $VM_MODULES $(sha256sum <"$0")" modules
rm -rf "$stage"
mkdir "$stage"
app
{ cat "$vm/base.cpio" "$vm/modules-$series.cpio" && pack; } >"$out"
