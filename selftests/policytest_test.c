/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyctl test: a policy's own tests in the model and in the kernel, beside whatever is loaded. That
 * the two agree on random cases is explain_model_test's.
 */
#include "harness.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "guest.h"

#define TESTED "/tmp/tested.toml"

static const char *one(const char *access, const char *path, const char *expect)
{
	return text("[[test]]\nguest = \"t\"\naccess = \"%s\"\npath = \"%s\"\nexpect = \"%s\"\n", access,
		    path, expect);
}

static void write_tested(const char *rules, const char *tests)
{
	ASSERT_EQ(0, write_file(TESTED, text("version = 1\n[guest.t]\nfiles = [\n%s]\n%s", rules,
					     tests)));
}

static const char *make_tree(void)
{
	const char *dir = scratch_in("/srv"); /* where there are devices */

	make_dir(text("%s/d", dir));
	make_dir(text("%s/d/sub", dir));
	make_file(text("%s/d/f", dir), "x");
	ASSERT_EQ(0, symlink("/etc/passwd", text("%s/d/link", dir)));
	ASSERT_EQ(0, mknod(text("%s/d/null", dir), S_IFCHR | 0666, makedev(1, 3)));
	return dir;
}

static const char *rules_of(const char *dir)
{
	return text(RULE("/proc", "ro") "\t{ path = \"%s/d\", access = \"rw\" },\n"
					"\t{ path = \"%s/d/sub\", access = \"none\" },\n"
					"\t{ path = \"%s/new\", access = [\"create\", \"write\"] },\n",
		    dir, dir, dir);
}

static const char *good_tests(const char *dir)
{
	return text("%s%s%s%s%s%s%s%s%s%s%s", one("read", text("%s/d/f", dir), "allow"),
		    one("execute", text("%s/d/f", dir), "deny"),
		    one("delete", text("%s/d/link", dir), "allow"),
		    one("read", text("%s/d/link", dir), "deny"),
		    one("read", text("%s/d/null", dir), "deny"),
		    one("rename", text("%s/d", dir), "deny"),
		    one("read", text("%s/d/sub/a/b", dir), "deny"),
		    one("create", text("%s/new", dir), "allow"),
		    one("create", text("%s/new2", dir), "deny"),
		    one("read", "/proc/1/environ", "deny"), one("connect", dir, "deny"));
}

TEST_TIMEOUT(in_the_model_and_in_the_kernel, 300)
{
	const char *dir = make_tree();
	json_t *said;

	write_tested(rules_of(dir), good_tests(dir));
	EXPECT_EQ(0, ctl("test --json " TESTED " 2>/dev/null"));
	said = json_loads(ctl_said, 0, NULL);
	ASSERT_TRUE(said);
	EXPECT_STREQ("11", json_at(said, "tests"));
	EXPECT_STREQ("11", json_at(said, "passed"));
	EXPECT_STREQ("true", json_at(said, "kernel.ran"));
	/* In the model nobody knows procfs; the kernel answered. */
	EXPECT_STREQ("null", json_at(json_array_get(json_object_get(said, "results"), 9), "model"));
	EXPECT_STREQ("deny", json_at(json_array_get(json_object_get(said, "results"), 9), "kernel"));
	EXPECT_FALSE(exists(text("%s/new", dir)));
	EXPECT_TRUE(exists(text("%s/d/link", dir)));
}

TEST_TIMEOUT(what_fails_is_named, 300)
{
	const char *dir = make_tree();

	write_tested(rules_of(dir), one("write", text("%s/d/f", dir), "deny"));
	EXPECT_CTL(1, "1 failed, in the model and in the kernel", "test " TESTED);
	EXPECT_STRSTR("failed: line 9: t write", ctl_said);
	write_tested(rules_of(dir), one("wirte", text("%s/d/f", dir), "deny"));
	EXPECT_CTL(3, "P0209", "test " TESTED);
	write_tested(text("\t{ path = \"%s/a/b\", access = \"ro\" },\n", dir), "");
	EXPECT_CTL(3, "P0501", "test " TESTED);
}

TEST(without_root_in_the_model_only)
{
	const char *dir = make_tree();

	ASSERT_EQ(0, chmod(dir, 0755));
	write_tested(rules_of(dir), one("write", text("%s/d/f", dir), "allow"));
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said), "setpriv --reuid 1000 policyctl test " TESTED));
	EXPECT_STRSTR("1 passed, in the model only\n  not in the kernel: ", ctl_said);
}

static void mount_at(const char *dir, unsigned long flags)
{
	make_dir(dir);
	ASSERT_EQ(0, mount("none", dir, "tmpfs", flags, NULL));
}

