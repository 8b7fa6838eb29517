/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's own root: guest_path in its rules, and run --map (policy-language.md, semantics 16). What
 * is mounted read-only refuses with EROFS before the policy is asked, so there is no event; all else
 * is the policy's: its errno, and an event.
 */
#include "harness.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest.h"
#include "refuse.h"

/* What an ordinary program needs in a root with nothing else: its loader by the loader's path. */
#define LOADER RULE("/lib", "rx") RULE("/lib64", "rx") RULE("/bin", "rx")
#define OWN(name) GUEST(name) FILES LOADER
#define AT(path, access, at) \
	"\t{ path = \"" path "\", access = \"" access "\", guest_path = \"" at "\" },\n"

#define LAYOUT "bin\ndev\netc\nlib\nlib64\nselftests\nusr\n"

/* Of the host: rw, ro, other, each with a file f; rw has sub, no and link, which leads to other. */
static const char *host;

static unsigned long mounts_of(pid_t pid)
{
	struct stat st;

	return stat(text("/proc/%d/ns/mnt", (int)pid), &st) ? 0 : st.st_ino;
}

/* Processes in another mount namespace than this one. */
static int strangers(void)
{
	unsigned long own = mounts_of(getpid());
	DIR *d = opendir("/proc");
	struct dirent *e;
	int cnt = 0;

	while (d && (e = readdir(d))) {
		unsigned long its = mounts_of((pid_t)strtol(e->d_name, NULL, 10));

		cnt += e->d_name[0] >= '1' && e->d_name[0] <= '9' && its && its != own;
	}
	if (d)
		closedir(d);
	return cnt;
}

static int kernels; /* those that are there without us: the kernel has some of its own */

SETUP()
{
	static const char *const dirs[] = { "rw", "ro", "other", "rw/sub", "rw/no", "rw/conf" };

	host = scratch_in("/") + 1; /* /tmp is nosuid */
	kernels = strangers();
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		make_dir(text("%s/%s", host, dirs[i]));
		make_file(text("%s/%s/f", host, dirs[i]), "x");
	}
	make_file(text("%s/file", host), "x");
	ASSERT_EQ(0, symlink(text("%s/other/f", host), text("%s/rw/link", host)));
	ASSERT_EQ(0, symlink(text("%s/other", host), text("%s/rw/dir", host)));
}

TEARDOWN()
{
	(void)ctl("stop g --timeout 0");
	(void)run_cmd(NULL, 0, "rm -rf %s", host);
}

/* Everything of @host: rw at /data, ro at /ro, the file at /a/b/c/d/file. */
#define PLAIN                                                                              \
	OWN("g") AT("%1$s/rw", "rw", "/data") AT("%1$s/ro", "ro", "/ro")                   \
		AT("%1$s/file", "ro", "/a/b/c/d/file") RULE("%1$s/rw/no", "none") END

static void load_plain(void)
{
	ASSERT_LOAD(PLAIN, host);
}

/* A payload that waits as the guest; the number of its process. */
static pid_t start(struct probe *p, const char *const steps[])
{
	const char *line;

	probe_start(p, "g", steps);
	line = probe_until(p, "paused");
	if (!line) {
		FAIL("it does not wait");
		END_TEST();
	}
	return probe_pid(line);
}

/* ---- what it sees ---- */

TEST(nothing_else_is_there)
{
	load_plain();
	EXPECT_EQ(0, ctl("run g -- /bin/ls -A /"));
	EXPECT_STREQ("a\nbin\ndata\ndev\netc\nlib\nlib64\nro\nselftests\nusr\n", ctl_said);
	EXPECT_EQ(0, ctl("run g -- /bin/ls -A /dev /a/b"));
	EXPECT_STREQ("/a/b:\nc\n\n/dev:\nnull\n", ctl_said);
	EXPECT_EQ(0, ctl("run g -- /bin/sh -c 'echo /data/* /proc /run/* /tmp/* && cd /data/.. && cd ../.. && "
			 "ls -d data && pwd'"));
	EXPECT_STRSTR("/data/f ", ctl_said);
	EXPECT_STRSTR("/proc /run/* /tmp/*\ndata\n/\n", ctl_said);
	EXPECT_EQ(0, run_cmd(NULL, 0, "ls / | grep -q ^proc"));
}

