# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A Debian root of this machine's release as an ext4 image for selftests, in $POL_CACHE/NAME/. Nothing
# is installed on the machine, and no package's scripts are run. For NAME.sh, which sets PACKAGES and
# LEFT_OUT (paths that no test reads), defines configure ROOT (writes what those scripts would have
# left), sources this file, and ends with:
#
#	image "$@"		[--refresh]
#
# The path of the image on stdout. Made anew when one of the two files has changed, or with --refresh.
# shellcheck source=.ci/apt.sh
. "$(dirname "$0")/apt.sh"
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

image_fetch() {
	apt_private "$image_name" < <(printf '%s\n' "$image_code" "$image_code-updates" "$image_code-security")
	apt_private_update "$1"
	# As if nothing were installed: all that they depend on comes with them.
	: >"$APT_DIR/status"
	rm -f "$APT_DIR"/cache/archives/*.deb
	apt-get "${APT[@]}" -o "Dir::State::status=$APT_DIR/status" -o Debug::NoLocking=1 \
		-o APT::Install-Recommends=0 -y --download-only install "${PACKAGES[@]}" >&2 ||
		die 'could not download the packages'
}

image_unpack() {
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

# What every Debian has that no package contains.
image_basics() {
	local f
	for f in passwd group; do
		cp "$1/usr/share/base-passwd/$f.master" "$1/etc/$f"
	done
	sed 's/:.*/:*:19000:0:99999:7:::/' "$1/etc/passwd" >"$1/etc/shadow"
	chmod 0640 "$1/etc/shadow"
	printf '127.0.0.1 localhost\n' >"$1/etc/hosts"
	printf 'vm\n' >"$1/etc/hostname"
}

# As root of a namespace of one's own, for an ordinary user: root owns all files of the image.
image_pack() {
	local size
	size=$(du -sm "$1" | cut -f 1)
	# For what the tests write, and the filesystem's own.
	truncate -s "$((size * 5 / 4 + 128))M" "$2"
	mke2fs -q -F -t ext4 -b 4096 -L "$image_name" -d "$1" "$2"
}

image_make() {
	local tmp=$1 as_root=()
	image_fetch "$2"
	mkdir "$tmp/root"
	image_unpack "$tmp/root"
	image_basics "$tmp/root"
	configure "$tmp/root"
	ldconfig -r "$tmp/root"
	((EUID == 0)) || as_root=(unshare --map-root-user)
	"${as_root[@]}" "$0" --pack "$tmp/root" "$tmp/image"
	rm -f "$APT_DIR"/cache/archives/*.deb
}

image() {
	local dir file key refresh=daily
	image_name=$(basename "$0" .sh)
	image_code=$(os_codename)
	if [[ ${1:-} == --pack ]]; then
		image_pack "$2" "$3"
		return
	fi
	[[ ${1:-} != --refresh ]] || refresh=force
	dir=$POL_CACHE/$image_name
	file=$dir/$image_code.ext4
	key="$image_code $(cat "$0" "${BASH_SOURCE[0]}" | sha256sum)"
	mkdir -p "$dir"
	exec 9>"$dir/lock"
	flock 9
	if [[ $refresh == force || ! -s $file || $(cat "$file.key" 2>/dev/null) != "$key" ]]; then
		say "making $image_name/$image_code.ext4 of: ${PACKAGES[*]}"
		image_tmp=$(mktemp -d "$dir/.new.XXXXXX")
		trap 'rm -rf "$image_tmp"' EXIT
		image_make "$image_tmp" "$refresh"
		mv "$image_tmp/image" "$file"
		printf '%s\n' "$key" >"$file.key"
	fi
	printf '%s\n' "$file"
}
