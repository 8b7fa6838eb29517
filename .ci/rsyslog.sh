#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Prints a directory with rsyslog's own files, unpacked and kept: installing the package would start
# a syslog daemon on this machine. Its libraries come with liblognorm-utils (deps.sh).
set -euo pipefail
# shellcheck source=.ci/apt.sh
. "$(dirname "$0")/apt.sh"

root=$POL_CACHE/rsyslog/$(os_codename)
if [[ ! -x $root/usr/sbin/rsyslogd ]]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	say "fetching rsyslog, not installing it"
	# Lists may be absent or old: try as is first.
	(cd "$tmp" && { apt-get -qq download rsyslog >/dev/null 2>&1 ||
		{ apt-get -qq update >&2 && apt-get -qq download rsyslog >&2; }; }) ||
		die "apt-get could not download rsyslog"
	dpkg-deb -x "$tmp"/rsyslog_*.deb "$tmp/root"
	mkdir -p "${root%/*}"
	rm -rf "$root"
	mv "$tmp/root" "$root"
fi
printf '%s\n' "$root"
