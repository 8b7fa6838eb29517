/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ceiling of open file descriptions (policy-language.md, semantics 13): every kind counts, and
 * is refused there; what was held before does not. How long it counts: fds_count_test.c; what is
 * around it, and changes: fds_live_test.c.
 */
#include "harness.h"

#include <sys/stat.h>

#include "guest.h"
#include "guest_fds.h"

#define CEILING 64
#define ASKED	"100"

static const char *dir;

/* Guests "g" and "h", with these lines: rw below dir/, in which there is the file f. */
static void load_two(const char *g, const char *h)
{
	dir = fds_dir();
	ASSERT_HAVE(GUEST("g") "%s" FILES RULE("%s", "rw")
			    END GUEST("h") "%s" FILES RULE("%s", "rw") END,
		    g, dir, h, dir);
	events_forget();
}

/* "g" with these limits, "h" with none. */
static void load_limits(const char *limits)
{
	load_two(text("limits = { %s }\n", limits), "");
}

static void load_ceiling(void)
{
	load_limits(text("fds = %d", CEILING));
}

/* Returns what it is charged for, which is what it holds. */
static long start_paused(struct probe *p, const char *const steps[])
{
	long now = probe_start_paused(p, "g", steps);

	ASSERT_LE(1, now);
	return now;
}

#define DENIED "type=ceiling", "verdict=denied", "resource=fds", "errno=EMFILE", "guest.name=g"

/* ---- every kind ---- */