TEST(directories_files_and_their_rights)
{
	const struct step steps[] = {
		{ 0, { "open", "rw", "/data/f" } },
		{ 0, { "open", "rwc", "/data/new" } },
		{ 0, { "mkdir", "/data/made" } },
		{ 0, { "rename", "/data/new", "/data/made/new" } },
		{ 0, { "list", "/data" } },
		{ 0, { "list", "/" } },
		{ 0, { "list", "/a/b/c" } },
		{ 0, { "chdir", "/a/b" } },
		{ 0, { "open", "r", "/ro/f" } },
		{ 0, { "open", "r", "/a/b/c/d/file" } },
		{ EROFS, { "open", "rw", "/ro/f" } },
		{ EROFS, { "open", "rwc", "/ro/new" } },
		{ EROFS, { "mkdir", "/ro/made" } },
		{ EROFS, { "unlink", "/ro/f" } },
		{ EROFS, { "chmod", "/ro/f" } },
		{ EROFS, { "open", "w", "/a/b/c/d/file" } },
		{ EROFS, { "open", "rwc", "/usr/new" } },
		{ EXDEV, { "rename", "/data/f", "/ro/f" } },
		{ EACCES, { "open", "r", "/data/no/f" } },
		{ EACCES, { "open", "rwc", "/data/no/new" } },
		{ ENOENT, { "open", "r", "/proc/self/status" } },
		{ ENOENT, { "open", "r", host } },
		{ ENOENT, { "open", "r", text("%s/rw/f", host) } },
		{ EBUSY, { "rename", "/data/no", "/data/yes" } },
	};
	const char *made = text("%s/rw/made/new", host);

	load_plain();
	events_forget();
	EXPECT_BATCH("g", steps);
	EXPECT_TRUE(exists(made));
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", "reason=rule", "path$=/no/f",
		     "guest_path=null");
	EXPECT_EVENT("type=violation", "op=create", "errno=EACCES", "path$=/no/new");
	EXPECT_EQ(0, EVENTS("path$=/ro/f"));
	EXPECT_EQ(0, EVENTS("path$=/ro/new"));
	EXPECT_EQ(0, PROBE(NULL, "open", "rw", text("%s/ro/f", host)));
	EXPECT_EQ(0, PROBE(NULL, "open", "rwc", text("%s/ro/new", host)));
	EXPECT_EQ(0, PROBE(NULL, "open", "w", text("%s/file", host)));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/rw/no/f", host)));
}

/* Where the root is its own, nothing can be made: by the policy, whose errno it is. */
TEST(nothing_is_made_in_it)
{
	const struct step steps[] = {
		{ EACCES, { "open", "rwc", "/x" } },	{ EACCES, { "mkdir", "/x" } },
		{ EACCES, { "mkdir", "/a/b/x" } },	{ EACCES, { "symlink", "/data", "/x" } },
		{ EACCES, { "rename", "/a", "/x" } },	{ EACCES, { "rmdir", "/a/b/c/d" } },
		{ EACCES, { "chmod", "/a" } },		{ EXDEV, { "rename", "/data/f", "/x" } },
		{ EPERM, { "mkchr", "/x" } },		{ EACCES, { "bind", "/x" } },
		{ EACCES, { "tmpfile", "/", "/x" } },
	};

	load_plain();
	events_forget();
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", "op=create", "errno=EACCES", "reason=rule", "path=/x",
		     "rule.id=0", "rule.path=null", "suggest=null");
	EXPECT_EVENT("type=violation", "op=mkdir", "errno=EACCES", "path=/a/b/x");
	EXPECT_EVENT("type=violation", "op=rename", "errno=EACCES", "path=/a");
	EXPECT_EQ(0, PROBE(NULL, "mkdir", "/x", "rmdir", "/x"));
	ASSERT_LOAD("[guest.g]\nerrno = \"ENOENT\"\nmode = \"audit\"\ninclude = [\"runtime\"]\n" FILES
		    LOADER AT("%s/rw", "rw", "/data") END, host);
	events_forget();
	EXPECT_EQ(0, PROBE("g", "mkdir", "/x"));
	EXPECT_EVENT("type=violation", "op=mkdir", "verdict=would_deny", "path=/x");
	EXPECT_FALSE(exists("/x"));
}

/* The point of it is the tmpfs's, which gives nothing; in another directory's it is in use. */
TEST(mount_points_stay)
{
	const struct step steps[] = {
		{ EACCES, { "unlink", "/mine" } },
		{ EACCES, { "rename", "/mine", "/yours" } },
		{ EACCES, { "rmdir", "/data" } },
		{ EBUSY, { "unlink", "/data/sub/f" } },
		{ EBUSY, { "rename", "/data/sub/f", "/data/sub/g" } },
		{ EBUSY, { "rename", "/data/f", "/data/sub/f" } },
		{ 0, { "open", "rw", "/mine" } },
		{ 0, { "open", "rw", "/data/sub/f" } },
		{ 0, { "unlink", "/data/f" } },
	};

	ASSERT_LOAD(OWN("g") AT("%1$s/rw", "rw", "/data") AT("%1$s/file", "rw", "/mine")
		    AT("%1$s/other/f", "rw", "/data/sub/f") END, host);
	events_forget();
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", "op=unlink", "errno=EACCES", "path=/mine");
	EXPECT_EQ(0, PROBE(NULL, "unlink", text("%s/rw/sub/f", host), "unlink",
			   text("%s/file", host)));
}

TEST(symlinks_lead_nowhere_else)
{
	const struct step steps[] = {
		{ ENOENT, { "open", "r", "/data/link" } },
		{ ENOENT, { "list", "/data/dir" } },
		{ ENOENT, { "open", "rwc", "/data/dir/new" } },
		{ 0, { "symlink", "../../../../etc/shadow", "/data/up" } },
		{ ENOENT, { "open", "r", "/data/up" } },
		{ ENOENT, { "open", "r", "/../../etc/../tmp/f" } },
		{ 0, { "symlink", "/ro/f", "/data/in" } },
		{ 0, { "open", "r", "/data/in" } },
	};

	load_plain();
	EXPECT_BATCH("g", steps);
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/rw/link", host)));
	EXPECT_EQ(0, PROBE(NULL, "list", text("%s/rw/dir", host)));
}

