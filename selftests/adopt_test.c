/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running tasks become guests. attach: a process with all its threads and children, however it forks
 * meanwhile, or nothing of it. attach --tid: one thread, so that a process hosts many guests
 * (policy-language.md, semantics 9).
 */
#include "harness.h"

#include <sys/stat.h>
#include <time.h>

#include "guest_tasks.h"

/* ---- whole trees ---- */

/* What all of a wild payload met since the phase began: opens, refusals, other errors. */
static struct numbers next_phase(struct probe *p)
{
	struct numbers met;

	probe_go(p);
	met = tasks_numbers(probe_until(p, "restless"));
	printf("# %ld opened, %ld refused, %ld otherwise\n", met.n[1], met.n[2], met.n[3]);
	EXPECT_EQ(0, met.n[0]); /* each of its members went round */
	EXPECT_EQ(0, met.n[3]);
	return met;
}

/* Adopted while it forks without an end: from then on, none of it opens what it may not. */
static void expect_adopted(const char *step)
{
	struct numbers met;
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("wild", 200, ""));
	probe_start(&p, NULL, STEPS(step, tree.bad));
	ASSERT_STREQ("ready 0", probe_until(&p, "ready"));
	met = next_phase(&p);
	EXPECT_LE(1, met.n[1]);
	EXPECT_EQ(0, met.n[2]);
	EXPECT_EQ(0, ctl("attach wild %d", p.pid));
	for (int i = 0; i < 2; i++) {
		met = next_phase(&p);
		EXPECT_EQ(0, met.n[1]);
		EXPECT_LE(1, met.n[2]);
	}
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, write_file(tasks_cgroup("wild", "cgroup.kill"), "1"));
	EXPECT_EQ(0, tasks_settle("wild", 0));
}

TEST(a_restless_tree)
{
	expect_adopted("restless");
}

/* Each child ends as soon as it has one itself: a list of processes is never true for long. */
TEST(a_chain_of_forks)
{
	expect_adopted("chain");
}

/* Threads are made while it is adopted: each is counted, and is the guest wherever it lies. */
static void expect_growth(void)
{
	struct numbers said;
	struct probe p;
	long threads;

	probe_start(&p, NULL, STEPS("growing", tree.bad));
	ASSERT_STREQ("ready 0", probe_until(&p, "ready"));
	probe_go(&p);
	EXPECT_CTL(0, "adopted", "attach grows %d", p.pid);
	probe_go(&p);
	threads = tasks_numbers(probe_until(&p, "grown")).n[1];
	EXPECT_EQ(threads + 1, tasks_settle("grows", threads + 1));
	EXPECT_EQ(threads + 1, guest_number("grows", "tasks"));
	EXPECT_EQ(0, tasks_move(p.pid, CGROUP_ROOT));
	probe_go(&p);
	said = tasks_numbers(probe_until(&p, "tried"));
	printf("# %ld threads, opened by %ld\n", threads, said.n[1]);
	EXPECT_EQ(0, said.n[1]);
	EXPECT_EQ(threads, said.n[2]);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("grows", 0));
}

TEST(a_process_that_grows)
{
	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("grows", 4000, ""));
	for (long i = test_count(3, 200); i; i--)
		expect_growth();
}

/* However far down: the last of so many generations is adopted, too. */
#define GENERATIONS 200

TEST(a_deep_tree)
{
	const char *steps[GENERATIONS + 6] = { NULL };
	struct probe p;
	int n = 0;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("deep", 2 * GENERATIONS, ""));
	while (n < GENERATIONS)
		steps[n++] = "fork";
	steps[n++] = "pause";
	steps[n++] = "open";
	steps[n++] = "r";
	steps[n++] = tree.bad;
	probe_start(&p, NULL, steps);
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_EQ(0, ctl("attach deep %d", p.pid));
	EXPECT_EQ(GENERATIONS + 1, guest_number("deep", "pids.now"));
	probe_go(&p);
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("deep", 0));
}

/* ---- all or nothing ---- */

#define ELSEWHERE CGROUP_ROOT "/elsewhere"

