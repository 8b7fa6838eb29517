/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ceiling of tasks (limits.pids): exact up to it and not one past it, whoever forks; back where
 * it was when they have ended; nothing leaks when a fork fails for another reason.
 */
#include "harness.h"

#include "guest_tasks.h"

/* ---- bombs ---- */

#define BOMB 40

/* Two pressures, each once and before the first refusal; then one event for each that was refused. */
static void expect_bomb_events(const char *guest, int refused)
{
	EXPECT_EQ(refused, CEILING(guest, "verdict=denied", "errno=EAGAIN", text("now=%d", BOMB),
				   text("ceiling=%d", BOMB), "percent=100"));
	EXPECT_EQ(refused, CEILING(guest, "verdict=denied"));
	EXPECT_EQ(2, CEILING(guest, "verdict=pressure", "errno=null", text("ceiling=%d", BOMB)));
	EXPECT_EQ(refused + 2, CEILING(guest));
	EXPECT_EQ(1, CEILING(guest, "verdict=pressure", "percent*=8"));
	EXPECT_EQ(1, CEILING(guest, "verdict=pressure", "percent*=9"));
}

/* While it is full: it is, nobody else is, and `run` is refused as a fork is. */
static void expect_full(const char *guest)
{
	EXPECT_EQ(BOMB, guest_number(guest, "pids.now"));
	EXPECT_EQ(BOMB, guest_number(guest, "tasks"));
	EXPECT_EQ(0, PROBE("other", "spawn", "10"));
	EXPECT_EQ(0, PROBE(NULL, "spawn", "10"));
	EXPECT_CTL(125, "Resource temporarily unavailable", "run %s -- /usr/bin/true", guest);
}

/* @step: one of the bombs. @moved: out of its cgroup first, by the operator. */
static void bomb(const char *guest, const char *step, bool moved)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s%s", tasks_guest(guest, BOMB, ""), tasks_guest("other", 100, ""));
	events_forget();
	probe_start(&p, guest, STEPS("pause", step, "spawn", "10"));
	if (moved)
		EXPECT_EQ(0, tasks_move(probe_pid(probe_until(&p, "paused")), CGROUP_ROOT));
	probe_go(&p);
	EXPECT_STREQ(text("bombed %d %d", EAGAIN, BOMB), probe_until(&p, "bombed"));
	expect_full(guest);
	probe_go(&p);
	EXPECT_STREQ(text("%s %d", step, EAGAIN), probe_until(&p, "bomb-"));
	EXPECT_STREQ("spawn 0", probe_until(&p, "spawn"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle(guest, 0));
	EXPECT_EQ(BOMB, guest_number(guest, "pids.peak"));
	EXPECT_EQ(BOMB + 1, guest_number(guest, "pids.refused"));
	expect_bomb_events(guest, BOMB + 1);
	EXPECT_EQ(0, CEILING("other"));
}

TEST(fork_bomb)
{
	bomb("forks", "bomb-fork", false);
	EXPECT_EQ(0, PROBE(NULL, "idle", text("%d", 2 * BOMB)));
}

TEST(thread_bomb)
{
	bomb("threads", "bomb-thread", false);
}

/* pids.max is no help there. */
TEST(fork_bomb_out_of_its_cgroup)
{
	bomb("strays", "bomb-fork", true);
}

/* Told once; again only after it has fallen five points below the threshold. */
TEST(pressure)
{
	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("tense", 20, ""));
	events_forget();
	EXPECT_EQ(0, PROBE("tense", "brood", "14", tree.bad));
	EXPECT_EQ(0, CEILING("tense"));
	EXPECT_EQ(0, PROBE("tense", "idle", "14", "spawn", "10"));
	EXPECT_EQ(1, CEILING("tense", "verdict=pressure", "now=16", "percent=80", "errno=null"));
	EXPECT_EQ(0, tasks_settle("tense", 0));
	/* Apart: a count that is still falling may pass the threshold more than once. */
	EXPECT_EQ(0, PROBE("tense", "brood", "18", tree.bad));
	EXPECT_EQ(0, tasks_settle("tense", 0));
	EXPECT_EQ(0, PROBE("tense", "brood", "18", tree.bad));
	EXPECT_EQ(3, CEILING("tense", "verdict=pressure", "now=16", "percent=80"));
	EXPECT_EQ(2, CEILING("tense", "verdict=pressure", "now=19", "percent=95"));
	EXPECT_EQ(5, CEILING("tense"));
}

