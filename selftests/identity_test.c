/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's descendants are the guest (policy-language.md, semantics 8), whatever they do; a task
 * that is no guest is never refused anything; attach and detach move whole processes.
 */
#include "harness.h"

#include <sys/stat.h>

#include "guest.h"

static const char *root, *ok, *no, *good, *bad;

/* Guests "g" and "h": rw below ok/, nothing on no/. */
static void load_two(void)
{
	root = scratch();
	ok = make_dir(text("%s/ok", root));
	no = make_dir(text("%s/no", root));
	good = make_file(text("%s/f", ok), "good\n");
	bad = make_file(text("%s/f", no), "bad\n");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END GUEST("h") FILES RULE("%s", "rw") END, ok,
		    ok);
}

/* As these words say, then one good and one bad open. */
#define EXPECT_STILL_CONFINED(...)                                            \
	do {                                                                  \
		EXPECT_EQ(EACCES, PROBE("g", __VA_ARGS__, "open", "r", bad)); \
		EXPECT_EQ(0, PROBE("g", __VA_ARGS__, "open", "rw", good));    \
		EXPECT_EQ(0, PROBE(NULL, __VA_ARGS__, "open", "r", bad));     \
	} while (0)

TEST(fork_and_its_kin)
{
	load_two();
	EXPECT_STILL_CONFINED("fork");
	EXPECT_STILL_CONFINED("vfork");
	EXPECT_STILL_CONFINED("exec-self");
	EXPECT_STILL_CONFINED("thread");
	EXPECT_STILL_CONFINED("setsid");
	EXPECT_EVENT("type=violation", text("path=%s", bad), "guest.name=g");
}

TEST(long_lineages)
{
	load_two();
	EXPECT_STILL_CONFINED("daemon");
	EXPECT_STILL_CONFINED("fork", "exec-self", "fork", "vfork", "thread", "fork");
	EXPECT_STILL_CONFINED("fork", "fork", "fork", "fork", "fork", "fork", "fork", "fork");
	EXPECT_STILL_CONFINED("leader-gone", "fork");
}

TEST(credentials_and_namespaces)
{
	load_two();
	ASSERT_EQ(0, chmod(good, 0666));
	EXPECT_STILL_CONFINED("setuid");
	EXPECT_STILL_CONFINED("unshare-mnt");
	EXPECT_EVENT("type=violation", text("path=%s", bad), "process.uid=65534");
}

TEST(thread_is_named_in_the_event)
{
	const json_t *event;

	load_two();
	EXPECT_EQ(EACCES, PROBE("g", "thread", "open", "r", bad));
	EXPECT_EQ(1, EVENTS("type=violation", text("path=%s", bad)));
	event = events_find(STEPS("type=violation", text("path=%s", bad)));
	ASSERT_TRUE(event != NULL);
	EXPECT_NE(0, strcmp(json_at(event, "process.pid"), json_at(event, "process.tid")));
}

/* ---- cgroups ---- */

TEST(clone_into_another_cgroup)
{
	load_two();
	EXPECT_EQ(EPERM, PROBE("g", "clone-into", "/sys/fs/cgroup"));
	EXPECT_EVENT("type=escape", "op=clone_into_cgroup", "errno=EPERM", "verdict=denied",
		     "guest.name=g");
	EXPECT_EQ(EPERM, PROBE("g", "clone-into", CGROUPS "/h"));
	EXPECT_EQ(0, PROBE(NULL, "clone-into", "/sys/fs/cgroup"));
}

TEST(moving_itself)
{
	load_two();
	EXPECT_EQ(EACCES, PROBE("g", "cgroup-move", "/sys/fs/cgroup"));
	EXPECT_EVENT("type=violation", "op=open", "missing=write",
		     "path=/sys/fs/cgroup/cgroup.procs");
	EXPECT_EQ(0, PROBE(NULL, "cgroup-move", "/sys/fs/cgroup"));
	EXPECT_EQ(EACCES, PROBE("g", "cgroup-move", CGROUPS "/h"));
}

static void move(pid_t pid, const char *cgroup)
{
	EXPECT_EQ(0, write_file(text("%s/cgroup.procs", cgroup), text("%d", pid)));
}

TEST(moved_by_somebody_else)
{
	struct probe p;
	pid_t pid;

	load_two();
	probe_start(&p, "g",
		    STEPS("pause", "open", "r", bad, "fork", "open", "r", bad, "open", "rw", good));
	pid = probe_pid(probe_until(&p, "paused"));
	ASSERT_LE(1, pid);
	move(pid, "/sys/fs/cgroup");
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT("type=violation", text("path=%s", bad), text("process.pid=%d", pid),
		     "process.cgroup=/", "guest.name=g");
}

TEST(moved_into_another_guests_cgroup)
{
	struct probe p;
	pid_t pid;

	load_two();
	probe_start(&p, "g", STEPS("pause", "fork", "open", "r", bad));
	pid = probe_pid(probe_until(&p, "paused"));
	move(pid, CGROUPS "/h");
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT("type=violation", text("path=%s", bad), "guest.name=g",
		     "process.cgroup=/policyctl/h");
}

