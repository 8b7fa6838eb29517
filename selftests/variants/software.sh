# shellcheck shell=sh disable=SC2317,SC2329 # same() calls the functions fresh_NAME
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Ordinary software under the policies that are shipped for it, on a Debian root of its own: the same
# work confined and not, with the same output and status, and no refusal that is not intended. What
# the programs do is in selftests/software/.
#
# root: software

# shellcheck source=selftests/lib/variant.sh
. /selftests/lib/variant.sh
# shellcheck source=selftests/lib/confined.sh
. /selftests/lib/confined.sh

work=/selftests/software

# ---- a shell, find | xargs grep | sort | awk, and all that goes with them
fresh_shell() {
	mkdir -p /srv/job/bin /srv/job/work
	rm -rf /srv/job/*/*
	cp $work/shell.sh /srv/job/bin/job
	chmod +x /srv/job/bin/job
	cp /usr/bin/true /srv/job/work/
	cd /srv/job/work || exit 1
}
fresh_shell
policy shell
same shell job 0 /srv/job/bin/job
never shell_reads_no_key job 'open /etc/shadow missing=read EACCES' cat /etc/shadow
never shell_writes_no_crontab job 'create /etc/crontab missing=write,create EACCES' \
	cp /dev/null /etc/crontab
never shell_does_not_change_its_script job 'open /srv/job/bin/job missing=write EACCES' \
	truncate -c -s +1 /srv/job/bin/job
never shell_runs_nothing_it_wrote job 'exec /srv/job/work/true missing=execute EACCES' ./true
python3 $work/jobs.py sh -i >$out/jobs.control 2>&1
forget
python3 $work/jobs.py policyctl run job -- sh -i >$out/jobs 2>&1
judge jobs 'exit: 9'

# ---- a compiler, and what it made
fresh_compiler() {
	mkdir -p /srv/build
	rm -rf /srv/build/*
	cd /srv/build || exit 1
}
fresh_compiler
policy compiler
same compiler build 0 sh -c "$(cat $work/compiler.sh)"
fresh_built() { cd /srv/build || exit 1; }
same built tryout 3 ./prog
never compiler_includes_no_key build 'open /etc/shadow missing=read EACCES' \
	sh -c 'echo "#include \"/etc/shadow\"" | gcc -E -x c -'
never compiler_runs_nothing_it_made build 'exec /srv/build/five missing=execute EACCES' \
	sh -c './five || [ $? = 5 ]'
never built_changes_no_source tryout 'open /srv/build/src/main.c missing=write EACCES' \
	truncate -c -s +1 src/main.c

# ---- python3
fresh_python() {
	mkdir -p /srv/app/bin /srv/app/work
	rm -rf /srv/app/*/*
	cp $work/python.py /srv/app/bin/app
	chmod +x /srv/app/bin/app
	mkdir /srv/app/work/tmp
	cd /srv/app/work || exit 1
}
fresh_python
policy python
export TMPDIR=/srv/app/work/tmp
same python app 7 /srv/app/bin/app
unset TMPDIR
never python_reads_no_key app 'open /etc/shadow missing=read EACCES' \
	python3 -c 'print(len(open("/etc/shadow").read()))'
never python_does_not_change_its_code app 'open /srv/app/bin/app missing=write EACCES' \
	python3 -c 'open("/srv/app/bin/app", "r+").write("#")'

# ---- sqlite3
fresh_sqlite() {
	mkdir -p /srv/db
	rm -rf /srv/db/*
	cd /srv/db || exit 1
}
fresh_sqlite
policy sqlite
same sqlite db 0 sh -c "$(cat $work/sqlite.sh)"
never sqlite_reads_no_key db 'open /etc/shadow missing=read EACCES' \
	sqlite3 -bail d.sqlite 'create temp table s(l)' '.import /etc/shadow s'
never sqlite_attaches_nothing_elsewhere db 'create /var/lib/o.sqlite missing=write,create EACCES' \
	sqlite3 d.sqlite "attach '/var/lib/o.sqlite' as o; create table o.t(a)"

# ---- tar
fresh_tar() {
	mkdir -p /srv/backup/data /srv/backup/store /srv/backup/back
	rm -rf /srv/backup/*/*
	cd /srv/backup || exit 1
	mkdir data/dir
	echo one >data/f1
	echo two >data/dir/f2
	ln -s f1 data/soft
	ln data/f1 data/dir/hard
	mkfifo -m 0604 data/fifo
	truncate -s 1M data/sparse
	chmod 4751 data/f1
	chown 1000:33 data/dir/f2
	setfattr -n user.colour -v blue data/f1
	setfacl -m u:33:r data/dir/f2
	touch -d '2001-02-03 04:05:06.789' data/f1 data/dir
}
fresh_tar
policy tar
same tar backup 0 sh -c "$(cat $work/tar.sh)"
mkdir -p /var/tmp/evil/etc /var/tmp/evil/link
mknod /var/tmp/evil/disk b 254 0
ln -s /var/lib /var/tmp/evil/link/out
tar -C /var/tmp/evil -cf store/device.tar disk
tar -C /var/tmp/evil -cf store/out.tar --transform='s,^etc,../../../var/lib/evil,' etc
tar -C /var/tmp/evil -cf store/link.tar link/out
echo evil >/var/tmp/evil/link/evil
tar -C /var/tmp/evil -rf store/link.tar --transform='s,link/evil,link/out/evil,' link/evil
never tar_makes_no_device backup 'mknod /srv/backup/back/disk reason=device EPERM' \
	tar -C back --overwrite -xf store/device.tar