/* A second run joins the first. */
TEST(two_runs_share_it)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("joint", 12, ""));
	probe_start(&p, "joint", STEPS("idle", "5", "pause"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, PROBE("joint", "idle", "5"));
	EXPECT_EQ(EAGAIN, PROBE("joint", "idle", "6"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(audit_has_ceilings_too)
{
	ASSERT_LOAD("[guest.watched]\nmode = \"audit\"\n[guest.watched.limits]\npids = 5\n");
	events_forget();
	EXPECT_EQ(0, PROBE("watched", "idle", "4"));
	EXPECT_EQ(EAGAIN, PROBE("watched", "idle", "5"));
	EXPECT_EQ(1, CEILING("watched", "verdict=denied", "now=5", "ceiling=5"));
	EXPECT_EQ(5, guest_number("watched", "pids.peak"));
}

/* ---- rows ---- */

/* One below the ceiling, a fork whose child is reaped before the next is never refused. */
TEST(forks_in_a_row)
{
	const char *cnt = text("%ld", test_count(2000, 10000));

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("row", 12, ""));
	events_forget();
	EXPECT_EQ(0, PROBE("row", "idle", "10", "spawn", cnt));
	EXPECT_EQ(EAGAIN, PROBE("row", "idle", "11", "spawn", "1"));
	EXPECT_EQ(1, CEILING("row", "verdict=denied", "now=12"));
	EXPECT_EQ(0, tasks_settle("row", 0));
	EXPECT_EQ(12, guest_number("row", "pids.peak"));
}

/* The same where programs that count exits are skipped: forks and exits preempt each other. */
TEST(forks_in_a_row_on_a_busy_cpu)
{
	const char *cnt = text("%ld", test_count(500, 5000));
	struct probe others[8];

	tasks_make_tree();
	ASSERT_LOAD("%s%s", tasks_guest("row", 12, ""), tasks_guest("other", 100, ""));
	events_forget();
	for (int i = 0; i < 8; i++)
		probe_start(&others[i], "other",
			    STEPS("on-cpu", "1", "spawn", text("%d", 1000000)));
	EXPECT_EQ(0, PROBE("row", "on-cpu", "1", "idle", "10", "spawn", cnt));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(0, waitpid(others[i].pid, NULL, WNOHANG)); /* none was refused */
	EXPECT_EQ(0, write_file(tasks_cgroup("other", "cgroup.kill"), "1"));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(137, probe_end(&others[i]));
	EXPECT_EQ(0, CEILING("row", "verdict=denied"));
	EXPECT_EQ(0, tasks_settle("row", 0));
	EXPECT_EQ(0, tasks_settle("other", 0));
}

/* ---- what is a task ---- */

/* The dead are not counted; but pids.max, of the same number, counts them until they are reaped. */
TEST(zombies)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("dead", 20, ""));
	probe_start(&p, "dead", STEPS("zombies", "spawn", "30"));
	EXPECT_STREQ(text("dead %d 19", EAGAIN), probe_until(&p, "dead"));
	EXPECT_EQ(1, tasks_settle("dead", 1));
	EXPECT_EQ(20, read_number(tasks_cgroup("dead", "pids.current")));
	probe_go(&p);
	EXPECT_STREQ("spawn 0", probe_until(&p, "spawn"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("dead", 0));
}

/* execve(2) in a thread ends the others, its leader too, whose number it takes. */
TEST(threads_that_end_otherwise)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("odd", 20, ""));
	probe_start(&p, "odd", STEPS("thread", "exec-self", "pause"));
	probe_until(&p, "paused");
	EXPECT_EQ(1, tasks_settle("odd", 1));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("odd", 0));
	probe_start(&p, "odd", STEPS("leader-gone", "pause"));
	probe_until(&p, "paused");
	EXPECT_EQ(1, tasks_settle("odd", 1));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("odd", 0));
	EXPECT_EQ(2, guest_number("odd", "pids.peak"));
}