TEST(sub_cgroup)
{
	const char *sub = CGROUPS "/g/sub";
	struct probe p;

	load_two();
	probe_start(&p, "g", STEPS("pause", "open", "r", bad, "fork", "open", "r", bad));
	ASSERT_EQ(0, mkdir(sub, 0755));
	move(probe_pid(probe_until(&p, "paused")), sub);
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, rmdir(sub));
}

/* A task without a label that comes into a guest's cgroup is that guest (two identities). */
TEST(born_in_a_guests_sub_cgroup)
{
	const char *sub = CGROUPS "/g/sub";
	struct probe p;

	load_two();
	ASSERT_EQ(0, mkdir(sub, 0755));
	probe_start(&p, NULL, STEPS("pause", "open", "r", bad, "fork", "open", "r", bad));
	move(probe_pid(probe_until(&p, "paused")), sub);
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT("type=violation", text("path=%s", bad), "guest.name=g",
		     "process.cgroup=/policyctl/g/sub");
	EXPECT_EQ(0, rmdir(sub));
}

/* ---- non-guests ---- */

TEST(a_non_guest_is_never_refused)
{
	static const char *const cgroup = "/sys/fs/cgroup/bystander";
	struct probe p;

	load_two();
	EXPECT_EQ(0, PROBE(NULL, "open", "rw", bad, "open", "rwc", text("%s/new", no), "rename",
			   text("%s/new", no), text("%s/new", ok)));
	EXPECT_EQ(0, PROBE(NULL, "rename", ok, text("%s/moved", root), "rename",
			   text("%s/moved", root), ok));
	ASSERT_EQ(0, mkdir(cgroup, 0755));
	probe_start(&p, NULL, STEPS("pause", "fork", "open", "rw", bad));
	move(probe_pid(probe_until(&p, "paused")), cgroup);
	probe_go(&p);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, rmdir(cgroup));
	EXPECT_EQ(0, EVENTS("type=violation", text("path*=%s", root)));
}

TEST(run_confines_the_command_and_not_itself)
{
	load_two();
	EXPECT_EQ(0, ctl("run g -- /usr/bin/cat %s", good));
	EXPECT_STREQ("good\n", ctl_said);
	EXPECT_EQ(1, ctl("run g -- /usr/bin/cat %s", bad));
	EXPECT_STRSTR("Permission denied", ctl_said);
	EXPECT_EVENT("type=violation", text("path=%s", bad), "process.exe=/usr/bin/cat",
		     "process.comm=cat", "access=read");
	EXPECT_STREQ("0", guest_value("g", "tasks"));
}

/* ---- attach, detach ---- */

static void expect_crew(struct probe *p, int err)
{
	probe_go(p);
	EXPECT_STREQ(text("crew %d %d %d %d %d", err, err, err, err, err), probe_until(p, "crew"));
}

TEST(attach_takes_threads_and_children)
{
	struct probe p;

	load_two();
	probe_start(&p, NULL, STEPS("crew", bad));
	ASSERT_STREQ("ready 0", probe_until(&p, "ready"));
	expect_crew(&p, 0);
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	expect_crew(&p, EACCES);
	EXPECT_STREQ("5", guest_value("g", "tasks"));
	EXPECT_EVENT("type=guest", "action=attached", "guest.name=g");
	EXPECT_EQ(0, ctl("detach %d", p.pid));
	expect_crew(&p, 0);
	EXPECT_EVENT("type=violation", text("path=%s", bad), text("process.pid=%d", p.pid),
		     "process.cgroup=/policyctl/g");
	probe_kill(&p);
}

/* detach: to the cgroup that it came from. */
TEST(detach_returns_it)
{
	static const char *const cgroup = "/sys/fs/cgroup/origin";
	char buf[256];
	struct probe p;

	load_two();
	ASSERT_EQ(0, mkdir(cgroup, 0755));
	probe_start(&p, NULL, STEPS("pause", "block"));
	probe_until(&p, "paused");
	move(p.pid, cgroup);
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	ASSERT_LE(1, read_file(text("/proc/%d/cgroup", p.pid), buf, sizeof(buf)));
	EXPECT_STREQ("0::/policyctl/g\n", buf);
	EXPECT_EQ(0, ctl("detach %d", p.pid));
	ASSERT_LE(1, read_file(text("/proc/%d/cgroup", p.pid), buf, sizeof(buf)));
	EXPECT_STREQ("0::/origin\n", buf);
	probe_kill(&p);
	EXPECT_EQ(0, rmdir(cgroup));
}

TEST(attach_names_descriptors_outside_the_policy)
{
	struct probe p;

	load_two();
	probe_start(&p, NULL, STEPS("hold", "0", "r", bad, "hold", "1", "r", good, "pause"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	EXPECT_STRSTR(bad, ctl_said);
	EXPECT_TRUE(!strstr(ctl_said, good));
	probe_kill(&p);
}

TEST(attach_of_what_cannot_be)
{
	load_two();
	EXPECT_EQ(1, ctl("attach g 4194303"));
	EXPECT_EQ(1, ctl("attach nobody %d", getpid()));
	EXPECT_EQ(2, ctl("attach g"));
	EXPECT_EQ(2, ctl("attach g one"));
	EXPECT_EQ(1, ctl("attach g 1"));
	EXPECT_EQ(1, ctl("attach g 2")); /* kthreadd */
	EXPECT_EQ(1, ctl("detach 4194303"));
}

LEAVES_NO_GUEST()