/* Rules beneath one that is seen need nothing of their own: what they are on may come and go. */
TEST(rules_beneath_what_is_seen)
{
	const struct step steps[] = {
		{ EACCES, { "open", "rw", text("%s/rw/conf/f", host) } },
		{ 0, { "open", "r", text("%s/rw/conf/f", host) } },
		{ EACCES, { "open", "rwc", text("%s/ro/other", host) } },
		{ 0, { "open", "rwc", text("%s/ro/log", host) } },
		{ 0, { "unlink", text("%s/ro/log", host) } },
	};

	ASSERT_LOAD(OWN("g") AT("%1$s/other", "ro", "/other") RULE("%1$s/rw", "rw")
		    RULE("%1$s/rw/conf", "ro") RULE("%1$s/ro", "ro") RULE("%1$s/ro/log", "rw") END,
		    host);
	EXPECT_EQ(0, PROBE("g", "open", "r", text("%s/ro/f", host)));
	EXPECT_FALSE(exists(text("%s/ro/log", host)));
	events_forget();
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", "path$=/conf/f");
	EXPECT_EVENT("type=violation", "op=create", "errno=EACCES", "path$=/ro/other");
	EXPECT_FALSE(exists(text("%s/ro/log", host)));
	EXPECT_EQ(0, PROBE(NULL, "open", "rw", text("%s/rw/conf/f", host)));
}

/* ---- a file that is not there yet ---- */

TEST(a_missing_file_is_made)
{
	const char *new = text("%s/other/new", host), *mine = text("%s/other/mine", host);
	const char *never = text("%s/other/never", host);
	struct stat st;

	ASSERT_LOAD(OWN("g") AT("%1$s/other/new", "rw", "/log/new") AT("%1$s/other/never", "ro", "/way/never")
		    "\t{ path = \"%1$s/other/mine\", access = [\"write\", \"create\", \"read\"], "
		    "guest_path = \"/mine\" },\n" END, host);
	EXPECT_FALSE(exists(new));
	events_forget();
	EXPECT_EQ(0, PROBE("g", "open", "rw", "/log/new"));
	ASSERT_EQ(0, lstat(new, &st));
	EXPECT_EQ(S_IFREG | 0600, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_size);
	EXPECT_FALSE(exists(never));
	EXPECT_EQ(ENOENT, PROBE("g", "open", "r", "/way/never"));
	EXPECT_EQ(ENOENT, PROBE("g", "list", "/way"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "rwc", "/log/sibling"));
	EXPECT_EVENT("type=violation", "op=create", "errno=EACCES", "path=/log/sibling");

	ASSERT_EQ(0, unlink(new));
	ASSERT_EQ(0, unlink(mine));
	EXPECT_CTL(0, "open 0", "run g --user 65534:1 -- " PROBE_BIN " open rw /log/new");
	ASSERT_EQ(0, lstat(new, &st));
	EXPECT_EQ(S_IFREG | 0600, st.st_mode);
	EXPECT_EQ(65534, st.st_uid);
	EXPECT_EQ(1, st.st_gid);
	/* What is there stays what it is. */
	ASSERT_EQ(0, unlink(mine));
	make_file(mine, "kept");
	EXPECT_EQ(0, PROBE("g", "open", "r", "/mine"));
	ASSERT_EQ(0, lstat(mine, &st));
	EXPECT_EQ(4, st.st_size);
	EXPECT_EQ(S_IFREG | 0644, st.st_mode);
}

/* A guest made it a symlink: it chooses nothing. */
TEST(a_symlink_in_its_place_is_not_followed)
{
	const char *new = text("%s/other/new", host);

	ASSERT_LOAD(OWN("g") AT("%1$s/other/new", "rw", "/new") END, host);
	ASSERT_EQ(0, symlink("/etc/passwd", new));
	EXPECT_CTL(125, "is a symlink now", "run g -- /usr/bin/true");
	ASSERT_EQ(0, unlink(new));
	ASSERT_EQ(0, symlink("/nowhere", new));
	EXPECT_CTL(125, "is a symlink now", "run g -- /usr/bin/true");
	EXPECT_FALSE(exists("/nowhere"));
	ASSERT_EQ(0, unlink(new));
	EXPECT_CTL(0, "", "run g -- /usr/bin/true");
}

/* ---- --map ---- */

TEST(map_grants_nothing)
{
	struct stat st;

	ASSERT_LOAD(OWN("g") RULE("%1$s/rw", "rw") END, host);
	events_forget();
	EXPECT_CTL(0, "stat 0\nlist 13\nopen 13\nopen 30\n",
		   "run g --map %s/other:/seen -- " PROBE_BIN " stat /seen/f list /seen open r /seen/f "
		   "open rwc /seen/new", host);
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", "reason=no_rule", "missing=list");
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", "reason=no_rule", "missing=read");
	EXPECT_EQ(0, PROBE(NULL, "list", text("%s/other", host)));
	EXPECT_FALSE(exists(text("%s/other/new", host)));
	/* Of what a rule covers; what is not there is made if that says create. */
	EXPECT_CTL(0, "open 0\nopen 0\nopen 30\nopen 0\nopen 0\n",
		   "run g --map %1$s/rw:/a --map %1$s/rw:/b:ro --map %1$s/rw/new:/c/d/new -- " PROBE_BIN
		   " open rwc /a/made open r /b/made open rw /b/made open rw /c/d/new open rw %1$s/rw/f",
		   host);
	ASSERT_EQ(0, stat(text("%s/rw/new", host), &st));
	EXPECT_EQ(S_IFREG | 0600, st.st_mode);
	EXPECT_TRUE(exists(text("%s/rw/made", host)));
	EXPECT_CTL(125, "No such file", "run g --map %s/other/new:/new -- /usr/bin/true", host);
	EXPECT_FALSE(exists(text("%s/other/new", host)));
}

