/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands killed anywhere, while a guest hammers: at each step (soak), and at random points. What is
 * left is what Documentation/operations.rst says: the old or the new, and the next command cleans up.
 * unload has crash_test.c.
 */
#include "harness.h"

#include <signal.h>
#include <sys/stat.h>

#include "guest_kill.h"
#include "guest_tasks.h"

#define CEILING_A 8
#define CEILING_B 12
#define POLICY_A  "/tmp/a.toml"
#define POLICY_B  "/tmp/b.toml"

static const char *said; /* where the payload of a killed `run` writes */

/*
 * Guest "g" hammers, "h" is what is killed. Two policies that say the same of what they do; all else
 * differs.
 */
static void make_policies(void)
{
	const char *g = text(GUEST("g") FILES RULE("%s/ok", "rw") END "[guest.g.limits]\npids = 9\n",
			     tree.root);
	const char *h = text(GUEST("h") FILES RULE("%s/ok", "rw") END "[guest.h.limits]\npids = 9\n",
			     tree.root);

	policy_write("%sfds = %d\n%s", g, CEILING_A, h);
	ASSERT_EQ(0, rename(POLICY_FILE, POLICY_A));
	policy_write("[guest.third]\nstat = \"deny\"\n" FILES RULE("%s/no", "rw") END
		     "%sfds = %d\n%sfds = 40\n",
		     tree.root, g, CEILING_B, h);
	ASSERT_EQ(0, rename(POLICY_FILE, POLICY_B));
}

static void prepare(void)
{
	tasks_make_tree();
	said = make_file(text("%s/ok/said", tree.root), "");
	make_policies();
}

static void load_first(void)
{
	prepare();
	EXPECT_CTL(0, "", "load " POLICY_A);
}

static void start_hammer(struct probe *p)
{
	load_first();
	hammer_start(p, tree.good, tree.bad, CEILING_A, CEILING_B);
}

static void end_hammer(struct probe *p)
{
	long rounds = 0;

	EXPECT_NOTHING(hammer_end(p, &rounds));
	EXPECT_LE(20, rounds);
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
	EXPECT_EQ(0, tasks_settle("g", 0));
}

/* Return: whether it was killed. */
static bool die(const struct death *death, const char *const words[])
{
	int status = ctl_killed(death, words);

	if (status > 0)
		FAIL("%s at %ld: status 0x%x", words[0], death->stop, (unsigned int)status);
	return status < 0;
}

static void measure(const char *const words[], struct death *ret)
{
	EXPECT_EQ(0, ctl_timed(words, ret));
	EXPECT_EQ(0, ctl_stepped(words, ret));
}

static long generation(void)
{
	return strtol(status_value("engine.generation"), NULL, 10);
}

/* The old generation or the new one, whole; and in the end no map more than there was. */
TEST_TIMEOUT(load_killed_anywhere, 7200)
{
	static const char *const a[] = { "load", POLICY_A, NULL };
	static const char *const b[] = { "load", POLICY_B, NULL };
	long before, now, killed = 0, maps;
	struct death whole, death;
	struct probe p;

	start_hammer(&p);
	measure(a, &whole);
	maps = maps_settle(0);
	before = generation();
	for (long i = 0; death_next(i, &whole, test_count(8, 100), &death); i++) {
		killed += die(&death, i % 2 ? a : b);
		now = generation();
		EXPECT_TRUE(now == before || now == before + 1);
		before = now;
	}
	printf("# killed %ld times\n", killed);
	EXPECT_LE(test_count(4, 50), killed);
	for (int slot = 0; slot < 2; slot++)
		EXPECT_CTL(0, "", "load " POLICY_A);
	EXPECT_EQ(maps, maps_settle(maps));
	EXPECT_STREQ("absent", guest_value("third", "tasks"));
	end_hammer(&p);
}

/* What it said is what a guest meets, if it said anything; and it is counted to its end. */
static void expect_confined(bool ran)
{
	char line[256];

	EXPECT_EQ(0, tasks_settle("h", 0));
	EXPECT_LE(0, read_file(said, line, sizeof(line)));
	if (ran || *line)
		EXPECT_STREQ(text("open %d\n", EACCES), line);
	EXPECT_EQ(0, write_file(said, ""));
}

