#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# help.sh MAKEFILE...: the targets and variables, from the "## ..." comments beside them.
set -euo pipefail

echo 'Targets:'
sed -nE 's/^([a-z][a-z -]*):[^=].*## (.*)/\1\t\2/p' "$@" |
	sed -E 's/[$]\(([A-Z_]+)\)/\1/g' | while IFS=$'\t' read -r name text; do
	printf '  %-14s %s\n' "$name" "$text"
done
echo 'Variables:'
sed -nE 's/^(export )?([A-Z_]+) [?:]?= ?(.*)## ?(.*)/\2\t\3\t\4/p' "$@" |
	while IFS=$'\t' read -r name default text; do
		if [[ ! $text ]]; then
			text=$default default=
		fi
		printf '  %-14s %s%s\n' "$name" "$text" "${default:+ [$default]}"
	done