/* Members @kind of a payload in a cgroup of its own. */
static void start_elsewhere(struct probe *p, const char *kind, int cnt)
{
	ASSERT_TRUE(!mkdir(ELSEWHERE, 0755) || errno == EEXIST);
	probe_start(p, NULL, STEPS("pause", "members", kind, text("%d", cnt)));
	EXPECT_EQ(0, tasks_move(probe_pid(probe_until(p, "paused")), ELSEWHERE));
	probe_go(p);
	ASSERT_TRUE(probe_until(p, "ready") != NULL);
}

static void expect_open(struct probe *p, int member, const char *path, int err)
{
	tasks_order(p, member, "open r %s", path);
	EXPECT_STREQ(text("open %d", err), probe_until(p, "open"));
}

static void expect_untouched(struct probe *p, int cnt)
{
	EXPECT_STREQ("/elsewhere", tasks_cgroup_of(p->pid));
	EXPECT_EQ(cnt, read_number(ELSEWHERE "/pids.current"));
	expect_open(p, 0, tree.bad, 0);
	expect_open(p, 1, tree.bad, 0);
	EXPECT_EQ(0, probe_end(p));
	for (int i = 0; rmdir(ELSEWHERE) && i < 100; i++)
		usleep(10000); /* killed members, on their way out */
}

/* As many tasks as there is room for; and one more, which is refused before anything moves. */
static void expect_room(const char *guest, const char *kind, int room)
{
	struct probe p;

	start_elsewhere(&p, kind, room);
	EXPECT_CTL(1, "raise limits.pids", "attach %s %d", guest, p.pid);
	expect_untouched(&p, room + 1);

	probe_start(&p, NULL, STEPS("members", kind, text("%d", room - 1)));
	ASSERT_TRUE(probe_until(&p, "ready") != NULL);
	EXPECT_EQ(0, ctl("attach %s %d", guest, p.pid));
	tasks_order(&p, 0, "spawn 1");
	EXPECT_STREQ(text("spawn %d", EAGAIN), probe_until(&p, "spawn "));
	expect_open(&p, 1, tree.bad, EACCES);
	EXPECT_EQ(0, probe_end(&p));
}

TEST(more_than_the_ceiling)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("small", 6, ""));
	expect_room("small", "process", 6);
	EXPECT_EQ(0, tasks_settle("small", 0));
	expect_room("small", "thread", 6);
	EXPECT_EQ(0, tasks_settle("small", 0));
	probe_start(&p, "small", STEPS("idle", "2", "pause"));
	probe_until(&p, "paused");
	expect_room("small", "thread", 3);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("small", 0));
	EXPECT_EQ(6, guest_number("small", "pids.peak"));
}

/* A child is another guest's, or a thread is: nobody is adopted. */
TEST(a_part_of_it_is_anothers)
{
	struct numbers members;
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s%s", tasks_guest("first", 20, ""), tasks_guest("second", 20, ""));
	probe_start(&p, NULL, STEPS("members", "process", "2"));
	members = tasks_numbers(probe_until(&p, "ready"));
	EXPECT_EQ(0, ctl("attach first %ld", members.n[2]));
	EXPECT_CTL(1, "another guest's", "attach second %d", p.pid);
	expect_open(&p, 0, tree.bad, 0);
	expect_open(&p, 1, tree.bad, 0);
	expect_open(&p, 2, tree.bad, EACCES);
	EXPECT_STREQ("0", guest_value("second", "tasks"));
	EXPECT_STREQ("1", guest_value("first", "tasks"));
	EXPECT_EQ(0, probe_end(&p));

	probe_start(&p, NULL, STEPS("members", "thread", "2"));
	members = tasks_numbers(probe_until(&p, "ready"));
	EXPECT_EQ(0, ctl("attach first %ld --tid", members.n[2]));
	EXPECT_CTL(1, "another guest's", "attach second %d", p.pid);
	expect_open(&p, 0, tree.bad, 0);
	expect_open(&p, 1, tree.bad, 0);
	EXPECT_STREQ("0", guest_value("second", "tasks"));
	EXPECT_EQ(0, probe_end(&p));
}

