/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stat = "deny": what is outside the rules is not looked at either; and the hooks that see to it are
 * attached only while some guest asks for it.
 */
#include "harness.h"

#include <dirent.h>
#include <time.h>
#include <bpf/bpf.h>

#include "guest.h"

#define HIDE "stat = \"deny\"\n"

static const char *root;

static const char *at(const char *name)
{
	return text("%s/%s", root, name);
}

/* ok: a rule of g's; ok/hole: none of it, but ok/hole/in; no: no rule; h: another guest's. */
static void make_tree(void)
{
	root = scratch();
	make_dir(at("ok"));
	make_dir(at("ok/hole"));
	make_dir(at("ok/hole/in"));
	make_dir(at("no"));
	make_dir(at("h"));
	make_file(at("ok/f"), "x");
	make_file(at("ok/hole/f"), "x");
	make_file(at("ok/hole/in/f"), "x");
	make_file(at("no/f"), "x");
	make_file(at("h/f"), "x");
	ASSERT_EQ(0, symlink(at("no/f"), at("ok/out")));
	ASSERT_EQ(0, symlink(at("ok/f"), at("no/in")));
}

#define RULES \
	FILES RULE("%1$s/ok", "ro") RULE("%1$s/ok/hole", "none") RULE("%1$s/ok/hole/in", "rw") END
#define OTHER GUEST("h") FILES RULE("%1$s/h", "ro") END

#define LOAD_HIDDEN() ASSERT_LOAD("[guest.g]\ninclude = [\"runtime\"]\n" HIDE RULES OTHER, root)

/* ---- what is refused, what is not ---- */

static const struct {
	const char *step;
	const char *op;
	const char *hook;
	int met; /* where it may look */
} looks[] = {
	{ "stat", "stat", "inode_getattr", 0 },
	{ "lstat", "stat", "inode_getattr", 0 },
	{ "statx", "stat", "inode_getattr", 0 },
	{ "statfs", "statfs", "sb_statfs", 0 },
	{ "listxattr", "listxattr", "inode_listxattr", 0 },
	{ "getxattr", "getxattr", "inode_getxattr", ENODATA },
};

TEST(each_look_is_refused_outside_the_rules)
{
	make_tree();
	LOAD_HIDDEN();
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		events_forget();
		EXPECT_EQ(looks[i].met, PROBE("g", looks[i].step, at("ok/f")));
		EXPECT_EQ(0, EVENTS("type=violation"));
		EXPECT_EQ(EACCES, PROBE("g", looks[i].step, at("no/f")));
		EXPECT_EVENT("type=violation", "verdict=denied", text("op=%s", looks[i].op),
			     text("hook=%s", looks[i].hook), "errno=EACCES", "reason=no_rule",
			     "rule=null", "access=", "missing=", text("path=%s", at("no/f")));
		EXPECT_EQ(looks[i].met, PROBE("h", looks[i].step, at("no/f")));
		EXPECT_EQ(looks[i].met, PROBE(NULL, looks[i].step, at("no/f")));
	}
}

TEST(readlink_is_judged_by_the_symlinks_own_place)
{
	make_tree();
	LOAD_HIDDEN();
	EXPECT_EQ(0, PROBE("g", "readlink", at("ok/out")));
	EXPECT_EQ(EACCES, PROBE("g", "readlink", at("no/in")));
	EXPECT_EVENT("type=violation", "op=readlink", "hook=inode_readlink", "errno=EACCES",
		     text("path=%s", at("no/in")));
	EXPECT_EQ(EACCES, PROBE("g", "lstat", at("no/in")));
	EXPECT_EQ(0, PROBE("g", "stat", at("no/in")));
	EXPECT_EQ(EACCES, PROBE("g", "stat", at("ok/out")));
	EXPECT_EQ(0, PROBE("g", "open", "r", at("no/in")));
	EXPECT_EQ(0, PROBE(NULL, "readlink", at("no/in")));
}

