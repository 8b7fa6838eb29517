#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make kernels: the newest Debian cloud kernel of each series, from whichever suite still has it,
# downloaded (never installed) and unpacked to $POL_CACHE/kernels/SERIES/{vmlinuz,version,modules}.
#
#	kernels.sh [--refresh] SERIES...
#
# One line per series on stdout: "SERIES VERSION" or "SERIES -" when no suite has it any more.
# Exit status 0 unless something that is there could not be fetched.
set -euo pipefail
# shellcheck source=.ci/apt.sh
. "$(dirname "$0")/apt.sh"
export LC_ALL=C

SUITES=(bookworm bookworm-security bookworm-backports trixie trixie-security trixie-backports)

refresh=
if [[ ${1:-} == --refresh ]]; then
	refresh=force
	shift
fi

# newest SERIES: version string of the newest cloud kernel of that series, or nothing. Up to 6.18
# the image is linux-image-V (or -unsigned, when the signed one is not there yet); from 6.19 it is
# in linux-binary-V and the modules in linux-modules-V.
newest() {
	local s=${1//./\\.}
	apt-cache "${APT[@]}" search --names-only "^linux-(image|binary|binary-unsigned)-$s\\." |
		sed -nE "s/^linux-(image|binary-unsigned|binary)-($s\\.[^ ]*-cloud-amd64)(-unsigned)? .*/\\2/p" |
		sort -uV | tail -n 1
}

# Not `show`: that knows names which others only depend on.
has() { [[ $(apt-cache "${APT[@]}" madison "$1" 2>/dev/null) ]]; }

packages() {
	local v=$1 p
	for p in "linux-binary-$v" "linux-binary-unsigned-$v" "linux-image-$v" "linux-image-$v-unsigned"; do
		if has "$p"; then
			printf '%s\n' "$p"
			break
		fi
	done
	# linux-base-V has modules.builtin, without which modprobe of a built-in module fails.
	for p in "linux-modules-$v" "linux-base-$v"; do
		if has "$p"; then
			printf '%s\n' "$p"
		fi
	done
}

fetch() {
	local series=$1 v=$2 dir=$POL_CACHE/kernels/$1 tmp deb image
	local found
	local -a pkgs
	mapfile -t pkgs < <(packages "$v")
	say "$series: fetching ${pkgs[*]}"
	mkdir -p "$POL_CACHE/kernels"
	tmp=$(mktemp -d "$POL_CACHE/kernels/.$series.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	(cd "$tmp" && apt-get "${APT[@]}" download "${pkgs[@]}") >&2 ||
		die "$series: could not download ${pkgs[*]}"
	for deb in "$tmp"/*.deb; do
		dpkg -x "$deb" "$tmp/x" || die "$series: could not unpack $deb"
		rm "$deb"
	done
	image=$(find "$tmp/x" -name 'vmlinuz*' -type f | head -n 1)
	[[ $image ]] || die "$series: no vmlinuz in ${pkgs[*]}"
	mv "$image" "$tmp/vmlinuz"
	# In /lib/modules of some, /usr/lib/modules of others.
	mkdir -p "$tmp/modules/lib/modules/$v"
	while read -r found; do
		cp -r "$found/." "$tmp/modules/lib/modules/$v/"
	done < <(find "$tmp/x" -type d -path "*lib/modules/$v")
	rm -rf "$tmp/x"
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$tmp/modules" "$v"
	printf '%s\n' "$v" >"$tmp/version"
	# Published by one rename, so that an interrupted fetch leaves nothing half made.
	rm -rf "$dir"
	mv "$tmp" "$dir"
}

status=0
for series; do
	dir=$POL_CACHE/kernels/$series
	if [[ $refresh || ! -s $dir/version ]]; then
		if [[ ! ${APT_DIR:-} ]]; then
			apt_private kernels < <(printf '%s\n' "${SUITES[@]}")
			apt_private_update "${refresh:-daily}"
		fi
		v=$(newest "$series")
		if [[ ! $v ]]; then
			say "$series: no suite has a kernel of this series any more"
		elif [[ $v != "$(cat "$dir/version" 2>/dev/null)" ]]; then
			(fetch "$series" "$v") || status=1
		fi
	fi
	printf '%s %s\n' "$series" "$(cat "$dir/version" 2>/dev/null || echo -)"
done
exit $status
