#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A Debian root with ordinary software, of this machine's release, as an ext4 image for selftests:
# $POL_CACHE/software/CODENAME.ext4. Nothing is installed on the machine, and no package's scripts
# are run: what they would have left is written below.
#
#	software.sh [--refresh]
#
# The path of the image on stdout. Made anew when this file has changed, or with --refresh.
set -euo pipefail
# shellcheck source=.ci/apt.sh
. "$(dirname "$0")/apt.sh"
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

# usr-is-merged: what is already so needs no perl to become so.
PACKAGES=(usr-is-merged base-files base-passwd dash bash coreutils findutils grep sed gawk diffutils
	libc-bin mount util-linux tar gzip xz-utils attr gcc libc6-dev make openssl python3 sqlite3 nginx acl crun)
# What no test reads, a third of all.
LEFT_OUT=(./usr/share/{doc,man,info,locale,lintian,perl,perl5} ./usr/lib/x86_64-linux-gnu/perl)

dir=$POL_CACHE/software
name=$(os_codename)
image=$dir/$name.ext4
key="$name $(sha256sum <"$0")"

fetch() {
	apt_private software < <(printf '%s\n' "$name" "$name-updates" "$name-security")
	apt_private_update "$1"
	# As if nothing were installed: all that they depend on comes with them.
	: >"$APT_DIR/status"
	rm -f "$APT_DIR"/cache/archives/*.deb
	apt-get "${APT[@]}" -o "Dir::State::status=$APT_DIR/status" -o Debug::NoLocking=1 \
		-o APT::Install-Recommends=0 -y --download-only install "${PACKAGES[@]}" >&2 ||
		die 'could not download the packages'
}

unpack() {
	local deb d
	for d in bin sbin lib lib64; do
		mkdir -p "$1/usr/$d"
		ln -s "usr/$d" "$1/$d"
	done
	for deb in "$APT_DIR"/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$1" --keep-directory-symlink \
			--no-same-owner "${LEFT_OUT[@]/#/--exclude=}" || die "could not unpack $deb"
	done
}

configure() {
	local f
	for f in passwd group; do
		cp "$1/usr/share/base-passwd/$f.master" "$1/etc/$f"
	done
	sed 's/:.*/:*:19000:0:99999:7:::/' "$1/etc/passwd" >"$1/etc/shadow"
	chmod 0640 "$1/etc/shadow"
	printf '127.0.0.1 localhost\n' >"$1/etc/hosts"
	printf 'vm\n' >"$1/etc/hostname"
	ln -s gawk "$1/usr/bin/awk"
	ln -s gcc "$1/usr/bin/cc"
	mkdir -p "$1/var/www/html"
	# Else by nginx-common's postinst.
	ln -s ../sites-available/default "$1/etc/nginx/sites-enabled/default"
	touch "$1"/var/log/nginx/{access,error}.log
	printf '<!DOCTYPE html>\n<p>It works.</p>\n' >"$1/var/www/html/index.html"
	ldconfig -r "$1"
}

# As root of a namespace of one's own, for an ordinary user: root owns all files of the image.
pack() {
	local size
	size=$(du -sm "$1" | cut -f 1)
	# For what the tests write, and the filesystem's own.
	truncate -s "$((size * 5 / 4 + 128))M" "$2"
	mke2fs -q -F -t ext4 -b 4096 -L software -d "$1" "$2"
}

if [[ ${1:-} == --pack ]]; then
	pack "$2" "$3"
	exit
fi

refresh=daily
[[ ${1:-} != --refresh ]] || refresh=force
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
if [[ $refresh == force || ! -s $image || $(cat "$image.key" 2>/dev/null) != "$key" ]]; then
	say "making $name.ext4 of: ${PACKAGES[*]}"
	fetch "$refresh"
	tmp=$(mktemp -d "$dir/.new.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	mkdir "$tmp/root"
	unpack "$tmp/root"
	configure "$tmp/root"
	as_root=()
	((EUID == 0)) || as_root=(unshare --map-root-user)
	"${as_root[@]}" "$0" --pack "$tmp/root" "$tmp/image"
	rm -f "$APT_DIR"/cache/archives/*.deb
	mv "$tmp/image" "$image"
	printf '%s\n' "$key" >"$image.key"
fi
printf '%s\n' "$image"
