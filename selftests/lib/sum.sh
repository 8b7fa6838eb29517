#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# sum.sh "LABEL=COMMAND"...: run each command, show its output, then a table and as the last line
# the total "N passed, N failed, N skipped". A command that fails without saying what is one failure.
# SUM_JOBS=2 runs two at a time (a VM keeps one core busy); what they print is shown in order.
set -uo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
: >"$tmp/names"
passed=0 failed=0 skipped=0
gone=
rows=()

# The names of the last block before the total only: a command that is a sum itself repeats them.
names() {
	awk -v label="$1" '
		/^(skipped|failed|again): / { sub(/: /, ": [" label "] "); list = list $0 "\n"; next }
		/^make(:|\[)/ || / passed +[0-9]+ failed / || /^[0-9]+ passed, / { next }
		{ list = "" }
		END { printf "%s", list }' "$2"
}

# run N STEP: its output in N.log, its status and seconds in N.rc.
run() {
	local begin=$SECONDS rc=0
	# What it runs may be a sum itself: that one takes its turn.
	SUM_JOBS=1 bash -c "${2#*=}" >"$tmp/$1.log" 2>&1 </dev/null || rc=$?
	echo "$rc $((SECONDS - begin))" >"$tmp/$1.rc"
}

if ((${SUM_JOBS:-1} > 1)); then
	(
		n=0
		for step; do
			while (($(jobs -rp | wc -l) >= SUM_JOBS)); do wait -n; done
			run "$n" "$step" &
			((n += 1))
		done
		wait
	) &
fi

n=0
for step; do
	label=${step%%=*}
	printf '\n== %s\n' "$label"
	if ((${SUM_JOBS:-1} > 1)); then
		while [[ ! -s $tmp/$n.rc ]]; do sleep 1; done
		cat "$tmp/$n.log"
		read -r rc seconds <"$tmp/$n.rc"
	else
		begin=$SECONDS
		bash -c "${step#*=}" 2>&1 </dev/null | tee "$tmp/$n.log"
		rc=${PIPESTATUS[0]} seconds=$((SECONDS - begin))
	fi
	cp "$tmp/$n.log" "$tmp/log"
	((n += 1))
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
	rows+=("$(printf '%-24s %6d passed %6d failed %6d skipped %6d s' "$label" "$p" "$f" "$s" "$seconds")")
	((passed += p, failed += f, skipped += s))
done

printf '\n'
# What failed stands last, above the table: the part of a long log that nobody cuts off.
grep -a -v '^failed: ' "$tmp/names"
grep -a '^failed: ' "$tmp/names"
printf '%s\n' "${rows[@]}"
echo "$passed passed, $failed failed, $skipped skipped${gone:+ ($gone)}"
((failed == 0))
