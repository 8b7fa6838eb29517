/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Around the ceiling of descriptors: the hooks are there only when a policy needs them, RLIMIT_NOFILE
 * is the floor under it, it changes while guests run, and what comes near it is an event.
 */
#include "harness.h"

#include <dirent.h>
#include <sys/resource.h>
#include <bpf/bpf.h>

#include "guest.h"
#include "guest_fds.h"

#define STD 3 /* descriptors below the first one that it opens */

static const char *dir;

/* Guest "g" with these lines, and "h" with none; rw below dir/. Can be called again. */
static void load_lines(const char *lines)
{
	dir = fds_dir();
	ASSERT_HAVE(GUEST("g") "%s" FILES RULE("%s", "rw") END GUEST("h") FILES RULE("%s", "rw")
			    END,
		    lines, dir, dir);
}

static void load_ceiling(long fds)
{
	load_lines(text("limits = { fds = %ld }\n", fds));
}

#define FILL   "take", "eventfd", dir, "200"
#define FDS    "type=ceiling", "resource=fds", "guest.name=g"
#define DENIED FDS, "verdict=denied", "errno=EMFILE"

static const char *taken(const char *kind, int err, long cnt)
{
	return text("taken %d %s %ld", err, kind, cnt);
}

static void go_to_pause(struct probe *p)
{
	probe_go(p);
	ASSERT_TRUE(probe_until(p, "paused") != NULL);
}

/* ---- hooks ---- */

#define LINKS	  PINS "/links"
#define LINKS_MAX 128

struct links {
	char names[LINKS_MAX][32];
	unsigned int ids[LINKS_MAX];
	int cnt;
};

static unsigned int link_id(const char *name)
{
	struct bpf_link_info info = { 0 };
	unsigned int len = sizeof(info);
	int fd = bpf_obj_get(text(LINKS "/%s", name));
	int r = fd < 0 ? -1 : bpf_obj_get_info_by_fd(fd, &info, &len);

	if (fd >= 0)
		close(fd);
	return r ? 0 : info.id;
}

static void list_links(struct links *ret)
{
	DIR *d = opendir(LINKS);
	struct dirent *e;

	ASSERT_TRUE(d != NULL);
	ret->cnt = 0;
	while ((e = readdir(d)) && ret->cnt < LINKS_MAX) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(ret->names[ret->cnt], sizeof(ret->names[0]), "%.31s", e->d_name);
		ret->ids[ret->cnt++] = link_id(e->d_name);
	}
	closedir(d);
}

TEST(hooks_only_when_needed)
{
	static struct links before, after;
	struct probe p;

	EXPECT_NOTHING(engine_down());
	load_lines("");
	list_links(&before);
	EXPECT_LE(20, before.cnt);
	EXPECT_FALSE(exists(LINKS "/pol_file_free"));
	EXPECT_FALSE(exists(LINKS "/pol_file_received"));
	EXPECT_FALSE(exists(LINKS "/pol_fd_opened"));
	probe_start(&p, "g", STEPS("pause", FILL));
	probe_until(&p, "paused");
	load_ceiling(20);
	list_links(&after);
	EXPECT_LE(before.cnt + 4, after.cnt);
	EXPECT_TRUE(exists(LINKS "/pol_file_free"));
	EXPECT_TRUE(exists(LINKS "/pol_file_received"));
	EXPECT_TRUE(exists(LINKS "/pol_file_alloc") != exists(LINKS "/pol_file_alloc_fmod"));
	for (int i = 0; i < before.cnt; i++)
		EXPECT_EQ(before.ids[i], link_id(before.names[i]));
	probe_go(&p);
	EXPECT_STREQ(taken("eventfd", EMFILE, 20), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

/* ---- RLIMIT_NOFILE ---- */

static const char *limits_of(pid_t pid)
{
	struct rlimit limit = { 0 };

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit))
		return strerror(errno);
	return text("%llu %llu", (unsigned long long)limit.rlim_cur,
		    (unsigned long long)limit.rlim_max);
}

static const char *twice(long n)
{
	return text("%ld %ld", n, n);
}

TEST(run_sets_the_floor)
{
	load_ceiling(64);
	EXPECT_EQ(0, PROBE("g", "limit", "0"));
	EXPECT_STRSTR(text("limited 0 %s\n", twice(STD + 64)), ctl_said);
	EXPECT_EQ(0, PROBE("h", "limit", "0"));
	EXPECT_STRSTR(text("limited 0 %s\n", limits_of(0)), ctl_said);
	EXPECT_EQ(0, ctl("run --keep-fd 9 g -- " PROBE_BIN " limit 0 9</dev/null"));
	EXPECT_STRSTR(text("limited 0 %s\n", twice(10 + 64)), ctl_said);
}

