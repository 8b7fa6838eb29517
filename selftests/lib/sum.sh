#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# sum.sh "LABEL=COMMAND"...: run each command, show its output, then a table and as the last line
# the total "N passed, N failed, N skipped". A command that fails without saying what is one failure.
set -uo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0
gone=
rows=()

# The names of the last block before the total only: a command that is a sum itself repeats them.
names() {
	awk -v label="$1" '
		/^(skipped|failed): / { sub(/: /, ": [" label "] "); list = list $0 "\n"; next }
		/^make(:|\[)/ || / passed +[0-9]+ failed / || /^[0-9]+ passed, / { next }
		{ list = "" }
		END { printf "%s", list }' "$2"
}

for step; do
	label=${step%%=*}
	begin=$SECONDS
	printf '\n== %s\n' "$label"
	bash -c "${step#*=}" 2>&1 </dev/null | tee "$tmp/log"
	rc=${PIPESTATUS[0]}
	# Ours ends with the summary; Criterion's has colours when it thinks that it may.
	last=$(grep -aE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' "$tmp/log" | tail -n 1)
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped(\ \((.*)\))? ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
		gone+=${BASH_REMATCH[5]:+${gone:+, }${BASH_REMATCH[5]}}
	else
		last=$(sed 's/\x1b\[[0-9;]*m//g' "$tmp/log" | grep -a 'Synthesis: Tested:' | tail -n 1)
		if [[ $last =~ Passing:\ ([0-9]+).*Failing:\ ([0-9]+).*Crashing:\ ([0-9]+) ]]; then
			p=${BASH_REMATCH[1]} f=$((BASH_REMATCH[2] + BASH_REMATCH[3])) s=0
		else
			p=0 f=0 s=0
		fi
	fi
	if ((rc && !f)); then
		f=1
		echo "failed: $label: exit status $rc" >>"$tmp/names"
	fi
	names "$label" "$tmp/log" >>"$tmp/names"
	rows+=("$(printf '%-24s %6d passed %6d failed %6d skipped %6d s' "$label" "$p" "$f" "$s" $((SECONDS - begin)))")
	((passed += p, failed += f, skipped += s))
done

printf '\n'
cat "$tmp/names" 2>/dev/null
printf '%s\n' "${rows[@]}"
echo "$passed passed, $failed failed, $skipped skipped${gone:+ ($gone)}"
((failed == 0))
