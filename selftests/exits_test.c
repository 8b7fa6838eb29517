/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of each of a guest's processes is one event, whoever its parent is: exit code or signal,
 * the status by the shell's convention, how long it ran.
 */
#include "harness.h"

#include <sys/stat.h>
#include <time.h>

#include "guest_tasks.h"

static const char *root;

static void load_one(void)
{
	root = scratch();
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, root);
	events_forget();
}

static void load_lines(const char *lines)
{
	ASSERT_LOAD(GUEST("g") FILES END "%s", lines);
	events_forget();
}

#define PID(pid) text("process.pid=%d", pid)

TEST(exit_code)
{
	struct probe p;
	pid_t pid;

	load_one();
	probe_start(&p, "g", STEPS("pause", "exit", "7"));
	pid = probe_pid(probe_until(&p, "paused"));
	probe_go(&p);
	EXPECT_EQ(7, probe_end(&p));
	EXPECT_EVENT("type=exit", PID(pid), "exit_code=7", "signal=null", "core=false", "status=7",
		     "cause.kind=exit", "guest.name=g", "process.comm=probe", "process.uid=0",
		     "process.cgroup=/policyctl/g", "fds_peak=null", "cause.sender=null");
	EXPECT_EQ(1, EVENTS("type=exit", PID(pid)));
}

/* The memory, and with it the executable, is gone by then: it has to be remembered. */
TEST(the_executable_is_named)
{
	load_one();
	EXPECT_EQ(7, ctl("run g -- " PROBE_BIN " exit 7"));
	EXPECT_EVENT("type=exit", "exit_code=7", "process.exe=" PROBE_BIN,
		     "process.parent.comm=policyctl", "process.parent.exe=/usr/bin/policyctl");
}

TEST(exit_code_zero_and_255)
{
	load_one();
	EXPECT_EQ(0, ctl("run g -- /usr/bin/true"));
	EXPECT_EVENT("type=exit", "process.comm=true", "exit_code=0", "signal=null", "status=0");
	EXPECT_EQ(255, ctl("run g -- " PROBE_BIN " exit 255"));
	EXPECT_EVENT("type=exit", "process.comm=probe", "exit_code=255", "status=255");
}

TEST(signals)
{
	load_one();
	EXPECT_EQ(137, ctl("run g -- " PROBE_BIN " kill 9"));
	EXPECT_EVENT("type=exit", "exit_code=null", "signal=9", "core=false", "status=137",
		     "cause.kind=signal");
	EXPECT_EQ(143, ctl("run g -- " PROBE_BIN " kill 15"));
	EXPECT_EVENT("type=exit", "exit_code=null", "signal=15", "status=143");
}

/* Killed from outside while it waits. */
TEST(killed_by_somebody)
{
	struct probe p;
	pid_t pid;

	load_one();
	probe_start(&p, "g", STEPS("pause", "block"));
	pid = probe_pid(probe_until(&p, "paused"));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(137, probe_end(&p));
	EXPECT_EVENT("type=exit", PID(pid), "signal=9", "status=137");
	EXPECT_EQ(1, EVENTS("type=exit", PID(pid)));
}

TEST(every_process_once)
{
	load_one();
	EXPECT_EQ(0, PROBE("g", "fork", "fork", "fork", "exec-self", "fork", "open", "wc",
			   text("%s/f", root)));
	EXPECT_EQ(5, EVENTS("type=exit", "guest.name=g", "status=0"));
}

TEST(threads_end_no_process)
{
	load_one();
	EXPECT_EQ(0, PROBE("g", "thread", "thread", "open", "wc", text("%s/f", root)));
	EXPECT_EQ(1, EVENTS("type=exit", "guest.name=g"));
	events_forget();
	EXPECT_EQ(0, PROBE("g", "leader-gone", "open", "wc", text("%s/f", root)));
	EXPECT_EQ(1, EVENTS("type=exit", "guest.name=g", "exit_code=0"));
	events_forget();
	EXPECT_EQ(9, ctl("run g -- " PROBE_BIN " thread thread exit 9"));
	EXPECT_EQ(1, EVENTS("type=exit", "guest.name=g", "exit_code=9"));
}