/* What it started is confined, or ends with it. */
TEST_TIMEOUT(run_killed_anywhere, 7200)
{
	struct death whole, death;
	const char *script;
	struct probe p;

	start_hammer(&p);
	script = text("exec %s open r %s >>%s", PROBE_BIN, tree.bad, said);
	const char *const words[] = { "run", "h", "--", "/usr/bin/sh", "-c", script, NULL };

	measure(words, &whole);
	EXPECT_EQ(0, write_file(said, ""));
	for (long i = 0; death_next(i, &whole, test_count(6, 50), &death); i++)
		expect_confined(!die(&death, words));
	end_hammer(&p);
}

/* A guest whose own rules make a generation of each start: it is the old one or the new one, whole. */
TEST_TIMEOUT(start_killed_anywhere, 7200)
{
	long before, now, maps;
	struct death whole, death;
	const char *script;
	struct probe p;

	start_hammer(&p);
	script = text("exec %s open r %s >>%s", PROBE_BIN, tree.bad, said);
	const char *const words[] = { "run", "h", "--", "/usr/bin/sh", "-c", script, NULL };

	policy_write("%sfds = %d\n" GUEST("h") FILES
		     "\t{ path = \"%s/ok\", access = \"rw\", in = \"guest\" },\n" END
		     "[guest.h.limits]\npids = 9\n",
		     text(GUEST("g") FILES RULE("%s/ok", "rw") END "[guest.g.limits]\npids = 9\n",
			  tree.root),
		     CEILING_A, tree.root);
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	measure(words, &whole);
	EXPECT_EQ(0, write_file(said, ""));
	maps = maps_settle(0);
	before = generation();
	for (long i = 0; death_next(i, &whole, test_count(6, 50), &death); i++) {
		expect_confined(!die(&death, words));
		now = generation();
		EXPECT_TRUE(now == before || now == before + 1);
		before = now;
	}
	EXPECT_EQ(0, ctl("run h -- " PROBE_BIN " open rw %s", said));
	EXPECT_STREQ("open 0\n", ctl_said);
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	EXPECT_EQ(maps, maps_settle(maps));
	end_hammer(&p);
}

/* ---- commands side by side ---- */

static pid_t only_task_of(const char *guest)
{
	return (pid_t)read_number(text(CGROUPS "/%s/cgroup.procs", guest));
}

/*
 * `run` before it lets its child go: the child is the guest, and holds nothing by which another task
 * of the guest could get at the engine or at policyctl.
 */
TEST(a_child_that_starts)
{
	const char *const words[] = { "run", "h", "--", "/usr/bin/true", NULL };
	char maps[65536];
	struct probe p;
	pid_t run, child;

	load_first();
	run = ctl_stands(words, SYS_sendto);
	child = only_task_of("h");
	ASSERT_LE(2, child);
	EXPECT_LE(1, read_file(text("/proc/%d/maps", child), maps, sizeof(maps)));
	EXPECT_TRUE(!strstr(maps, "bpf-map"));
	probe_start(&p, "h", STEPS("pause", "ptrace", text("%d", child), "signal", text("%d", child),
				   "19", "vm-read", text("%d", child)));
	probe_until(&p, "paused");
	probe_go(&p);
	EXPECT_STREQ(text("ptrace %d", EPERM), probe_until(&p, "ptrace"));
	EXPECT_STREQ(text("signal %d", EPERM), probe_until(&p, "signal"));
	EXPECT_STREQ(text("vm-read %d", EPERM), probe_until(&p, "vm-read"));
	probe_end(&p);
	EXPECT_EQ(0, ctl_goes_on(run));
}

/* While one is starting, nobody unloads or loads; and what has begun ends well. */
TEST(unload_and_load_beside_run)
{
	const char *const words[] = { "run", "h", "--", "/usr/bin/true", NULL };
	pid_t run;

	load_first();
	run = ctl_stands(words, SYS_sendto);
	EXPECT_CTL(5, "starting or adopting", "unload");
	EXPECT_CTL(5, "starting or adopting", "load " POLICY_B);
	EXPECT_EQ(0, ctl_goes_on(run));
	EXPECT_CTL(0, "", "load " POLICY_B);
}

/* A payload of three processes. */
static void start_members(struct probe *p)
{
	probe_start(p, NULL, STEPS("members", "process", "2"));
	ASSERT_TRUE(probe_until(p, "ready") != NULL);
}

static void expect_members(struct probe *p, int err)
{
	for (int i = 0; i < 3; i++) {
		tasks_order(p, i, "open r %s", tree.bad);
		EXPECT_STREQ(text("open %d", err), probe_until(p, "open"));
	}
	EXPECT_EQ(err ? 3 : 0, tasks_settle("h", err ? 3 : 0));
}

