#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The library as it is installed, into build/tests/installed: its names and layout are those that are
# written down, the header is C11 and C++17 by itself, and programs build and run against it by
# pkg-config, shared and static.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
root=$PWD/build/tests/installed prefix=/opt/policy
tmp=$PWD/build/tests/libpolicy
passed=0 failed=0
rm -rf "$root" "$tmp"
mkdir -p "$tmp"
# Two kinds of machine: 32-bit and others have layouts of their own.
strict=(-Wall -Wextra -Wpedantic -Werror)

# check NAME COMMAND...
check() {
	if "${@:2}"; then
		((passed += 1))
	else
		echo "failed: libpolicy: $1"
		((failed += 1))
	fi
}

check install selftests/lib/install.sh "$root" "$prefix"
lib=$root$prefix/lib
export PKG_CONFIG_PATH=$lib/pkgconfig
# The prefix is not ours to write to: what it means is below $root here.
pc() { pkg-config --define-variable=prefix="$root$prefix" "$@" libpolicy; }
read -ra cflags < <(pc --cflags)
read -ra libs < <(pc --libs)
read -ra static < <(pc --libs --static)
static=("${static[@]/#-lpolicy/-l:libpolicy.a}")

# ---- the names ----

# What policy.h declares is what there is.
declared() {
	gcc -std=c11 -E -P "${cflags[@]}" -include policy/policy.h -x c /dev/null |
		tr '\n' ' ' | grep -oE '\bpol_[a-z0-9_]+\(' | tr -d '(' | sort -u
}
exported() { nm -D --defined-only "$lib/libpolicy.so" | awk '$2 == "T" { print $3 }' | sort; }
listed() { sed -n 's/^\t\t\(pol_[a-z0-9_]*\);/\1/p' user/libpolicy.map | LC_ALL=C sort; }
in_static() { nm -g --defined-only "$lib/libpolicy.a" | awk 'NF == 3 { print $3 }' | sort; }
names_in_order() { listed | diff - <(sed -n 's/^\t\t\(pol_[a-z0-9_]*\);/\1/p' user/libpolicy.map); }
shared_names() { diff <(listed | sed 's/$/@@LIBPOLICY_0.1/' | sort) <(exported); }
static_names() { diff <(listed | sort) <(in_static); }
header_names() { diff <(listed | sort) <(declared); }
soname() { [[ $(objdump -p "$lib/libpolicy.so" | awk '$1 == "SONAME" { print $2 }') == libpolicy.so.0 ]]; }
# Nothing that prints, ends the process, or changes what all of it has. What is let through is
# called in children alone (launch.c, newroot.c; of umask(2) also listen.c, which no public function
# reaches).
calls() {
	! nm -D --undefined-only "$lib/libpolicy.so" |
		grep -E ' (_?exit|abort|printf|puts|putchar|perror|vprintf|chdir|fchdir|umask|setenv|putenv|setlocale|sigaction|std(out|err)|_ZSt4cout|_ZSt4cerr)(@|$)' |
		grep -vE ' (_exit|abort|f?chdir|umask)(@|$)'
}
# What can be written to while it runs: libbpf's one setting (user/api/quiet.c), a thread's own, the compiler's.
state() {
	diff <(printf '%s\n' before calls lock) <(nm -f sysv "$lib/libpolicy.so" |
		awk -F'|' '$7 ~ /^\.(data|bss)/ && $7 !~ /rel\.ro/ { print $1 }' | tr -d ' ' |
		grep -vE '^(__TMC_END__|__dso_handle|completed\.0|_edata|_end|__bss_start)$' | LC_ALL=C sort)
}
check 'no state' state
check 'names in order' names_in_order
check 'names of the shared library' shared_names
check 'names of the static library' static_names
check 'names of the header' header_names
check soname soname
check 'what it must not call' calls

# ---- the header ----

printf '#include <policy/policy.h>\nint main(void) { return 0; }\n' >"$tmp/header.c"
cp "$tmp/header.c" "$tmp/header.cc"
for cc in gcc clang; do
	check "C11, $cc" "$cc" -std=c11 "${strict[@]}" "${cflags[@]}" "$tmp/header.c" -o /dev/null
done
# The C++ headers are g++'s.
check 'C++17, g++' g++ -std=c++17 "${strict[@]}" "${cflags[@]}" "$tmp/header.cc" -o /dev/null
check 'C++17, clang' clang -x c++ -std=c++17 "${strict[@]}" "${cflags[@]}" -fsyntax-only "$tmp/header.cc"

# ---- the layout ----

layout() {
	gcc -std=c11 "${strict[@]}" "${cflags[@]}" tests/libpolicy/layout.c -o "$tmp/layout" &&
		"$tmp/layout" | diff tests/libpolicy/layout -
}
# Each member of each structure, each number of each enumeration is in layout.c.
layout_is_whole() {
	local word lacks=0
	while read -r word; do
		grep -qE "\b$word\b" tests/libpolicy/layout.c || { echo "layout.c lacks $word" && lacks=1; }
	done < <(gcc -std=c11 -E -P "${cflags[@]}" -include policy/policy.h -x c /dev/null |
		grep -oE '\bPOL_[A-Z_]+\b|^ .*\b[a-z_]+(\[[0-9]+\])?;$' | sed -E 's/\[[0-9]+\]//; s/.*[ *]([a-z_]+);/\1/' | sort -u)
	return $lacks
}
[[ $(uname -m) != x86_64 && $(uname -m) != aarch64 ]] || check layout layout
check 'layout is whole' layout_is_whole

# ---- programs ----

# build NAME SOURCE: as a user does, shared and static.
build() {
	check "$1, shared" gcc -std=gnu11 "${strict[@]}" "${cflags[@]}" "$2" -o "$tmp/$1" -pthread "${libs[@]}"
	check "$1, static" gcc -std=gnu11 "${strict[@]}" "${cflags[@]}" "$2" -o "$tmp/$1-static" -pthread "${static[@]}"
}
runs() { LD_LIBRARY_PATH=$lib "$@"; }
build use tests/libpolicy/use.c
check 'use, shared, runs' runs "$tmp/use"
check 'use, static, runs' "$tmp/use-static"
not_shared() { ! objdump -p "$tmp/use-static" | grep -q 'NEEDED.*libpolicy'; }
check 'use, static, needs no libpolicy.so' not_shared
check 'use, C++' g++ -std=c++17 "${strict[@]}" "${cflags[@]}" -x c++ tests/libpolicy/use.c -o "$tmp/use-cc" -x none "${libs[@]}"
check 'use, C++, runs' runs "$tmp/use-cc"
# What the documents show.
build vmm Documentation/examples/vmm.c
usage() { "$@" 2>/dev/null; [[ $? == 2 ]]; }
check 'vmm, shared, runs' runs usage "$tmp/vmm"
check 'vmm, static, runs' usage "$tmp/vmm-static"
awk '/^\.\. code-block:: c$/ { on = 1; next } on && /^[^ ]/ { exit } on { sub(/^    /, ""); print }' \
	Documentation/libpolicy.rst >"$tmp/quickstart.c"
check 'quickstart builds' gcc -std=gnu11 "${strict[@]}" "${cflags[@]}" "$tmp/quickstart.c" -o "$tmp/quickstart" "${libs[@]}"

echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