static const struct kind {
	const char *word;
	int unit;  /* descriptors that one call makes */
	int setup; /* that are open besides */
} kinds[] = {
	{ "open", 1, 0 },	{ "openat2", 1, 0 },	 { "creat", 1, 0 },
	{ "tmpfile", 1, 0 },	{ "directory", 1, 0 },	 { "opath", 1, 0 },
	{ "pipe", 2, 0 },	{ "socket", 1, 0 },	 { "inet", 1, 0 },
	{ "socketpair", 2, 0 }, { "accept", 1, 1 },	 { "epoll", 1, 0 },
	{ "eventfd", 1, 0 },	{ "timerfd", 1, 0 },	 { "signalfd", 1, 0 },
	{ "inotify", 1, 0 },	{ "fanotify", 1, 0 },	 { "memfd", 1, 0 },
	{ "pidfd", 1, 0 },	{ "userfaultfd", 1, 0 }, { "landlock", 1, 0 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Takes ASKED calls' worth of each kind, one kind after the other. */
static const char *const *steps_of_kinds(void)
{
	static const char *steps[6 * KINDS + 2];
	size_t n = 0;

	steps[n++] = "pause";
	for (size_t i = 0; i < KINDS; i++) {
		steps[n++] = "take";
		steps[n++] = kinds[i].word;
		steps[n++] = dir;
		steps[n++] = ASKED;
		steps[n++] = "drop";
		steps[n++] = "0";
	}
	return steps;
}

/* "taken ERRNO KIND COUNT" */
static void expect_taken(struct probe *p, const char *word, int err, long cnt)
{
	const char *line = probe_until(p, "taken");

	EXPECT_STREQ(text("taken %d %s %ld", err, word, cnt), line ?: "");
}

TEST(every_kind_is_refused_at_the_ceiling)
{
	struct probe p;
	long room;

	load_ceiling();
	probe_start(&p, "g", steps_of_kinds());
	room = CEILING - held_by(probe_pid(probe_until(&p, "paused")));
	EXPECT_LE(CEILING / 2, room);
	probe_go(&p);
	for (size_t i = 0; i < KINDS; i++) {
		long left = room - kinds[i].setup;

		expect_taken(&p, kinds[i].word, EMFILE, left - left % kinds[i].unit);
	}
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(KINDS, EVENTS(DENIED, text("ceiling=%d", CEILING), "process.comm=probe"));
}

static void expect_all_taken(const char *guest)
{
	struct probe p;

	probe_start(&p, guest, steps_of_kinds());
	probe_until(&p, "paused");
	probe_go(&p);
	for (size_t i = 0; i < KINDS; i++)
		expect_taken(&p, kinds[i].word, 0, 100);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, EVENTS("type=ceiling"));
}

TEST(every_kind_without_confinement)
{
	load_ceiling();
	expect_all_taken(NULL);
}

TEST(every_kind_without_a_ceiling)
{
	load_ceiling();
	EXPECT_STREQ("null", guest_value("h", "fds"));
	expect_all_taken("h");
}

/* SCM_RIGHTS: what does not fit is not there, and the message says so. */
TEST(received_descriptors)
{
	struct probe p;
	long room;

	load_ceiling();
	room = CEILING - start_paused(&p, STEPS("receive", ASKED, "pause", "drop", "0", "pause"));
	probe_go(&p);
	probe_send(&p, 100);
	EXPECT_STREQ(text("received 0 %ld %ld", room, 100 - room), probe_until(&p, "received"));
	probe_until(&p, "paused");
	EXPECT_EQ(CEILING, guest_number("g", "fds.now"));
	EXPECT_EQ(100 - room, EVENTS(DENIED, text("now=%d", CEILING)));
	probe_go(&p);
	probe_until(&p, "paused");
	EXPECT_EQ(CEILING - room, guest_settles("g", "fds.now", CEILING - room));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(received_descriptors_without_confinement)
{
	struct probe p;

	load_ceiling();
	probe_start_socket(&p, NULL, STEPS("receive", ASKED));
	probe_send(&p, 100);
	EXPECT_STREQ("received 0 100 0", probe_until(&p, "received"));
	EXPECT_EQ(0, probe_end(&p));
}

/* pidfd_getfd(2) of what the guest has, at its ceiling: no new description. */
TEST(getfd_of_its_own)
{
	load_ceiling();
	EXPECT_EQ(0, PROBE("g", "pidfd", "0", "take", "eventfd", dir, ASKED, "getfd", "0", "getfd",
			   "4"));
	EXPECT_STRSTR("taken 24 eventfd", ctl_said);
	EXPECT_STRSTR("getfd 0\ngetfd 0\n", ctl_said);
}

TEST(getfd_of_a_stranger)
{
	const char *pid = text("%d", getpid());

	load_ceiling();
	EXPECT_EQ(EPERM, PROBE("g", "pidfd", pid, "getfd", "0"));
	EXPECT_EVENT("type=escape", "op=ptrace", "errno=EPERM", "guest.name=g");
	EXPECT_EQ(0, PROBE(NULL, "pidfd", pid, "getfd", "0"));
}

/* ---- at the ceiling ---- */

#define FILL "take", "eventfd", dir, ASKED

TEST(a_full_guest_disturbs_nobody)
{
	struct probe full, vmm;

	load_ceiling();
	probe_start(&vmm, NULL,
		    STEPS("pause", "take", "open", dir, ASKED, "storm", "pipe", dir, ASKED));
	probe_until(&vmm, "paused");
	probe_start(&full, "g", STEPS(FILL, "pause", "drop", "1", "take", "open", dir, ASKED));
	EXPECT_STRSTR("taken 24 eventfd", probe_until(&full, "taken"));
	probe_until(&full, "paused");
	EXPECT_EQ(CEILING, guest_number("g", "fds.now"));
	EXPECT_EQ(0, PROBE("h", FILL));
	EXPECT_EQ(0, PROBE(NULL, FILL));
	probe_go(&vmm);
	EXPECT_STREQ("taken 0 open 100", probe_until(&vmm, "taken"));
	EXPECT_STREQ("storm 0", probe_until(&vmm, "storm"));
	EXPECT_EQ(0, probe_end(&vmm));
	probe_go(&full);
	EXPECT_STRSTR("taken 24 open", probe_until(&full, "taken")); /* it goes on running */
	EXPECT_EQ(0, probe_end(&full));
}

TEST(a_full_guest_gets_no_new_process)
{
	struct probe full;

	load_ceiling();
	probe_start(&full, "g", STEPS(FILL, "pause"));
	probe_until(&full, "paused");
	EXPECT_CTL(126, "/usr/bin/true", "run g -- /usr/bin/true");
	EXPECT_EQ(0, probe_end(&full));
	EXPECT_EQ(0, ctl("run g -- /usr/bin/true"));
}

/* Uhyve's arithmetic: each close(2) gave room for one more. */
TEST(closing_what_was_never_open)
{
	struct probe p;
	long room;

	load_ceiling();
	room = CEILING - start_paused(&p, STEPS("close-never", "1000", FILL, "close-never", "1000",
						"take", "open", dir, "1"));
	probe_go(&p);
	EXPECT_STREQ("close-never 0", probe_until(&p, "close-never"));
	EXPECT_STREQ(text("taken 24 eventfd %ld", room), probe_until(&p, "taken"));
	EXPECT_STREQ("close-never 0", probe_until(&p, "close-never"));
	EXPECT_STREQ(text("taken 24 open %ld", room), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(create_over_the_ceiling_leaves_no_file)
{
	const char *created, *path;

	load_ceiling();
	dir = scratch_in(dir);
	created = text("%s/created", dir);
	path = text("%s/new", dir);
	EXPECT_EQ(EMFILE, PROBE("g", FILL, "take", "creat", dir, "1", "open", "rwc", path));
	EXPECT_FALSE(exists(created));
	EXPECT_FALSE(exists(path));
	EXPECT_EVENT(DENIED);
	EXPECT_EQ(0, PROBE("g", "take", "creat", dir, "1", "open", "rwc", path));
	EXPECT_TRUE(exists(created));
	EXPECT_TRUE(exists(path));
}

TEST(exec_and_shared_memory_at_the_ceiling)
{
	load_ceiling();
	EXPECT_EQ(EMFILE, PROBE("g", FILL, "mmap-shared"));
	EXPECT_EQ(EMFILE, PROBE("g", FILL, "exec-self", "mmap-shared"));
	EXPECT_STRSTR("exec-self 24\n", ctl_said);
	EXPECT_EQ(4, EVENTS(DENIED, text("now=%d", CEILING)));
	EXPECT_EQ(0, PROBE("g", "mmap-shared", "exec-self", "mmap-shared"));
}

/* Numbers are no descriptions: they end at RLIMIT_NOFILE, 3 more than the ceiling here. */
TEST(duplicates_at_the_ceiling)
{
	struct probe p;
	long now;
	pid_t pid;

	load_ceiling();
	now = start_paused(&p, STEPS(FILL, "dup", "1", "pause", "dup", ASKED, "pause"));
	probe_go(&p);
	EXPECT_STREQ("dup 0", probe_until(&p, "dup"));
	probe_until(&p, "paused");
	EXPECT_EQ(CEILING, guest_number("g", "fds.now"));
	probe_go(&p);
	EXPECT_STREQ("dup 24", probe_until(&p, "dup"));
	pid = probe_pid(probe_until(&p, "paused"));
	EXPECT_EQ(CEILING + now, held_by(pid));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(audit_refuses_at_the_ceiling_too)
{
	load_two(text("mode = \"audit\"\nlimits = { fds = %d }\n", CEILING), "");
	EXPECT_EQ(EMFILE, PROBE("g", FILL));
	EXPECT_EVENT(DENIED, text("now=%d", CEILING), "percent=100");
	EXPECT_EQ(0, EVENTS("type=ceiling", "verdict=would_deny"));
	EXPECT_EQ(EPERM, PROBE("g", "set-limit", "0", "70", "70"));
}

/* The way to the next free number is what a refusal must not take. */
TEST(refusals_leak_nothing)
{
	struct probe p;
	long now;

	load_ceiling();
	now = start_paused(&p, STEPS(FILL, "refused", "open", dir, "50", "refused", "pipe", dir,
				     "50", "refused", "socketpair", dir, "50", "refused", "memfd",
				     dir, "50", "drop", "0", "pause", FILL));
	probe_go(&p);
	for (int i = 0; i < 4; i++)
		EXPECT_STREQ("refused 0", probe_until(&p, "refused"));
	probe_until(&p, "paused");
	EXPECT_EQ(now, guest_settles("g", "fds.now", now));
	probe_go(&p);
	EXPECT_STREQ(text("taken 24 eventfd %ld", CEILING - now), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

/* ---- what was there before ---- */

TEST(run_keeps_what_it_was_given)
{
	struct probe p;

	load_ceiling();
	start_paused(&p, STEPS("hand-over", "pause")); /* standard streams only: not charged */
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, run_cmd(ctl_said, sizeof(ctl_said),
			     "policyctl run --keep-fd 7 g -- " PROBE_BIN
			     " take eventfd - 100 pause 7<%s/f </dev/null",
			     dir));
	EXPECT_STRSTR(text("taken 24 eventfd %d\n", CEILING - 3), ctl_said);
}

/* An unconfined process with CNT eventfds and nothing else becomes the guest. */
#define HAD "5"

static int attach_with(struct probe *p, const char *const steps[])
{
	const char *all[64] = { "take", "eventfd", dir, HAD, "pause" };

	for (int i = 0; steps[i] && i < 58; i++)
		all[i + 5] = steps[i];
	probe_start_socket(p, NULL, all);
	probe_until(p, "paused");
	return ctl("attach g %d", p->pid);
}

TEST(attach_charges_nothing_that_was_held)
{
	struct probe p;

	load_ceiling();
	EXPECT_EQ(0, attach_with(&p, STEPS(FILL, "drop", "0", "pause")));
	EXPECT_EQ(0, guest_number("g", "fds.now"));
	probe_go(&p);
	EXPECT_STREQ(text("taken 24 eventfd %d", CEILING + 5), probe_until(&p, "taken"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(attach_and_what_was_held_is_passed_on)
{
	struct probe p;

	load_ceiling();
	EXPECT_EQ(0, attach_with(&p, STEPS("hand-over", "pause", FILL)));
	probe_go(&p);
	EXPECT_STREQ("hand-over 0", probe_until(&p, "hand-over"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, guest_settles("g", "fds.now", 0));
	probe_go(&p);
	EXPECT_STREQ(text("taken 24 eventfd %d", CEILING + 5), probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

/* stdin is one, stdout and stderr are one */
TEST(attach_with_no_baseline)
{
	struct probe p;

	load_limits(text("fds = %d, fds_baseline = \"none\"", CEILING));
	EXPECT_EQ(0, attach_with(&p, STEPS(FILL, "drop", "0", "pause")));
	EXPECT_EQ(2 + 5, guest_number("g", "fds.now"));
	probe_go(&p);
	EXPECT_STREQ(text("taken 24 eventfd %d", CEILING - 2), probe_until(&p, "taken"));
	probe_until(&p, "paused");
	EXPECT_EQ(2, guest_settles("g", "fds.now", 2));
	EXPECT_EQ(0, probe_end(&p));
}

TEST(attach_with_no_baseline_and_no_room)
{
	struct probe p;

	load_limits("fds = 6, fds_baseline = \"none\"");
	EXPECT_EQ(1, attach_with(&p, STEPS("take", "eventfd", dir, ASKED)));
	EXPECT_STRSTR("fds_baseline", ctl_said);
	EXPECT_EQ(0, guest_number("g", "tasks"));
	EXPECT_EQ(0, guest_number("g", "fds.now"));
	probe_go(&p);
	EXPECT_STREQ("taken 0 eventfd 105", probe_until(&p, "taken"));
	EXPECT_EQ(0, probe_end(&p));
}

/* Only what the command itself holds, whoever of the launchers was fast: more than once. */
TEST(run_with_no_baseline)
{
	load_limits(text("fds = %d, fds_baseline = \"none\"", CEILING));
	for (int i = 0; i < 4; i++) {
		struct probe p;
		long held;

		probe_start_socket(&p, "g", STEPS("pause"));
		held = 2 + held_by(probe_pid(probe_until(&p, "paused")));
		EXPECT_EQ(held, guest_settles("g", "fds.now", held));
		EXPECT_EQ(0, probe_end(&p));
		EXPECT_EQ(0, guest_settles("g", "fds.orphaned", 0));
	}
}

/* ---- threads ---- */

/* The tid in "paused 0 PID TID". */
static int paused_tid(struct probe *p)
{
	int pid = 0, tid = 0;
	const char *line = probe_until(p, "paused");

	EXPECT_EQ(2, line ? sscanf(line, "paused 0 %d %d", &pid, &tid) : 0);
	return tid;
}

/* Two threads of one process are two guests, a third is none. */
TEST(threads_with_ceilings_of_their_own)
{
	struct probe p;

	load_two("limits = { fds = 20 }\n", "limits = { fds = 30 }\n");
	probe_start(&p, NULL,
		    STEPS("aside", "pause", FILL, "--", "aside", "pause", FILL, "--", "take",
			  "open", dir, ASKED, "pause"));
	EXPECT_EQ(0, ctl("attach g %d --tid", paused_tid(&p)));
	probe_go(&p);
	EXPECT_STREQ("taken 24 eventfd 20", probe_until(&p, "taken"));
	EXPECT_EQ(0, ctl("attach h %d --tid", paused_tid(&p)));
	probe_go(&p);
	EXPECT_STREQ("taken 24 eventfd 50", probe_until(&p, "taken"));
	EXPECT_STREQ("taken 0 open 150", probe_until(&p, "taken"));
	probe_until(&p, "paused");
	EXPECT_EQ(20, guest_number("g", "fds.now"));
	EXPECT_EQ(30, guest_number("h", "fds.now"));
	EXPECT_EVENT(DENIED, "now=20", text("process.pid=%d", p.pid));
	probe_kill(&p);
}

/* pidfd_getfd(2) of what another thread of the process has, which no guest is charged for. */
TEST(getfd_from_another_thread)
{
	struct probe p;

	load_ceiling();
	probe_start(&p, NULL,
		    STEPS("aside", "pause", "pidfd", "0", "getfd", "0", "take", "eventfd", dir,
			  ASKED, "getfd", "1", "getfd", "0"));
	EXPECT_EQ(0, ctl("attach g %d --tid", paused_tid(&p)));
	probe_go(&p);
	EXPECT_STREQ("getfd 0", probe_until(&p, "getfd"));
	EXPECT_STREQ(text("taken 24 eventfd %d", CEILING), probe_until(&p, "taken"));
	EXPECT_STREQ("getfd 24", probe_until(&p, "getfd"));
	EXPECT_STREQ("getfd 0", probe_until(&p, "getfd")); /* it has that one */
	probe_kill(&p);
}

LEAVES_NO_GUEST()
