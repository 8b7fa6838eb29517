/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tmp = "private": what a guest makes in /tmp and /var/tmp is its own, nobody else sees it, nothing
 * leads out of it, and it is gone with the guest.
 */
#include "harness.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "guest_fds.h"

#define ROOT	"/run/policyctl/tmp"
#define DIR_OF_G ROOT "/g"
#define TMP	"tmp = \"private\"\n"
#define OUTSIDE "/outside"

/* Unless it is the one that is loaded: a load takes longer than most tests. */
static void load_with(const char *knobs)
{
	ASSERT_HAVE(GUEST("g") "%s" FILES END GUEST("h") TMP FILES RULE("/run", "rwx") END, knobs);
}

SETUP()
{
	(void)mkdir("/var", 0755);
	(void)mkdir("/var/tmp", 01777);
	(void)mkdir(OUTSIDE, 0755);
	(void)write_file(OUTSIDE "/f", "host\n");
	EXPECT_FALSE(exists("/tmp/x"));
}

static bool is_empty(const char *dir)
{
	char out[8];

	return run_cmd(out, sizeof(out), "ls -A %s", dir) == 0 && !out[0];
}

/* Starts the payload, and waits for the first of its steps "pause". */
#define START(p, guest, ...)                                        \
	do {                                                        \
		probe_start(p, guest, STEPS(__VA_ARGS__));          \
		ASSERT_TRUE(probe_until(p, "paused") != NULL);      \
	} while (0)

TEST(refused_without_the_knob)
{
	load_with("");
	events_forget();
	EXPECT_EQ(EACCES, PROBE("g", "open", "rwc", "/tmp/x"));
	EXPECT_EVENT("type=violation", "op=create", "errno=EACCES", "path=/tmp/x", "guest.name=g");
	EXPECT_EQ(EACCES, PROBE("g", "mkdir", "/var/tmp/x"));
	EXPECT_EVENT("type=violation", "op=mkdir", "errno=EACCES", "path=/var/tmp/x");
	EXPECT_EQ(0, PROBE(NULL, "open", "rwc", "/tmp/x", "unlink", "/tmp/x"));
	EXPECT_FALSE(exists(DIR_OF_G));
}

TEST(files_of_its_own)
{
	const struct step steps[] = {
		{ 0, { "open", "rwc", "/tmp/x" } },
		{ 0, { "mkdir", "/tmp/d" } },
		{ 0, { "rename", "/tmp/x", "/tmp/d/x" } },
		{ 0, { "link", "/tmp/d/x", "/tmp/y" } },
		{ 0, { "open", "rw", "/var/tmp/y" } },
		{ 0, { "tmpfile", "/tmp", "/tmp/z" } },
		{ 0, { "chmod", "/tmp/y" } },
		{ 0, { "truncate", "/tmp/y" } },
		{ 0, { "list", "/var/tmp" } },
		{ 0, { "unlink", "/tmp/d/x" } },
		{ 0, { "rmdir", "/tmp/d" } },
		{ ENOENT, { "open", "r", POLICY_FILE } },
		{ EACCES, { "open", "rwc", OUTSIDE "/x" } },
		{ EACCES, { "open", "rwc", "/x" } },
	};

	load_with(TMP);
	EXPECT_BATCH("g", steps);
	EXPECT_TRUE(exists(POLICY_FILE));
	EXPECT_FALSE(exists("/tmp/y"));
	EXPECT_FALSE(exists("/var/tmp/y"));
}

