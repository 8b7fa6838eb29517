#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install.sh DESTDIR PREFIX [LIBDIR]: what `make install` puts under $DESTDIR$PREFIX; libraries below
# LIBDIR there, "lib" or as a distribution has it.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=$2
root=$1$2
libdir=${3:-lib}
completions=$root/share/bash-completion/completions

install -D -m 0755 build/policyctl "$root/bin/policyctl"
install -D -m 0755 build/policyd "$root/sbin/policyd"
install -D -m 0755 build/policyd-forward "$root/bin/policyd-forward"
for page in build/man/*; do
	if [[ -e $page ]]; then
		install -D -m 0644 "$page" "$root/share/man/man${page##*.}/${page##*/}"
	fi
done
shared=$(readlink -f build/lib/libpolicy.so)
install -D -m 0644 "$shared" "$root/$libdir/${shared##*/}"
install -m 0644 build/lib/libpolicy.a "$root/$libdir/libpolicy.a"
for link in build/lib/libpolicy.so*; do
	if [[ -L $link ]]; then
		ln -sfn "$(readlink "$link")" "$root/$libdir/${link##*/}"
	fi
done
install -D -m 0644 user/include/policy/policy.h "$root/include/policy/policy.h"
install -d "$root/$libdir/pkgconfig"
sed "s|@prefix@|$prefix|; s|@libdir@|$libdir|" build/lib/libpolicy.pc >"$root/$libdir/pkgconfig/libpolicy.pc"
chmod 0644 "$root/$libdir/pkgconfig/libpolicy.pc"
install -D -m 0644 user/policyctl/policyctl.bash "$completions/policyctl"
install -D -m 0644 user/policyd/policyd.bash "$completions/policyd"
install -D -m 0644 user/forward/policyd-forward.bash "$completions/policyd-forward"
units=$root/lib/systemd/system
install -D -m 0644 user/policyd/policyctl-load.path "$units/policyctl-load.path"
for unit in policyd/policyd policyd/policyctl-load forward/policyd-forward@; do
	to=$units/${unit#*/}.service
	sed "s|@sbindir@|$prefix/sbin|; s|@bindir@|$prefix/bin|" "user/$unit.service.in" >"$to"
	chmod 0644 "$to"
done
