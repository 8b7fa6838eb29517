#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make deps: install by apt what is missing on a Debian 12 or 13, and QEMU >= 8 (on bookworm from
# backports, by a private apt state). Does nothing, and needs no root, when all is there.
set -euo pipefail
# shellcheck source=.ci/apt.sh
. "$(dirname "$0")/apt.sh"

PACKAGES=(gcc g++ libc6-dev make clang llvm clang-format bpftool libbpf-dev libelf-dev zlib1g-dev
	libtomlplusplus-dev libjansson-dev libssl-dev libsystemd-dev libmicrohttpd-dev librdkafka-dev
	libncurses-dev pkg-config openssl libcriterion-dev python3-docutils python3 python3-jsonschema
	liblognorm-utils
	busybox-static cpio kmod xz-utils zstd shellcheck e2fsprogs btrfs-progs xfsprogs)
# QEMU 7.2 under TCG corrupts a return from interrupt now and then: 6.12 panics at boot in one run
# of three. 10.0 booted 24 times of 24 (kernel-support.rst).
QEMU_MIN=8

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

qemu_major() {
	local v
	v=$(qemu-system-x86_64 --version 2>/dev/null | sed -n '1s/.*version \([0-9]*\).*/\1/p')
	printf '%s\n' "${v:-0}"
}

missing=()
for p in "${PACKAGES[@]}"; do
	# Ask for a provider as well: pkg-config is a package of its own on 12, pkgconf's on 13.
	installed "$p" || [[ $p == pkg-config && $(command -v pkg-config) ]] || missing+=("$p")
done
need_qemu=0
(($(qemu_major) >= QEMU_MIN)) || need_qemu=1
if ((${#missing[@]} == 0 && need_qemu == 0)); then
	exit 0
fi

((need_qemu == 0)) || want="qemu-system-x86 (>= $QEMU_MIN)"
if ((EUID != 0)); then
	die "missing: ${missing[*]} ${want:-}; installing needs root: run 'make deps' as root"
fi
command -v apt-get >/dev/null || die "missing: ${missing[*]} ${want:-}; no apt-get here"

if ((${#missing[@]})); then
	say "installing: ${missing[*]}"
	# Lists may be absent (fresh container) or older than the mirror: try as is first.
	apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
		{ apt-get -qq update &&
			apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null; } ||
		die "apt-get could not install: ${missing[*]}"
fi

if ((need_qemu)); then
	code=$(os_codename)
	apt_private deps < <(printf '%s\n' "$code" "$code-updates" "$code-security" "$code-backports")
	apt_private_update daily
	# The release's own if it is new enough (13), else the backport (12).
	pkg=(qemu-system-x86)
	have=$(apt-cache "${APT[@]}" policy "${pkg[0]}" | sed -n 's/.*Candidate: \([0-9]*:\)\?\([0-9]*\).*/\2/p')
	# -t, not pkg/suite: seabios and QEMU's data have to come from the backports as well.
	((${have:-0} >= QEMU_MIN)) || pkg+=(-t "$code-backports")
	say "installing ${pkg[*]} (the system's own sources stay as they are)"
	apt-get "${APT[@]}" install -y --no-install-recommends "${pkg[@]}" >/dev/null ||
		die "apt-get could not install ${pkg[*]}"
	(($(qemu_major) >= QEMU_MIN)) || die "QEMU is still older than $QEMU_MIN"
fi
say "done; QEMU $(qemu_major)"