/* The name that is mounted over is judged; nobody's rule is on what lies beneath. */
TEST_TIMEOUT(what_is_mounted, 300)
{
	const char *dir = make_tree(), *mounted = text("%s/d/m", dir), *locked = text("%s/d/ro", dir);

	mount_at(mounted, 0);
	make_dir(text("%s/x", mounted));
	mount_at(locked, MS_RDONLY);
	write_tested(text("\t{ path = \"%s/d\", access = [\"create\", \"write\", \"delete\"] },\n"
			  "\t{ path = \"%s/x\", access = \"rw\" },\n",
			  dir, mounted),
		     text("%s%s%s", one("delete", mounted, "allow"),
			  one("delete", text("%s/x", mounted), "deny"),
			  one("create", text("%s/new/a", locked), "allow")));
	EXPECT_CTL(0, "3 passed, in the model and in the kernel", "test " TESTED);
	EXPECT_STRSTR("expected allow, in the model only; cannot look at '", ctl_said);
	EXPECT_STRSTR("/ro/new': Read-only file system", ctl_said);
	EXPECT_EQ(0, umount2(mounted, MNT_DETACH));
	EXPECT_EQ(0, umount2(locked, MNT_DETACH));
}

TEST_TIMEOUT(a_guest_with_a_root_of_its_own_is_not_judged, 300)
{
	const char *dir = make_tree();

	write_tested(text("\t{ path = \"%s/d\", access = \"rw\" },\n"
			  "\t{ path = \"/data\", access = \"rw\", in = \"guest\" },\n",
			  dir),
		     one("read", text("%s/d/f", dir), "allow"));
	EXPECT_CTL(1, "1 undecided, in the model and in the kernel", "test " TESTED);
	EXPECT_STRSTR("the kernel did not say: rules with in = \"guest\"", ctl_said);
}

static void expect_model_only(const char *where, const char *why)
{
	int r = run_cmd(ctl_said, sizeof(ctl_said), "unshare --mount --propagation private %s", where);

	if (r)
		FAIL("%s: %d: %s", where, r, ctl_said);
	EXPECT_STRSTR("1 passed, in the model only\n  not in the kernel: ", ctl_said);
	EXPECT_STRSTR(why, ctl_said);
}

TEST_TIMEOUT(elsewhere_in_the_model_only, 300)
{
	const char *dir = make_tree(), *root = text("%s/root", dir);

	write_tested(rules_of(dir), one("write", text("%s/d/f", dir), "allow"));
	expect_model_only("--pid --fork --mount-proc policyctl test " TESTED,
			  "in the host's pid namespace");
	make_dir(root);
	expect_model_only(text("sh -c 'for d in usr bin lib lib64 proc sys srv tmp; do "
			       "mkdir -p %s/$d && mount --rbind /$d %s/$d || exit 9; done; "
			       "exec chroot %s policyctl test " TESTED "'",
			       root, root, root),
			  "not in a chroot");
}

/* Whatever is loaded decides as before, for its guests and for nobody else. */
TEST_TIMEOUT(the_loaded_policy_goes_on, 300)
{
	const char *dir = make_tree(), *generation, *emitted;

	ASSERT_LOAD(GUEST("g") FILES "\t{ path = \"%s/d\", access = [\"read\"] },\n" END, dir);
	generation = text("%s %s", status_value("engine.generation"),
			  status_value("engine.policy_sha256"));
	events_forget();
	emitted = text("%s", guest_value("g", "events.emitted"));
	write_tested(rules_of(dir), good_tests(dir));
	EXPECT_EQ(0, ctl("test " TESTED));
	EXPECT_STREQ(generation, text("%s %s", status_value("engine.generation"),
				      status_value("engine.policy_sha256")));
	EXPECT_STREQ(emitted, guest_value("g", "events.emitted"));
	EXPECT_EQ(0, PROBE("g", "open", "r", text("%s/d/f", dir)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "w", text("%s/d/f", dir)));
	EXPECT_EQ(0, PROBE(NULL, "open", "w", text("%s/d/f", dir)));
}

TEST_TIMEOUT(shipped_policies_pass_their_own, 300)
{
	static const char *const dirs[] = { "/srv/worker", "/srv/job",	"/srv/job/bin",
					    "/srv/job/work", "/demo",	"/demo/work",
					    "/demo/work/secret" };
	static const char *const names[] = { "deny-all", "minimal", "demo", "shell" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdir(dirs[i], 0755))
			ASSERT_EQ(EEXIST, errno);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EXPECT_CTL(0, "passed, in the model and in the kernel", "test /policies/%s.toml",
			   names[i]);
}

LEAVES_NO_GUEST()
