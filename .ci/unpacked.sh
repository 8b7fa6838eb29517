#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# unpacked.sh PACKAGE: prints a directory with the files of a package and of those it needs that are
# not installed here; kept. For daemons that a test starts: installing one would start it on this
# machine, and rsyslog and syslog-ng cannot both be installed.
set -euo pipefail
# shellcheck source=.ci/apt.sh
. "$(dirname "$0")/apt.sh"

package=${1:?package}
root=$POL_CACHE/unpacked/$(os_codename)/$package

# Into $1: the package and what apt would install with it.
download() {
	local -a names
	mapfile -t names < <(LC_ALL=C apt-get -s install --no-install-recommends "$package" |
		sed -n 's/^Inst \([^ ]*\).*/\1/p')
	# Installed already: then there is nothing but itself to fetch.
	[[ " ${names[*]} " == *" $package "* ]] || names+=("$package")
	(cd "$1" && apt-get -qq download "${names[@]}")
}

if [[ ! -e $root ]]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	say "fetching $package, not installing it"
	# Lists may be absent or old: try as is first.
	download "$tmp" >/dev/null 2>&1 || { apt-get -qq update >&2 && download "$tmp" >&2; } ||
		die "apt-get could not download $package"
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$tmp/root"
	done
	mkdir -p "${root%/*}"
	mv -T "$tmp/root" "$root"
fi
printf '%s\n' "$root"
