#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every file of policies/ is valid without a warning and says what it is for; every whole policy
# (one with a version) in a ".. code-block:: toml" or a fenced block of the documents is valid.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

ctl=build/policyctl
status=0
[[ -x $ctl ]] || make -s "$ctl" || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

for policy in policies/*.toml; do
	if ! "$ctl" check --offline --strict "$policy" >"$tmp/out" 2>&1; then
		cat "$tmp/out"
		echo "lint: $policy: not valid, or not without a warning"
		status=1
	fi
	for word in Purpose Threat 'Expected denials'; do
		if ! grep -q "^# $word:" "$policy"; then
			echo "lint: $policy: its head does not say '$word:'"
			status=1
		fi
	done
done

# blocks FILE: each TOML block to $tmp/block.LINE, LINE being where it begins.
blocks() {
	rm -f "$tmp"/block.*
	awk -v out="$tmp/block." '
		/^```/ { fence = !fence && /^```toml$/; file = out NR; next }
		fence { print >file; next }
		/^ *\.\. code-block:: toml$/ {
			match($0, /^ */); indent = RLENGTH; on = 1; file = out NR; next
		}
		on && /^ *$/ { print "" >file; next }
		on { match($0, /^[ \t]*/); if (RLENGTH <= indent) on = 0; else print >file }' "$1"
}

checked=0
for document in README.md Documentation/*.rst Documentation/man/*.rst; do
	blocks "$document"
	for block in "$tmp"/block.*; do
		if [[ ! -e $block ]] || ! grep -qE '^ *version *= *1' "$block"; then
			continue
		fi
		checked=$((checked + 1))
		if ! "$ctl" check --offline "$block" >"$tmp/out" 2>&1; then
			cat "$tmp/out"
			echo "lint: $document:${block##*.}: this policy is not valid"
			status=1
		fi
	done
done
# A lint that finds nothing to look at has not looked.
if ((checked < 3)); then
	echo "lint: only $checked policies found in the documents"
	status=1
fi
exit $status
