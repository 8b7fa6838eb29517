#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install.sh ROOT: what `make install` puts under $DESTDIR$PREFIX.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$1

install -D -m 0755 build/policyctl "$root/bin/policyctl"
for page in build/man/*; do
	if [[ -e $page ]]; then
		install -D -m 0644 "$page" "$root/share/man/man${page##*.}/${page##*/}"
	fi
done
if [[ -e user/policyctl/policyctl.bash ]]; then
	install -D -m 0644 user/policyctl/policyctl.bash "$root/share/bash-completion/completions/policyctl"
fi
