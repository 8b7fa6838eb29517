/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Members of a policy (policy-language.md, [guest.X.members]): a cgroup of somebody else's becomes a
 * guest where it is, and is as it was when it is one no more.
 */
#include "harness.h"

#include <sys/stat.h>

#include "guest_tasks.h"

#define SERVICE CGROUP_ROOT "/svc.slice/web.service"
#define WITHIN	SERVICE "/within"
#define MEMORY	(64L << 20)

/* ---- what a service manager does ---- */

#define CONTROLLERS "+pids +memory +cpu"

static void make_service(void)
{
	ASSERT_TRUE(!mkdir(CGROUP_ROOT "/svc.slice", 0755) || errno == EEXIST);
	ASSERT_TRUE(!mkdir(SERVICE, 0755) || errno == EEXIST);
	ASSERT_EQ(0, write_file(CGROUP_ROOT "/cgroup.subtree_control", CONTROLLERS));
	ASSERT_EQ(0, write_file(CGROUP_ROOT "/svc.slice/cgroup.subtree_control", CONTROLLERS));
}

/* A cgroup whose tasks have ended, maybe not all of the way; the test's time bounds it. */
static void remove_emptied(const char *cgroup)
{
	while (rmdir(cgroup) && errno == EBUSY)
		usleep(10000);
}

static void remove_service(void)
{
	for (int i = 0; rmdir(SERVICE) && errno == EBUSY && i < 100; i++)
		usleep(10000); /* killed tasks, on their way out */
	EXPECT_EQ(0, rmdir(CGROUP_ROOT "/svc.slice"));
}

/* What a test that failed has left is not the next one's. */
SETUP()
{
	if (!exists(SERVICE))
		return;
	(void)write_file(SERVICE "/cgroup.kill", "1");
	for (int i = 0; i < 100 && (rmdir(WITHIN), rmdir(SERVICE)); i++)
		usleep(10000);
}

static const char *place; /* where the next payload is born */

static void go_there(void)
{
	if (tasks_move(0, place))
		_exit(1);
}

/* A payload of @cnt more processes or threads, in the cgroup @where. */
static struct numbers start_in(struct probe *p, const char *where, const char *kind, int cnt)
{
	place = where;
	probe_prepare = go_there;
	probe_start(p, NULL, STEPS("members", kind, text("%d", cnt)));
	return tasks_numbers(probe_until(p, "ready"));
}

/* ---- what comes of it ---- */

static void expect_open(struct probe *p, int member, const char *path, int err)
{
	tasks_order(p, member, "open r %s", path);
	EXPECT_STREQ(text("open %d", err), probe_until(p, "open"));
}

static void expect_guest(struct probe *p)
{
	expect_open(p, 0, tree.bad, EACCES);
	expect_open(p, 1, tree.bad, EACCES);
	expect_open(p, 0, tree.good, 0);
}

static void expect_free(struct probe *p)
{
	expect_open(p, 0, tree.bad, 0);
	expect_open(p, 1, tree.bad, 0);
}

static const char *read_text(const char *path)
{
	char buf[256];

	if (read_file(path, buf, sizeof(buf)) < 0)
		return "absent";
	buf[strcspn(buf, "\n")] = 0;
	return text("%s", buf);
}

static void expect_ceilings(const char *pids, const char *memory, const char *group,
			    const char *cpu)
{
	EXPECT_STREQ(pids, read_text(SERVICE "/pids.max"));
	EXPECT_STREQ(memory, read_text(SERVICE "/memory.max"));
	EXPECT_STREQ(group, read_text(SERVICE "/memory.oom.group"));
	EXPECT_STREQ(cpu, read_text(SERVICE "/cpu.max"));
}

#define MEMBER(list) "[guest.web.members]\ncgroups = " list "\n"
#define WEB_MEMBER   MEMBER("[\"/svc.slice/web.service\"]")

/* Guest "web", with @limits and the lines @more. Return: exit status of load. */
static int load_web(const char *options, const char *limits, const char *more)
{
	policy_write("%s%s", tasks_guest("web", 20, limits), more);
	return ctl("load %s " POLICY_FILE, options);
}

