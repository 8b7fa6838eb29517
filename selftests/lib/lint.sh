#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make lint: what a machine can check. Findings of clang-format are shown and do not fail.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
status=0

# files REGEX: paths of the tree (not by git: a tarball has none).
files() {
	find . \( -path ./build -o -path ./.git -o -path ./vmlinux \) -prune -o -type f -print |
		sed 's|^\./||' | grep -E "$1" | sort
}

mapfile -t scripts < <(files '\.sh$|^\.ci/run$')
if ! shellcheck -x -P SCRIPTDIR -P . "${scripts[@]}"; then
	status=1
fi

while read -r f; do
	if ! head -n 2 "$f" | grep -q 'SPDX-License-Identifier: '; then
		echo "lint: $f: no SPDX line"
		status=1
	fi
done < <(files '\.([ch]|cc|mk|sh)$|^Makefile$|^\.ci/run$')

if files '\.([ch]|cc)$' | xargs -r grep -nE '(^|[[:space:];{}(),])//'; then
	echo 'lint: // comments are for scratch work (house style 2.12)'
	status=1
fi

# Recursive: own lints of tests/lint, each a script that exits with its verdict.
for lint in tests/lint/*.sh; do
	if [[ -x $lint ]] && ! "$lint"; then
		status=1
	fi
done

if command -v clang-format >/dev/null; then
	n=$(files '\.[ch]$' | xargs -r clang-format --dry-run 2>&1 | grep -c 'warning:')
	echo "lint: clang-format would change $n places (make format)"
fi
exit $status