/* It lies where it is to go: moved there by hand, or left there by an engine that is gone. */
TEST(one_that_lies_in_the_cgroup)
{
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("home", 20, ""));
	probe_start(&p, NULL, STEPS("members", "process", "1"));
	ASSERT_TRUE(probe_until(&p, "ready") != NULL);
	EXPECT_EQ(0, tasks_move(p.pid, tasks_cgroup("home", "")));
	EXPECT_CTL(0, "2 processes adopted", "attach home %d", p.pid);
	EXPECT_EQ(2, tasks_settle("home", 2));
	expect_open(&p, 0, tree.bad, EACCES);
	EXPECT_CTL(0, "2 processes freed", "detach %d", p.pid);
	expect_open(&p, 0, tree.bad, 0);
	EXPECT_STREQ("/", tasks_cgroup_of(p.pid));
	EXPECT_EQ(0, probe_end(&p));
}

/* An attach that fails half-way frees whom it has adopted, and nobody else. */
TEST(one_that_was_confined_before)
{
	struct numbers members;
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("web", 20, ""));
	probe_start(&p, NULL, STEPS("members", "process", "2"));
	members = tasks_numbers(probe_until(&p, "ready"));
	EXPECT_EQ(0, ctl("attach web %ld", members.n[1]));
	EXPECT_EQ(0, tasks_move((pid_t)members.n[1], CGROUP_ROOT));
	/* A cgroup that hands a controller on takes no process. */
	EXPECT_EQ(0, write_file(tasks_cgroup("web", "cgroup.subtree_control"), "+memory"));
	EXPECT_CTL(1, "cannot adopt", "attach web %d", p.pid);
	expect_open(&p, 0, tree.bad, 0);
	expect_open(&p, 1, tree.bad, EACCES);
	expect_open(&p, 2, tree.bad, 0);
	EXPECT_EQ(1, tasks_settle("web", 1));
	EXPECT_EQ(0, write_file(tasks_cgroup("web", "cgroup.subtree_control"), "-memory"));
	EXPECT_CTL(0, "adopted", "attach web %d", p.pid);
	expect_open(&p, 2, tree.bad, EACCES);
	EXPECT_EQ(0, probe_end(&p));
}

/* ---- threads ---- */

/* Guests "left" and "right": each may open a file of its own, and no more than @fds at a time. */
static void load_sides(struct probe *p, struct numbers *ret_members)
{
	tasks_make_tree();
	make_file(text("%s/left", tree.root), "");
	make_file(text("%s/right", tree.root), "");
	ASSERT_LOAD("[guest.left]\n" FILES RULE("%s/left", "rw") END
		    "[guest.left.limits]\npids = 3\nfds = 5\n"
		    "[guest.right]\n" FILES RULE("%s/right", "rw") END
		    "[guest.right.limits]\npids = 4\nfds = 9\n",
		    tree.root, tree.root);
	events_forget();
	probe_start(p, NULL, STEPS("members", "thread", "3"));
	*ret_members = tasks_numbers(probe_until(p, "ready"));
	EXPECT_EQ(0, ctl("attach left %ld --tid", ret_members->n[1]));
	EXPECT_EQ(0, ctl("attach right %ld --tid", ret_members->n[2]));
}

static const char *side(const char *name)
{
	return text("%s/%s", tree.root, name);
}

TEST(threads_with_whitelists_of_their_own)
{
	struct numbers members;
	struct probe p;

	load_sides(&p, &members);
	expect_open(&p, 1, side("left"), 0);
	expect_open(&p, 1, side("right"), EACCES);
	expect_open(&p, 2, side("left"), EACCES);
	expect_open(&p, 2, side("right"), 0);
	for (int free = 0; free <= 3; free += 3) {
		expect_open(&p, free, side("left"), 0);
		expect_open(&p, free, side("right"), 0);
		expect_open(&p, free, tree.bad, 0);
	}
	EXPECT_EQ(1, EVENTS("type=violation", "guest.name=left", text("path=%s", side("right")),
			    text("process.pid=%d", p.pid), text("process.tid=%ld", members.n[1])));
	EXPECT_EQ(1, EVENTS("type=violation", "guest.name=right", text("path=%s", side("left")),
			    text("process.pid=%d", p.pid), text("process.tid=%ld", members.n[2])));
	EXPECT_EQ(2, EVENTS("type=violation"));
	EXPECT_EQ(2, EVENTS("type=guest", "action=attached"));
	EXPECT_STREQ("/", tasks_cgroup_of(p.pid));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("left", 0));
	EXPECT_EQ(0, tasks_settle("right", 0));
	EXPECT_EQ(0, EVENTS("type=exit")); /* the process was no guest */
}