static void load_member(const char *limits)
{
	int status = load_web("", limits, WEB_MEMBER);

	if (status) {
		FAIL("load: status %d: %.300s", status, ctl_said);
		END_TEST();
	}
}

/* ---- adopted in place ---- */

/* With what a first load takes on a busy machine. */
TEST_TIMEOUT(a_cgroup_is_the_guest_where_it_is, 500)
{
	struct probe p, q, later;

	tasks_make_tree();
	make_service();
	ASSERT_TRUE(!mkdir(WITHIN, 0755));
	start_in(&p, SERVICE, "process", 2);
	start_in(&q, WITHIN, "thread", 2);
	expect_free(&p);
	expect_free(&q);
	load_member("");
	events_forget();
	EXPECT_STREQ("/svc.slice/web.service", tasks_cgroup_of(p.pid));
	EXPECT_STREQ("/svc.slice/web.service/within", tasks_cgroup_of(q.pid));
	expect_guest(&p);
	expect_guest(&q);
	EXPECT_EVENT("type=violation", "guest.name=web", text("path=%s", tree.bad),
		     text("process.pid=%d", p.pid), "process.cgroup=/svc.slice/web.service",
		     "errno=EACCES");
	EXPECT_STREQ("6", guest_value("web", "tasks"));
	EXPECT_EQ(6, tasks_settle("web", 6));

	/* What the manager starts there later, before it has forked and after. */
	start_in(&later, WITHIN, "process", 1);
	expect_guest(&later);
	EXPECT_STREQ("8", guest_value("web", "tasks"));
	EXPECT_EQ(0, probe_end(&later));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, probe_end(&q));
	EXPECT_EQ(0, tasks_settle("web", 0));
	remove_emptied(WITHIN);
	remove_service();
}

/* A child of a guest is the guest, wherever the manager's cgroup goes; the rest of the host is not. */
TEST(nobody_beside_it)
{
	struct probe p, beside;

	tasks_make_tree();
	make_service();
	ASSERT_TRUE(!mkdir(SERVICE "2", 0755));
	start_in(&p, SERVICE, "process", 1);
	start_in(&beside, SERVICE "2", "process", 1);
	load_member("");
	expect_guest(&p);
	expect_free(&beside);
	EXPECT_EQ(0, tasks_move(p.pid, SERVICE "2"));
	expect_guest(&p);
	expect_free(&beside);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, probe_end(&beside));
	remove_emptied(SERVICE "2");
	remove_service();
}

/* ---- ceilings ---- */

