/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit statuses of every verb that this version has (cli.md), and what `run` passes through. */
#include "harness.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest.h"

static const char *root;

static void load_one(void)
{
	root = scratch();
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, root);
}

TEST(usage)
{
	EXPECT_EQ(2, ctl(" "));
	EXPECT_EQ(2, ctl("frobnicate"));
	EXPECT_EQ(2, ctl("load"));
	EXPECT_EQ(2, ctl("load a b"));
	EXPECT_EQ(2, ctl("load --frobnicate x"));
	EXPECT_EQ(2, ctl("unload now"));
	EXPECT_EQ(2, ctl("status now"));
	EXPECT_EQ(2, ctl("events --format xml"));
	EXPECT_EQ(2, ctl("attach"));
	EXPECT_EQ(2, ctl("detach"));
	EXPECT_EQ(2, ctl("detach one"));
	EXPECT_EQ(2, ctl("doctor now"));
	EXPECT_EQ(2, ctl("check"));
}

TEST(help_and_version)
{
	static const char *const verbs[] = { "check",  "load",	"unload", "run", "stop",   "wait",
					     "attach", "detach", "status", "top", "events", "doctor" };

	EXPECT_EQ(0, ctl("--help"));
	EXPECT_EQ(0, ctl("--version"));
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		EXPECT_CTL(0, verbs[i], "--help");
		EXPECT_CTL(0, verbs[i], "%s --help", verbs[i]);
	}
}

TEST(nothing_loaded)
{
	ASSERT_EQ(0, ctl("unload --force"));
	EXPECT_EQ(0, ctl("unload"));
	EXPECT_EQ(0, ctl("status"));
	EXPECT_EQ(0, ctl("events")); /* nothing is pending */
	EXPECT_EQ(1, ctl("attach g %d", getpid()));
	EXPECT_EQ(1, ctl("detach %d", getpid()));
	EXPECT_EQ(125, ctl("run g -- /usr/bin/true"));
	EXPECT_EQ(0, ctl("doctor"));
	EXPECT_FALSE(exists(PINS));
}

TEST(run_passes_the_status_through)
{
	load_one();
	EXPECT_EQ(0, ctl("run g -- /usr/bin/true"));
	EXPECT_EQ(1, ctl("run g -- /usr/bin/false"));
	EXPECT_EQ(7, ctl("run g -- " PROBE_BIN " exit 7"));
	EXPECT_EQ(255, ctl("run g -- " PROBE_BIN " exit 255"));
	EXPECT_EQ(128 + SIGKILL, ctl("run g -- " PROBE_BIN " kill 9"));
	EXPECT_EQ(128 + SIGTERM, ctl("run g -- " PROBE_BIN " kill 15"));
	EXPECT_EQ(128 + SIGSEGV, ctl("run g -- " PROBE_BIN " kill 11"));
}

TEST(run_of_what_cannot_run)
{
	const char *f;

	load_one();
	f = make_file(text("%s/f", root), "no program\n");
	EXPECT_CTL(126, f, "run g -- %s", f);
	EXPECT_EQ(0, chmod(f, 0755));
	EXPECT_CTL(126, f, "run g -- %s", f);
	EXPECT_EQ(0, run_cmd(NULL, 0, "cp /usr/bin/true %s/true", root));
	EXPECT_CTL(126, text("%s/true", root), "run g -- %s/true", root);
	EXPECT_STRSTR("execute", ctl_said);
	EXPECT_EQ(127, ctl("run g -- %s/none", root));
	EXPECT_EQ(127, ctl("run g -- no-such-program"));
	EXPECT_EQ(126, ctl("run g -- %s", root));
}

TEST(failures_of_ours_are_125)
{
	load_one();
	EXPECT_CTL(125, "nobody", "run nobody -- /usr/bin/true");
	EXPECT_EQ(125, ctl("run"));
	EXPECT_EQ(125, ctl("run g"));
	EXPECT_EQ(125, ctl("run g --"));
	EXPECT_EQ(125, ctl("run --frobnicate g -- /usr/bin/true"));
	EXPECT_EQ(125, ctl("run ../g -- /usr/bin/true"));
}

/* Programs on the PATH, standard streams, arguments and the environment reach the command. */
TEST(run_hands_on_what_it_got)
{
	load_one();
	EXPECT_CTL(0, "two words", "run g -- printf '%%s' 'two words'");
	EXPECT_EQ(0,
		  run_cmd(ctl_said, sizeof(ctl_said), "echo from stdin | policyctl run g -- cat"));
	EXPECT_STREQ("from stdin\n", ctl_said);
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "SEEN=yes policyctl run g -- sh -c 'echo $SEEN'"));
	EXPECT_STREQ("yes\n", ctl_said);
}

/* ---- without what is needed ---- */

/* A shell command as somebody who is not root. */
static int as_user(const char *words)
{
	return run_cmd(ctl_said, sizeof(ctl_said),
		       "setpriv --reuid=65534 --regid=65534 --clear-groups policyctl %s 2>&1",
		       words);
}

TEST(not_root)
{
	load_one();
	EXPECT_EQ(0, chmod(POLICY_FILE, 0644));
	EXPECT_EQ(4, as_user("load " POLICY_FILE));
	EXPECT_STRSTR("root", ctl_said);
	EXPECT_EQ(4, as_user("unload --force"));
	EXPECT_EQ(4, as_user("attach g 1"));
	EXPECT_EQ(4, as_user("detach 1"));
	EXPECT_EQ(4, as_user("events"));
	EXPECT_EQ(125, as_user("run g -- /usr/bin/true"));
	EXPECT_EQ(0, as_user("check --offline " POLICY_FILE));
	EXPECT_EQ(0, PROBE("g", "open", "wc", text("%s/f", root)));
}

/* In a mount namespace of its own, so that nobody else notices. */
static void without_cgroup2(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2("/sys/fs/cgroup", MNT_DETACH))
		_exit(99);
}

TEST(cgroup2_is_not_mounted)
{
	load_one();
	without_cgroup2();
	EXPECT_CTL(4, "cgroup2", "load " POLICY_FILE);
	EXPECT_STRSTR("mount -t cgroup2", ctl_said);
	EXPECT_CTL(4, "mount -t cgroup2", "doctor");
	EXPECT_EQ(125, ctl("run g -- /usr/bin/true"));
}

LEAVES_NO_GUEST()