/* An orphan's, whose parent is init. */
TEST(reparented)
{
	load_one();
	EXPECT_EQ(0, PROBE("g", "daemon", "open", "wc", text("%s/f", root)));
	EXPECT_EQ(3, EVENTS("type=exit", "guest.name=g", "status=0"));
}

TEST(adopted)
{
	struct probe p;

	load_one();
	probe_start(&p, NULL, STEPS("pause", "exit", "42"));
	probe_until(&p, "paused");
	ASSERT_EQ(0, ctl("attach g %d", p.pid));
	probe_go(&p);
	EXPECT_EQ(42, probe_end(&p));
	EXPECT_EVENT("type=exit", PID(p.pid), "exit_code=42", "signal=null", "status=42",
		     "guest.name=g");
	EXPECT_EQ(1, EVENTS("type=exit", PID(p.pid)));
}

TEST(non_guests_make_no_events)
{
	load_one();
	EXPECT_EQ(0, PROBE(NULL, "fork", "open", "wc", text("%s/f", root)));
	EXPECT_EQ(0, EVENTS("type=exit"));
}

TEST(how_long_it_ran)
{
	const struct timespec wait = { .tv_nsec = 300000000 };
	const json_t *event;
	struct probe p;
	pid_t pid;

	load_one();
	probe_start(&p, "g", STEPS("pause", "exit", "0"));
	pid = probe_pid(probe_until(&p, "paused"));
	nanosleep(&wait, NULL); /* the time that is measured */
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(1, EVENTS("type=exit", PID(pid)));
	event = events_find(STEPS("type=exit", PID(pid)));
	ASSERT_TRUE(event != NULL);
	EXPECT_LE(300000000, strtoll(json_at(event, "duration_ns"), NULL, 10));
	EXPECT_LE(strtoll(json_at(event, "duration_ns"), NULL, 10), 30000000000);
	EXPECT_LE(4096, strtoll(json_at(event, "maxrss_bytes"), NULL, 10));
	EXPECT_LE(1, strtoll(json_at(event, "minflt"), NULL, 10));
}

/* A storm: each exactly once. */
TEST(many)
{
	long n = test_count(100, 5000);

	load_one();
	EXPECT_EQ(
		0,
		ctl("run g -- sh -c 'i=0; while [ $i -lt %ld ]; do i=$((i+1)); (exit 3); done; exit 0'",
		    n));
	EXPECT_EQ(n, EVENTS("type=exit", "exit_code=3"));
	EXPECT_EQ(n + 1, EVENTS("type=exit"));
	EXPECT_EQ(0, EVENTS("type=lost"));
}

/* Nothing ends the process as a whole: its status is that of the thread that ended last. */
TEST(threads_that_end_apart)
{
	int of_leader = 0;

	load_one();
	for (int i = 0; i < 20; i++) {
		int status = ctl("run g -- " PROBE_BIN " end-apart 7 3");

		EXPECT_TRUE(status == 7 || status == 3);
		of_leader += status == 7;
	}
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(of_leader, EVENTS("type=exit", "guest.name=g", "exit_code=7"));
	EXPECT_EQ(20 - of_leader, EVENTS("type=exit", "guest.name=g", "exit_code=3"));
	EXPECT_EQ(20, EVENTS("type=exit", "guest.name=g"));
}

/* ---- who, and why ---- */

TEST(the_senders_name)
{
	struct probe p;
	pid_t pid;

	load_one();
	probe_start(&p, "g", STEPS("pause", "block"));
	pid = probe_pid(probe_until(&p, "paused"));
	EXPECT_EQ(0, kill(pid, 0));
	EXPECT_EQ(0, kill(pid, SIGCHLD));
	EXPECT_EQ(0, kill(pid, SIGTERM));
	EXPECT_EQ(143, probe_end(&p));
	EXPECT_EVENT("type=exit", PID(pid), "signal=15", "cause.kind=signal",
		     text("cause.sender.pid=%d", getpid()), "cause.sender.comm=exits_test",
		     "cause.sender.guest=null");
	/* By itself: a guest's. */
	EXPECT_EQ(137, ctl("run g -- " PROBE_BIN " kill 9"));
	EXPECT_EVENT("type=exit", "signal=9", "cause.sender.comm=probe", "cause.sender.guest=g");
}