/* Written in full, changed live, and what was there comes back. */
TEST(ceilings_come_and_go)
{
	struct probe p;

	tasks_make_tree();
	make_service();
	/* Its manager hands no controller on yet. */
	EXPECT_EQ(0, write_file(CGROUP_ROOT "/svc.slice/cgroup.subtree_control",
				"-pids -memory -cpu"));
	expect_ceilings("absent", "absent", "absent", "absent");
	start_in(&p, SERVICE, "process", 1);
	load_member("memory = \"64MiB\"\ncpu = 0.5");
	expect_ceilings("20", text("%ld", MEMORY), "1", "50000 100000");
	EXPECT_EQ(MEMORY, read_number(CGROUPS "/web/memory.max"));
	EXPECT_EQ(0, load_web("", "memory = \"32MiB\"", WEB_MEMBER));
	expect_ceilings("20", text("%ld", MEMORY / 2), "1", "max 100000");
	EXPECT_EQ(0, load_web("", "", WEB_MEMBER));
	expect_ceilings("20", "max", "0", "max 100000");
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* The manager's own numbers, not the kernel's defaults. */
TEST(ceilings_of_before_come_back)
{
	tasks_make_tree();
	make_service();
	EXPECT_EQ(0, write_file(SERVICE "/pids.max", "77"));
	EXPECT_EQ(0, write_file(SERVICE "/memory.max", "134217728"));
	load_member("memory = \"64MiB\"");
	EXPECT_STREQ("20", read_text(SERVICE "/pids.max"));
	EXPECT_STREQ(text("%ld", MEMORY), read_text(SERVICE "/memory.max"));
	EXPECT_EQ(0, load_web("", "", ""));
	EXPECT_STREQ("77", read_text(SERVICE "/pids.max"));
	EXPECT_STREQ("134217728", read_text(SERVICE "/memory.max"));
	EXPECT_STREQ("0", read_text(SERVICE "/memory.oom.group"));
	remove_service();
}

/* Counted over the member and the guest's own cgroup, by the engine. */
TEST(counts_are_over_all)
{
	struct numbers filled;
	struct probe p, own;

	tasks_make_tree();
	make_service();
	start_in(&p, SERVICE, "process", 1);
	policy_write("%s" WEB_MEMBER, tasks_guest("web", 4, "fds = 40"));
	ASSERT_EQ(0, ctl("load " POLICY_FILE));
	start_in(&own, CGROUP_ROOT, "process", 1);
	EXPECT_CTL(0, "2 processes adopted", "attach web %d", own.pid);
	EXPECT_EQ(4, tasks_settle("web", 4));
	tasks_order(&own, 0, "hold 0 r %s", tree.good);
	EXPECT_STREQ("hold 0", probe_until(&own, "hold"));
	tasks_order(&p, 0, "spawn 1");
	EXPECT_STREQ(text("spawn %d", EAGAIN), probe_until(&p, "spawn "));
	tasks_order(&p, 0, "fill %s", tree.good);
	filled = tasks_numbers(probe_until(&p, "filled"));
	EXPECT_EQ(EMFILE, filled.n[0]);
	EXPECT_EQ(39, filled.n[1]); /* the other one holds one */
	EXPECT_EVENT("type=ceiling", "resource=fds", "verdict=denied", "guest.name=web",
		     text("process.pid=%d", p.pid));
	EXPECT_EQ(0, probe_end(&own));
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* ---- refused, and nothing has changed ---- */

static void expect_refused(int status, const char *part, const char *more)
{
	policy_write("%s%s", tasks_guest("web", 20, ""), more);
	EXPECT_CTL(status, part, "load " POLICY_FILE);
}

TEST(what_cannot_be_a_member)
{
	tasks_make_tree();
	make_service();
	ASSERT_EQ(0, load_web("", "", ""));
	EXPECT_EQ(0, tasks_move(getpid(), SERVICE));
	expect_refused(3, "P0516]: cgroup '/svc.slice/web.service' holds this command", WEB_MEMBER);
	expect_refused(3, "P0516]: cgroup '/svc.slice' holds this command",
		       MEMBER("[\"/svc.slice\"]"));
	EXPECT_CTL(3, "holds this command", "check " POLICY_FILE);
	EXPECT_EQ(0, tasks_move(getpid(), CGROUP_ROOT));
	EXPECT_EQ(0, tasks_move(1, SERVICE));
	expect_refused(3, "P0516]: cgroup '/svc.slice/web.service' holds pid 1", WEB_MEMBER);
	EXPECT_EQ(0, tasks_move(1, CGROUP_ROOT));
	/* No threads apart from each other where memory or I/O is accounted for. */
	EXPECT_EQ(0, write_file(CGROUP_ROOT "/svc.slice/cgroup.subtree_control", "-memory -io"));
	EXPECT_EQ(0, write_file(SERVICE "/cgroup.type", "threaded"));
	expect_refused(3, "is a threaded one", WEB_MEMBER);
	expect_refused(3, "P0516]: '/svc.slice/cgroup.procs' is no plain path",
		       MEMBER("[\"/svc.slice/cgroup.procs\"]"));
	expect_refused(3, "P0114", MEMBER("[\"/\"]"));
	expect_refused(3, "P0202", MEMBER("[\"/svc.slice/../x\"]"));
	remove_service();
}

/* More tasks than the guest may have, and one that is another guest's: before anything is changed. */
TEST(what_does_not_fit)
{
	struct numbers ids;
	struct probe p;

	tasks_make_tree();
	make_service();
	ids = start_in(&p, SERVICE, "process", 5);
	ASSERT_EQ(0, load_web("", "", ""));
	policy_write("%s" WEB_MEMBER, tasks_guest("web", 5, "memory = \"64MiB\""));
	EXPECT_CTL(1, "cgroup '/svc.slice/web.service' has 6", "load " POLICY_FILE);
	expect_ceilings("max", "max", "0", "max 100000");
	expect_free(&p);
	ASSERT_LOAD("%s%s", tasks_guest("web", 20, ""), tasks_guest("other", 20, ""));
	EXPECT_EQ(0, ctl("attach other %ld", ids.n[1]));
	EXPECT_EQ(0, tasks_move((pid_t)ids.n[1], SERVICE));
	policy_write("%s" WEB_MEMBER "%s", tasks_guest("web", 20, "memory = \"64MiB\""),
		     tasks_guest("other", 20, ""));
	EXPECT_CTL(1, "is another guest's", "load " POLICY_FILE);
	expect_open(&p, 0, tree.bad, 0);
	expect_open(&p, 1, tree.bad, EACCES);
	expect_open(&p, 2, tree.bad, 0);
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* Each of them fits, both don't. */
TEST(what_does_not_fit_in_sum)
{
	struct probe p, q;

	tasks_make_tree();
	make_service();
	ASSERT_TRUE(!mkdir(SERVICE "2", 0755));
	start_in(&p, SERVICE, "process", 1);
	start_in(&q, SERVICE "2", "process", 1);
	policy_write("%s%s", tasks_guest("web", 3, ""),
		     MEMBER("[\"/svc.slice/web.service\", \"/svc.slice/web.service2\"]"));
	EXPECT_CTL(1, "may have 3 tasks, has 2, and cgroup '/svc.slice/web.service2' has 2",
		   "load " POLICY_FILE);
	expect_free(&p);
	expect_free(&q);
	expect_ceilings("max", "max", "0", "max 100000");
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, probe_end(&q));
	remove_emptied(SERVICE "2");
	remove_service();
}

TEST(one_that_is_not_there)
{
	struct probe p;

	tasks_make_tree();
	policy_write("%s" WEB_MEMBER, tasks_guest("web", 20, ""));
	EXPECT_CTL(0, "warning[P0614]: cgroup '/svc.slice/web.service' is not there",
		   "load " POLICY_FILE);
	EXPECT_CTL(3, "error[P0614]", "check --strict " POLICY_FILE);
	make_service();
	start_in(&p, SERVICE, "process", 1);
	expect_free(&p);
	EXPECT_EQ(0, ctl("load " POLICY_FILE));
	expect_guest(&p);
	EXPECT_EQ(0, probe_end(&p));

	/* Removed and made again, it is another one: adopted by the next load. */
	remove_service();
	make_service();
	start_in(&p, SERVICE, "process", 1);
	expect_free(&p);
	EXPECT_EQ(0, ctl("load " POLICY_FILE));
	expect_guest(&p);
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* ---- a member that leaves, in three ways ---- */

TEST(one_that_leaves_the_policy)
{
	struct probe p, later;

	tasks_make_tree();
	make_service();
	start_in(&p, SERVICE, "process", 1);
	load_member("memory = \"64MiB\"");
	EXPECT_EQ(1, load_web("", "", ""));
	EXPECT_TRUE(strstr(ctl_said, "is no member of guest 'web' any more, and has tasks"));
	expect_guest(&p);
	expect_ceilings("20", text("%ld", MEMORY), "1", "max 100000");

	/* By force: who is there stays the guest, who comes is none. */
	EXPECT_EQ(0, load_web("--force", "", ""));
	expect_guest(&p);
	expect_ceilings("max", "max", "0", "max 100000");
	start_in(&later, SERVICE, "process", 1);
	expect_free(&later);
	EXPECT_EQ(0, probe_end(&later));
	EXPECT_CTL(0, "2 processes freed", "detach %d", p.pid);
	expect_free(&p);
	EXPECT_STREQ("/", tasks_cgroup_of(p.pid));
	EXPECT_EQ(0, probe_end(&p));

	/* Without tasks it just leaves. */
	load_member("");
	EXPECT_EQ(0, load_web("", "", ""));
	expect_ceilings("max", "max", "0", "max 100000");
	start_in(&p, SERVICE, "process", 1);
	expect_free(&p);
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* Given to another guest, itself or its parent, it would be nobody's: it takes two loads. */
TEST(one_that_changes_guests)
{
	static const char *const paths[] = { "/svc.slice/web.service", "/svc.slice" };
	struct probe p;

	tasks_make_tree();
	make_service();
	load_member("");
	for (size_t i = 0; i < 2; i++) {
		policy_write("%s%s[guest.other.members]\ncgroups = [\"%s\"]\n",
			     tasks_guest("web", 20, ""), tasks_guest("other", 20, ""), paths[i]);
		EXPECT_CTL(1, "which is another guest's", "load " POLICY_FILE);
		EXPECT_CTL(1, "which is another guest's", "load --force " POLICY_FILE);
	}
	start_in(&p, SERVICE, "process", 1);
	expect_guest(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, load_web("", "", ""));
	policy_write("%s[guest.other.members]\ncgroups = [\"/svc.slice/web.service\"]\n",
		     tasks_guest("other", 20, ""));
	EXPECT_EQ(0, ctl("load " POLICY_FILE));
	start_in(&p, SERVICE, "process", 1);
	expect_guest(&p);
	EXPECT_STREQ("2", guest_value("other", "tasks"));
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* Its guest goes: refused; by force its tasks may open nothing. */
TEST(one_whose_guest_leaves)
{
	struct probe p;

	tasks_make_tree();
	make_service();
	start_in(&p, SERVICE, "process", 1);
	load_member("");
	policy_write("%s", tasks_guest("other", 20, ""));
	EXPECT_CTL(1, "guest 'web' is not in the policy and has 2 tasks", "load " POLICY_FILE);
	expect_guest(&p);
	EXPECT_EQ(0, ctl("load --force " POLICY_FILE));
	expect_open(&p, 0, tree.good, EACCES);
	expect_ceilings("max", "max", "0", "max 100000");
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

TEST(detach_from_where_it_is)
{
	struct probe p;

	tasks_make_tree();
	make_service();
	start_in(&p, SERVICE, "process", 1);
	load_member("fds = 30");
	expect_guest(&p);
	EXPECT_CTL(0, "2 processes freed", "detach %d", p.pid);
	EXPECT_STREQ("/", tasks_cgroup_of(p.pid));
	expect_free(&p);
	EXPECT_EQ(0, tasks_settle("web", 0));
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* Emptied, not removed; who is started there again is the guest. */
TEST(stop_empties_it)
{
	struct probe p;

	tasks_make_tree();
	make_service();
	load_member("");
	place = SERVICE;
	probe_prepare = go_there;
	probe_start(&p, NULL, STEPS("stubborn", "4"));
	ASSERT_TRUE(probe_line(&p) != NULL);
	EXPECT_CTL(0, "killed", "stop web --timeout 300ms");
	EXPECT_EQ(128 + SIGKILL, probe_end(&p));
	EXPECT_STREQ("0", guest_value("web", "tasks"));
	EXPECT_TRUE(exists(SERVICE));
	EXPECT_FALSE(exists(CGROUPS "/web"));
	start_in(&p, SERVICE, "process", 1);
	expect_guest(&p);
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* ---- processes, by number and by pid file ---- */

#define RUN_DIR "/members"

static void make_run_dir(void)
{
	ASSERT_TRUE(!mkdir(RUN_DIR, 0755) || errno == EEXIST);
}

static void write_pid_file(const char *name, const char *content)
{
	(void)unlink(text(RUN_DIR "/%s", name));
	make_file(text(RUN_DIR "/%s", name), content);
}

#define PIDS(list) text("[guest.web.members]\npids = [%s]\n", list)

TEST(processes_are_moved)
{
	struct probe p, q;

	tasks_make_tree();
	make_service();
	make_run_dir();
	start_in(&p, SERVICE, "process", 2);
	start_in(&q, SERVICE, "thread", 2);
	write_pid_file("web.pid", text("%d\n", q.pid));
	ASSERT_EQ(0, load_web("", "memory = \"64MiB\"",
			      PIDS(text("%d, \"" RUN_DIR "/web.pid\"", p.pid))));
	events_forget();
	expect_guest(&p);
	events_unfold(); /* the same refusal once more has a record of its own */
	expect_guest(&q);
	EXPECT_EVENT("type=violation", text("process.pid=%d", q.pid), "errno=EACCES",
		     "process.cgroup=/policyctl/web");
	EXPECT_STREQ("/policyctl/web", tasks_cgroup_of(p.pid));
	EXPECT_STREQ("/policyctl/web", tasks_cgroup_of(q.pid));
	EXPECT_EQ(6, tasks_settle("web", 6));
	EXPECT_STREQ("max", read_text(SERVICE "/memory.max"));
	EXPECT_EQ(0, ctl("load " POLICY_FILE)); /* once more: nothing to do */
	EXPECT_EQ(6, tasks_settle("web", 6));
	EXPECT_CTL(0, "3 processes freed", "detach %d", p.pid);
	EXPECT_STREQ("/svc.slice/web.service", tasks_cgroup_of(p.pid));
	expect_free(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, probe_end(&q));
	remove_service();
}

TEST(processes_that_are_not_there)
{
	struct probe p;

	tasks_make_tree();
	make_run_dir();
	probe_start(&p, NULL, STEPS("pause"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_EQ(0, probe_end(&p));
	write_pid_file("web.pid", text("%d", p.pid));
	EXPECT_EQ(0, load_web("", "", PIDS(text("%d", p.pid))));
	EXPECT_TRUE(strstr(ctl_said, text("warning[P0614]: process %d is not there", p.pid)));
	EXPECT_EQ(0, load_web("", "", PIDS("\"" RUN_DIR "/web.pid\"")));
	EXPECT_TRUE(strstr(ctl_said, text("process %d of " RUN_DIR "/web.pid is not", p.pid)));
	EXPECT_EQ(0, load_web("", "", PIDS("\"" RUN_DIR "/none.pid\"")));
	EXPECT_TRUE(strstr(ctl_said, "pid file '" RUN_DIR "/none.pid' is not there"));
}

/* By check, which looks as load does, and is quick. */
static void expect_pids_refused(const char *list, const char *part)
{
	policy_write("%s%s", tasks_guest("web", 20, ""), PIDS(list));
	EXPECT_CTL(3, "error[P0516]", "check " POLICY_FILE);
	if (!strstr(ctl_said, part))
		FAIL("no '%s' in %.300s", part, ctl_said);
}

TEST(pid_files_that_are_not_believed)
{
	static const char *const garbage[] = { "", "x", "12x", "-5", "0", "12 13", "99999999999",
					       "\n12" };
	const char *file = "\"" RUN_DIR "/f.pid\"", *full = RUN_DIR "/f.pid";
	struct numbers ids;
	struct probe p, q;

	tasks_make_tree();
	make_run_dir();
	probe_start(&p, NULL, STEPS("members", "process", "1"));
	ASSERT_TRUE(probe_until(&p, "ready") != NULL);
	ASSERT_EQ(0, load_web("", "", ""));
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		write_pid_file("f.pid", garbage[i]);
		expect_pids_refused(file, "does not hold a process id");
	}
	write_pid_file("f.pid", "1");
	expect_pids_refused(file, "it is pid 1");
	write_pid_file("f.pid", "2");
	expect_pids_refused(file, "it is a kernel thread");

	ids = start_in(&q, CGROUP_ROOT, "thread", 1);
	expect_pids_refused(text("%ld", ids.n[1]), text("process %ld cannot be opened", ids.n[1]));
	EXPECT_EQ(0, probe_end(&q));

	write_pid_file("f.pid", text("%d", p.pid));
	EXPECT_EQ(0, chmod(full, 0664));
	expect_pids_refused(file, "others than root may write '" RUN_DIR "/f.pid'");
	EXPECT_CTL(3, "error[P0516]", "load " POLICY_FILE);
	EXPECT_EQ(0, chmod(full, 0644));
	EXPECT_EQ(0, chown(full, 33, 0));
	expect_pids_refused(file, "others than root may write '" RUN_DIR "/f.pid'");
	EXPECT_EQ(0, chown(full, 0, 0));
	EXPECT_EQ(0, chmod(RUN_DIR, 01777));
	expect_pids_refused(file, "others than root may write '" RUN_DIR "'");
	EXPECT_EQ(0, chmod(RUN_DIR, 0755));
	EXPECT_EQ(0, rename(full, RUN_DIR "/real.pid"));
	EXPECT_EQ(0, symlink(RUN_DIR "/real.pid", full));
	expect_pids_refused(file, "is a symlink");
	EXPECT_EQ(0, symlink(RUN_DIR, "/members.link"));
	expect_pids_refused("\"/members.link/real.pid\"", "is a symlink");
	EXPECT_EQ(0, unlink("/members.link"));
	EXPECT_EQ(0, unlink(full));
	EXPECT_EQ(0, mkfifo(full, 0600));
	expect_pids_refused(file, "is no regular file");
	EXPECT_EQ(0, unlink(full));
	expect_free(&p);

	/* The control: the same file, as it should be. */
	EXPECT_EQ(0, load_web("", "", PIDS("\"" RUN_DIR "/real.pid\"")));
	expect_guest(&p);
	EXPECT_EQ(0, probe_end(&p));
}

#define WEB_ON_RUN(access, more)                                          \
	"[guest.web]\ninclude = [\"runtime\"]\n" more                       \
	"[[guest.web.files]]\npath = \"" RUN_DIR "\"\naccess = \"" access "\"\n"

/* Of the new policy, or of the one that runs. */
TEST(pid_files_that_a_guest_may_change)
{
	struct probe p;
	const char *pids = PIDS("\"" RUN_DIR "/web.pid\"");

	tasks_make_tree();
	make_run_dir();
	probe_start(&p, NULL, STEPS("members", "process", "1"));
	ASSERT_TRUE(probe_until(&p, "ready") != NULL);
	write_pid_file("web.pid", text("%d", p.pid));
	policy_write(WEB_ON_RUN("rw", "[guest.web.members]\npids = [\"" RUN_DIR "/web.pid\"]\n"));
	EXPECT_CTL(1, "a guest may write the pid file '" RUN_DIR "/web.pid'", "load " POLICY_FILE);
	expect_free(&p);
	policy_write(WEB_ON_RUN("rw", ""));
	EXPECT_EQ(0, ctl("load " POLICY_FILE));
	EXPECT_EQ(1, load_web("", "", pids));
	EXPECT_TRUE(strstr(ctl_said, "a guest may write the pid file"));
	expect_free(&p);
	policy_write(WEB_ON_RUN("ro", ""));
	EXPECT_EQ(0, ctl("load " POLICY_FILE));
	EXPECT_EQ(0, load_web("", "", pids));
	expect_guest(&p);
	EXPECT_EQ(0, probe_end(&p));
}

#define BUSY CGROUP_ROOT "/busy"

/* The last member can have no ceiling, since its parent has a process: nobody is adopted at all. */
TEST(a_load_that_fails_half_way)
{
	const char *both = MEMBER("[\"/svc.slice/web.service\", \"/busy/b\"]");
	struct probe p, q;

	tasks_make_tree();
	make_service();
	ASSERT_TRUE(!mkdir(BUSY, 0755) || errno == EEXIST);
	ASSERT_TRUE(!mkdir(BUSY "/b", 0755) || errno == EEXIST);
	start_in(&p, SERVICE, "process", 1);
	start_in(&q, BUSY, "process", 1);
	ASSERT_EQ(0, load_web("", "", ""));
	EXPECT_EQ(4, load_web("", "memory = \"64MiB\"\nfds = 50", both));
	EXPECT_TRUE(strstr(ctl_said, "no controller 'pids'"));
	EXPECT_STREQ("", read_text(BUSY "/cgroup.subtree_control")); /* it would be threaded */
	expect_free(&p);
	expect_ceilings("max", "max", "0", "max 100000");
	EXPECT_STREQ("0", guest_value("web", "tasks"));
	EXPECT_EQ(0, load_web("", "memory = \"64MiB\"\nfds = 50\nbest_effort = true", both));
	EXPECT_TRUE(strstr(ctl_said, "P0616]: guest 'web': cgroup '/busy/b' has no pids.max"));
	expect_guest(&p);
	expect_free(&q);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, probe_end(&q));
	EXPECT_EQ(0, rmdir(BUSY "/b"));
	remove_emptied(BUSY);
	remove_service();
}

/* Whom the load has adopted it frees, the process and the members; not who was a guest before. */
TEST(a_load_that_fails_frees_its_own)
{
	struct numbers ids;
	struct probe p, q, r;

	tasks_make_tree();
	make_service();
	ASSERT_TRUE(!mkdir(BUSY, 0755) || errno == EEXIST);
	ASSERT_TRUE(!mkdir(BUSY "/b", 0755) || errno == EEXIST);
	start_in(&p, SERVICE, "process", 1);
	start_in(&q, BUSY, "process", 1);
	ids = start_in(&r, CGROUP_ROOT, "process", 2);
	ASSERT_EQ(0, load_web("", "", ""));
	EXPECT_EQ(0, ctl("attach web %ld", ids.n[1]));
	/* Guests come by name: the one that fails is the last. */
	policy_write("%s" WEB_MEMBER "pids = [%d]\n"
		     "%s[guest.zone.members]\ncgroups = [\"/busy/b\"]\n",
		     tasks_guest("web", 20, "fds = 50"), r.pid, tasks_guest("zone", 20, ""));
	EXPECT_CTL(4, "no controller 'pids'", "load " POLICY_FILE);
	expect_free(&p);
	expect_open(&r, 0, tree.bad, 0);
	expect_open(&r, 1, tree.bad, EACCES);
	expect_open(&r, 2, tree.bad, 0);
	EXPECT_STREQ("1", guest_value("web", "tasks"));
	EXPECT_STREQ("/", tasks_cgroup_of(r.pid));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, probe_end(&q));
	EXPECT_EQ(0, probe_end(&r));
	EXPECT_EQ(0, rmdir(BUSY "/b"));
	remove_emptied(BUSY);
	remove_service();
}

/* ---- killed on the way ---- */

/* Dead at any point, the next load or unload makes it whole, and unload leaves it as it was. */
TEST(killed_on_the_way)
{
	const long rounds = test_count(4, 100);
	struct probe p;

	tasks_make_tree();
	make_service();
	start_in(&p, SERVICE, "process", 1);
	ASSERT_EQ(0, load_web("", "", ""));
	for (long i = 0; i < rounds; i++) {
		bool member = i % 2 == 0;

		policy_write("%s%s", tasks_guest("web", 20, "memory = \"64MiB\""),
			     member ? WEB_MEMBER : "");
		(void)ctl("load --force " POLICY_FILE " & sleep 0.%03ld; kill -9 $!", i * 37 % 400);
		(void)ctl("detach %d", p.pid);
		EXPECT_EQ(0, tasks_move(p.pid, SERVICE));
		if (i % 10 == 9)
			EXPECT_EQ(0, ctl("unload --force"));
		EXPECT_EQ(0, load_web("--force", "memory = \"64MiB\"", member ? WEB_MEMBER : ""));
		if (!member) {
			/* By force it has stayed the guest, if it was one when the load began. */
			(void)ctl("detach %d", p.pid);
			EXPECT_EQ(0, tasks_move(p.pid, SERVICE));
		}
		expect_open(&p, 0, tree.bad, member ? EACCES : 0);
		EXPECT_STREQ(member ? "20" : "max", read_text(SERVICE "/pids.max"));
	}
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}

/* ---- unloaded: the last, since it leaves no engine to the next suite ---- */

/* A program goes some time after its pins, which on a busy machine is long. */
static const char *left_at_last(void)
{
	const char *left = engine_left();

	for (int i = 0; i < 6 && left; i++)
		left = engine_left();
	return left;
}

/* An unload leaves the cgroup, its tasks and its ceilings as if nothing had ever been. */
TEST(unload_leaves_it_as_it_was)
{
	struct probe p;

	tasks_make_tree();
	make_service();
	start_in(&p, SERVICE, "process", 1);
	load_member("memory = \"64MiB\"\ncpu = 0.5");
	expect_guest(&p);
	EXPECT_CTL(1, "guest 'web' has 2 tasks", "unload");
	EXPECT_EQ(0, ctl("unload --force"));
	expect_free(&p);
	expect_ceilings("max", "max", "0", "max 100000");
	EXPECT_STREQ("/svc.slice/web.service", tasks_cgroup_of(p.pid));
	EXPECT_NOTHING(left_at_last());
	EXPECT_EQ(0, probe_end(&p));
	remove_service();
}