/* An ACL is read by a hook of its own from 6.2 on. */
TEST(acls_are_extended_attributes)
{
	int met;

	make_tree();
	LOAD_HIDDEN();
	met = PROBE(NULL, "getacl", at("no/f"));
	EXPECT_TRUE(met == ENODATA || met == EOPNOTSUPP);
	EXPECT_EQ(met, PROBE("g", "getacl", at("ok/f")));
	EXPECT_EQ(EACCES, PROBE("g", "getacl", at("no/f")));
	EXPECT_EVENT("type=violation", "op=getxattr", text("path=%s", at("no/f")));
}

/* From 6.17 on; before, there is no such call. */
TEST(file_getattr)
{
	int met;

	make_tree();
	LOAD_HIDDEN();
	met = PROBE(NULL, "file-getattr", at("no/f"));
	if (met == ENOSYS)
		SKIP("this kernel has no file_getattr(2)");
	EXPECT_EQ(met, PROBE("g", "file-getattr", at("ok/f")));
	EXPECT_EQ(EACCES, PROBE("g", "file-getattr", at("no/f")));
	EXPECT_EVENT("type=violation", "op=stat", "hook=inode_file_getattr");
}

/* The rule nearest to the object, whatever it gives; and the directories on the way there. */
TEST(what_suffices)
{
	make_tree();
	ASSERT_LOAD("[guest.g]\ninclude = [\"runtime\"]\n" HIDE RULES OTHER
		    "[guest.name]\ninclude = [\"runtime\"]\n" HIDE "files = [\n"
		    "\t{ path = \"%1$s/no/f\", access = [\"connect\"] },\n]\n",
		    root);
	EXPECT_EQ(0, PROBE("g", "stat", at("ok")));
	EXPECT_EQ(0, PROBE("g", "stat", at("ok/hole/in/f")));
	EXPECT_EQ(EACCES, PROBE("g", "stat", at("ok/hole/f")));
	EXPECT_EVENT("type=violation", "op=stat", "reason=rule",
		     "rule.access=", "missing=", text("rule.path=%s", at("ok/hole")));
	EXPECT_EQ(0, PROBE("g", "stat", at("ok/hole")));
	EXPECT_EQ(0, PROBE("g", "stat", root));
	EXPECT_EQ(0, PROBE("g", "stat", "/tmp"));
	EXPECT_EQ(0, PROBE("g", "stat", "/"));
	EXPECT_EQ(0, PROBE("g", "statfs", "/tmp"));
	EXPECT_EQ(EACCES, PROBE("g", "stat", at("no")));
	EXPECT_EQ(EACCES, PROBE("g", "stat", at("h")));
	EXPECT_EQ(ENOENT, PROBE("g", "stat", at("no/nothing")));
	EXPECT_EQ(0, PROBE("name", "stat", at("no/f")));
	EXPECT_EQ(0, PROBE("name", "stat", at("no")));
	EXPECT_EQ(EACCES, PROBE("name", "lstat", at("no/in")));
}

static const char *stdin_path;
static int stdin_flags;

static void open_stdin(void)
{
	dup2(open(stdin_path, stdin_flags), STDIN_FILENO);
}

static int of_stdin(const char *guest, int flags, const char *step, const char *arg)
{
	struct probe p;
	const char *line;

	stdin_path = at("no/f");
	stdin_flags = flags;
	probe_prepare = open_stdin;
	probe_start(&p, guest, STEPS(step, arg));
	probe_prepare = NULL;
	line = text("%s", probe_until(&p, step));
	probe_end(&p);
	return (int)strtol(line + strlen(step), NULL, 10);
}