/* ---- forks that fail ---- */

/* Fifty forks, all refused by something that comes after us. */
static void expect_no_leak(struct probe *p, const char *guest)
{
	EXPECT_STREQ("brooded 0 0 50 0 0", probe_until(p, "brooded"));
	probe_until(p, "paused");
	EXPECT_EQ(1, tasks_settle(guest, 1));
}

TEST(a_failed_fork_leaks_nothing)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("leak", 20, ""));
	events_forget();
	probe_start(&p, "leak", STEPS("pause", "brood", "50", tree.bad, "pause", "spawn", "5"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, write_file(CGROUPS "/pids.max", "1"));
	probe_go(&p);
	expect_no_leak(&p, "leak");
	EXPECT_EQ(0, write_file(CGROUPS "/pids.max", "max"));
	probe_go(&p);
	EXPECT_STREQ("spawn 0", probe_until(&p, "spawn"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("leak", 0));
	EXPECT_EQ(0, CEILING("leak"));
}

TEST(a_fork_past_rlimit_nproc_leaks_nothing)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("leak", 20, ""));
	events_forget();
	probe_start(
		&p, "leak",
		STEPS("limit-nproc", "1", "setuid", "brood", "50", tree.bad, "pause", "exit", "0"));
	expect_no_leak(&p, "leak");
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("leak", 0));
	EXPECT_EQ(0, CEILING("leak"));
}

/* At one below the ceiling: what leaks shows at once. */
TEST(a_refused_clone_leaks_nothing)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("leak", 2, ""));
	events_forget();
	probe_start(&p, "leak",
		    STEPS("clone-tid", "1", "clone-tid", "1", "clone-into", "/sys/fs/cgroup",
			  "clone-into", CGROUPS "/leak", "spawn", "3", "pause"));
	EXPECT_STREQ(text("clone-tid %d", EEXIST), probe_line(&p));
	EXPECT_STREQ(text("clone-tid %d", EEXIST), probe_line(&p));
	EXPECT_STREQ(text("clone-into %d", EPERM), probe_line(&p));
	EXPECT_STREQ(text("clone-into %d", EPERM), probe_line(&p));
	EXPECT_STREQ("spawn 0", probe_line(&p));
	probe_until(&p, "paused");
	EXPECT_EQ(1, tasks_settle("leak", 1));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, CEILING("leak", "verdict=denied"));
	EXPECT_EQ(2,
		  EVENTS("type=escape", "op=clone_into_cgroup", "errno=EPERM", "guest.name=leak"));
	EXPECT_EQ(0, PROBE(NULL, "clone-into", CGROUPS "/leak"));
}

/* ---- live change ---- */

static void reload(int pids)
{
	EXPECT_EQ(0, policy_load("%s", tasks_guest("live", pids, "")));
	EXPECT_EQ(pids, guest_number("live", "pids.ceiling"));
	EXPECT_EQ(pids, read_number(tasks_cgroup("live", "pids.max")));
}

