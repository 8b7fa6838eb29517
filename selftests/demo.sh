#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The main job, as `make run` shows it: a policy is loaded, a guest works under it, is refused
# outside, exits; and the events tell. Run where the programs can be loaded: here, or in a VM.
set -eu

say() {
	printf '\n\033[1m%s\033[0m\n' "$*"
}

cleanup() {
	policyctl unload --force >/dev/null 2>&1 || true
	rm -rf /demo
}
trap cleanup EXIT

rm -rf /demo
mkdir -p /demo/work/secret /demo/vault
echo "somebody else's" >/demo/vault/key
echo "a key" >/demo/work/secret/key
echo "hello" >/demo/work/in.txt

say "1. policyctl load policies/demo.toml"
policyctl load policies/demo.toml

say "2. a guest does its work: reads, writes, forks, makes a file that is not there yet"
policyctl run demo -- /bin/sh -c '
	cat /demo/work/in.txt | tr a-z A-Z >/demo/work/out.txt
	cat /demo/work/out.txt
	echo /demo/work/in* /demo/work/out*
	echo "all is well" >/demo/report.txt && cat /demo/report.txt'

say "3. the same guest looks around: every line is a refusal"
status=0
policyctl run demo -- /bin/sh -c '
	cat /demo/vault/key
	cat /demo/work/secret/key
	cat /usr/../demo/work/secret/key
	ln -s /demo/vault/key /demo/work/link && cat /demo/work/link
	echo mine >/demo/other.txt
	cd / && echo * >/dev/null
	exit 7' || status=$?
echo "the guest's exit status was passed on: $status"
[ "$status" = 7 ]
[ ! -e /demo/other.txt ]

say "4. policyctl status"
policyctl status

say "5. policyctl events"
policyctl events >/tmp/demo-events.txt
cat /tmp/demo-events.txt
grep -q /demo/vault/key /tmp/demo-events.txt
rm -f /tmp/demo-events.txt

say "6. policyctl unload"
policyctl unload
