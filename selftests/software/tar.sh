# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Archives of the tree ./data: made, compared, extracted to ./back with all that they hold.
set -eu

state() { (cd "$1" && find . -printf '%p %y %m %U:%G %s %n %l %T@\n' | sort); }

tar --xattrs --acls --numeric-owner -cf store/a.tar data
tar -tf store/a.tar | wc -l
tar --numeric-owner -czf store/a.tar.gz data && tar --numeric-owner -cJf store/a.tar.xz data
tar -df store/a.tar && tar -dzf store/a.tar.gz && tar -dJf store/a.tar.xz && echo compared
tar --xattrs --acls -xpf store/a.tar -C back
[ "$(state data)" = "$(state back/data)" ] && echo 'the same tree'
(cd back && getfattr -R -d data)
tar -xzf store/a.tar.gz -C back --overwrite data/f1 && tar -xJf store/a.tar.xz -C back data/dir
printf 'later\n' >back/later && tar -rf store/a.tar -C back later && tar -tf store/a.tar | tail -n 1
tar --delete -f store/a.tar later && tar -tf store/a.tar | wc -l
tar -C data -cf - . | tar -C back -xpf - && state back | wc -l
tar -c --listed-incremental=store/snar -f store/full.tar data
tar -c --listed-incremental=store/snar -f store/next.tar data && tar -tf store/next.tar | wc -l
tar -xOf store/a.tar data/f1
