# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What runs in the container; /srv/of-the-image lies in the lower layer.
cd /srv || exit 1
id -u
echo /*
echo more >>of-the-image && cat of-the-image
mkdir dir && for i in 1 2 3; do echo "line $i" >dir/f$i; done
find . -type f -print0 | xargs -0 cat | sort | grep -c line
mv dir moved && ln moved/f1 hard && ln -s moved soft && rm moved/f2 && ls -R .
chmod 0600 hard && stat -c '%a %h' hard
rm of-the-image && echo anew >of-the-image && cat of-the-image
f=$(mktemp) && seq 3 >"$f" && sort -r "$f" | head -n 1
head -c 4 /dev/zero | wc -c && cat /dev/null
(sleep 60 & kill $! && wait $!) 2>/dev/null || echo "killed: $?"
kill -0 1 && echo 'init is mine'
