/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exits that the engine keeps, and `policyctl wait` by them: of a guest, of a process, before and
 * after its end, by several at once; each exit exactly once, and nothing taken from the event ring.
 */
#include "harness.h"

#include <grp.h>
#include <bpf/bpf.h>

#include "abi.h"
#include "guest_tasks.h"

#define NOBODY 65534

static void load_two(void)
{
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END GUEST("h"), scratch());
	events_forget();
}

#define PID(pid) text("process.pid=%d", pid)

/* ---- who waits ---- */

struct waiter {
	pid_t pid;
	const char *file;
};

static void waiter_exec(const char *target, const char *file, bool root)
{
	int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (!root && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
		_exit(99);
	execlp("policyctl", "policyctl", "wait", "--json", target, NULL);
	_exit(98);
}

/* Does @pid sleep in poll(2)? By then it has looked at whom it waits for: it polls for nothing else. */
static bool polls(pid_t pid)
{
	char call[256] = "";

	return read_file(text("/proc/%d/syscall", pid), call, sizeof(call)) > 0 &&
	       strtol(call, NULL, 10) == SYS_poll;
}

static struct waiter waiter_start(const char *target, bool root)
{
	struct waiter w = { .file = text("%s/record", scratch()) };

	fflush(stdout);
	w.pid = fork();
	if (!w.pid)
		waiter_exec(target, w.file, root);
	while (!polls(w.pid)) {
		ASSERT_EQ(0, waitpid(w.pid, NULL, WNOHANG));
		usleep(10000);
	}
	return w;
}

/* Return: its exit status. What it said is in ctl_said. */
static int waiter_end(const struct waiter *w)
{
	int status;

	ASSERT_EQ(w->pid, waitpid(w->pid, &status, 0));
	read_file(w->file, ctl_said, sizeof(ctl_said));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The record in ctl_said. */
static json_t *said(void)
{
	json_error_t error;
	json_t *record = json_loads(ctl_said, JSON_REJECT_DUPLICATES, &error);

	if (!record)
		FAIL("%s: %.200s", error.text, ctl_said);
	ASSERT_TRUE(record != NULL);
	return record;
}

static void expect_said(pid_t pid, const char *code)
{
	json_t *record = said();

	EXPECT_STREQ("exit", json_at(record, "type"));
	EXPECT_STREQ("g", json_at(record, "guest.name"));
	EXPECT_STREQ(code, json_at(record, "exit_code"));
	EXPECT_STREQ("exit", json_at(record, "cause.kind"));
	if (pid)
		EXPECT_STREQ(text("%d", pid), json_at(record, "process.pid"));
	json_decref(record);
}

/* A payload that ends with @code when it is told to. Return: its pid. */
static pid_t start(struct probe *p, const char *guest, const char *code)
{
	probe_start(p, guest, STEPS("pause", "exit", code));
	return probe_pid(probe_until(p, "paused"));
}

static int end(struct probe *p)
{
	probe_go(p);
	return probe_end(p);
}

/* ---- a guest ---- */

/* The first process's record, whoever ends last, to each who waits; once empty, the last one's. */
TEST(a_guest)
{
	struct waiter w[3];
	struct probe a, b;
	pid_t first, last;

	load_two();
	first = start(&a, "g", "7");
	last = start(&b, "g", "3");
	for (int i = 0; i < 3; i++)
		w[i] = waiter_start("g", true);
	EXPECT_EQ(7, end(&a));
	EXPECT_EQ(0, waitpid(w[0].pid, NULL, WNOHANG));
	EXPECT_EQ(3, end(&b));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, waiter_end(&w[i]));
		expect_said(first, "7");
	}
	EXPECT_EQ(0, ctl("wait --json g"));
	expect_said(last, "3");
	EXPECT_CTL(0, "code 3", "wait g");
	/* And nothing of it was taken from the ring. */
	EXPECT_EQ(1, EVENTS("type=exit", PID(first), "exit_code=7"));
	EXPECT_EQ(1, EVENTS("type=exit", PID(last), "exit_code=3"));
}

TEST(a_guest_that_ends_the_other_way_round)
{
	struct probe a, b;
	struct waiter w;
	pid_t first;

	load_two();
	first = start(&a, "g", "7");
	start(&b, "g", "3");
	w = waiter_start("g", true);
	EXPECT_EQ(3, end(&b));
	EXPECT_EQ(7, end(&a));
	EXPECT_EQ(0, waiter_end(&w));
	expect_said(first, "7");
	EXPECT_EQ(0, ctl("wait --json g"));
	expect_said(first, "7");
}