static void expect_private(const char *run_options)
{
	struct stat st;

	EXPECT_CTL(0, "open 0", "run g %s -- " PROBE_BIN " open rwc /tmp/x", run_options);
	EXPECT_TRUE(is_empty(DIR_OF_G));
	ASSERT_EQ(0, stat(DIR_OF_G, &st));
	EXPECT_EQ(S_IFDIR | 0700, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	ASSERT_EQ(0, stat(ROOT, &st));
	EXPECT_EQ(S_IFDIR | 0700, st.st_mode);
}

TEST(as_another_user)
{
	struct probe p;

	load_with(TMP);
	expect_private("");
	expect_private("--no-new-privs");
	expect_private("--user 65534");
	expect_private("--user 65534:1 --no-new-privs");

	/* Root's tasks lose nothing, another user's would. */
	START(&p, "g", "open", "rwc", "/tmp/x", "pause");
	EXPECT_CTL(0, "open 0", "run g --user 65534 -- " PROBE_BIN " open rwc /tmp/y");
	EXPECT_CTL(125, "tasks of 'g' run as user 65534",
		   "run g --user 1:1 -- " PROBE_BIN " open r /tmp/y");
	EXPECT_EQ(0, PROBE("g", "open", "r", "/tmp/y"));
	EXPECT_TRUE(exists(DIR_OF_G "/x"));
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_CTL(0, "open 0", "run g --user 1:1 -- " PROBE_BIN " open rwc /tmp/y");
}

/* A second run has the same one; the first to end leaves it to the other. */
TEST(one_for_all_of_a_guest)
{
	struct probe p;

	load_with(TMP);
	START(&p, "g", "open", "rwc", "/tmp/x", "pause");
	EXPECT_EQ(0, PROBE("g", "open", "rwc", "/var/tmp/y", "open", "r", "/tmp/x"));
	EXPECT_TRUE(exists(DIR_OF_G "/x"));
	EXPECT_TRUE(exists(DIR_OF_G "/y"));
	EXPECT_CTL(0, "replaced", "load " POLICY_FILE);
	EXPECT_EQ(0, PROBE("g", "open", "r", "/tmp/x"));
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_TRUE(is_empty(DIR_OF_G));
	EXPECT_EQ(ENOENT, PROBE("g", "open", "r", "/tmp/x"));
}

TEST(nobody_else_s)
{
	const char *x = DIR_OF_G "/x";
	struct probe p;

	load_with(TMP);
	START(&p, "g", "open", "rwc", "/tmp/x", "pause");
	events_forget();
	EXPECT_EQ(ENOENT, PROBE("h", "open", "r", "/tmp/x"));
	/* Whatever it may do in /run. */
	EXPECT_EQ(0, PROBE("h", "open", "rwc", "/run/of_h", "unlink", "/run/of_h"));
	EXPECT_EQ(EACCES, PROBE("h", "open", "r", x));
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", text("path=%s", x),
		     "guest.name=h");
	EXPECT_EQ(EACCES, PROBE("h", "open", "rwc", DIR_OF_G "/y"));
	EXPECT_EQ(EACCES, PROBE("h", "list", ROOT));
	EXPECT_EQ(EACCES, PROBE(NULL, "setuid", "open", "r", x));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", x));
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
}

TEST(nothing_leads_out)
{
	const struct step steps[] = {
		{ 0, { "symlink", OUTSIDE "/f", "/tmp/s" } },
		{ EACCES, { "open", "r", "/tmp/s" } },
		{ 0, { "symlink", OUTSIDE, "/tmp/d" } },
		{ EACCES, { "open", "rwc", "/tmp/d/new" } },
		{ EACCES, { "open", "rwc", "/tmp/.." OUTSIDE "/new" } },
		{ EACCES, { "open", "rwc", "/tmp/../new" } },
		{ EACCES, { "open", "rwc", "/proc/self/root" OUTSIDE "/new" } },
		{ 0, { "open", "rwc", "/tmp/x" } },
		{ EXDEV, { "rename", "/tmp/x", OUTSIDE "/x" } },
		{ EXDEV, { "link", OUTSIDE "/f", "/tmp/f" } },
		{ EPERM, { "mkchr", "/tmp/n" } },
		{ EACCES, { "mmap-x", "/tmp/x" } },
		{ EACCES, { "rmdir", "/tmp" } },
		{ EACCES, { "rename", "/tmp", "/tmp2" } },
		{ EPERM, { "umount", "/tmp" } },
		{ EPERM, { "mount-bind", OUTSIDE, "/tmp" } },
		{ EPERM, { "mount-tmpfs", "/tmp" } },
	};

	load_with(TMP);
	events_forget();
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", "op=open", "errno=EACCES", "path=" OUTSIDE "/f");
	EXPECT_EVENT("type=violation", "op=create", "errno=EACCES", "path=" OUTSIDE "/new");
	EXPECT_EVENT("type=escape", "op=umount", "errno=EPERM");
	EXPECT_EQ(0, PROBE(NULL, "symlink", OUTSIDE "/f", "/tmp/s", "open", "r", "/tmp/s"));
	EXPECT_EQ(0, PROBE(NULL, "unlink", "/tmp/s"));
}

/* Without what lies over it the guest sees the host's, and still may not make anything there. */
TEST(mounts_allowed)
{
	load_with(TMP "mounts = \"allow\"\n");
	EXPECT_EQ(ENOENT, PROBE("g", "open", "r", POLICY_FILE));
	EXPECT_EQ(EACCES, PROBE("g", "umount", "/tmp", "open", "r", POLICY_FILE));
	EXPECT_EQ(EACCES, PROBE("g", "umount", "/tmp", "open", "rwc", "/tmp/x"));
	EXPECT_EQ(0, PROBE("g", "umount", "/tmp", "open", "rwc", "/var/tmp/x"));
	EXPECT_TRUE(exists(POLICY_FILE));
}