TEST(map_that_is_wrong)
{
	ASSERT_LOAD(OWN("g") AT("%1$s/rw", "rw", "/data") RULE("%1$s/ro", "ro") END, host);
	EXPECT_CTL(125, "HOST:GUEST", "run g --map /usr -- /usr/bin/true");
	EXPECT_CTL(125, "HOST:GUEST", "run g --map /usr:/a:rw -- /usr/bin/true");
	EXPECT_CTL(125, "HOST:GUEST", "run g --map /usr:/a:ro:ro -- /usr/bin/true");
	EXPECT_CTL(125, "absolute path, not 'usr'", "run g --map usr:/a -- /usr/bin/true");
	EXPECT_CTL(125, "absolute path, not 'a'", "run g --map /usr:a -- /usr/bin/true");
	EXPECT_CTL(125, "absolute path, not ''", "run g --map :/a -- /usr/bin/true");
	EXPECT_CTL(125, "'..' in GUEST", "run g --map /usr:/a/../b -- /usr/bin/true");
	EXPECT_CTL(125, "'/', the guest's whole root", "run g --map /usr:// -- /usr/bin/true");
	EXPECT_CTL(125, "not with --in-place", "run g --in-place --map /usr:/a -- /usr/bin/true");
	EXPECT_CTL(125, "not with --ceilings-only",
		   "run g --ceilings-only --policy " POLICY_FILE " --map /usr:/a -- /usr/bin/true");
	EXPECT_CTL(125, "two things at '/data'", "run g --map /usr:/data -- /usr/bin/true");
	EXPECT_CTL(125, "two things at '/a'",
		   "run g --map /usr:/a --map /etc:/a -- /usr/bin/true");
	EXPECT_CTL(125, "No such file", "run g --map /no/such:/a -- /usr/bin/true");
	EXPECT_CTL(125, "below a file", "run g --map %1$s/file:/a --map /usr:/a/b -- /usr/bin/true",
		   host);
	EXPECT_CTL(125, "has no such name", "run g --map /usr:/data/missing -- /usr/bin/true");
	EXPECT_CTL(125, "below a file", "run g --map /usr:/data/f -- /usr/bin/true");
	EXPECT_CTL(0, "", "run g --map /usr//:/a/./b/ -- /usr/bin/true");
	EXPECT_CTL(0, "", "run g --map %s/rw:/data -- /usr/bin/true", host);
}

/* A guest without a guest_path gets a root by --map alone, and in it what its rules are on. */
TEST(map_alone_makes_the_root)
{
	ASSERT_LOAD(OWN("g") RULE("%s/rw", "rw") END, host);
	EXPECT_EQ(0, ctl("run g -- /bin/ls -A /usr/bin/true"));
	EXPECT_CTL(2, "Permission denied", "run g -- /bin/ls -A /");
	EXPECT_EQ(0, ctl("run g --map %1$s/rw:/data -- /bin/sh -c 'ls -A / && echo %1$s/rw/f'", host));
	EXPECT_STREQ(text("bin\ndata\ndev\netc\nlib\nlib64\nselftests\n%s\nusr\n%s/rw/f\n", host + 1,
			  host), ctl_said);
}

/* ---- how it is mounted ---- */

/* The options of the mount at @at, as @pid has it. */
static const char *options(pid_t pid, const char *at)
{
	static char said[256];

	(void)run_cmd(said, sizeof(said), "awk '$5 == \"%s\" { print $6 }' /proc/%d/mountinfo", at,
		      (int)pid);
	return said;
}

TEST(flags)
{
	const char *shared = text("%s/rw", host);
	struct probe p;
	pid_t pid;

	ASSERT_EQ(0, mount(shared, shared, NULL, MS_BIND, NULL) ||
			     mount(NULL, shared, NULL, MS_SHARED, NULL));
	load_plain();
	pid = start(&p, STEPS("pause"));
	EXPECT_TRUE(!strncmp(options(pid, "/data"), "rw,nosuid,nodev", 15));
	EXPECT_TRUE(!strncmp(options(pid, "/ro"), "ro,nosuid,nodev", 15));
	EXPECT_TRUE(!strncmp(options(pid, "/usr"), "ro,nosuid,nodev", 15));
	EXPECT_TRUE(!strncmp(options(pid, "/"), "rw,nosuid,nodev", 15));
	EXPECT_TRUE(!strncmp(options(pid, "/dev/null"), "rw,nosuid", 9));
	EXPECT_FALSE(strstr(options(pid, "/dev/null"), "nodev"));
	/* And nothing of these ever comes out, or in. */
	EXPECT_EQ(0, run_cmd(NULL, 0, "! grep -E 'shared:|master:' /proc/%d/mountinfo", (int)pid));
	EXPECT_EQ(0, run_cmd(NULL, 0, "grep -q 'shared:' /proc/self/mountinfo"));
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, umount(shared));
}

