/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyctl stop: whatever a guest's processes do they are gone, its cgroup too, and at once the guest
 * can be had again, as it was.
 */
#include "harness.h"

#include <sys/stat.h>

#include "guest_tasks.h"

#define HOME "/sys/fs/cgroup/policyctl/g"

static void load(const char *limits)
{
	tasks_make_tree();
	ASSERT_LOAD(GUEST("g") FILES RULE("%s/ok", "rw") END "[guest.g.limits]\npids = 40\n%s",
		    tree.root, limits);
}

static void start(struct probe *p, const char *const steps[])
{
	probe_start(p, "g", steps);
	ASSERT_TRUE(probe_line(p) != NULL);
}

/* Its cgroup is gone; the guest is listed, and without a task. */
static void expect_stopped(void)
{
	EXPECT_FALSE(exists(HOME));
	EXPECT_STREQ("0", guest_value("g", "tasks"));
	EXPECT_EQ(0, tasks_settle("g", 0));
}

/* As after the first load: confined, in its cgroup, with its ceilings. */
static void expect_again(void)
{
	struct probe p;

	start(&p, STEPS("pause", "open", "r", tree.bad, "open", "rw", tree.good));
	EXPECT_STREQ("/policyctl/g", tasks_cgroup_of((pid_t)read_number(HOME "/cgroup.procs")));
	EXPECT_EQ(40, read_number(HOME "/pids.max"));
	probe_go(&p);
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(nothing_to_stop)
{
	EXPECT_NOTHING(engine_down());
	EXPECT_CTL(0, "nothing is loaded", "stop g");
	load("");
	EXPECT_CTL(0, "'g' had no tasks", "stop g");
	expect_stopped();
	EXPECT_CTL(0, "'g' had no tasks", "stop g");
	EXPECT_CTL(1, "the policy has no guest 'x'", "stop x");
	expect_again();
}

TEST(usage)
{
	EXPECT_EQ(2, ctl("stop"));
	EXPECT_EQ(2, ctl("stop g h"));
	EXPECT_EQ(2, ctl("stop --frobnicate g"));
	EXPECT_CTL(2, "is no time", "stop g --timeout soon");
}

/* SIGTERM is enough: the time is not waited for. */
TEST(a_process_that_ends)
{
	struct probe p;

	load("");
	events_forget();
	start(&p, STEPS("pause"));
	EXPECT_CTL(0, "stopped: 'g', 1 task\n", "stop g --timeout 100");
	expect_stopped();
	EXPECT_EQ(128 + SIGTERM, probe_end(&p));
	EXPECT_EVENT("type=exit", "signal=15", "guest.name=g");
	EXPECT_EVENT("type=guest", "action=stopped", "guest.name=g");
	expect_again();
}

TEST(json)
{
	struct probe p;

	load("");
	start(&p, STEPS("pause"));
	EXPECT_EQ(0, ctl("stop g --json"));
	EXPECT_STREQ("{\"schema\":\"policyctl/v1\",\"guest\":\"g\",\"tasks\":1,\"killed\":false,"
		     "\"removed\":true}\n",
		     ctl_said);
	EXPECT_EQ(128 + SIGTERM, probe_end(&p));
}

/* Forks all the time and takes no notice of SIGTERM; its cgroups within are not empty, either. */
TEST(a_tree_that_will_not_end)
{
	struct probe p;

	load("");
	for (int i = 0; i < 3; i++) {
		start(&p, STEPS("stubborn", "4"));
		ASSERT_EQ(0, mkdir(HOME "/within", 0755));
		ASSERT_EQ(0, mkdir(HOME "/within/more", 0755));
		EXPECT_EQ(0, tasks_move((pid_t)read_number(HOME "/cgroup.procs"),
					HOME "/within/more"));
		EXPECT_CTL(0, "killed: SIGTERM was not enough", "stop g --timeout 300ms");
		expect_stopped();
		EXPECT_EQ(128 + SIGKILL, probe_end(&p));
	}
	expect_again();
}

/* Some of it elsewhere, where an operator has put it: it is the guest all the same. */
TEST(a_tree_that_lies_elsewhere)
{
	struct probe p;

	load("");
	start(&p, STEPS("stubborn", "4"));
	for (int i = 0; i < 200; i++)
		(void)tasks_move((pid_t)read_number(HOME "/cgroup.procs"), CGROUP_ROOT);
	EXPECT_CTL(0, "killed", "stop g --timeout 0");
	expect_stopped();
	EXPECT_EQ(128 + SIGKILL, probe_end(&p));
	expect_again();
}

TEST(adopted_processes)
{
	struct probe p;

	load("");
	probe_start(&p, NULL, STEPS("members", "process", "3"));
	ASSERT_TRUE(probe_until(&p, "ready") != NULL);
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	EXPECT_CTL(0, "stopped: 'g', 4 tasks", "stop g");
	expect_stopped();
	EXPECT_EQ(128 + SIGTERM, probe_end(&p));

	probe_start(&p, NULL, STEPS("members", "process", "1"));
	ASSERT_TRUE(probe_until(&p, "ready") != NULL);
	EXPECT_CTL(0, "2 processes adopted", "attach g %d", p.pid);
	EXPECT_STREQ("/policyctl/g", tasks_cgroup_of(p.pid));
	tasks_order(&p, 0, "open r %s", tree.bad);
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
}

/* To kill a thread is to kill its process, which is none of ours. */
TEST(threads_that_were_attached_alone)
{
	struct numbers members;
	struct probe p;

	load("");
	probe_start(&p, NULL, STEPS("members", "thread", "2"));
	members = tasks_numbers(probe_until(&p, "ready"));
	EXPECT_EQ(0, ctl("attach g %ld --tid", members.n[1]));
	EXPECT_CTL(1, "1 task of 'g' cannot be ended", "stop g --timeout 100ms");
	EXPECT_TRUE(exists(HOME));
	tasks_order(&p, 1, "open r %s", tree.bad);
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	EXPECT_EQ(0, ctl("detach %ld", members.n[1]));
	EXPECT_EQ(0, ctl("stop g"));
	expect_stopped();
	EXPECT_EQ(0, probe_end(&p));
}

/* A load makes the cgroup again, an unload misses nothing. */
TEST(load_and_unload_after_a_stop)
{
	load("");
	EXPECT_EQ(0, ctl("stop g"));
	EXPECT_EQ(0, ctl("load " POLICY_FILE));
	EXPECT_TRUE(exists(HOME));
	EXPECT_EQ(0, ctl("stop g"));
	EXPECT_EQ(0, ctl("unload"));
	EXPECT_NOTHING(engine_left());
}

/* What one of them starts the other may end; nothing is let in, nothing refused that is allowed. */
TEST(run_and_stop_side_by_side)
{
	const long rounds = test_count(10, 200);
	long ran = 0;
	pid_t pid;

	load("");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		for (long i = 0; i < rounds; i++)
			if (ctl("stop g --timeout 0") && !strstr(ctl_said, "another policyctl"))
				FAIL("%.300s", ctl_said);
		_exit(0);
	}
	for (long i = 0; i < rounds; i++) {
		int err = PROBE("g", "open", "r", tree.bad);

		ran += err == EACCES;
		if (err != EACCES && err != -1)
			FAIL("errno %d: %.300s", err, ctl_said);
	}
	waitpid(pid, NULL, 0);
	printf("# %ld of %ld ran\n", ran, rounds);
	EXPECT_LE(1, ran);
	EXPECT_EQ(0, ctl("stop g"));
	expect_stopped();
}

LEAVES_NO_GUEST()