TEST(a_guest_that_was_adopted)
{
	struct waiter w;
	struct probe p;

	load_two();
	probe_start(&p, NULL, STEPS("pause", "exit", "42"));
	probe_until(&p, "paused");
	ASSERT_EQ(0, ctl("attach g %d", p.pid));
	w = waiter_start("g", true);
	EXPECT_EQ(42, end(&p));
	EXPECT_EQ(0, waiter_end(&w));
	expect_said(p.pid, "42");
}

/* Who looks only after it was started again still gets the one that was waited for. */
TEST(a_guest_that_was_started_again)
{
	struct waiter w, late;
	struct probe p;
	pid_t first;
	int status;

	load_two();
	first = start(&p, "g", "7");
	w = waiter_start("g", true);
	late = waiter_start("g", true);
	for (const struct waiter *i = &w; i; i = i == &w ? &late : NULL) {
		ASSERT_EQ(0, kill(i->pid, SIGSTOP));
		ASSERT_EQ(i->pid, waitpid(i->pid, &status, WUNTRACED));
	}
	EXPECT_EQ(7, end(&p));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(4, ctl("run g -- " PROBE_BIN " exit 4"));
	EXPECT_EQ(0, tasks_settle("g", 0));
	ASSERT_EQ(0, kill(w.pid, SIGCONT));
	EXPECT_EQ(0, waiter_end(&w));
	expect_said(first, "7");
	EXPECT_EQ(5, ctl("run g -- " PROBE_BIN " exit 5"));
	EXPECT_EQ(0, tasks_settle("g", 0));
	ASSERT_EQ(0, kill(late.pid, SIGCONT));
	EXPECT_EQ(1, waiter_end(&late));
	EXPECT_STRSTR("guest 'g' has ended, but how is not kept any more", ctl_said);
}

TEST(a_guest_that_never_ran)
{
	load_two();
	EXPECT_CTL(1, "no exit of guest 'h' is kept", "wait h");
	EXPECT_CTL(1, "the loaded policy has no guest 'x'", "wait x");
	EXPECT_CTL(2, "name one process or guest", "wait");
	EXPECT_CTL(2, "name one process or guest", "wait g h");
	EXPECT_CTL(2, "'0' is no process id", "wait 0");
}

TEST(a_guest_needs_root)
{
	load_two();
	EXPECT_CTL(4, "not root",
		   "wait --help >/dev/null; setpriv --reuid=%d --regid=%d "
		   "--clear-groups policyctl wait g",
		   NOBODY, NOBODY);
}

/* Nobody counts any more; its process lives on. */
TEST(a_guest_of_an_engine_that_goes)
{
	struct waiter w;
	struct probe p;

	load_two();
	start(&p, "g", "7");
	w = waiter_start("g", true);
	EXPECT_CTL(0, "", "unload --force");
	EXPECT_EQ(1, waiter_end(&w));
	EXPECT_STRSTR("the engine was unloaded while guest 'g' ran", ctl_said);
	EXPECT_CTL(1, "no policy is loaded", "wait g");
	EXPECT_EQ(7, end(&p));
}

/* Nobody has ended, and its cgroup tells nothing: another guest's process stays in there. */
TEST(a_guest_that_is_detached)
{
	struct probe p, other;
	struct waiter w;
	pid_t pid;

	load_two();
	pid = start(&p, "g", "7");
	ASSERT_EQ(0, tasks_move(start(&other, "h", "3"), tasks_cgroup("g", "")));
	w = waiter_start("g", true);
	EXPECT_CTL(0, "1 process freed", "detach %d", pid);
	EXPECT_EQ(1, waiter_end(&w));
	EXPECT_STRSTR("guest 'g' is empty, but no exit of it is kept", ctl_said);
	EXPECT_EQ(7, end(&p));
	EXPECT_EQ(3, end(&other));
}

/* ---- a process ---- */

/* Adopted, ended and reaped, before anybody looks; then the events' reader, after the waiter. */
TEST(an_adopted_process_that_has_ended)
{
	struct probe p;

	load_two();
	probe_start(&p, NULL, STEPS("pause", "exit", "7"));
	probe_until(&p, "paused");
	ASSERT_EQ(0, ctl("attach g %d", p.pid));
	EXPECT_EQ(7, end(&p));
	EXPECT_EQ(0, tasks_settle("g", 0)); /* by then it is recorded, also by the backstop */
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, ctl("wait --json %d", p.pid));
		expect_said(p.pid, "7");
	}
	EXPECT_EQ(1, EVENTS("type=exit", PID(p.pid), "exit_code=7"));
	/* The reader has consumed it. */
	EXPECT_EQ(0, ctl("wait --json %d", p.pid));
	expect_said(p.pid, "7");
}