/* A set-user-ID program gains nothing there, as it does outside. */
TEST(no_suid)
{
	const char *program = text("%s/rw/suid", host);

	ASSERT_EQ(0, run_cmd(NULL, 0, "cp " PROBE_BIN " %s", program));
	ASSERT_EQ(0, chmod(program, 04755));
	ASSERT_LOAD(OWN("g") AT("%1$s/rw", "rwx", "/data") END "[guest.h]\ninclude = [\"runtime\"]\n"
		    FILES RULE("%1$s/rw", "rwx") END, host);
	EXPECT_EQ(0, ctl("run h --user user -- %s ids", program));
	EXPECT_STRSTR("is 0 uid 1000 0 0 ", ctl_said);
	EXPECT_EQ(0, ctl("run g --user user -- /data/suid ids"));
	EXPECT_STRSTR("is 0 uid 1000 1000 1000 ", ctl_said);
}

/* Mounts below a mapped directory are seen with it, with its flags; later ones are not. */
TEST(mounts_below)
{
	const char *below = text("%s/ro/m", host), *later = text("%s/ro/later", host);
	struct probe p;
	pid_t pid;

	make_dir(below);
	make_dir(later);
	ASSERT_EQ(0, mount("tmpfs", below, "tmpfs", 0, NULL));
	make_file(text("%s/f", below), "x");
	load_plain();
	pid = start(&p, STEPS("open", "r", "/ro/m/f", "open", "rw", "/ro/m/f", "pause", "open", "r",
			      "/ro/later/f"));
	EXPECT_TRUE(!strncmp(options(pid, "/ro/m"), "ro,nosuid,nodev", 15));
	ASSERT_EQ(0, mount("tmpfs", later, "tmpfs", 0, NULL));
	make_file(text("%s/f", later), "x");
	probe_go(&p);
	EXPECT_STREQ("pause 0", probe_until(&p, "pause"));
	EXPECT_STREQ(text("open %d", ENOENT), probe_line(&p));
	EXPECT_EQ(0, probe_end(&p));
	ASSERT_EQ(0, umount(later));
	EXPECT_CTL(0, "open 0\nopen 30\n", "run g -- " PROBE_BIN " open r /ro/m/f open rw /ro/m/f");
	ASSERT_EQ(0, umount(below));
}

/* ---- one guest, one root ---- */

TEST(a_second_run_joins)
{
	struct probe p, q;
	pid_t first, second;

	load_plain();
	first = start(&p, STEPS("pause"));
	second = start(&q, STEPS("list", "/", "open", "rw", "/data/f", "pause"));
	EXPECT_NE(0, mounts_of(first));
	EXPECT_EQ(mounts_of(first), mounts_of(second));
	EXPECT_NE(mounts_of(getpid()), mounts_of(first));
	/* One that outlives the first is joined, too. */
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	first = start(&p, STEPS("list", "/", "pause"));
	EXPECT_EQ(mounts_of(second), mounts_of(first));
	/* What it has already may be asked for; what it has not is not put there any more. */
	EXPECT_CTL(0, "open 0", "run g --map %s/rw:/data -- " PROBE_BIN " open rw /data/f", host);
	EXPECT_CTL(125, "as its first 'run' has made it",
		   "run g --map %s/rw:/data:ro -- /usr/bin/true", host);
	EXPECT_CTL(125, "as its first 'run' has made it", "run g --map %s/other:/o -- /usr/bin/true",
		   host);
	probe_go(&p);
	probe_go(&q);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, probe_end(&q));
	/* With its end it is gone: the next one is made anew. */
	EXPECT_CTL(0, "list 0\n", "run g --map %s/other:/o -- " PROBE_BIN " list /", host);
}

/* Whoever comes second joins, also where nobody was there when both began. */
TEST(two_at_once)
{
	struct probe p[3];
	pid_t pid[3];

	load_plain();
	for (int i = 0; i < 3; i++)
		probe_start(&p[i], "g", STEPS("list", "/", "open", "rw", "/data/f", "pause"));
	for (int i = 0; i < 3; i++) {
		EXPECT_STREQ("list 0", probe_until(&p[i], "list"));
		EXPECT_STREQ("open 0", probe_line(&p[i]));
		pid[i] = probe_pid(probe_until(&p[i], "paused"));
	}
	EXPECT_EQ(mounts_of(pid[0]), mounts_of(pid[1]));
	EXPECT_EQ(mounts_of(pid[0]), mounts_of(pid[2]));
	for (int i = 0; i < 3; i++) {
		probe_go(&p[i]);
		EXPECT_EQ(0, probe_end(&p[i]));
	}
}

