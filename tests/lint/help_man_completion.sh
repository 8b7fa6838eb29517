#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Help texts, man page and bash completion name the same verbs, the same options and the same
# synopsis. The program's own help is the original.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

man=${1:-Documentation/man/policyctl.8.rst}
completion=${2:-user/policyctl/policyctl.bash}
ctl=build/policyctl
status=0
[[ -x $ctl ]] || make -s "$ctl" || exit 1
# shellcheck source=user/policyctl/policyctl.bash
. "$completion"

sorted() { tr ' ' '\n' | sed '/^$/d' | sort -u | tr '\n' ' '; }

# same WHAT HELP OTHER WHERE
same() {
	if [[ $2 != "$3" ]]; then
		printf 'lint: %s: help has "%s", %s has "%s"\n' "$1" "$2" "$4" "$3"
		status=1
	fi
}

# From the top help: "  verb  text".
verbs_of_help() { "$ctl" --help | sed -nE 's/^  ([a-z]+)  +.*/\1/p'; }

# "  --option ARG  text", "  -v  text".
options_of_help() { sed -nE 's/^  (--?[a-z][a-z-]*)( .*)?$/\1/p' | sorted; }

# From "usage:" to the empty line, on one line.
synopsis_of_help() {
	sed -nE '/^[Uu]sage: /,/^$/p' | sed -E 's/^[Uu]sage: //' | tr '\n' ' ' | tr -s ' ' | sed 's/ $//'
}

# The section VERB of the man page: from its underlined heading to the next one.
section_of_man() {
	awk -v verb="$1" '
		/^[~=-]+$/ && length($0) >= length(last) && last != "" { on = last == verb }
		on { print }
		{ last = $0 }' "$man"
}

options_of_man() { section_of_man "$1" | sed -nE 's/^(--?[a-z][a-z-]*)( .*)?$/\1/p' | grep -vE '^-+$' | sorted; }

# The literal block of SYNOPSIS, those of the verb; what is indented more goes on.
synopsis_of_man() {
	awk '/^SYNOPSIS$/ { on = 1 } /^DESCRIPTION$/ { on = 0 }
		on && /^    +[^ ]/ {
			if ($0 ~ /^    policyctl/) printf "\n"
			print
		}' "$man" | tr '\n' ' ' | tr -s ' ' | sed 's/ policyctl /\npolicyctl /g' |
		sed -nE "s/ *$//; /^policyctl $1( |\$)/p" | tr '\n' ' ' | sed 's/ $//'
}

help_verbs=$(verbs_of_help | sorted)
same 'verbs' "$help_verbs" "$(sorted <<<"$_policyctl_verbs")" "$completion"
same 'verbs' "$help_verbs" "$(awk '/^VERBS$/ { on = 1 } /^EXIT STATUS$/ { on = 0 }
	on && /^~+$/ { print last } { last = $0 }' "$man" | sorted)" "$man"
for verb in $(verbs_of_help); do
	text=$("$ctl" "$verb" --help)
	options=$(options_of_help <<<"$text")
	same "$verb" "$options" "$(_policyctl_options "$verb" | sorted)" "$completion"
	same "$verb" "$options" "$(options_of_man "$verb")" "$man"
	same "$verb" "$(synopsis_of_help <<<"$text")" "$(synopsis_of_man "$verb")" "$man"
	# What a person gets on <tab>, not only what a table says.
	COMP_WORDS=(policyctl "$verb" -) COMP_CWORD=2 COMPREPLY=()
	_policyctl
	same "$verb" "$options" "$(sorted <<<"${COMPREPLY[*]}")" "$completion, completing"
done

# plain PROGRAM COMPLETION: one with no verbs and one section of options.
plain() {
	local program=$1 completion=$2 man=Documentation/man/$1.8.rst name=_${1//-/_} text options table
	[[ -x build/$program ]] || make -s "build/$program" || exit 1
	# shellcheck source=/dev/null
	. "$completion"
	text=$("build/$program" --help)
	options=$(options_of_help <<<"$text")
	table=${name}_options
	same "$program" "$options" "$(sorted <<<"${!table}")" "$completion"
	same "$program" "$options" "$(options_of_man OPTIONS)" "$man"
	same "$program" "$(synopsis_of_help <<<"$text")" "$(awk '/^SYNOPSIS$/ { on = 1 } /^DESCRIPTION$/ { on = 0 }
		on && /^    +[^ ]/' "$man" | tr '\n' ' ' | tr -s ' ' | sed 's/^ //; s/ $//')" "$man"
	# What a person gets on <tab>.
	COMP_WORDS=("$program" -) COMP_CWORD=1 COMPREPLY=()
	"$name"
	same "$program" "$options" "$(sorted <<<"${COMPREPLY[*]}")" "$completion, completing"
}
plain policyd user/policyd/policyd.bash
plain policyd-forward user/forward/policyd-forward.bash
exit $status