/* What was caught ends nobody, and the kernel's own signals have no sender. */
TEST(no_senders_name)
{
	load_one();
	EXPECT_EQ(0, ctl("run g -- sh -c 'trap : TERM; kill $$; exit 0'"));
	EXPECT_EVENT("type=exit", "exit_code=0", "cause.kind=exit", "cause.sender=null");
	events_forget();
	EXPECT_EQ(139, ctl("run g -- " PROBE_BIN " fault"));
	EXPECT_EVENT("type=exit", "signal=11", "cause.kind=signal", "cause.sender=null");
}

TEST(core)
{
	char pattern[256] = "";

	EXPECT_LE(1, read_file("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern)));
	ASSERT_EQ(0, write_file("/proc/sys/kernel/core_pattern", "core"));
	load_one();
	EXPECT_EQ(139, ctl("run g -- sh -c 'cd %s; ulimit -c unlimited; exec " PROBE_BIN " fault'",
			   root));
	EXPECT_EQ(0, write_file("/proc/sys/kernel/core_pattern", pattern));
	EXPECT_EVENT("type=exit", "signal=11", "core=true", "status=139");
}

#define OOM_LIMITS "[guest.g.limits]\nmemory = \"32MiB\"\nswap = \"0\"\n"

/* The guest ends as a whole; its ceiling says so once, each of its processes for itself. */
TEST(oom)
{
	load_lines(OOM_LIMITS);
	EXPECT_EQ(137, ctl("run g -- sh -c '" PROBE_BIN " block & " PROBE_BIN " block & exec " PROBE_BIN
			   " eat 64'"));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(3, EVENTS("type=exit", "signal=9", "cause.kind=oom", "cause.sender=null"));
	EXPECT_EQ(1, CEILING("g", "resource=memory", "verdict=killed", "ceiling=33554432",
			     "percent=null", "errno=null"));
	EXPECT_EQ(1, CEILING("g"));
	EXPECT_EQ(137, ctl("run g -- " PROBE_BIN " eat 64"));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(4, EVENTS("type=exit", "cause.kind=oom"));
	EXPECT_EQ(2, CEILING("g", "verdict=killed"));
	EXPECT_EQ(0, ctl("run g -- " PROBE_BIN " eat 8"));
	EXPECT_EQ(2, CEILING("g"));
	/* Its next cgroup counts anew, up to the same number. */
	for (int i = 3; i <= 4; i++) {
		EXPECT_EQ(0, ctl("stop g"));
		EXPECT_EQ(137, ctl("run g -- " PROBE_BIN " eat 64"));
		EXPECT_EQ(0, tasks_settle("g", 0));
		EXPECT_EQ(i, CEILING("g", "verdict=killed"));
	}
}

/* What is short above the guest is no ceiling of its own. */
TEST(oom_of_others)
{
	const char *above = CGROUPS "/memory.max";

	load_lines("[guest.g.limits]\nmemory = \"1GiB\"\nswap = \"0\"\n");
	EXPECT_EQ(0, ctl("stop g")); /* a cgroup that has counted none yet */
	ASSERT_EQ(0, write_file(above, "33554432"));
	EXPECT_EQ(137, ctl("run g -- " PROBE_BIN " eat 64"));
	EXPECT_EQ(0, write_file(above, "max"));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(1, EVENTS("type=exit", "signal=9", "cause.kind=oom"));
	EXPECT_EQ(0, CEILING("g"));
}

/*
 * The killer sends its signal first and marks the process then: one that is quick to die still tells
 * (without is_oom_victim's wait: one in 100 on 8 virtual CPUs of a busy host).
 */
TEST(oom_of_many)
{
	load_lines(OOM_LIMITS);
	for (int i = 1; i <= test_count(10, 200); i++) {
		EXPECT_EQ(137, ctl("run g -- sh -c 'for i in 1 2 3 4 5 6 7; do " PROBE_BIN
				   " block & done; exec " PROBE_BIN " eat 64'"));
		EXPECT_EQ(0, tasks_settle("g", 0));
		EXPECT_EQ(i * 8, EVENTS("type=exit", "signal=9", "cause.kind=oom"));
	}
}

TEST(ceiling)
{
	load_lines("[guest.g.limits]\npids = 4\non_exceed = \"kill\"\n");
	EXPECT_EQ(137, ctl("run g -- " PROBE_BIN " idle 10"));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(4, EVENTS("type=exit", "signal=9", "cause.kind=ceiling", "cause.sender=null"));
	EXPECT_EQ(1, CEILING("g", "verdict=killed", "resource=pids"));
}

/* ---- the guest's own ---- */

/* Once an instance, after its last record. */
TEST(empty)
{
	const json_t *exit, *empty;
	struct probe p;

	load_one();
	EXPECT_EQ(0, PROBE("g", "fork", "fork", "thread", "open", "wc", text("%s/f", root)));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(1, EVENTS("type=guest", "action=empty", "guest.name=g"));
	exit = events_find(STEPS("type=exit", "process.comm=probe"));
	empty = events_find(STEPS("type=guest", "action=empty"));
	ASSERT_TRUE(exit && empty);
	EXPECT_TRUE(json_object_get(empty, "process") == NULL);
	EXPECT_LE(strtol(json_at(exit, "guest.seq"), NULL, 10) + 1,
		  strtol(json_at(empty, "guest.seq"), NULL, 10));
	/* One that others join is empty when the last has gone. */
	events_forget();
	probe_start(&p, "g", STEPS("pause"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, ctl("run g -- /usr/bin/true"));
	EXPECT_EQ(0, EVENTS("type=guest", "action=empty"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(1, EVENTS("type=guest", "action=empty"));
}

#define MODULUS 251
#define BUSY 8

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Of @cnt exits each once: no two of one pid and start. Codes are the pid modulo MODULUS. */
static void expect_each_once(long cnt)
{
	char (*seen)[64] = calloc((size_t)cnt, sizeof(*seen));
	const json_t *event;
	long found = 0;
	size_t i;

	ASSERT_TRUE(seen != NULL);
	json_array_foreach(events_all(), i, event) {
		long pid = strtol(json_at(event, "process.pid"), NULL, 10);

		if (strcmp(json_at(event, "type"), "exit") || found == cnt)
			continue;
		if (strcmp(json_at(event, "cause.kind"), "signal"))
			EXPECT_EQ(pid % MODULUS, strtol(json_at(event, "exit_code"), NULL, 10));
		snprintf(seen[found++], sizeof(*seen), "%ld %s", pid,
			 json_at(event, "process.start_ns"));
	}
	EXPECT_EQ(cnt, found);
	qsort(seen, (size_t)found, sizeof(*seen), compare_texts);
	for (long k = 1; k < found; k++)
		EXPECT_TRUE(strcmp(seen[k - 1], seen[k]) != 0);
	free(seen);
}

/*
 * Where exits preempt each other on one CPU the kernel skips pol_exit from 6.18 on: what it missed
 * task_free makes up for, with the same code.
 */
TEST_TIMEOUT(each_once_on_a_busy_cpu, 300)
{
	long each = test_count(60, 1250), cnt = BUSY * (each + 1);
	struct probe p[BUSY];

	load_one();
	for (int i = 0; i < BUSY; i++)
		probe_start(&p[i], "g",
			    STEPS("on-cpu", "1", "codes", text("%ld", each), text("%d", MODULUS),
				  "kill", "9"));
	for (int i = 0; i < BUSY; i++)
		EXPECT_EQ(137, probe_end(&p[i]));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(cnt, EVENTS("type=exit", "guest.name=g"));
	EXPECT_EQ(0, EVENTS("type=lost"));
	EXPECT_EQ(BUSY, EVENTS("type=exit", "signal=9", "process.comm=probe"));
	expect_each_once(cnt);
	printf("# %d of %ld came by the backstop\n", EVENTS("type=exit", "process.cgroup=null"),
	       cnt);
}

LEAVES_NO_GUEST()
