# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For selftests/variants/*.sh, in the VM (sh is dash): the harness's words for a script.
#
#	. /selftests/lib/variant.sh
#	ok NAME | not_ok NAME MESSAGE | skip NAME REASON
#	check NAME COMMAND...		ok if the command succeeds; its output is shown if not
#	finish				the summary; the last line of every variant

suite=$(basename "$0" .sh)
passed=0 failed=0 skipped=0

ok() {
	passed=$((passed + 1))
	echo "ok $suite.$1"
}

not_ok() {
	failed=$((failed + 1))
	echo "not ok $suite.$1: $2"
}

skip() {
	skipped=$((skipped + 1))
	echo "skip $suite.$1: $2"
}

check() {
	check_name=$1
	shift
	if check_out=$("$@" 2>&1); then
		ok "$check_name"
	else
		not_ok "$check_name" "'$*' exited with $?: $(echo "$check_out" | tr '\n' ' ')"
	fi
}

# expect_status NAME STATUS TEXT COMMAND...: exit status and a part of the output.
expect_status() {
	check_name=$1 check_want=$2 check_text=$3 check_got=0
	shift 3
	check_out=$("$@" 2>&1) || check_got=$?
	case $check_got:$check_out in
	"$check_want":*"$check_text"*) ok "$check_name" ;;
	*) not_ok "$check_name" "expected $check_want and '$check_text', got $check_got and '$(echo "$check_out" | tr '\n' ' ')'" ;;
	esac
}

within() {
	within_left=600
	until "$@"; do
		within_left=$((within_left - 1))
		if [ "$within_left" = 0 ]; then
			echo "in vain: $*"
			return 1
		fi
		sleep 0.1
	done
}

finish() {
	echo "$suite: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}