/* Without an option of its own it joins what --map has made. */
TEST(a_plain_run_joins_a_mapped_one)
{
	struct probe p;

	ASSERT_LOAD(OWN("g") RULE("%s/rw", "rw") END, host);
	ASSERT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "policyctl run g --map %s/rw:/data -- " PROBE_BIN
			     " block >/dev/null 2>&1 </dev/null & while ! grep -q . " CGROUPS
			     "/g/cgroup.procs; do :; done", host));
	EXPECT_CTL(0, "open 0\n", "run g -- " PROBE_BIN " open rw /data/f");
	EXPECT_CTL(0, "stopped", "stop g");
	EXPECT_CTL(0, "open 2\n", "run g -- " PROBE_BIN " open rw /data/f");
	probe_start(&p, "g", STEPS("open", "rw", text("%s/rw/f", host)));
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
}

/* Two guests with the same rules have a root each. */
TEST(each_guest_its_own)
{
	struct probe p;

	ASSERT_LOAD("[profile.p]\n" FILES AT("%s/rw", "rw", "/data") LOADER END
		    "[guest.g]\ninclude = [\"runtime\", \"p\"]\n"
		    "[guest.h]\ninclude = [\"runtime\", \"p\"]\n", host);
	(void)start(&p, STEPS("list", "/", "pause", "list", "/"));
	EXPECT_CTL(0, "list 0\nopen 0\n", "run h -- " PROBE_BIN " list / open rw /data/f");
	probe_go(&p);
	EXPECT_STREQ("pause 0", probe_until(&p, "pause"));
	EXPECT_STREQ("list 0", probe_line(&p));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(a_load_while_it_runs)
{
	struct probe p, q;

	load_plain();
	(void)start(&p, STEPS("pause", "list", "/", "open", "rw", "/data/f", "mkdir", "/x"));
	ASSERT_LOAD("[guest.a]\n" OWN("g") AT("%1$s/rw", "ro", "/data") END, host);
	EXPECT_CTL(0, "list 0\nopen 13\n", "run g -- " PROBE_BIN " list / open rw /data/f");
	(void)start(&q, STEPS("pause"));
	probe_go(&p);
	EXPECT_STREQ("pause 0", probe_until(&p, "pause"));
	EXPECT_STREQ("list 0", probe_line(&p));
	EXPECT_STREQ("open 13", probe_line(&p));
	EXPECT_STREQ("mkdir 13", probe_line(&p));
	EXPECT_EQ(0, probe_end(&p));
	probe_go(&q);
	EXPECT_EQ(0, probe_end(&q));
	EXPECT_CTL(0, "list 0\nopen 30\n", "run g -- " PROBE_BIN " list / open rw /data/f");
}

/* Its root is run's matter: what is attached has the one that it has, and may not list that. */
TEST(attached_processes_keep_theirs)
{
	struct probe p, q;
	pid_t pid;

	load_plain();
	probe_start(&p, NULL, STEPS("pause", "list", "/", "open", "r", "/data/f", "open", "rw",
				    text("%s/rw/f", host)));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_CTL(0, "warning: guest 'g' has guest_path", "attach g %d", p.pid);
	/* Beside it run makes one all the same. */
	pid = start(&q, STEPS("list", "/", "open", "rw", "/data/f", "pause"));
	EXPECT_NE(mounts_of(p.pid), mounts_of(pid));
	probe_go(&p);
	EXPECT_STREQ("pause 0", probe_until(&p, "pause"));
	EXPECT_STREQ("list 13", probe_line(&p));
	EXPECT_STREQ("open 2", probe_line(&p));
	EXPECT_STREQ("open 0", probe_line(&p));
	EXPECT_EQ(0, probe_end(&p));
	probe_go(&q);
	EXPECT_EQ(0, probe_end(&q));
}

/* Nor is one made in place. */
TEST(not_in_place)
{
	const char *in_m = "sh -c 'mkdir -p /sys/fs/cgroup/m && echo $$ >/sys/fs/cgroup/m/cgroup.procs && "
			   "exec policyctl run g --in-place -- /usr/bin/true'";

	ASSERT_LOAD("[guest.g]\nmembers = { cgroups = [\"/m\"] }\ninclude = [\"runtime\"]\n" FILES
		    AT("%s/rw", "rw", "/data") END, host);
	EXPECT_EQ(125, run_cmd(ctl_said, sizeof(ctl_said), "%s", in_m));
	EXPECT_STRSTR("no root is made in place", ctl_said);
	/* What is a member by then is the guest's from its birth, and so would be the shell. */
	EXPECT_EQ(0, run_cmd(NULL, 0, "rmdir /sys/fs/cgroup/m"));
	ASSERT_LOAD("[guest.g]\nmembers = { cgroups = [\"/m\"] }\ninclude = [\"runtime\"]\n" FILES
		    RULE("%s/rw", "rw") END, host);
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said), "%s", in_m));
	EXPECT_STREQ("", ctl_said);
	ASSERT_LOAD("[guest.g]\n");
	EXPECT_EQ(0, run_cmd(NULL, 0, "rmdir /sys/fs/cgroup/m"));
}

/* ---- with other knobs ---- */