TEST(changed_while_it_runs)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("live", 10, ""));
	events_forget();
	probe_start(&p, "live",
		    STEPS("idle", "9", "idle", "1", "pause", "idle", "5", "idle", "1", "pause",
			  "idle", "1", "pause", "spawn", "3"));
	EXPECT_STREQ("idle 0", probe_until(&p, "idle"));
	EXPECT_STREQ(text("idle %d", EAGAIN), probe_until(&p, "idle"));
	probe_until(&p, "paused");
	reload(15);
	probe_go(&p);
	EXPECT_STREQ("idle 0", probe_until(&p, "idle"));
	EXPECT_STREQ(text("idle %d", EAGAIN), probe_until(&p, "idle"));
	probe_until(&p, "paused");
	reload(6);
	EXPECT_EQ(15, guest_number("live", "pids.now"));
	probe_go(&p);
	EXPECT_STREQ(text("idle %d", EAGAIN), probe_until(&p, "idle"));
	probe_until(&p, "paused");
	EXPECT_EQ(15, guest_number("live", "tasks"));
	reload(16);
	probe_go(&p);
	EXPECT_STREQ("spawn 0", probe_until(&p, "spawn"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(1, CEILING("live", "verdict=denied", "now=10", "ceiling=10"));
	EXPECT_EQ(1, CEILING("live", "verdict=denied", "now=15", "ceiling=15"));
	EXPECT_EQ(1, CEILING("live", "verdict=denied", "now=15", "ceiling=6", "percent=250"));
	EXPECT_EQ(3, CEILING("live", "verdict=denied"));
}

/* ---- on_exceed = "kill" ---- */

/* One member and five idle children of it, and another: with the payload, as many as may be. */
static void start_doomed(struct probe *p, struct numbers *ret_members)
{
	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("doomed", 8, "on_exceed = \"kill\""));
	events_forget();
	probe_start(p, "doomed", STEPS("members", "process", "2"));
	*ret_members = tasks_numbers(probe_until(p, "ready"));
	tasks_order(p, 1, "idle 5");
	EXPECT_STREQ("idle 0", probe_until(p, "idle"));
	EXPECT_EQ(8, guest_number("doomed", "pids.now"));
	EXPECT_EQ(0, CEILING("doomed", "verdict=killed"));
}

static void expect_killed(long pid)
{
	EXPECT_EQ(1, EVENTS("type=exit", text("process.pid=%ld", pid), "signal=9", "status=137"));
}

/* Whoever comes to the ceiling dies at once; policyctl run, which is told, ends the others. */
TEST(on_exceed_kill)
{
	struct numbers members;
	struct probe p;

	start_doomed(&p, &members);
	tasks_order(&p, 2, "spawn 1");
	EXPECT_EQ(0, tasks_settle("doomed", 0));
	EXPECT_EQ(137, probe_end(&p));
	EXPECT_EQ(1, CEILING("doomed", "verdict=killed", "now=8", "ceiling=8", "errno=EAGAIN",
			     text("process.pid=%ld", members.n[2])));
	EXPECT_EQ(0, CEILING("doomed", "verdict=denied"));
	expect_killed(members.n[2]);
	EXPECT_EQ(0, PROBE("doomed", "idle", "7"));
}

/* With nothing of ours running: who forks then dies, too, and nobody comes in meanwhile. */
TEST(on_exceed_kill_with_nobody_to_tell)
{
	struct numbers members;
	struct probe p;

	start_doomed(&p, &members);
	kill(p.pid, SIGKILL);
	tasks_order(&p, 1, "spawn 1");
	EXPECT_EQ(2, tasks_settle("doomed", 2)); /* its idle children go with it */
	expect_killed(members.n[1]);
	EXPECT_CTL(125, "Resource temporarily unavailable", "run doomed -- /usr/bin/true");
	tasks_order(&p, 2, "spawn 1");
	EXPECT_EQ(1, tasks_settle("doomed", 1));
	expect_killed(members.n[2]);
	tasks_order(&p, 0, "spawn 1");
	EXPECT_EQ(0, tasks_settle("doomed", 0));
	EXPECT_EQ(137, probe_end(&p)); /* our policyctl */
	EXPECT_EQ(1, CEILING("doomed", "verdict=killed"));
	EXPECT_EQ(0, CEILING("doomed", "verdict=denied"));
	EXPECT_EQ(0, PROBE("doomed", "idle", "7"));
}

LEAVES_NO_GUEST()
