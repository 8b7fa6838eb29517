#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What `make bench` does in its VM (sh is dash): every row of the table, twice, as lines
#
#	ROUND OPERATION DEPTH ACTOR MIDDLE MEAN LEAST TIMES
#
# and before them what is so in this VM, as "WORD TEXT". report.c has the operations and actors.
#
# Who is measured is in a cgroup with the same controllers, as deep as a guest's, whatever the row:
# what the memory controller costs is no cost of the engine's. Its accounting of kernel memory is
# off (bench.sh): by how full its stock of charged bytes is, an open costs 509 instructions more or
# not.
set -eu

measure=/selftests/bench/measure
format=/selftests/bench/format
plain=/sys/fs/cgroup/bench/plain
rows=/run/bench.rows
depths='1 4 8 16 32'
touch_depths='4 8 16 32'
ceiling_depths='1 8'
loads=4
all_pieces='array cgroup cgroup_probe storage_none storage_hit outer_array hash_miss hash_hit
	hash_cycle probe_read loop_8 swap boot_ns ring d_path'

# ---- files, policies, settling

# path TOP DEPTH: of a file DEPTH levels below TOP.
path() {
	n=$2 dir=$1
	while [ "$n" -gt 1 ]; do
		dir=$dir/d n=$((n - 1))
	done
	echo "$dir/f"
}

# wide TOP DEPTH: the directory in which c00/f to c63/f are that deep.
wide() {
	dir=$(path "$1" $(($2 - 1)))
	echo "${dir%/f}"
}

make_file() {
	mkdir -p "${1%/*}"
	echo text >"$1"
}

make_files() {
	for d in $depths; do
		make_file "$(path /bench "$d")"
		make_file "$(path /vault "$d")"
		for i in $(seq -w 0 259); do # what measure warms up with, and 60
			ln "$(path /vault "$d")" "$(path /vault "$d")$i"
		done
	done
	for d in $touch_depths; do
		for i in $(seq -w 0 63); do
			make_file "$(wide /bench "$d")/c$i/f"
		done
	done
}

make_policies() {
	cat >/tmp/files.toml <<-'END'
		version = 1
		[guest.g]
		files = [
			{ path = "/bench", access = "ro" },
			{ path = "/selftests", access = "rx" },
		]
	END
	{ cat /tmp/files.toml && printf '[guest.g.limits]\nfds = 4096\n'; } >/tmp/ceiling.toml
}

make_cgroup() {
	mkdir -p "$plain"
	for dir in /sys/fs/cgroup /sys/fs/cgroup/bench; do
		for c in pids memory cpu io; do
			echo "+$c" >"$dir/cgroup.subtree_control" || true
		done 2>/dev/null
	done
}

# What came before has its interrupts now; and by what is cached fork's cost differs by 5 %.
quiet() {
	echo 3 >/proc/sys/vm/drop_caches
	sleep 0.2
}

# ---- who is measured; each takes the words of measure

as_plain() { (
	echo 0 >"$plain/cgroup.procs"
	exec "$measure" "$@"
); }
as_landlock() { as_plain --landlock / "$@"; }
as_landlock_elsewhere() { as_plain --landlock /bench "$@"; }
as_guest() { policyctl run g -- "$measure" "$@"; }

# ---- rows: OPERATION DEPTH ACTOR AS WORDS..., and for each operation ACTOR AS

# A row of a guest's opens is the mean over so many loads: each load's hash tables have random
# seeds, by which a walk of 16 directories costs 20 instructions more or less. One of forks is the
# mean over as many processes, whose forks differ by up to 0.4 % (7.2).
row() {
	where="$round $1 $2 $3" first=true times=1
	case "$1 $3" in
	"open guest" | "ceiling guest") first=reload times=$loads ;;
	"touch guest" | fork\ *) times=$loads ;;
	esac
	shift 3
	: >/run/each
	for _ in $(seq "$times"); do
		"$first"
		quiet
		("$@") >>/run/each # in a shell of its own: touch_after's $! is not the $! of with
	done
	awk -v "where=$where" '
		{ middle += $1; mean += $2; times += $4 }
		NR == 1 || $3 < least { least = $3 }
		END { printf "%s %.2f %.2f %d %d\n", where, middle / NR, mean / NR, least, times }
	' /run/each >>"$rows"
}

opens() {
	for d in $depths; do
		row open "$d" "$1" "$2" open 2000 "$(path /bench "$d")"
	done
}

# refusals ACTOR AS OPERATION: "open" for those whom nothing refuses.
refusals() {
	for d in $depths; do
		row refuse "$d" "$1" "$2" "$3" 60 "$(path /vault "$d")"
	done
}

forks() {
	row fork 0 "$1" "$2" fork 150
}

ceilings() {
	for d in $ceiling_depths; do
		row ceiling "$d" "$1" "$2" open 2000 "$(path /bench "$d")"
	done
	row pipe_ceiling 0 "$1" "$2" pipe 2000
}

# Where the engine has no hook at all.
unhooked() {
	row pipe 0 "$1" "$2" pipe 2000
	row stat 8 "$1" "$2" stat 2000 "$(path /bench 8)"
	row read 0 "$1" "$2" read 2000 "$(path /bench 1)"
}

# What a busy host does, by which only its guests are meant to be slower.
renames() { row rename 8 "$1" as_plain rename 2000 "$(path /bench 8)"; }
mounts() { row mount 0 "$1" as_plain mount 2000; }
ioctls() { row ioctl 0 "$1" as_plain ioctl 2000; }
sends() { row send 0 "$1" as_plain send 2000; }
host_work() {
	renames "$1"
	mounts "$1"
	ioctls "$1"
	sends "$1"
}