never tar_leaves_its_place_by_no_name backup 'mkdir /var/lib/evil missing=create EACCES' \
	tar -C back -P -xf store/out.tar
never tar_changes_no_original backup 'open /srv/backup/data/f1 missing=write EACCES' \
	truncate -c -s +1 data/f1

# ---- nginx: a master, two workers, a reload
# get PATH: the answer's first line and its last, to a client that is no guest
get() {
	bash -c 'exec 3<>/dev/tcp/127.0.0.1/80 && printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&3 && cat <&3' \
		get "$1" 2>&1 | tr -d '\r' | sed -n '1p;$p'
}

says() { get "$1" | grep -q "$2"; }
two_workers() {
	cat /proc/[0-9]*/stat 2>/dev/null | sed 's/.*) //' |
		awk -v p="$(cat /run/nginx.pid)" '$2 == p' | wc -l | grep -qx 2
}
ended() { [ ! -e /run/nginx.pid ]; }

# serve RUN...: what it does from start to end; RUN starts a program
serve() {
	printf 'server { listen 80; server_name localhost; root /var/www/html;\n' >$site
	printf 'location /1 { return 200 "first\\n"; } location /hosts { alias /etc/hosts; } }\n' >>$site
	"$@" /usr/sbin/nginx
	echo "start: $?"
	within two_workers
	get /
	get /missing
	get /1
	sed -i 's/first/second/' $site
	"$@" /usr/sbin/nginx -s reload 2>/dev/null
	echo "reload: $?"
	within says /1 second
	get /1
	kill -QUIT "$(cat /run/nginx.pid)"
	within ended
	cut -d' ' -f6-9 $log/access.log | uniq
	sed 's/.*#[0-9]*: \(\*[0-9]* \)\?//' $log/error.log
	echo ended
}

fresh_nginx() {
	rm -f $log/*
	touch $log/access.log $log/error.log
	chown www-data:adm $log/*.log
	chmod 0640 $log/*.log
	rm -rf /var/lib/nginx/* /etc/nginx/sites-enabled/*
	# As after a boot: no name is cached.
	echo 2 >/proc/sys/vm/drop_caches
	cd / || exit 1
}
log=/var/log/nginx site=/etc/nginx/sites-enabled/test
fresh_nginx
policy nginx
serve env >$out/nginx.control 2>&1
fresh_nginx
serve policyctl run web -- >$out/nginx 2>&1
judge nginx ended

# ---- a container: crun makes it, from then on it is the guest
box=/srv/box
mkdir -p $box/lower $box/upper $box/work $box/root $box/bundle
cd $box/lower || exit 1
mkdir -p usr/bin usr/lib usr/lib64 dev srv tmp
for d in bin lib lib64; do
	ln -s usr/$d $d
done
echo image >srv/of-the-image
for p in sh cat chmod find grep head id kill ln ls mkdir mktemp mv rm seq sleep sort stat touch wc xargs; do
	p=/usr/bin/$p
	# shellcheck disable=SC2046
	cp -L --parents $p $(ldd $p | grep -o '/lib[^ ]*') .
done
mount -t overlay overlay -o lowerdir=$box/lower,upperdir=$box/upper,workdir=$box/work $box/root

# contain ATTACH COMMAND...: in a new container; ATTACH is given its pid
contain() {
	contain_attach=$1
	shift
	rm -rf $box/root/srv/* $box/root/tmp/*
	echo image >$box/root/srv/of-the-image
	(cd $box/bundle && rm -f config.json && crun spec && python3 - "$@") <<'EOF'
import json, sys
c = json.load(open("config.json"))
c["process"].update(terminal=False, args=sys.argv[1:])
c["root"] = {"path": "/srv/box/root", "readonly": False}
c["mounts"] = []
c["linux"].update(maskedPaths=[], readonlyPaths=[])
json.dump(c, open("config.json", "w"))
EOF
	crun --cgroup-manager=disabled create -b $box/bundle box </dev/null
	$contain_attach "$(crun state box | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')" >&2
	crun start box
	within stopped
	crun delete box
}

stopped() { crun state box | grep -q '"stopped"'; }
policy container
contain true sh -c "$(cat $work/container.sh)" >$out/container.control 2>&1
contain 'policyctl attach box' sh -c "$(cat $work/container.sh)" 2>&1 >$out/container 2>$out/attach
judge container 'init is mine'
contain 'policyctl attach box' touch /usr/new /srv/new >$out/image 2>&1
check container_does_not_change_its_image \
	test "$(refused)" = 'create /usr/new missing=write,create EACCES'
check container_changes_its_data test -e $box/upper/srv/new
contain true touch /usr/new >$out/image.control 2>&1
check container_does_not_change_its_image_control test -e $box/upper/usr/new

umount $box/root
check unload policyctl unload
finish