TEST(who_has_ended_it)
{
	struct waiter w, other;
	struct probe p;
	json_t *record;
	pid_t pid;

	load_two();
	pid = start(&p, "g", "7");
	w = waiter_start(text("%d", pid), true);
	other = waiter_start(text("%d", pid), false);
	EXPECT_EQ(0, kill(pid, SIGTERM));
	EXPECT_EQ(143, probe_end(&p));
	EXPECT_EQ(0, waiter_end(&w));
	record = said();
	EXPECT_STREQ("g", json_at(record, "guest.name"));
	EXPECT_STREQ("15", json_at(record, "signal"));
	EXPECT_STREQ("signal", json_at(record, "cause.kind"));
	EXPECT_STREQ(text("%d", getpid()), json_at(record, "cause.sender.pid"));
	EXPECT_STREQ("lastexits_test", json_at(record, "cause.sender.comm"));
	EXPECT_STREQ(PROBE_BIN, json_at(record, "process.exe"));
	json_decref(record);
	/* Nobody may not look. */
	EXPECT_EQ(0, waiter_end(&other));
	record = said();
	EXPECT_STREQ("null", json_at(record, "guest"));
	EXPECT_STREQ(text("%d", pid), json_at(record, "process.pid"));
	json_decref(record);
}

TEST(no_guests_process)
{
	struct waiter w;
	struct probe p;
	json_t *record;

	load_two();
	probe_start(&p, NULL, STEPS("pause", "exit", "6"));
	probe_until(&p, "paused");
	w = waiter_start(text("%d", p.pid), true);
	EXPECT_EQ(6, end(&p));
	EXPECT_EQ(0, waiter_end(&w));
	record = said();
	EXPECT_STREQ("null", json_at(record, "guest"));
	json_decref(record);
	EXPECT_CTL(1, text("no process %d", p.pid), "wait %d", p.pid);
}

/* ---- and a guest ---- */

static void expect_kept_from_guests(const char *map)
{
	const char *path = text(PINS "/maps/%s", map);

	events_forget();
	EXPECT_EQ(EPERM, PROBE("g", "bpf-get", path));
	EXPECT_EVENT("type=escape", "op=bpf", "errno=EPERM", "verdict=denied");
	EXPECT_EQ(EACCES, PROBE("g", "open", "rw", path));
	EXPECT_EVENT("type=violation", "op=open", text("path=%s", path));
	EXPECT_EQ(0, PROBE(NULL, "bpf-get", path));
}

TEST(kept_from_guests)
{
	load_two();
	expect_kept_from_guests("exits");
	expect_kept_from_guests("ends");
	EXPECT_EQ(1, ctl("run g -- /usr/bin/policyctl wait h"));
	EXPECT_STRSTR("cannot", ctl_said);
}

/* ---- no room ---- */

/* Some 3 100 fill the last quarter, which is for exits alone; so many at a time, for a slow machine. */
#define FORKS	    3600
#define FORKS_ONCE "300"

TEST_TIMEOUT(a_ring_that_is_full, 600)
{
	ASSERT_LOAD(GUEST("g"));
	events_forget();
	events_fill();
	for (int i = 0; i < FORKS; i += atoi(FORKS_ONCE))
		EXPECT_EQ(0, PROBE("g", "forks", FORKS_ONCE));
	EXPECT_EQ(9, ctl("run g -- " PROBE_BIN " exit 9"));
	EXPECT_EQ(0, tasks_settle("g", 0));
	EXPECT_EQ(0, ctl("wait --json g"));
	expect_said(0, "9");
	EXPECT_EQ(0, EVENTS("type=exit", "exit_code=9"));
	EXPECT_LE(1, EVENTS("type=lost", "of=exit"));
}

TEST(a_table_of_guests_that_is_full)
{
	struct pol_guest_ends none = {};
	struct probe p;
	pid_t pid;
	int fd;

	load_two();
	fd = bpf_obj_get(PINS "/maps/ends");
	ASSERT_LE(0, fd);
	for (uint32_t key = POL_GUESTS_MAX; !bpf_map_update_elem(fd, &key, &none, BPF_ANY); key++)
		;
	EXPECT_EQ(E2BIG, errno);
	pid = start(&p, "h", "7");
	EXPECT_EQ(7, end(&p));
	EXPECT_EQ(0, tasks_settle("h", 0));
	EXPECT_LE(1, strtol(status_value("engine.health.exits_not_kept"), NULL, 10));
	EXPECT_CTL(1, "no exit of guest 'h' is kept", "wait h");
	EXPECT_CTL(0, "code 7", "wait %d", pid);
	EXPECT_EQ(1, EVENTS("type=exit", PID(pid)));
	for (uint32_t key = POL_GUESTS_MAX; !bpf_map_delete_elem(fd, &key); key++)
		;
	close(fd);
}

LEAVES_NO_GUEST()