TEST(the_floor_is_never_above_the_present_limit)
{
	load_ceiling(2000);
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "ulimit -n 500; policyctl run g -- " PROBE_BIN " limit 0"));
	EXPECT_STRSTR("limited 0 500 500\n", ctl_said);
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "ulimit -Sn 500; policyctl run g -- " PROBE_BIN " limit 0"));
	EXPECT_STRSTR("limited 0 2003 2003\n", ctl_said);
}

TEST(a_guest_cannot_raise_its_floor)
{
	load_ceiling(64);
	events_forget();
	EXPECT_EQ(EPERM, PROBE("g", "set-limit", "0", "67", "68"));
	EXPECT_EVENT("type=escape", "op=prlimit", "errno=EPERM", "verdict=denied", "guest.name=g");
	EXPECT_EQ(0, PROBE("g", "set-limit", "0", "20", "67", "set-limit", "0", "67", "67",
			   "set-limit", "0", "30", "40"));
	EXPECT_EQ(EPERM,
		  PROBE("g", "set-limit", "0", "20", "20", "fork", "set-limit", "0", "67", "67"));
	EXPECT_EQ(0, PROBE(NULL, "set-limit", "0", "67", "8000"));
	EXPECT_EQ(0, PROBE("h", "set-limit", "0", "67", "8000"));
	EXPECT_EQ(2, EVENTS("type=escape"));
}

TEST(limits_of_strangers)
{
	const char *pid = text("%d", getpid()), *mine = limits_of(0);

	load_ceiling(64);
	events_forget();
	EXPECT_EQ(EPERM, PROBE("g", "set-limit", pid, "50", "60"));
	EXPECT_EVENT("type=escape", "op=prlimit", "errno=EPERM", "guest.name=g");
	EXPECT_EQ(EPERM, PROBE("h", "set-limit", pid, "50", "60"));
	EXPECT_EVENT("type=escape", "op=prlimit", "errno=EPERM", "guest.name=h");
	EXPECT_STREQ(mine, limits_of(0));
	EXPECT_EQ(0, PROBE("g", "limit", pid));
	EXPECT_STRSTR(text("limited 0 %s\n", mine), ctl_said);
	EXPECT_EQ(0, PROBE(NULL, "set-limit", pid, "1000", "4000"));
	EXPECT_STREQ("1000 4000", limits_of(0));
}

TEST(attach_sets_the_floor_and_detach_takes_it_away)
{
	struct probe p;
	pid_t child;

	load_ceiling(64);
	probe_start(&p, NULL,
		    STEPS("set-limit", "0", "1000", "4000", "take", "eventfd", dir, "5", "fork",
			  "pause"));
	child = probe_pid(probe_until(&p, "paused"));
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	EXPECT_STREQ(twice(STD + 5 + 64), limits_of(p.pid));
	EXPECT_STREQ(twice(STD + 5 + 64), limits_of(child));
	EXPECT_STREQ("2", guest_value("g", "tasks"));
	EXPECT_EQ(0, ctl("detach %d", p.pid));
	EXPECT_STREQ("1000 4000", limits_of(p.pid));
	EXPECT_STREQ("1000 4000", limits_of(child));
	EXPECT_STREQ("0", guest_value("g", "tasks"));
	probe_kill(&p);
}