TEST(private_tmp)
{
	const char *x = "/run/policyctl/tmp/g/x";
	struct probe p;

	ASSERT_LOAD("[guest.g]\ntmp = \"private\"\ninclude = [\"runtime\"]\n" FILES LOADER
		    AT("%s/rw", "rw", "/data") END, host);
	(void)start(&p, STEPS("open", "rwc", "/tmp/x", "open", "r", "/var/tmp/x", "pause"));
	EXPECT_TRUE(exists(x));
	EXPECT_EQ(0, PROBE("g", "open", "r", "/tmp/x"));
	EXPECT_EQ(0, ctl("run g -- /bin/ls -A / /var"));
	EXPECT_STREQ("/:\nbin\ndata\ndev\netc\nlib\nlib64\nselftests\ntmp\nusr\nvar\n\n/var:\ntmp\n",
		     ctl_said);
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_FALSE(exists(x));
	EXPECT_CTL(125, "a /tmp of its own", "run g --map /usr:/tmp/x -- /usr/bin/true");
}

/* Rules of the guest's own root are looked up in this one. */
TEST(rules_in_the_guest)
{
	ASSERT_LOAD(OWN("g") AT("%1$s/rw", "ro", "/data")
		    "\t{ path = \"/seen/sub\", access = \"rw\", in = \"guest\" },\n" END, host);
	EXPECT_CTL(125, "error[P0501]", "run g -- /usr/bin/true");
	EXPECT_CTL(0, "open 0\nopen 13\nlist 0\n",
		   "run g --map %1$s/rw:/seen -- " PROBE_BIN
		   " open r /seen/sub/f open rw /seen/conf/f list /", host);
	EXPECT_EQ(0, run_cmd(NULL, 0, "test ! -e /seen"));
	ASSERT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "policyctl run g --map %s/rw:/seen -- " PROBE_BIN
			     " block >/dev/null 2>&1 </dev/null & while ! grep -q . " CGROUPS
			     "/g/cgroup.procs; do :; done", host));
	EXPECT_CTL(0, "open 0\nlist 0\n", "run g -- " PROBE_BIN " open rw /seen/sub/f list /");
}

TEST(stat_denied)
{
	ASSERT_LOAD("[guest.g]\nstat = \"deny\"\ninclude = [\"runtime\"]\n" FILES LOADER
		    AT("%s/rw", "rw", "/a/data") END, host);
	EXPECT_CTL(0, "stat 0\nstat 0\nstat 0\nstat 13\n",
		   "run g --map %s/other:/seen -- " PROBE_BIN
		   " stat / stat /a stat /a/data/f stat /seen/f", host);
}

/* It may mount in its own namespace, which is not the host's: and finds nothing under what it takes away. */
TEST(mounts_allowed)
{
	ASSERT_LOAD("[guest.g]\nmounts = \"allow\"\ninclude = [\"runtime\"]\n" FILES LOADER
		    AT("%s/rw", "rw", "/data") END, host);
	EXPECT_CTL(0, "umount 0\nopen 2\nlist 0\nopen 13\n",
		   "run g -- " PROBE_BIN " umount /data open r /data/f list /data open rwc /data/new");
	EXPECT_TRUE(exists(text("%s/rw/f", host)));
}

/* ---- a guest that wants out ---- */

TEST(hostile)
{
	const struct step steps[] = {
		{ EPERM, { "umount", "/data" } },
		{ EPERM, { "umount", "/" } },
		{ EPERM, { "mount-bind", "/data", "/ro" } },
		{ EPERM, { "mount-tmpfs", "/data" } },
		{ EPERM, { "mount-ro", "/data" } },
		{ EPERM, { "mount-private" } },
		{ EPERM, { "pivot", "/data", "/data" } },
		{ EPERM, { "move-mount", "/data", "/ro" } },
		{ EPERM, { "mount-setattr", "/data" } },
		{ ENOENT, { "open", "r", "/proc/1/root/etc/passwd" } },
		{ 0, { "chroot", "/data" } },
		{ ENOENT, { "open", "r", "/../ro/f" } },
	};

	load_plain();
	events_forget();
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=escape", "op=umount", "errno=EPERM", "guest.name=g");
	EXPECT_EVENT("type=escape", "op=pivot_root", "errno=EPERM");
	/* The same where nobody confines it. */
	EXPECT_EQ(0, PROBE(NULL, "unshare-mnt", "mount-private", "mount-tmpfs", "/mnt", "mount-ro",
			   "/mnt", "umount", "/mnt"));
}

/* ---- what fails ---- */

static int mounts_here(void)
{
	char said[32] = "";

	(void)run_cmd(said, sizeof(said), "wc -l </proc/self/mountinfo");
	return (int)strtol(said, NULL, 10);
}

static void no_fsopen(void)
{
	(void)refuse_call(SYS_fsopen, ENOSYS);
}

static void no_pivot(void)
{
	(void)refuse_call(SYS_pivot_root, EINVAL);
}

static void no_move(void)
{
	(void)refuse_call(SYS_move_mount, EACCES);
}

static void no_setns(void)
{
	(void)refuse_call(SYS_setns, EPERM);
}

static void no_chroot(void)
{
	(void)refuse_call(SYS_chroot, EPERM);
}

/* A caller that somebody has put into a mount of its own: the rest of the host is in its namespace. */
static void in_a_chroot(void)
{
	const char *at = make_dir(text("%s/jail", host));

	/* Private: unmounted later it must not take what it is a copy of along. */
	if (mount("/", at, NULL, MS_BIND | MS_REC, NULL) ||
	    mount(NULL, at, NULL, MS_PRIVATE | MS_REC, NULL) || chroot(at) || chdir("/"))
		_exit(95);
}