static void measure_members(const char *verb, struct death *ret)
{
	bool attach = !strcmp(verb, "attach");

	for (int step = 0; step < 2; step++) {
		struct probe p;
		const char *pid;

		start_members(&p);
		pid = text("%d", p.pid);
		if (!attach)
			EXPECT_EQ(0, ctl("attach h %s", pid));
		EXPECT_EQ(0, (step ? ctl_stepped : ctl_timed)(
				     attach ? STEPS(verb, "h", pid) : STEPS(verb, pid), ret));
		EXPECT_EQ(0, probe_end(&p));
	}
}

/* Those done so far are guests; attach again. */
TEST_TIMEOUT(attach_killed_anywhere, 7200)
{
	struct death whole, death;
	struct probe p, members;

	start_hammer(&p);
	measure_members("attach", &whole);
	for (long i = 0; death_next(i, &whole, test_count(4, 30), &death); i++) {
		start_members(&members);
		die(&death, STEPS("attach", "h", text("%d", members.pid)));
		EXPECT_CTL(0, "", "attach h %d", members.pid);
		expect_members(&members, EACCES);
		EXPECT_EQ(0, probe_end(&members));
		EXPECT_EQ(0, tasks_settle("h", 0));
	}
	end_hammer(&p);
}

/* Those done so far are free; detach again. */
TEST_TIMEOUT(detach_killed_anywhere, 7200)
{
	struct death whole, death;
	struct probe p, members;
	int status;

	start_hammer(&p);
	measure_members("detach", &whole);
	for (long i = 0; death_next(i, &whole, test_count(3, 20), &death); i++) {
		start_members(&members);
		EXPECT_CTL(0, "", "attach h %d", members.pid);
		die(&death, STEPS("detach", text("%d", members.pid)));
		status = ctl("detach %d", members.pid);
		EXPECT_TRUE(!status || strstr(ctl_said, "is no guest"));
		expect_members(&members, 0);
		EXPECT_TRUE(strcmp("/policyctl/h", tasks_cgroup_of(members.pid)) != 0);
		EXPECT_EQ(0, probe_end(&members));
	}
	end_hammer(&p);
}

/* What is left of it is the guest, confined; stop again, and the guest can be had again. */
TEST_TIMEOUT(stop_killed_anywhere, 7200)
{
	static const char *const words[] = { "stop", "h", "--timeout", "0", NULL };
	struct death whole, death;
	struct probe p, member;

	start_hammer(&p);
	for (int step = 0; step < 2; step++) {
		probe_start(&member, "h", STEPS("stubborn", "1"));
		ASSERT_TRUE(probe_until(&member, "ready") != NULL);
		EXPECT_EQ(0, (step ? ctl_stepped : ctl_timed)(words, &whole));
		EXPECT_EQ(128 + SIGKILL, probe_end(&member));
	}
	for (long i = 0; death_next(i, &whole, test_count(4, 30), &death); i++) {
		probe_start(&member, "h", STEPS("stubborn", "1"));
		ASSERT_TRUE(probe_until(&member, "ready") != NULL);
		die(&death, words);
		EXPECT_CTL(0, "", "stop h --timeout 0");
		EXPECT_FALSE(exists(CGROUPS "/h"));
		EXPECT_EQ(128 + SIGKILL, probe_end(&member));
		EXPECT_EQ(EACCES, PROBE("h", "open", "r", tree.bad));
	}
	EXPECT_EQ(0, tasks_settle("h", 0));
	end_hammer(&p);
}

/* Nobody is confined by half an engine; what is left does not hinder the next command. */
TEST_TIMEOUT(first_load_killed_anywhere, 14400)
{
	static const char *const words[] = { "load", POLICY_A, NULL };
	struct death whole, death;

	prepare();
	EXPECT_NOTHING(engine_down());
	EXPECT_EQ(0, ctl_timed(words, &whole));
	EXPECT_NOTHING(engine_down());
	EXPECT_EQ(0, ctl_stepped(words, &whole));
	EXPECT_NOTHING(engine_down());
	for (long i = 0; death_next(i, &whole, test_count(2, 12), &death); i++) {
		printf("# %ld: killed at stop %ld, else after %ld us\n", i, death.stop, death.us);
		fflush(stdout);
		die(&death, words);
		EXPECT_EQ(0, PROBE(NULL, "open", "r", tree.bad));
		if (i % 8) { /* a load takes long: mostly unload is the next command */
			EXPECT_NOTHING(engine_down());
			continue;
		}
		EXPECT_CTL(0, "", "load " POLICY_A);
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", tree.bad));
		EXPECT_NOTHING(engine_down());
	}
}

LEAVES_NO_GUEST()
