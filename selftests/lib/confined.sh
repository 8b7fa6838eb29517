# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For variants that run a program confined and not, and compare; after variant.sh.

out=/var/tmp/out intended=
mkdir -p $out

# refused: since it was asked the last time: operation, path, rights missing, errno; each once. Not
# what is only told: the descriptors that we give along. Nor the line $intended.
refused() {
	policyctl events | awk '$3 == "violation" && $4 == "denied" || $3 == "escape" {
		sub("/proc/[0-9]+/", "/proc/PID/", $6)
		match($0, / E[A-Z]+ /)
		print $5, $6, $7, substr($0, RSTART + 1, RLENGTH - 2) }' | sort -u |
		{ grep -vxF "$intended" || true; }
}

# forget: what was refused until now, with the repeats that are told when a fold's second has passed.
forget() {
	sleep 1.1
	policyctl events >/dev/null
}

# policy NAME: of /policies; without it there is nothing to see.
policy() {
	echo "# $1: at $(cut -d' ' -f1 /proc/uptime) s"
	check "$1_policy_is_strict" policyctl check --strict "/policies/$1.toml"
	check "$1_policy_loads" policyctl load "/policies/$1.toml"
	forget
}

# judge NAME LAST: what was said confined, beside what was said unconfined, of which the last line is
# known; and nothing was refused.
judge() {
	refused >"$out/$1.refused"
	check "$1_works_unconfined" test "$(tail -n 1 "$out/$1.control")" = "$2"
	check "$1_works_confined" diff "$out/$1.control" "$out/$1"
	check "$1_is_refused_nothing" diff /dev/null "$out/$1.refused"
}

# same NAME GUEST STATUS COMMAND...: fresh_NAME makes its place before each of the two runs.
same() {
	same_name=$1 same_guest=$2 same_status=$3
	shift 3
	"fresh_$same_name"
	"$@" >"$out/$same_name.control" 2>&1 </dev/null
	echo "status $?" >>"$out/$same_name.control"
	"fresh_$same_name"
	forget
	policyctl run "$same_guest" -- "$@" >"$out/$same_name" 2>&1 </dev/null
	echo "status $?" >>"$out/$same_name"
	judge "$same_name" "status $same_status"
}

# never NAME GUEST EVENTS COMMAND...: as the guest it fails, with these events; as nobody it works.
never() {
	never_name=$1 never_guest=$2 never_events=$3 never_status=0
	shift 3
	forget
	policyctl run "$never_guest" -- "$@" >"$out/$never_name" 2>&1 </dev/null || never_status=$?
	never_got=$(refused)
	if [ $never_status != 0 ] && [ "$never_got" = "$never_events" ]; then
		ok "$never_name"
	else
		not_ok "$never_name" "status $never_status, events '$(echo "$never_got" | tr '\n' ';')'"
	fi
	check "${never_name}_control" "$@"
}
