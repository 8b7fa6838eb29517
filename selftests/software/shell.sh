#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What shell scripts do, in the directory that they are started in. The same output whenever it runs.
set -eu
export TMPDIR="$PWD/tmp"
mkdir -p tmp tree

echo '== a pipeline over a tree'
for i in 1 2 3 4 5 6 7 8 9; do
	mkdir -p "tree/d$((i % 3))"
	printf 'line %s\nfruit apple %s\n' "$i" $((i * i)) >"tree/d$((i % 3))/f$i"
done
find tree -type f -print0 | xargs -0 grep -h apple | sort -k3nr | awk '{ n += $3 } END { print NR, n }'
find tree -name 'f[1-3]' -exec cksum {} + | sort | cut -d' ' -f3 | tr '\n' ' '
echo

echo '== here-documents and here-strings'
sed 's/^/> /' <<EOF
$(uname -s) and $((6 * 7))
EOF
tr '[:lower:]' '[:upper:]' <<<'here string'
# Longer than a pipe takes: bash writes it to a file in TMPDIR.
wc -c <<EOF
$(seq -f '%0100g' 2000)
EOF

echo '== temporary files'
seq 20000 | sort -S 64k -R | sort -S 64k -n | tail -n 1
f=$(mktemp) && echo kept >"$f" && mv "$f" kept && cat kept
printf 'a\nb\nc\n' >edit && sed -i '/b/d' edit && paste -sd, edit
echo more >>edit && wc -l <edit && : >edit && stat -c '%s bytes' edit

echo '== links, modes, times'
ln -s kept soft && cat soft && ln kept hard && stat -c '%h names' hard
chmod 0640 kept && touch -d @86400 kept && stat -c '%a %Y' kept
cp -a tree copy && diff -r tree copy && echo same && rm -r copy soft hard && ls

echo '== pipes, descriptors, devices'
mkfifo fifo && (echo through the fifo >fifo &) && cat fifo && rm fifo
diff <(seq 3) <(seq 2) || echo "process substitution: $?"
echo twice | tee /dev/stdout | cat /dev/stdin && (echo to stderr >/dev/stderr) 2>&1 | cat
exec 7>seven && echo seven >&7 && exec 7>&- && cat seven
head -c 16 /dev/zero | wc -c && head -c 8 /dev/urandom | wc -c && cat /dev/null

echo '== signals and jobs'
trap 'echo got USR1' USR1 && kill -USR1 $$
sleep 60 & kill -STOP $! && kill -CONT $! && kill $! && wait $! || echo "sleep: $?"
sleep 60 & kill -KILL $! && wait $! 2>tmp/killed || echo "sleep: $?"
set -m && sleep 0.01 & wait %1 && set +m
timeout 0.1 sleep 60 || echo "timeout: $?"
{ bash -c 'ulimit -c 0; kill -SEGV $$'; } 2>tmp/killed || echo "segv: $?"
coproc cat && echo coprocess >&"${COPROC[1]}" && read -r line <&"${COPROC[0]}" && echo "$line"
eval "exec ${COPROC[1]}>&-" && wait "$COPROC_PID"
