#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Documents are clean reStructuredText, links inside the tree lead somewhere, index.rst lists every
# document, make targets that a text names exist, and no line is longer than 100 columns of prose.
# shellcheck disable=SC2016
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
status=0

fail() {
	echo "lint: $*"
	status=1
}

rst2html=$(command -v rst2html || command -v rst2html.py) || fail 'no rst2html (python3-docutils)'
for document in Documentation/*.rst Documentation/man/*.rst; do
	"$rst2html" --report=info --halt=5 "$document" 2>&1 >/dev/null | grep . && fail "$document: not clean"
done

# Targets of links, relative to the file that holds them.
links() {
	case $1 in
	*.md) grep -oE '\]\([^)#]+' "$1" | sed 's/^](//' ;;
	*) grep -oE '`[^`<]*<[^>#]+>`__?' "$1" | sed -E 's/.*<([^>]+)>.*/\1/' ;;
	esac | grep -vE '^[a-z]+:'
}
for document in README.md Documentation/*.rst; do
	while read -r target; do
		[[ -e $(dirname "$document")/$target ]] || fail "$document: no file '$target'"
	done < <(links "$document")
done

for document in Documentation/*.rst; do
	name=$(basename "$document")
	[[ $name == index.rst ]] || grep -q "<$name>" Documentation/index.rst ||
		fail "Documentation/index.rst does not list $name"
done

targets=" $(sed -nE 's/^([a-z][a-z -]*):[^=].*/\1/p' Makefile ./*/*.mk | tr '\n' ' ') "
while read -r document target; do
	[[ $targets == *" $target "* ]] || fail "$document: no make target '$target'"
done < <(grep -oE '`make [a-z]+' README.md Documentation/*.rst | sed 's/:`*make / /')

grep -nE '^.{101,}$' README.md Documentation/{index,quickstart,architecture,bpf-maps,kernel-support,threat-model,operations,testing,style}.rst Documentation/man/*.rst |
	grep -vE '^[^:]+:[0-9]+:( {3,}|\||20[0-9]{2}-|engine|policy  |GUEST|demo)' && fail 'lines over 100 columns'
exit $status