static void no_unshare(void)
{
	(void)refuse_call(SYS_unshare, EPERM);
}

/* @clean: no mount is there that was not before. */
static void expect_failure_of(void (*prepare)(void), const char *message, bool clean)
{
	int before = mounts_here();
	struct probe p;
	const char *line, *said = "";

	probe_prepare = prepare;
	probe_start(&p, "g", STEPS("open", "r", "/data/f"));
	probe_prepare = NULL;
	while ((line = probe_line(&p)))
		if (strstr(line, "error:"))
			said = text("%s", line);
		else if (!strncmp(line, "open", 4))
			FAIL("it ran: %s", line);
	EXPECT_STRSTR(message, said);
	EXPECT_EQ(125, probe_end(&p));
	if (clean)
		EXPECT_EQ(before, mounts_here());
	EXPECT_EQ(kernels, strangers());
	EXPECT_STREQ("0", guest_value("g", "tasks"));
}

static void expect_failure(void (*prepare)(void), const char *message)
{
	expect_failure_of(prepare, message, true);
}

TEST(a_failure_leaves_nothing)
{
	load_plain();
	expect_failure(no_fsopen, "cannot make a root for the guest: Function not implemented");
	expect_failure(no_unshare, "cannot make a root for the guest: Operation not permitted");
	expect_failure(no_move, "cannot make a root for the guest: Permission denied");
	expect_failure(no_pivot, "cannot leave the host's root: Invalid argument");
	expect_failure(no_setns, "cannot leave the host's root: Operation not permitted");
	expect_failure(no_chroot, "cannot enter the root of guest 'g': Operation not permitted");
	EXPECT_EQ(0, PROBE("g", "open", "r", "/data/f"));
	ASSERT_EQ(0, run_cmd(NULL, 0, "mv %1$s/ro %1$s/away", host));
	expect_failure(NULL, "to the guest at '/ro': No such file or directory");
	make_dir(text("%s/ro", host));
	expect_failure(NULL, "is not the directory that the rule on");
	EXPECT_EQ(0, run_cmd(NULL, 0, "rmdir %1$s/ro && mv %1$s/away %1$s/ro", host));
	EXPECT_EQ(0, PROBE("g", "open", "r", "/ro/f"));
	EXPECT_CTL(127, "command not found", "run g -- /proc/self/exe");
	EXPECT_CTL(127, "command not found", "run g -- nothing");
	EXPECT_EQ(kernels, strangers());
}

/* After chroot(2) into a mount the host's root would stay in the guest's namespace: it is not started. */
TEST(not_after_chroot)
{
	load_plain();
	expect_failure_of(in_a_chroot, "cannot leave the host's root: Invalid argument", false);
	EXPECT_EQ(0, umount2(text("%s/jail", host), MNT_DETACH));
	EXPECT_EQ(0, PROBE("g", "open", "r", "/data/f"));
}

/* policyd, or who else reads the events, holds a lock all the time. */
TEST(while_the_events_are_read)
{
	int reader;

	load_plain();
	reader = open(PINS "/maps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(0, flock(reader, LOCK_EX | LOCK_NB));
	EXPECT_EQ(0, PROBE("g", "open", "r", "/data/f"));
	close(reader);
}

/* Of a policyctl that is killed on the way nobody is left, and nothing of what it made. */
TEST(killed_on_the_way)
{
	struct timespec delay = { 0 };

	load_plain();
	for (int i = 0; i < 25; i++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			execlp("policyctl", "policyctl", "run", "g", "--", PROBE_BIN, "block", NULL);
			_exit(94);
		}
		delay.tv_nsec = i * 20000000L;
		nanosleep(&delay, NULL);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
	}
	EXPECT_EQ(0, ctl("stop g --timeout 0"));
	for (int i = 0; i < 200 && strangers() != kernels; i++)
		usleep(50000);
	EXPECT_EQ(kernels, strangers());
	EXPECT_STREQ("0", guest_value("g", "tasks"));
	EXPECT_EQ(0, PROBE("g", "open", "rw", "/data/f"));
}

/* ---- what check says ---- */

TEST(below_a_file)
{
	policy_write(OWN("g") AT("%1$s/file", "ro", "/data") AT("%1$s/rw", "rw", "/data/rw") END, host);
	EXPECT_CTL(3, "error[P0518]", "check " POLICY_FILE);
	EXPECT_STRSTR(text("'%s/rw' (line 16) would be at '/data/rw' in the guest, below the file "
			   "'%s/file' (line 15)", host, host), ctl_said);
	EXPECT_CTL(3, "error[P0518]", "load " POLICY_FILE);
	policy_write(OWN("g") AT("%1$s/rw", "rw", "/data") AT("%1$s/ro", "ro", "/data/sub") END, host);
	EXPECT_CTL(0, text("g: %s/rw is seen at /data\n", host), "check " POLICY_FILE);
}

/* A program whose loader is not there is there and cannot run. */
TEST(without_a_loader)
{
	ASSERT_LOAD(GUEST("g") FILES AT("%s/rw", "rw", "/data") END, host);
	EXPECT_CTL(126, "is not in the guest's root", "run g -- " PROBE_BIN " list /");
}

LEAVES_NO_GUEST()