/* What the process has open already is the baseline; the others of it are not counted. */
TEST(threads_with_ceilings_of_descriptors)
{
	struct numbers members;
	struct probe p;

	load_sides(&p, &members);
	tasks_order(&p, 1, "fill %s", side("left"));
	EXPECT_STREQ(text("filled %d 5", EMFILE), probe_until(&p, "filled"));
	tasks_order(&p, 2, "fill %s", side("right"));
	EXPECT_STREQ(text("filled %d 9", EMFILE), probe_until(&p, "filled"));
	tasks_order(&p, 3, "fill %s", tree.bad);
	EXPECT_LE(100, tasks_numbers(probe_until(&p, "filled")).n[1]);
	EXPECT_EQ(1, EVENTS("type=ceiling", "resource=fds", "verdict=denied", "errno=EMFILE",
			    "guest.name=left", "now=5", "ceiling=5",
			    text("process.tid=%ld", members.n[1])));
	EXPECT_EQ(1, EVENTS("type=ceiling", "resource=fds", "verdict=denied", "errno=EMFILE",
			    "guest.name=right", "now=9", "ceiling=9",
			    text("process.tid=%ld", members.n[2])));
	EXPECT_EQ(2, EVENTS("type=ceiling", "verdict=denied"));
	EXPECT_EQ(0, guest_number("left", "fds.now"));
	EXPECT_EQ(5, guest_number("left", "fds.peak"));
	EXPECT_EQ(9, guest_number("right", "fds.peak"));
	EXPECT_EQ(0, probe_end(&p));
}

