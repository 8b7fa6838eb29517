#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bpf/: whether a dentry has an inode is asked by a probe read, BPF_CORE_READ(dentry, d_inode). To
# the verifier of 6.12 the d_inode of a trusted dentry is a trusted pointer, so never NULL: it deletes
# a test of one that was loaded directly, and a dentry without an inode passes for one with.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

# Tests of pointers that are not trusted; `bpftool prog dump xlated` has them on 6.1, 6.12, 6.18 and
# 7.2. FILE:FUNCTION.
kept=(
	bpf/iters.bpf.c:pol_anchor      # what iter/task_file hands out is not trusted
	bpf/walk.bpf.h:pol_walk_allows # from the second step on the dentry is a d_parent
)

# direct_tests FILE...: "FILE:LINE:FUNCTION: text" of each test of a d_inode that was loaded directly,
# in place or through a variable.
direct_tests() {
	awk '
		function tests(what) {
			return $0 ~ "![ ]*" what "([^-A-Za-z0-9_.]|$)" ||
				$0 ~ "(if|while) \\(" what "\\)" ||
				$0 ~ "(&&|\\|\\|)[ ]*" what "[ ]*([)&|;?]|$)" ||
				$0 ~ "(^|[^A-Za-z0-9_>.])" what "[ ]*(&&|\\|\\||\\?|[!=]= NULL)"
		}
		BEGIN { load = "[A-Za-z_][A-Za-z0-9_>.()-]*->d_inode" }
		FNR == 1 || /^}/ { split("", loaded); if (FNR == 1) fn = "" }
		{ gsub(/\/\*.*\*\//, "") }
		/^[A-Za-z_].*\(/ && !/^SEC\(/ && !/;$/ {
			head = $0
			gsub(/__attribute__\(\([a-z]*\)\)|BPF_PROG\(/, "", head)
			if (match(head, /[A-Za-z0-9_]+[(,]/))
				fn = substr(head, RSTART, RLENGTH - 1)
		}
		match($0, /[A-Za-z0-9_]+ = /) {
			name = substr($0, RSTART, RLENGTH - 3)
			delete loaded[name]
			if ($0 ~ "= .*->d_inode;")
				loaded[name] = 1
		}
		{
			found = tests(load)
			for (name in loaded)
				found = found || tests(name)
			if (found)
				print FILENAME ":" FNR ":" fn ":" $0
		}' "$@"
}

status=0
used=' '
while IFS=: read -r file line fn text; do
	if [[ " ${kept[*]} " == *" $file:$fn "* ]]; then
		used+="$file:$fn "
		continue
	fi
	echo "lint: $file:$line: a test of d_inode without a probe read: ${text#"${text%%[![:space:]]*}"}"
	status=1
done < <(direct_tests bpf/*.bpf.[ch])
for k in "${kept[@]}"; do
	if [[ $used != *" $k "* ]]; then
		echo "lint: tests/lint/probe_reads.sh: no test is left in $k"
		status=1
	fi
done

# The lint itself: each of these is one finding, or none.
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
sample() {
	local n
	printf 'int hook(struct dentry *dentry)\n{\n\t%b\n}\n' "$2" >"$tmp"
	n=$(direct_tests "$tmp" | grep -c ':hook:')
	if ((n != $1)); then
		echo "lint: tests/lint/probe_reads.sh finds $n, not $1: $2"
		status=1
	fi
}
sample 1 'if (!dentry->d_inode)'
sample 1 'if (dentry->d_inode)'
sample 1 'if (file->f_path.dentry->d_parent->d_inode)'
sample 1 'if (flags && dentry->d_inode)'
sample 1 'if (dentry->d_inode && flags)'
sample 1 'if (r ||\n\t    !dentry->d_inode)'
sample 1 'return dentry->d_inode != NULL;'
sample 1 'need = dentry->d_inode ? 1 : 2;'
sample 1 'inode = dentry->d_inode;\n\tif (!inode)\n\t\treturn 0;'
sample 1 'bool replaces = dentry->d_inode;\n\tif (!r && replaces)'
sample 1 'struct inode *inode = dentry->d_inode;\n\treturn inode ? 0 : -1;'
sample 0 'inode = BPF_CORE_READ(dentry, d_inode);\n\tif (!inode)'
sample 0 'if (!BPF_CORE_READ(dentry, d_inode, i_nlink))'
sample 0 'inode = dentry->d_inode;\n\tkey->ino = inode->i_ino;\n\tif (!inode->i_nlink)'
sample 0 'inode = dentry->d_inode;\n\tinode = BPF_CORE_READ(dentry, d_inode);\n\tif (inode)'
sample 0 'if (!dentry->d_inode->i_nlink || dentry->d_inode->i_size)'
sample 0 'pol_key(dentry->d_inode); /* !dentry->d_inode */'
exit $status
