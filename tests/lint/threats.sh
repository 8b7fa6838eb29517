#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# threat-model.rst: an entry is closed, bounded, accepted or open; a closed one names a test, any other
# says why it is not (after a colon, or in a sentence of its own); every test named anywhere in the table exists: ``suite.name`` is TEST(name) in selftests/suite_test.c,
# ``variants/x.sh`` a file of selftests/.
# shellcheck disable=SC2016
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

# rows FILE: "line<TAB>id<TAB>status<TAB>way<TAB>cell of tests" of each row of a list-table whose id is
# a letter and a number. Cells: id, way, status, hook, kernels, tests; a cell may go over lines.
rows() {
	awk '
		function flush() {
			if (id ~ /^[A-Z][0-9]+[a-z]?$/)
				printf "%d\t%s\t%s\t%s\t%s\n", line, id, cell[3], cell[2], cell[6]
			id = ""
		}
		/^   \* - / { flush(); n = 1; line = NR; sub(/^   \* - /, ""); id = $0; delete cell; next }
		/^     - / { n++; sub(/^     - /, ""); cell[n] = $0; next }
		/^     -$/ { n++; cell[n] = ""; next }
		/^       / { sub(/^ +/, ""); cell[n] = cell[n] " " $0; next }
		/^[^ ]/ { flush() }
		END { flush() }' "$1"
}

exists() {
	local suite=${1%%.*} name=${1#*.}

	case $1 in
	variants/*) [[ -e selftests/$1 ]] ;;
	*.*) grep -qE "^TEST(_TIMEOUT)?\\(${name}[,)]" "selftests/${suite}_test.c" 2>/dev/null ;;
	*) return 1 ;;
	esac
}

# judge FILE: findings on stdout. Return: whether there are none.
judge() {
	local line id state way cell test seen=0 bad=0 ids=' '

	while IFS=$'\t' read -r line id state way cell; do
		seen=$((seen + 1))
		if [[ $ids == *" $id "* ]]; then
			echo "lint: $1:$line: $id stands twice"
			bad=1
		fi
		ids+="$id "
		if [[ ! $state =~ ^(closed|bounded|accepted|open)$ ]]; then
			echo "lint: $1:$line: $id: status '$state'"
			bad=1
		fi
		if [[ $state == closed && $cell != *'``'* ]]; then
			echo "lint: $1:$line: $id is called closed and names no test"
			bad=1
		fi
		if [[ $state != closed && ! $way =~ [:.]' ' ]]; then
			echo "lint: $1:$line: $id is called $state and says no reason"
			bad=1
		fi
		while read -r test; do
			if [[ $test ]] && ! exists "$test"; then
				echo "lint: $1:$line: $id: no test '$test'"
				bad=1
			fi
		done < <(grep -oE '``[^`]+``' <<<"$cell" | tr -d '`')
	done < <(rows "$1")
	if ((seen == 0)); then
		echo "lint: $1: no entry found"
		bad=1
	fi
	((bad == 0))
}

status=0
judge Documentation/threat-model.rst || status=1

# The lint itself: each of these has one thing wrong.
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
sample() {
	printf '   * - A1\n     - %s\n     - %s\n     - hook\n     - all\n     - %s\n' \
		"${3:-way}" "$1" "$2" >"$tmp"
}
for wrong in 'closed|' 'closed|``bypass.no_such_test``' 'closed|``no_suite.symlink``' \
	'closed|``variants/no_such.sh``' 'shut|``bypass.symlink``' 'open|``nothing``' \
	'open|none' 'bounded|``bypass.symlink``' 'accepted|none'; do
	sample "${wrong%|*}" "${wrong#*|}"
	if judge "$tmp" >/dev/null; then
		echo "lint: tests/lint/threats.sh takes a bad sample: $wrong"
		status=1
	fi
done
sample closed '``bypass.symlink``, and words'
if ! judge "$tmp"; then
	echo 'lint: tests/lint/threats.sh refuses a good sample'
	status=1
fi
sample accepted none 'way: as it is meant'
if ! judge "$tmp"; then
	echo 'lint: tests/lint/threats.sh refuses an accepted entry with its reason'
	status=1
fi
exit $status
