# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
#
# What `make bench BENCH_PART=shadows` does in its VM, by the functions of in-vm.sh, which reads this:
# what the hooks of shadows cost somebody who is no guest, and each way to copy a file to a memfd.

copy=/selftests/bench/copy
ways='sendfile splice rw_64 rw_256 rw_1024 map map_populate map_advise'

make_shadow_policy() {
	cat /tmp/files.toml >/tmp/shadows.toml
	printf '[guest.g.shadow]\npaths = ["/source"]\n' >>/tmp/shadows.toml
}

make_sources() {
	for i in $(seq -w 0 999); do
		make_file "/source/$i"
	done
}

# Files of as many MiB as their names say; /copied is ext4.
make_copied() {
	mkdir -p /copied
	truncate -s 128M /image
	mkfs.ext4 -q -F /image
	mount -t ext4 -o loop /image /copied
	for size in 1 64; do
		dd if=/dev/urandom of="/copied/$size" bs=1M count="$size" status=none
	done
}

# changes ACTOR: what the hooks see, and the end of inodes. The rename first: tmpfs keeps the names of a
# directory in a tree, which after one has another shape (215 instructions at a create, 6.12).
changes() {
	f=$(path /bench 8)
	row open 8 "$1" as_plain open 2000 "$f"
	row write 8 "$1" as_plain write 2000 "$f"
	row rename 8 "$1" as_plain rename 2000 "$f"
	row create 8 "$1" as_plain create 2000 "$f"
	row stat 8 "$1" as_plain stat 2000 "$f"
	row chmod 8 "$1" as_plain chmod 2000 "$f"
	row pipe 0 "$1" as_plain pipe 2000
}

# hold FIRST LAST: a guest that has snapshots of these files until a byte comes.
hold() {
	words=
	number=200
	for i in $(seq -f %03.0f "$1" "$2"); do
		words="$words --shadow /source/$i=$number"
		number=$((number + 1))
	done
	# shellcheck disable=SC2086
	policyctl run g $words -- "$measure" touch 1 "$(wide /bench 4)" </run/hold >/run/held &
	read -r said <&7
	[ "$said" = ready ]
}

# while_live COUNT COMMAND...; policyctl run takes 64 of them.
while_live() {
	live=$1
	shift
	rm -f /run/hold /run/held
	mkfifo /run/hold /run/held
	exec 6<>/run/hold 7<>/run/held
	for first in $(seq 0 64 $((live - 1))); do
		last=$((first + 63))
		hold "$first" "$((last < live ? last : live - 1))"
	done
	if ! policyctl status -v | grep -q "^shadows of g: $live, 0 stale"; then
		echo "bench: there are no $live snapshots"
		exit 1
	fi
	"$@"
	seq "$live" >&6
	exec 6>&- 7<&-
	wait
}

# rewrites ACTOR: what is no longer what its snapshots are, and is told.
rewrites() {
	policyctl events --format json >/run/events # a full ring would lose them, which is cheaper
	row rewrite 0 "$1" as_plain rewrite 60 /source/
}

changes_and_rewrites() {
	changes "$1"
	rewrites "$1"
}

# What is kept of files that had snapshots stays, so a rewrite has no row of its own in "paths".
engine_shadows() {
	changes paths
	while_live 1 changes live_1
	while_live 1000 changes_and_rewrites live_1000
}

unshadowed() { changes_and_rewrites nonguest; }
unloaded() {
	row clock 0 none as_plain clock 20
	changes none
	row rewrite 0 none as_plain rewrite 60 /source/
}

as_copier() { (
	echo 0 >"$plain/cgroup.procs"
	exec "$copy" "$@"
); }

copies() {
	if "$copy" range 1 /copied/1; then
		echo 'bench: copy_file_range(2) goes to a memfd'
	fi
	for way in $ways; do
		row copy 1 "$way" as_copier "$way" 24 /copied/1
		row copy 64 "$way" as_copier "$way" 4 /copied/64
	done
}

bench_shadows() {
	make_shadow_policy
	make_sources
	make_copied
	load files
	sleep 2
	rounds unshadowed
	load shadows
	sleep 2
	rounds engine_shadows
	unload
	rounds unloaded copies
}