/* A thread's child is its guest, and counted; it lies in no cgroup of ours. */
TEST(threads_with_ceilings_of_tasks)
{
	struct numbers members;
	struct probe p;

	load_sides(&p, &members);
	EXPECT_EQ(1, guest_number("left", "pids.now"));
	tasks_order(&p, 1, "fork open r %s", side("right"));
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	tasks_order(&p, 1, "fork thread fork open r %s", side("right"));
	EXPECT_STREQ(text("fork %d", EAGAIN), probe_until(&p, "fork"));
	tasks_order(&p, 1, "idle 4");
	EXPECT_STREQ(text("idle %d", EAGAIN), probe_until(&p, "idle"));
	EXPECT_EQ(3, tasks_settle("left", 3));
	tasks_order(&p, 2, "idle 4");
	EXPECT_STREQ(text("idle %d", EAGAIN), probe_until(&p, "idle"));
	EXPECT_EQ(4, tasks_settle("right", 4));
	tasks_order(&p, 3, "spawn 5");
	EXPECT_STREQ("spawn 0", probe_until(&p, "spawn"));
	EXPECT_EQ(2, CEILING("left", "resource=pids", "verdict=denied", "now=3", "ceiling=3"));
	EXPECT_EQ(1, CEILING("right", "resource=pids", "verdict=denied", "now=4", "ceiling=4"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("left", 0));
	EXPECT_EQ(0, tasks_settle("right", 0));
}

/* execve(2): the process is now the thread alone, and the guest. */
TEST(a_thread_that_becomes_the_process)
{
	struct numbers members;
	struct probe p;

	tasks_make_tree();
	ASSERT_LOAD("%s", tasks_guest("heir", 20, ""));
	probe_start(&p, NULL, STEPS("members", "thread", "3"));
	members = tasks_numbers(probe_until(&p, "ready"));
	EXPECT_EQ(0, ctl("attach heir %ld --tid", members.n[1]));
	tasks_order(&p, 1, "exec-self open r %s open r %s pause exit 7", tree.good, tree.bad);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	EXPECT_EQ(1, tasks_settle("heir", 1));
	EXPECT_EQ(7, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("heir", 0));
	EXPECT_EVENT("type=exit", text("process.pid=%d", p.pid), "exit_code=7", "guest.name=heir");
}

TEST(a_thread_is_freed_alone)
{
	struct numbers members;
	struct probe p;

	load_sides(&p, &members);
	EXPECT_EQ(0, ctl("detach %ld", members.n[1]));
	expect_open(&p, 1, side("right"), 0);
	expect_open(&p, 2, side("left"), EACCES);
	EXPECT_EQ(0, guest_number("left", "pids.now"));
	EXPECT_EQ(1, guest_number("right", "pids.now"));
	EXPECT_EVENT("type=guest", "action=detached", "guest.name=left");
	EXPECT_CTL(1, "", "detach %ld", members.n[1]);
	EXPECT_EQ(0, ctl("attach right %ld --tid", members.n[1]));
	expect_open(&p, 1, side("left"), EACCES);
	EXPECT_EQ(0, probe_end(&p));
}

/* The first thread is one like the others, although the process has its number. */
TEST(the_first_thread_is_freed_alone)
{
	struct numbers members;
	struct probe p;

	load_sides(&p, &members);
	EXPECT_EQ(0, ctl("attach left %d --tid", p.pid));
	expect_open(&p, 0, side("right"), EACCES);
	expect_open(&p, 3, side("right"), 0);
	EXPECT_EQ(0, ctl("detach %d", p.pid));
	expect_open(&p, 0, side("right"), 0);
	expect_open(&p, 1, side("right"), EACCES);
	expect_open(&p, 2, side("left"), EACCES);
	EXPECT_EQ(0, probe_end(&p));
}

static void expect_limit(const char *limit, long tid, int status, const char *part)
{
	ASSERT_LOAD("%s", tasks_guest("held", 20, limit));
	EXPECT_CTL(status, part, "attach held %ld --tid", tid);
}

/* What only a cgroup can hold is an error for a thread, unless that is accepted. */
TEST(limits_that_a_thread_cannot_have)
{
	struct numbers members;
	struct probe p;

	tasks_make_tree();
	probe_start(&p, NULL, STEPS("members", "thread", "1"));
	members = tasks_numbers(probe_until(&p, "ready"));
	expect_limit("memory = \"64MiB\"", members.n[1], 1, "limits.memory");
	expect_limit("vm_memory = \"64MiB\"", members.n[1], 1, "memory");
	expect_limit("swap = \"0\"", members.n[1], 1, "limits.swap");
	expect_limit("cpu = 1.0", members.n[1], 1, "limits.cpu");
	expect_open(&p, 1, tree.bad, 0);
	EXPECT_STREQ("0", guest_value("held", "tasks"));
	expect_limit("memory = \"64MiB\"\nbest_effort = true", members.n[1], 0, "adopted");
	expect_open(&p, 1, tree.bad, EACCES);
	EXPECT_EQ(0, ctl("detach %ld", members.n[1]));
	expect_limit("memory = \"max\"", members.n[1], 0, "adopted");
	EXPECT_EQ(0, probe_end(&p));
}

TEST(threads_that_cannot_be_guests)
{
	struct numbers members;
	struct probe p;

	load_sides(&p, &members);
	EXPECT_CTL(1, "already", "attach right %ld --tid", members.n[1]);
	EXPECT_CTL(1, "no thread", "attach right 4194303 --tid");
	EXPECT_CTL(1, "pid 1", "attach right 1 --tid");
	EXPECT_CTL(1, "kernel", "attach right 2 --tid");
	tasks_order(&p, 2, "idle 3");
	EXPECT_STREQ("idle 0", probe_until(&p, "idle"));
	EXPECT_CTL(1, "raise limits.pids", "attach right %ld --tid", members.n[3]);
	expect_open(&p, 3, side("left"), 0);
	EXPECT_EQ(0, probe_end(&p));
}

LEAVES_NO_GUEST()