TEST(user_namespaces_and_audit)
{
	load_with(TMP "userns = \"allow\"\n");
	EXPECT_EQ(0, PROBE("g", "unshare-user", "open", "rwc", "/tmp/x"));
	load_with(TMP "mode = \"audit\"\n");
	EXPECT_EQ(0, PROBE("g", "open", "rwc", "/tmp/x"));
	EXPECT_FALSE(exists("/tmp/x"));
}

static long mounts_of_host(void)
{
	char out[16];

	return run_cmd(out, sizeof(out), "wc -l < /proc/self/mountinfo") ? -1 : atol(out);
}

TEST(no_mount_reaches_the_host)
{
	long before;
	struct probe p;

	load_with(TMP);
	make_dir("/shared");
	ASSERT_EQ(0, mount("tmpfs", "/shared", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mount(NULL, "/shared", NULL, MS_SHARED, NULL));
	make_dir("/shared/later");
	before = mounts_of_host();
	ASSERT_LE(1, before);
	START(&p, "g", "open", "rwc", "/tmp/x", "pause");
	EXPECT_EQ(before, mounts_of_host());
	/* The other way they do. */
	ASSERT_EQ(0, mount("tmpfs", "/shared/later", "tmpfs", 0, NULL));
	EXPECT_EQ(0, run_cmd(NULL, 0, "grep -q ' /shared/later ' /proc/%d/mountinfo",
			     (int)read_number(CGROUPS "/g/cgroup.procs")));
	ASSERT_EQ(0, umount("/shared/later"));
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	ASSERT_EQ(0, umount("/shared"));
}

/* ---- its end ---- */

#define LEAVE_THINGS                                                                            \
	"mkdir", "/tmp/0", "open", "rwc", "/tmp/0/1", "mkdir", "/tmp/0/2", "mkdir", "/tmp/0/2/0", \
		"symlink", OUTSIDE, "/tmp/0/2/s", "symlink", "/", "/tmp/1", "mkfifo", "/tmp/f", \
		"open", "rwc", "/tmp/-r f"

/* Its end is not the end of the guest. */
TEST(stop_removes_what_is_left)
{
	load_with(TMP);
	EXPECT_CTL(0, "mkdir 0",
		   "run g -- /bin/sh -c '" PROBE_BIN " mkdir /tmp/0 mkdir /tmp/0/1 symlink " OUTSIDE
		   " /tmp/0/s; " PROBE_BIN " block > /dev/null 2>&1 < /dev/null &'");
	EXPECT_TRUE(exists(DIR_OF_G "/0/1"));
	EXPECT_CTL(0, "stopped", "stop g");
	EXPECT_TRUE(is_empty(DIR_OF_G));
	EXPECT_TRUE(exists(OUTSIDE "/f"));
}

/* policyctl run was killed: the next one finds nothing. */
TEST(the_next_run_removes_what_is_left)
{
	struct probe p;
	pid_t pid;

	load_with(TMP);
	START(&p, "g", LEAVE_THINGS, "pause");
	pid = (pid_t)read_number(CGROUPS "/g/cgroup.procs");
	ASSERT_LE(1, pid);
	ASSERT_EQ(0, kill(p.pid, SIGKILL));
	(void)waitpid(p.pid, NULL, 0);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	for (int i = 0; i < 200 && strcmp("0", guest_value("g", "tasks")) != 0; i++)
		usleep(50000);
	EXPECT_TRUE(exists(DIR_OF_G "/0/2/0"));
	START(&p, "g", "open", "rwc", "/tmp/x", "pause");
	EXPECT_FALSE(exists(DIR_OF_G "/0"));
	EXPECT_FALSE(exists(DIR_OF_G "/-r f"));
	EXPECT_TRUE(exists(DIR_OF_G "/x"));
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_TRUE(exists(OUTSIDE "/f"));
}

/* What the host has mounted there is none of the guest's. */
TEST(a_mount_of_the_host_s_in_it)
{
	load_with(TMP);
	make_dir(DIR_OF_G "/m");
	ASSERT_EQ(0, mount("tmpfs", DIR_OF_G "/m", "tmpfs", 0, NULL));
	make_file(DIR_OF_G "/m/kept", "");
	make_file(DIR_OF_G "/x", "");
	EXPECT_CTL(1, "cannot empty the private tmp of 'g'", "stop g");
	EXPECT_FALSE(exists(DIR_OF_G "/x"));
	EXPECT_TRUE(exists(DIR_OF_G "/m/kept"));
	EXPECT_CTL(125, "cannot empty the private tmp of 'g'", "run g -- " PROBE_BIN);
	ASSERT_EQ(0, umount(DIR_OF_G "/m"));
	EXPECT_CTL(0, "", "stop g");
	EXPECT_TRUE(is_empty(DIR_OF_G));
}

/* With the knob goes the directory: whoever has it as his /tmp makes nothing there any more. */
TEST(loads_without_it_and_with_it)
{
	struct probe p;

	load_with(TMP);
	START(&p, "g", "open", "rwc", "/tmp/x", "pause", "open", "rwc", "/tmp/y", "pause", "open",
	      "rwc", "/tmp/y");
	load_with("");
	EXPECT_FALSE(exists(DIR_OF_G));
	EXPECT_TRUE(exists(ROOT "/h"));
	probe_go(&p);
	EXPECT_STREQ(text("open %d", ENOENT), probe_until(&p, "open"));
	load_with(TMP);
	EXPECT_EQ(0, PROBE("g", "open", "rwc", "/tmp/x"));
	probe_go(&p);
	EXPECT_STREQ(text("open %d", ENOENT), probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(loads_that_do_not_come_to_it)
{
	load_with(TMP);
	make_file(DIR_OF_G "/x", "");
	EXPECT_EQ(3, policy_load("%s", GUEST("k") TMP FILES RULE("/no/such/dir", "ro") END));
	policy_write("%s", GUEST("k") TMP);
	EXPECT_CTL(0, "would load", "load --dry-run " POLICY_FILE);
	EXPECT_TRUE(exists(DIR_OF_G "/x"));
	EXPECT_FALSE(exists(ROOT "/k"));
}

/* ---- what it cannot be ---- */

TEST(attached_processes_have_none)
{
	struct probe p;

	load_with(TMP);
	probe_start(&p, NULL, STEPS("pause", "open", "rwc", "/tmp/x"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_CTL(0, "warning: guest 'g' has tmp = \"private\"", "attach g %d", p.pid);
	probe_go(&p);
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_FALSE(exists("/tmp/x"));
}

TEST(another_mount_namespace_than_the_loader_s)
{
	load_with(TMP);
	EXPECT_NE(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "unshare -m sh -c 'umount " ROOT " && policyctl run g -- " PROBE_BIN "'"));
	EXPECT_STRSTR("the private tmp that the policy has for 'g' is not at", ctl_said);
}

TEST(rules_that_it_hides)
{
	policy_write("%s", GUEST("g") TMP FILES RULE("/tmp", "rw") END);
	EXPECT_CTL(0, "warning[P0631]", "check " POLICY_FILE);
	EXPECT_CTL(3, "error[P0631]", "check --strict " POLICY_FILE);
}

/*
 * The last one: the next suite loads anew. Forced, under a guest that runs on with the /tmp it has;
 * and a first load that fails.
 */
TEST(unload)
{
	struct probe p;

	load_with(TMP);
	START(&p, "g", "open", "rwc", "/tmp/x", "pause", "open", "r", "/tmp/x");
	EXPECT_CTL(1, "has 1 task", "unload");
	EXPECT_TRUE(exists(DIR_OF_G "/x"));
	EXPECT_CTL(0, "unloaded", "unload --force");
	EXPECT_FALSE(exists("/run/policyctl"));
	probe_go(&p);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(3, policy_load("%s", GUEST("g") TMP FILES RULE("/no/such/dir", "ro") END));
	EXPECT_FALSE(exists("/run/policyctl"));
}

/* A guest that may make names in /run leads neither a mount nor an unmount elsewhere. */
TEST_TIMEOUT(names_that_were_there_before, 600)
{
	EXPECT_CTL(0, "", "unload --force");
	make_dir("/mine");
	make_dir("/mine/tmp");
	ASSERT_EQ(0, mount("tmpfs", "/mine/tmp", "tmpfs", 0, NULL));
	make_file("/mine/tmp/kept", "");
	ASSERT_EQ(0, symlink("/mine", "/run/policyctl"));
	policy_write("%s", GUEST("g") TMP FILES END);
	EXPECT_CTL(1, "cannot open the directory /run/policyctl", "load " POLICY_FILE);
	EXPECT_EQ(0, policy_load("%s", GUEST("g") FILES END));
	EXPECT_CTL(0, "unloaded", "unload");
	EXPECT_TRUE(exists("/mine/tmp/kept"));
	ASSERT_EQ(0, unlink("/run/policyctl"));

	make_dir("/run/policyctl");
	ASSERT_EQ(0, symlink(OUTSIDE, "/run/policyctl/tmp"));
	policy_write("%s", GUEST("g") TMP FILES END);
	EXPECT_CTL(1, "cannot mount a tmpfs", "load " POLICY_FILE);
	EXPECT_TRUE(exists(OUTSIDE "/f"));
	ASSERT_EQ(0, unlink("/run/policyctl/tmp"));
	ASSERT_EQ(0, rmdir("/run/policyctl"));
	ASSERT_EQ(0, umount("/mine/tmp"));
}