/* Who holds a description may ask what it is of; O_PATH is no more than the path. */
TEST(what_is_held_is_known)
{
	make_tree();
	LOAD_HIDDEN();
	EXPECT_EQ(0, PROBE("g", "fstat-own"));
	EXPECT_EQ(0, PROBE("g", "fstat", "1"));
	EXPECT_EQ(0, of_stdin("g", O_RDONLY, "fstat", "0"));
	EXPECT_EQ(0, of_stdin("g", O_RDONLY, "fstatfs", "0"));
	EXPECT_EQ(ENODATA, of_stdin("g", O_RDONLY, "fgetxattr", "0"));
	EXPECT_EQ(EACCES, of_stdin("g", O_PATH, "fstat", "0"));
	EXPECT_EVENT("type=violation", "op=stat", text("path=%s", at("no/f")));
	EXPECT_EQ(EACCES, of_stdin("g", O_PATH, "fstatfs", "0"));
	EXPECT_EQ(0, of_stdin("h", O_PATH, "fstat", "0"));
	EXPECT_EQ(EACCES, PROBE("g", "hold", "0", "p", at("no/f"), "stat", "/proc/self/ns/mnt"));
	EXPECT_EQ(0, PROBE("h", "stat", "/proc/self/ns/mnt"));
}

TEST(existence_still_shows)
{
	make_tree();
	LOAD_HIDDEN();
	EXPECT_EQ(0, PROBE("g", "chdir", at("no")));
	EXPECT_EQ(0, PROBE("g", "open", "p", at("no/f")));
	EXPECT_EQ(ENOENT, PROBE("g", "open", "p", at("no/nothing")));
}

TEST(errno_is_the_policys)
{
	make_tree();
	ASSERT_LOAD("[guest.g]\ninclude = [\"runtime\"]\nerrno = \"ENOENT\"\n" HIDE RULES, root);
	EXPECT_EQ(ENOENT, PROBE("g", "stat", at("no/f")));
	EXPECT_EVENT("type=violation", "op=stat", "errno=ENOENT");
	EXPECT_EQ(0, PROBE("g", "stat", at("ok/f")));
}

TEST(audit_only_tells)
{
	make_tree();
	ASSERT_LOAD("[guest.g]\ninclude = [\"runtime\"]\nmode = \"audit\"\n" HIDE RULES, root);
	EXPECT_EQ(0, PROBE("g", "stat", at("no/f")));
	EXPECT_EVENT("type=violation", "op=stat", "verdict=would_deny", "reason=no_rule");
	EXPECT_EQ(0, PROBE("g", "readlink", at("no/in")));
	EXPECT_EVENT("type=violation", "op=readlink", "verdict=would_deny");
	EXPECT_EQ(0, PROBE("g", "statfs", at("no/f")));
	EXPECT_EVENT("type=violation", "op=statfs", "verdict=would_deny");
}

/* ---- attached only while it is asked for ---- */

static bool is_ours(unsigned int prog_id)
{
	struct bpf_prog_info info = { 0 };
	unsigned int len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id), r;

	if (fd < 0)
		return false;
	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	return !r && !strncmp(info.name, "pol_stat_", 9);
}

/* Links of the hooks that the kernel has. */
static int links_there(void)
{
	unsigned int id = 0;
	int cnt = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = { 0 };
		unsigned int len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len))
			cnt += is_ours(info.prog_id);
		close(fd);
	}
	return cnt;
}

/* It comes to this some time after the last reference went. */
static int links_settle(int want)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	int cnt = links_there();

	for (int i = 0; cnt != want && i < 200; i++) {
		nanosleep(&tick, NULL);
		cnt = links_there();
	}
	return cnt;
}

static int pins(void)
{
	DIR *d = opendir(PINS "/links");
	struct dirent *e;
	int cnt = 0;

	while (d && (e = readdir(d)))
		cnt += !strncmp(e->d_name, "pol_stat_", 9);
	if (d)
		closedir(d);
	return cnt;
}

static void load_open(void)
{
	ASSERT_LOAD(GUEST("g") RULES OTHER, root);
}