/* What it was charged for as a guest is the guest's until it closes it. */
TEST(detach_leaves_orphans)
{
	struct probe p;

	load_ceiling(64);
	probe_start(&p, NULL,
		    STEPS("pause", "take", "eventfd", dir, "10", "pause", "drop", "0", "take",
			  "eventfd", dir, "100", "pause"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	go_to_pause(&p);
	EXPECT_EQ(10, guest_number("g", "fds.now"));
	EXPECT_EQ(0, ctl("detach %d", p.pid));
	EXPECT_EQ(0, guest_number("g", "fds.now"));
	EXPECT_EQ(10, guest_number("g", "fds.orphaned"));
	probe_go(&p);
	EXPECT_STREQ(taken("eventfd", 0, 100), probe_until(&p, "taken"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
	EXPECT_EQ(0, guest_number("g", "fds.now"));
	EXPECT_EQ(0, probe_end(&p));
}

/* ---- while it runs ---- */

static pid_t start_taking(struct probe *p, const char *cnt, const char *const steps[])
{
	const char *all[32] = { "take", "eventfd", dir, cnt, "pause" };
	pid_t pid;

	for (int i = 0; steps[i] && i < 26; i++)
		all[i + 5] = steps[i];
	probe_start(p, "g", all);
	pid = probe_pid(probe_until(p, "paused"));
	ASSERT_LE(1, pid);
	return pid;
}

TEST(raised)
{
	struct probe p;
	pid_t pid;

	load_ceiling(20);
	pid = start_taking(&p, "200", STEPS(FILL));
	EXPECT_EQ(20, guest_number("g", "fds.now"));
	load_ceiling(40);
	EXPECT_EQ(20, guest_number("g", "fds.now"));
	EXPECT_EQ(40, guest_number("g", "fds.ceiling"));
	EXPECT_STREQ(twice(STD + 40), limits_of(pid));
	probe_go(&p);
	EXPECT_STREQ(taken("eventfd", EMFILE, 40 - PROGRAM), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

/* Nothing is closed; what makes no number is refused by the ceiling, what does by the floor too. */
TEST(lowered_below_what_is_held)
{
	struct probe p;
	pid_t pid;

	load_ceiling(64);
	pid = start_taking(
		&p, "50",
		STEPS("mmap-shared", "refused", "open", dir, "3", "pause", "drop", "45", FILL));
	load_ceiling(20);
	events_forget();
	EXPECT_EQ(50 + PROGRAM, guest_number("g", "fds.now"));
	EXPECT_EQ(50 + PROGRAM, held_by(pid));
	EXPECT_STREQ(twice(STD + 20), limits_of(pid));
	probe_go(&p);
	EXPECT_STREQ("mmap-shared 24", probe_until(&p, "mmap-shared"));
	EXPECT_STREQ("refused 0", probe_until(&p, "refused"));
	EXPECT_EVENT(DENIED, text("now=%d", 50 + PROGRAM), "ceiling=20",
		     text("percent=%d", (50 + PROGRAM) * 100 / 20));
	probe_until(&p, "paused");
	EXPECT_EQ(50 + PROGRAM, held_by(pid));
	probe_go(&p);
	EXPECT_STREQ(taken("eventfd", EMFILE, 20 - PROGRAM), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(new_on_a_reload)
{
	struct probe p;
	pid_t pid;

	load_lines("");
	pid = start_taking(&p, "30", STEPS(FILL, "drop", "0", "pause", FILL));
	load_ceiling(20);
	EXPECT_EQ(0, guest_number("g", "fds.now"));
	EXPECT_STREQ(twice(STD + 30 + 20), limits_of(pid));
	probe_go(&p);
	EXPECT_STREQ(taken("eventfd", EMFILE, 30 + 20), probe_until(&p, "taken"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
	probe_go(&p);
	EXPECT_STREQ(taken("eventfd", EMFILE, 20), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(new_on_a_reload_and_what_was_held_is_passed_on)
{
	struct probe p;

	load_lines("");
	start_taking(&p, "30", STEPS("hand-over", "pause"));
	load_ceiling(20);
	probe_go(&p);
	EXPECT_STREQ("hand-over 0", probe_until(&p, "hand-over"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
	EXPECT_EQ(0, probe_end(&p));
}

/* stdin is one, stdout and stderr are one. */
TEST(new_on_a_reload_with_no_baseline)
{
	struct probe p;

	load_lines("");
	start_taking(&p, "30", STEPS("mmap-shared", "drop", "15", "take", "open", dir, "50"));
	load_lines("limits = { fds = 20, fds_baseline = \"none\" }\n");
	EXPECT_EQ(30 + 2, guest_number("g", "fds.now"));
	probe_go(&p);
	EXPECT_STREQ("mmap-shared 24", probe_until(&p, "mmap-shared"));
	EXPECT_STREQ(taken("open", EMFILE, 20 - 2), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(lifted_and_back)
{
	const char *before = limits_of(0);
	struct probe p;
	pid_t pid;

	load_ceiling(20);
	pid = start_taking(&p, "10", STEPS("take", "open", dir, "100", "pause", FILL));
	load_lines("limits = { fds = \"max\" }\n");
	EXPECT_STREQ("null", guest_value("g", "fds"));
	EXPECT_STREQ(before, limits_of(pid));
	probe_go(&p);
	EXPECT_STREQ(taken("open", 0, 110), probe_until(&p, "taken"));
	probe_until(&p, "paused");
	load_ceiling(20);
	EXPECT_EQ(0, guest_number("g", "fds.now"));
	EXPECT_STREQ(twice(STD + 110 + 20), limits_of(pid));
	probe_go(&p);
	EXPECT_STREQ(taken("eventfd", EMFILE, 110 + 20), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
}

/* Loads without a change in between: nobody's count moves. */
TEST(reloads_move_no_count)
{
	struct probe p;

	load_ceiling(64);
	start_taking(&p, "30", STEPS("drop", "0", "pause"));
	for (int i = 0; i < 3; i++) {
		load_lines(text("limits = { fds = %d, pids = %d }\n", 64, 100 + i));
		EXPECT_EQ(30 + PROGRAM, guest_number("g", "fds.now"));
	}
	go_to_pause(&p);
	EXPECT_EQ(PROGRAM, guest_settles("g", "fds.now", PROGRAM));
	EXPECT_EQ(0, probe_end(&p));
}

/* Ceilings that come and go while descriptors do: what is left at the end was made after the last. */
TEST_TIMEOUT(come_and_go_in_a_storm, 600)
{
	struct probe p;

	load_ceiling(2000);
	probe_start(&p, "g", STEPS("churn", dir, "pause", FILL, "pause"));
	ASSERT_STREQ("hammering 0", probe_until(&p, "hammering"));
	for (int i = (int)test_count(4, 300); i > 0; i--) {
		load_ceiling(2000 + i);
		load_lines("limits = { fds = \"max\" }\n");
	}
	load_ceiling(100);
	probe_go(&p);
	EXPECT_STREQ("churn 0", probe_until(&p, "churn"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
	probe_go(&p);
	EXPECT_STREQ(taken("eventfd", EMFILE, 100), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
}

/* ---- events ---- */

#define PRESSURE FDS, "verdict=pressure", "errno=null", "ceiling=100"

TEST(pressure)
{
	struct probe p;
	const char *pid;

	load_ceiling(100);
	events_forget();
	pid = text("process.pid=%d",
		   start_taking(&p, text("%d", 79 - PROGRAM),
				STEPS("take", "eventfd", dir, "1", "pause", "take", "eventfd", dir,
				      "14", "pause", FILL, "pause")));
	EXPECT_EQ(0, EVENTS("type=ceiling"));
	go_to_pause(&p);
	EXPECT_EQ(1, EVENTS(PRESSURE, "now=80", "percent=80", pid, "process.comm=probe",
			    "process.cgroup=/policyctl/g", "process.exe=" PROBE_BIN));
	go_to_pause(&p);
	EXPECT_EQ(1, EVENTS("type=ceiling"));
	go_to_pause(&p);
	EXPECT_EQ(1, EVENTS(PRESSURE, "now=95", "percent=95", pid));
	EXPECT_EQ(1, EVENTS(DENIED, "now=100", "ceiling=100", "percent=100", pid));
	EXPECT_EQ(3, EVENTS("type=ceiling"));
	EXPECT_EQ(0, probe_end(&p));
}

/* Over the threshold, one below it, over it: one event; 6 below it and over it: another one. */
TEST(pressure_is_armed_again)
{
	struct probe p;

	load_ceiling(100);
	events_forget();
	start_taking(&p, text("%d", 95 - PROGRAM),
		     STEPS("drop", "1", "take", "eventfd", dir, "1", "drop", "19", "take",
			   "eventfd", dir, "19", "pause", "drop", "21", "take", "eventfd", dir,
			   "21", "pause"));
	EXPECT_EQ(2, EVENTS(PRESSURE));
	go_to_pause(&p); /* 94, 95, 76, 95: of the upper one only */
	EXPECT_EQ(1, EVENTS(PRESSURE, "percent=80"));
	EXPECT_EQ(2, EVENTS(PRESSURE, "percent=95"));
	go_to_pause(&p); /* 74, 95 */
	EXPECT_EQ(2, EVENTS(PRESSURE, "percent=80"));
	EXPECT_EQ(3, EVENTS(PRESSURE, "percent=95"));
	EXPECT_EQ(5, EVENTS("type=ceiling"));
	EXPECT_EQ(0, probe_end(&p));
}

/* The next instance is told anew. */
TEST(pressure_on_the_next_instance)
{
	struct probe p;

	load_ceiling(100);
	events_forget();
	for (int i = 0; i < 2; i++) {
		kill(start_taking(&p, "90", STEPS("pause")), SIGKILL);
		EXPECT_EQ(137, probe_end(&p));
		EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
		EXPECT_EQ(i + 1, EVENTS(PRESSURE, "now=80"));
	}
}

TEST(what_status_says)
{
	long refused, peak = 1000;
	struct probe p;

	load_ceiling(peak);
	refused = guest_number("g", "fds.refused");
	start_taking(&p, "80", STEPS("pause"));
	EXPECT_EQ(80 + PROGRAM, guest_number("g", "fds.now"));
	EXPECT_LE(80 + PROGRAM, guest_number("g", "fds.peak"));
	EXPECT_EQ(1000, guest_number("g", "fds.ceiling"));
	EXPECT_EQ(refused, guest_number("g", "fds.refused"));
	load_ceiling(10);
	events_forget();
	EXPECT_EQ(126, ctl("run g -- /usr/bin/true"));
	EXPECT_EQ(refused + 1, guest_number("g", "fds.refused"));
	EXPECT_EQ(1, EVENTS(DENIED, "ceiling=10"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EVENT("type=exit", "guest.name=g", "fds_peak!=null");
}

/* ---- on_exceed = "kill" ---- */

static void load_kill(void)
{
	load_lines("limits = { fds = 30, on_exceed = \"kill\" }\n");
	events_forget();
}

TEST(kill)
{
	struct probe p;
	pid_t pid;

	load_kill();
	probe_start(&p, "g", STEPS("pause", FILL));
	pid = probe_pid(probe_until(&p, "paused"));
	EXPECT_EQ(128 + SIGKILL, probe_end(&p));
	EXPECT_EQ(1, EVENTS(FDS, "verdict=killed", "now=30", "ceiling=30", "errno=EMFILE",
			    text("process.pid=%d", pid)));
	EXPECT_EQ(0, EVENTS("type=ceiling", "verdict=denied"));
	EXPECT_EVENT("type=exit", text("process.pid=%d", pid), "signal=9", "status=137",
		     "cause.kind=ceiling");
	EXPECT_EQ(0, PROBE("g", "take", "eventfd", dir, "5")); /* a new instance */
	EXPECT_EQ(0, PROBE("h", FILL));
}

/* The others of the guest, when they next ask for one; whoever is no guest, never. */
TEST(kill_takes_the_others_too)
{
	struct probe other, p;

	load_kill();
	probe_start(&other, "g", STEPS("pause", "take", "eventfd", dir, "1", "block"));
	probe_until(&other, "paused");
	probe_start(&p, "g", STEPS(FILL, "block"));
	EXPECT_EQ(128 + SIGKILL, probe_end(&p));
	EXPECT_EQ(128 + SIGKILL, probe_end(&other)); /* it goes on at the end of its input */
	EXPECT_EQ(1, EVENTS(FDS, "verdict=killed"));
	EXPECT_EQ(0, guest_settles("g", "tasks", 0));
	EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
}

/* Killed was the instance before: who is adopted then lives. */
TEST(kill_is_over_with_the_instance)
{
	struct probe p;

	load_kill();
	probe_start(&p, "g", STEPS(FILL, "block"));
	EXPECT_EQ(128 + SIGKILL, probe_end(&p));
	EXPECT_EQ(0, guest_settles("g", "tasks", 0));
	probe_start(&p, NULL, STEPS("pause", "spawn", "3", "take", "eventfd", dir, "1", "exit", "7"));
	EXPECT_CTL(0, "adopted", "attach g %d", probe_pid(probe_until(&p, "paused")));
	EXPECT_EQ(7, probe_end(&p));
}

/*
 * Somebody has moved it there: a guest by its cgroup, without a label. The end of its child is not
 * the end of the instance, or the ceiling would begin anew.
 */
TEST(a_guest_by_its_cgroup_alone)
{
	struct probe p;

	load_ceiling(8);
	probe_start(&p, NULL,
		    STEPS("pause", "take", "eventfd", dir, "8", "spawn", "1", "take", "eventfd", dir,
			  "1"));
	EXPECT_EQ(0, write_file(CGROUPS "/g/cgroup.procs",
				text("%d", probe_pid(probe_until(&p, "paused")))));
	probe_go(&p);
	EXPECT_STREQ("taken 0 eventfd 8", probe_until(&p, "taken"));
	EXPECT_STREQ("spawn 0", probe_until(&p, "spawn"));
	EXPECT_STREQ(text("taken %d eventfd 8", EMFILE), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
}

LEAVES_NO_GUEST()
