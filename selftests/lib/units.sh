# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For variants on a root with systemd: a service that says what it may read, and its policy.

units=/run/systemd/system
policy=/srv/policy.toml
mkdir -p /srv/web /srv/bin
mkfifo /srv/web/in /srv/web/out
echo good >/srv/web/good
echo secret >/srv/secret

# Says of each path that it is asked for whether it can be read.
cat >/srv/bin/web <<'SH'
#!/bin/sh
while read -r path </srv/web/in; do
	if true 2>/dev/null <"$path"; then echo yes; else echo no; fi >/srv/web/out
done
SH
chmod +x /srv/bin/web

# unit NAME LINES: of [Service]
unit() {
	printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\n%s\n' "$2" >"$units/$1"
}

# policy MEMBERS LIMITS: of guest web
policy() {
	cat >$policy <<-TOML
		version = 1
		[guest.web]
		files = [
		  { path = "/usr", access = "rx" },
		  { path = "/srv/bin", access = "rx" },
		  { path = "/srv/web", access = "rw" },
		  { path = "/dev/null", access = "rw" },
		]
		[guest.web.members]
		$1
		[guest.web.limits]
		$2
	TOML
}
load() { policyctl load $policy; }

# reads PATH: yes or no, as the service says
# shellcheck disable=SC2016
reads() {
	timeout 60 sh -c 'echo "$1" >/srv/web/in; cat /srv/web/out' sh "$1" 2>&1
}
confined() { [ "$(reads /srv/web/good) $(reads /srv/secret)" = 'yes no' ]; }
unconfined() { [ "$(reads /srv/web/good) $(reads /srv/secret)" = 'yes yes' ]; }
main_pid() { systemctl show -p MainPID --value web.service; }
