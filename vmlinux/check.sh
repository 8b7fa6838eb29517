#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# check.sh SERIES...: every struct of vmlinux.h, and every field of it, has to be in the BTF of each
# of these kernels (make kernels). What CO-RE can't find it replaces by an instruction that the
# verifier refuses, at a load on that kernel only; here it is a line of text on every machine.
# A kernel that is not cached is skipped, by name. Ends with the total, as a test run does (sum.sh).
#
# A field that a kernel really lacks is listed in vmlinux/absent: "SERIES STRUCT.FIELD".
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
cache=${POL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/policyctl}/kernels
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# unpack VMLINUZ FILE: the ELF inside, as scripts/extract-vmlinux of the kernel does it.
unpack() {
	local magic tool at
	while read -r magic tool; do
		for at in $(LC_ALL=C grep -aobP "$magic" "$1" | cut -d: -f1 | head -n 8); do
			tail -c +$((at + 1)) "$1" | $tool >"$2" 2>/dev/null || true
			! readelf -h "$2" >/dev/null 2>&1 || return 0
		done
	done <<-'END'
		\xfd7zXZ\x00 xz -dcq
		\x28\xb5\x2f\xfd zstd -dcq
		\x1f\x8b\x08 gzip -dcq
		\x02!L\x18 lz4 -dcq
	END
	return 1
}

# fields BTF: "STRUCT.FIELD" lines; members of anonymous members belong to the struct.
fields() {
	bpftool btf dump file "$1" format raw | awk -F"'" '
		/^\[/ {
			split($1, word, /[] []+/)
			id = word[2]
			kind[id] = word[3]
			name[id] = $2
			to[id] = $0
			sub(/.*type_id=/, "", to[id])
			sub(/ .*/, "", to[id])
			next
		}
		kind[id] ~ /^(STRUCT|UNION)$/ && /bits_offset=/ {
			type = $3
			sub(/.*type_id=/, "", type)
			sub(/ .*/, "", type)
			cnt[id]++
			member[id, cnt[id]] = $2
			member_type[id, cnt[id]] = type
		}
		function strip(t) {
			while (kind[t] ~ /^(CONST|VOLATILE|TYPEDEF|RESTRICT|TYPE_TAG)$/)
				t = to[t]
			return t
		}
		function show(top, t, depth,   i) {
			for (i = 1; i <= cnt[t]; i++)
				if (member[t, i] == "(anon)" && depth < 8)
					show(top, strip(member_type[t, i]), depth + 1)
				else
					print top "." member[t, i]
		}
		END {
			for (t in kind)
				if (kind[t] ~ /^(STRUCT|UNION)$/ && name[t] != "(anon)") {
					print name[t]
					show(name[t], t, 0)
				}
		}' | sort -u
}

structs=$(sed -nE 's/^struct ([a-z_0-9]+) \{.*/\1/p' vmlinux/vmlinux.h)
{
	echo '#include "vmlinux.h"'
	for s in $structs; do
		echo "struct $s *used_$s;"
		echo "int size_$s(void) { return sizeof(struct $s); }"
	done
} >"$tmp/used.c"
clang -g -O2 -target bpf -Ivmlinux -c "$tmp/used.c" -o "$tmp/used.o"
fields "$tmp/used.o" | grep -E "^($(echo "$structs" | paste -sd '|'))(\.|\$)" >"$tmp/wanted"

# check SERIES: 0, or why not: 1 failed, 77 skipped; one line of what came out.
check() {
	local series=$1 image=$cache/$1/vmlinuz lacks
	if [[ ! -s $image ]]; then
		echo "skipped: vmlinux.h $series: no image (make kernels)"
		return 77
	fi
	if ! unpack "$image" "$tmp/vmlinux"; then
		echo "failed: vmlinux.h $series: cannot unpack $image"
		return 1
	fi
	if ! fields "$tmp/vmlinux" >"$tmp/has"; then
		echo "failed: vmlinux.h $series: cannot read the BTF of $image"
		return 1
	fi
	sed -nE "s/^$series ([^ #]+).*/\\1/p" vmlinux/absent 2>/dev/null | sort >"$tmp/absent" || true
	lacks=$(comm -23 "$tmp/wanted" "$tmp/has" | comm -23 - "$tmp/absent")
	if [[ $lacks ]]; then
		echo "failed: vmlinux.h $series lacks ${lacks//$'\n'/ }"
		return 1
	fi
	echo "ok: vmlinux.h $series, $(wc -l <"$tmp/wanted") structs and fields"
}

passed=0 failed=0 skipped=0 names=
for series; do
	rc=0
	said=$(check "$series") || rc=$?
	case $rc in
	0) echo "$said" && ((passed += 1)) ;;
	77) names+=$said$'\n' && ((skipped += 1)) ;;
	*) names+=$said$'\n' && ((failed += 1)) ;;
	esac
done
printf '%s' "$names"
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
