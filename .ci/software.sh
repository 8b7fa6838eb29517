#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A root with ordinary software: $POL_CACHE/software/CODENAME.ext4. See image.sh.
set -euo pipefail

# usr-is-merged: what is already so needs no perl to become so.
PACKAGES=(usr-is-merged base-files base-passwd dash bash coreutils findutils grep sed gawk diffutils
	libc-bin mount util-linux tar gzip xz-utils attr gcc libc6-dev make openssl python3 sqlite3 nginx acl crun
	qemu-system-x86)
# A third of all.
LEFT_OUT=(./usr/share/{doc,man,info,locale,lintian,perl,perl5} ./usr/lib/x86_64-linux-gnu/perl)

configure() {
	ln -s gawk "$1/usr/bin/awk"
	ln -s gcc "$1/usr/bin/cc"
	mkdir -p "$1/var/www/html"
	# Else by nginx-common's postinst.
	ln -s ../sites-available/default "$1/etc/nginx/sites-enabled/default"
	touch "$1"/var/log/nginx/{access,error}.log
	printf '<!DOCTYPE html>\n<p>It works.</p>\n' >"$1/var/www/html/index.html"
}

# shellcheck source=.ci/image.sh
. "$(dirname "$0")/image.sh"
image "$@"