# touch_after COMMAND AS WORDS...: measure says "ready", COMMAND runs, measure goes on.
touch_after() {
	command=$1
	shift
	rm -f /run/go /run/said
	mkfifo /run/go /run/said
	"$@" </run/go >/run/said &
	exec 3>/run/go 4</run/said
	read -r said <&4
	[ "$said" = ready ]
	"$command"
	echo >&3
	read -r said <&4
	exec 3>&- 4<&-
	wait $!
	echo "$said"
}

# touches ACTOR AS COMMAND
touches() {
	for d in $touch_depths; do
		row touch "$d" "$1" touch_after "$3" "$2" touch 64 "$(wide /bench "$d")"
	done
}

# ---- states of the kernel

# with PROGRAM... -- COMMAND...: while these are attached.
with() {
	names=
	while [ "$1" != -- ]; do
		names="$names $1"
		shift
	done
	shift
	rm -f /run/go /run/said
	mkfifo /run/go /run/said
	# shellcheck disable=SC2086
	/selftests/bench/attach $names </run/go >/run/said &
	exec 5>/run/go 6</run/said
	read -r said <&6
	[ "$said" = attached ]
	"$@"
	exec 5>&- 6<&-
	wait $!
}

load() {
	policy=$1
	policyctl load "/tmp/$1.toml" >/dev/null
}
reload() { load "$policy"; }

# The kernel detaches for seconds after an unload, one program at a time.
unload() {
	policyctl unload --force >/dev/null
	for _ in $(seq 600); do
		bpftool prog show | grep -q ' name pol_' || return 0
		sleep 0.1
	done
	echo 'bench: programs of the engine are still there 60 s after its unload'
	exit 1
}

# The ring must never be full: a record that is lost costs less than one that is written.
read_events() {
	policyctl events --format json >/run/events
	if grep '"type":"lost"' /run/events; then
		echo 'bench: records were lost'
		exit 1
	fi
}

same_controllers() {
	if ! cmp "$plain/cgroup.controllers" /sys/fs/cgroup/policyctl/g/cgroup.controllers; then
		echo "bench: a guest's cgroup has other controllers than $plain"
		exit 1
	fi
}

as_formatter() { "$format" "$@"; }

formats() {
	for kind in violation exit ceiling; do
		row json 0 "$kind" as_formatter "$kind" 200
	done
}

# ---- the rounds

never_loaded() {
	row clock 0 none as_plain clock 20
	opens fresh as_plain
}

no_program() {
	opens none as_plain
	touches none as_plain true
	refusals none as_plain open
	forks none as_plain
	ceilings none as_plain
	unhooked none as_plain
	host_work none
}

empty_programs() {
	with empty_file_open -- opens empty as_plain
	with empty_file_open -- touches empty as_plain true
	with refuse_file_open -- refusals empty as_plain refuse
	with refuse_file_open -- row repeat 1 empty as_plain repeat 300 "$(path /vault 1)"
	with empty_task_alloc empty_task_free empty_exit -- forks empty as_plain
	with empty_file_open empty_file_alloc empty_file_free -- ceilings empty as_plain
	with empty_rename -- renames empty
	with empty_mount -- mounts empty
	with empty_ioctl -- ioctls empty
	with empty_send -- sends empty
}

landlock() {
	opens landlock as_landlock
	touches landlock as_landlock true
	refusals landlock as_landlock_elsewhere refuse
	forks landlock as_landlock
	ceilings landlock as_landlock
}

# One piece of a program each: what is it over an empty one?
pieces() {
	f=$(path /bench 1)
	row piece 0 none as_plain open 1000 "$f"
	with empty_file_open -- row piece 0 empty as_plain open 1000 "$f"
	for piece in $all_pieces; do
		with "piece_$piece" -- row piece 0 "$piece" as_plain open 1000 "$f"
	done
}

guest_refusals() {
	for d in $depths; do
		row refuse "$d" guest as_guest refuse 60 "$(path /vault "$d")"
		row repeat "$d" guest as_guest repeat 300 "$(path /vault "$d")"
		read_events
	done
}

engine_files() {
	opens nonguest as_plain
	forks nonguest as_plain
	unhooked nonguest as_plain
	host_work nonguest
	opens guest as_guest
	touches guest as_guest reload
	guest_refusals
	unhooked guest as_guest
	forks guest as_guest
	read_events
}

engine_ceiling() {
	ceilings nonguest as_plain
	ceilings guest as_guest
	read_events
}

# rounds PART...
rounds() {
	for round in 1 2; do
		for part; do
			echo "round $round: $part"
			$part
		done
	done
}

# ---- all of it

bench_all() {
	rounds never_loaded formats
	# The engine comes first: a load lasts, and makes the per-CPU allocator, which fork uses, 0.3 %
	# slower for all that follows.
	load files
	sleep 2 # what loading left to be freed is freed
	same_controllers
	rounds engine_files
	load ceiling
	sleep 2
	rounds engine_ceiling
	unload
	rounds no_program empty_programs pieces landlock
}

# shellcheck source=selftests/bench/shadows.sh
. /selftests/bench/shadows.sh

make_files
make_policies
make_cgroup
echo 0 >/proc/sys/kernel/randomize_va_space # fork copies the same page tables each time
sleep 10
{
	echo "kernel $(uname -r)"
	echo "filesystem $(stat -fc %T /bench)"
	echo "lsm $(cat /sys/kernel/security/lsm)"
} >"$rows"

part=$(sed -n 's/.*bench\.part=\([a-z]*\).*/\1/p' /proc/cmdline)
"bench_${part:-all}"
echo '::file bench.rows'
base64 "$rows"
echo ::end
