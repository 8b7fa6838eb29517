# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A private apt state: other Debian suites (backports, the next release, security) are read
# without touching the system's sources or lists. Sourced by deps.sh and kernels.sh.
#
# The mirror is the one that this machine uses already, asked from apt at run time: an address
# written into a file here would be wrong behind a proxy, on a mirror, or offline.

POL_CACHE=${POL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/policyctl}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "error: $*"; exit 1; }

os_codename() {
	# shellcheck disable=SC1091
	(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}")
}

# mirror_of REGEX: base address of the first configured repository whose release or codename
# matches. ORIGIN and CODENAME are empty until the first `apt-get update`, so the name in
# sources.list has to do as well; a Debian one is preferred over a vendor's of the same name.
mirror_of() {
	# shellcheck disable=SC2016
	apt-get indextargets \
		--format '$(ORIGIN)|$(RELEASE)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' |
		awk -F'|' -v re="^($1)\$" '
			($2 ~ re || $3 ~ re) && $4 == "main" {
				if ($1 == "Debian") { print $5; found = 1; exit }
				if (!other) other = $5
			}
			END { if (!found && other) print other }'
}

# apt_private NAME: from now on `"${APT[@]}"` are the options of the private state NAME, made of
# the suites that the caller lists on stdin, one per line.
apt_private() {
	local dir=$POL_CACHE/apt-$1 code main sec suite key='' base
	code=$(os_codename)
	main=$(mirror_of "$code|stable|oldstable|${code}-updates")
	sec=$(mirror_of "${code}-security|stable-security|oldstable-security")
	[[ $main ]] || die "no Debian mirror among this machine's apt sources (apt-get indextargets)"
	# Debian's own layout: the security archive is a sibling of the main one.
	[[ $sec ]] || sec=${main%debian/}debian-security/
	for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp} ''; do
		[[ ! -e $key ]] || break
	done
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	while read -r suite; do
		base=$main
		[[ $suite != *-security ]] || base=$sec
		printf 'deb %s%s %s main\n' "${key:+[signed-by=$key] }" "$base" "$suite"
	done >"$dir/sources.list.new"
	# A changed list invalidates what was fetched for the old one.
	cmp -s "$dir/sources.list.new" "$dir/sources.list" || rm -f "$dir/updated"
	mv "$dir/sources.list.new" "$dir/sources.list"
	APT_DIR=$dir
	APT=(-qq -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache"
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3)
}

# Fetch the private lists, at most once a day unless $1 is "force". A suite that is gone is a warning of
# apt's, not an error of ours: what it had is then missing and the caller says what.
apt_private_update() {
	if [[ $1 != force && $(find "$APT_DIR/updated" -mmin -1440 2>/dev/null) ]]; then
		return
	fi
	say "reading package lists: $(awk '{ print $(NF-1) }' "$APT_DIR/sources.list" | tr '\n' ' ')"
	apt-get "${APT[@]}" update >&2 || say "some lists could not be read, going on with the others"
	touch "$APT_DIR/updated"
}