TEST(attached_while_some_guest_asks)
{
	int cnt;

	make_tree();
	EXPECT_NOTHING(engine_down());
	load_open();
	EXPECT_EQ(0, pins());
	EXPECT_EQ(0, links_settle(0));
	EXPECT_EQ(0, PROBE("g", "stat", at("no/f")));
	LOAD_HIDDEN();
	cnt = pins();
	EXPECT_LE(5, cnt);
	EXPECT_EQ(cnt, links_settle(cnt));
	EXPECT_EQ(EACCES, PROBE("g", "stat", at("no/f")));
	LOAD_HIDDEN();
	EXPECT_EQ(cnt, pins());
	EXPECT_EQ(cnt, links_settle(cnt));
	load_open();
	EXPECT_EQ(0, pins());
	EXPECT_EQ(0, PROBE("g", "stat", at("no/f")));
	EXPECT_EQ(0, links_settle(0));
}

/* At once after the other: what is being taken away is not in the way. */
TEST(back_and_forth)
{
	make_tree();
	for (int i = 0; i < 3; i++) {
		LOAD_HIDDEN();
		EXPECT_EQ(EACCES, PROBE("g", "stat", at("no/f")));
		load_open();
		EXPECT_EQ(0, PROBE("g", "stat", at("no/f")));
	}
}

TEST(attached_by_a_first_load)
{
	make_tree();
	EXPECT_NOTHING(engine_down());
	LOAD_HIDDEN();
	EXPECT_LE(5, pins());
	EXPECT_EQ(EACCES, PROBE("g", "stat", at("no/f")));
	EXPECT_EQ(0, PROBE("h", "stat", at("no/f")));
}

/* A guest that runs sees the switch, in both directions, without a moment in between. */
TEST(a_running_guest_follows)
{
	struct probe p;

	make_tree();
	load_open();
	probe_start(&p, "g",
		    STEPS("stat", at("no/f"), "pause", "stat", at("no/f"), "pause", "stat",
			  at("no/f")));
	EXPECT_STREQ("stat 0", probe_until(&p, "stat"));
	probe_until(&p, "paused");
	LOAD_HIDDEN();
	probe_go(&p);
	EXPECT_STREQ(text("stat %d", EACCES), probe_until(&p, "stat"));
	probe_until(&p, "paused");
	load_open();
	probe_go(&p);
	EXPECT_STREQ("stat 0", probe_until(&p, "stat"));
	EXPECT_EQ(0, probe_end(&p));
}

/* Its policy is gone, its tasks are not: nothing is shown to them that was not before. */
TEST(a_ghost_keeps_it)
{
	struct probe p;

	make_tree();
	LOAD_HIDDEN();
	probe_start(&p, "g", STEPS("pause", "stat", at("no/f"), "stat", at("ok/f")));
	probe_until(&p, "paused");
	policy_write(OTHER, root);
	EXPECT_CTL(0, "", "load --force " POLICY_FILE);
	EXPECT_LE(5, pins());
	probe_go(&p);
	EXPECT_STREQ(text("stat %d", EACCES), probe_until(&p, "stat"));
	EXPECT_STREQ(text("stat %d", EACCES), probe_until(&p, "stat"));
	probe_end(&p);
	ASSERT_LOAD(OTHER, root);
	EXPECT_EQ(0, pins());
}

/* A load that fails after it has attached takes away what it has attached, and no more. */
TEST(a_failed_load_changes_nothing)
{
	const char *max = CGROUPS "/cgroup.max.descendants";

	make_tree();
	load_open();
	ASSERT_EQ(0, write_file(max, "2"));
	EXPECT_NE(0, policy_load("[guest.new]\n" HIDE GUEST("g") RULES OTHER, root));
	EXPECT_EQ(0, pins());
	EXPECT_EQ(0, links_settle(0));
	EXPECT_EQ(0, PROBE("g", "stat", at("no/f")));
	LOAD_HIDDEN();
	EXPECT_NE(0, policy_load("[guest.new]\n" HIDE GUEST("g") RULES OTHER, root));
	EXPECT_NE(0, policy_load("[guest.new]\n" GUEST("g") RULES OTHER, root));
	EXPECT_LE(5, pins());
	EXPECT_EQ(EACCES, PROBE("g", "stat", at("no/f")));
	ASSERT_EQ(0, write_file(max, "max"));
}

LEAVES_NO_GUEST()
