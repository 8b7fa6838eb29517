/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `policyctl wait PID` where no engine is asked: what each kernel tells of the end of another's
 * child. PIDFD_INFO_EXIT, from 6.15, has the code of a reaped process; before, only a zombie that
 * the waiter may look at has one.
 */
#include "harness.h"

#include <grp.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sys/utsname.h>

#include "guest.h"
#include "refuse.h"

#define NOBODY 65534

/* ---- who is waited for: another's child ---- */

struct stranger {
	pid_t pid;
	pid_t parent;
	int go; /* a byte: it does what it is there for */
};

enum { AFTER_EXIT_7, AFTER_EXEC_7, AFTER_LEADER_5 };

static void *stay(void *arg)
{
	char byte;

	ASSERT_EQ(1, read(*(int *)arg, &byte, 1));
	_exit(5);
}

static _Noreturn void be_stranger(int go, int kind)
{
	char byte;

	if (kind == AFTER_LEADER_5) {
		pthread_t thread;

		pthread_create(&thread, NULL, stay, &go);
		syscall(SYS_exit, 0);
	}
	if (read(go, &byte, 1) != 1)
		_exit(1);
	if (kind == AFTER_EXEC_7)
		execl("/bin/sh", "sh", "-c", "exit 7", NULL);
	_exit(7);
}

/* @reaped: its parent lets the kernel reap it at once; else it never does. */
static void stranger_start(struct stranger *s, int kind, bool reaped)
{
	int go[2], tell[2];

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(tell, O_CLOEXEC));
	s->parent = fork();
	if (!s->parent) {
		pid_t pid;

		if (reaped)
			signal(SIGCHLD, SIG_IGN);
		pid = fork();
		if (!pid)
			be_stranger(go[0], kind);
		if (write(tell[1], &pid, sizeof(pid)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	s->go = go[1];
	ASSERT_EQ(sizeof(s->pid), read(tell[0], &s->pid, sizeof(s->pid)));
}

/* ---- who waits ---- */

static int nobody(void)
{
	return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY);
}

static int no_pidfd(void)
{
	return refuse_call(SYS_pidfd_open, ENOSYS);
}

static int nobody_no_pidfd(void)
{
	return nobody() || no_pidfd();
}

static pid_t waiter_start(pid_t pid, int (*prepare)(void), const char *file)
{
	const char *number = text("%d", pid);
	pid_t waiter;

	fflush(stdout);
	waiter = fork();
	if (!waiter) {
		int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0644);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		if (prepare && prepare())
			_exit(99);
		execlp("policyctl", "policyctl", "wait", "--json", number, NULL);
		_exit(98);
	}
	return waiter;
}

/* Until it sleeps in poll(2) or between two looks: its /proc/PID/wchan is not ours to rely on. */
static void until_asleep(pid_t waiter)
{
	char path[64], state[512], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", waiter);
	for (int calm = 0; calm < 20;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, state, sizeof(state) - 1);

		close(fd);
		ASSERT_LE(1, n);
		state[n] = 0;
		at = strrchr(state, ')');
		calm = at && at[2] == 'S' ? calm + 1 : 0;
		usleep(10000);
	}
}

static int waiter_end(pid_t waiter)
{
	int status;

	ASSERT_EQ(waiter, waitpid(waiter, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static json_t *record_of(const char *file)
{
	json_error_t error;
	json_t *record = json_load_file(file, JSON_REJECT_DUPLICATES, &error);

	if (!record)
		FAIL("%s: %s", file, error.text);
	ASSERT_TRUE(record != NULL);
	return record;
}

/* @code: null: the kernel cannot say. */
static void expect(int kind, bool reaped, int (*prepare)(void), const char *code)
{
	const char *file = text("%s/record", scratch());
	const char *known = strcmp(code, "null") ? "exit" : "unknown";
	struct stranger s;
	json_t *record;
	pid_t waiter;

	stranger_start(&s, kind, reaped);
	waiter = waiter_start(s.pid, prepare, file);
	until_asleep(waiter);
	ASSERT_EQ(1, write(s.go, "", 1));
	EXPECT_EQ(0, waiter_end(waiter));
	record = record_of(file);
	EXPECT_STREQ("exit", json_at(record, "type"));
	EXPECT_STREQ(code, json_at(record, "exit_code"));
	EXPECT_STREQ("null", json_at(record, "signal"));
	EXPECT_STREQ(code, json_at(record, "status"));
	EXPECT_STREQ(known, json_at(record, "cause.kind"));
	EXPECT_STREQ(text("%d", s.pid), json_at(record, "process.pid"));
	EXPECT_STREQ(text("%d", s.parent), json_at(record, "process.parent.pid"));
	EXPECT_STREQ("null", json_at(record, "guest"));
	kill(s.parent, SIGKILL);
	json_decref(record);
}

static bool has_info_exit(void)
{
	int major = 0, minor = 0;
	struct utsname name;

	ASSERT_EQ(0, uname(&name));
	ASSERT_EQ(2, sscanf(name.release, "%d.%d", &major, &minor));
	return major > 6 || (major == 6 && minor >= 15);
}

/* ---- tests ---- */

/* Nobody may look at root's zombie: what is left is what the pidfd tells. */
TEST(reaped_at_once)
{
	expect(AFTER_EXIT_7, true, nobody, has_info_exit() ? "7" : "null");
}

TEST(never_reaped)
{
	expect(AFTER_EXIT_7, false, NULL, "7");
}

/* Field 52 of /proc/PID/stat is 0 for nobody, which is no exit code. */
TEST(never_reaped_and_another_users)
{
	expect(AFTER_EXIT_7, false, nobody, "null");
}

TEST(polling)
{
	expect(AFTER_EXIT_7, false, no_pidfd, "7");
	expect(AFTER_EXIT_7, true, nobody_no_pidfd, "null");
}

TEST(an_exec_is_no_end)
{
	expect(AFTER_EXEC_7, false, NULL, "7");
	expect(AFTER_EXEC_7, false, no_pidfd, "7");
}

TEST(the_leaders_end_is_not_the_processes)
{
	expect(AFTER_LEADER_5, false, NULL, "5");
	expect(AFTER_LEADER_5, false, no_pidfd, "5");
}

TEST(nobody_has_the_number)
{
	EXPECT_EQ(1, ctl("wait 4194305"));
	EXPECT_STREQ("policyctl wait: error: no process 4194305\n", ctl_said);
}

/* The same number, while the waiter is stopped between two looks: another start. */
TEST(the_number_is_used_again)
{
	const char *file = text("%s/record", scratch());
	struct stranger s;
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid_size = 1 };
	json_t *record;
	pid_t waiter, again, pid;
	int status;

	stranger_start(&s, AFTER_EXIT_7, true);
	waiter = waiter_start(s.pid, no_pidfd, file);
	until_asleep(waiter);
	ASSERT_EQ(0, kill(waiter, SIGSTOP));
	ASSERT_EQ(waiter, waitpid(waiter, &status, WUNTRACED));
	ASSERT_EQ(1, write(s.go, "", 1));
	pid = s.pid;
	args.set_tid = (uint64_t)(uintptr_t)&pid;
	do /* until the number is free */
		again = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	while (again < 0 && errno == EEXIST);
	if (!again)
		for (;;)
			pause();
	ASSERT_EQ(s.pid, again);
	ASSERT_EQ(0, kill(waiter, SIGCONT));
	EXPECT_EQ(0, waiter_end(waiter));
	EXPECT_EQ(0, kill(again, 0));
	record = record_of(file);
	EXPECT_STREQ("unknown", json_at(record, "cause.kind"));
	EXPECT_STREQ("null", json_at(record, "exit_code"));
	EXPECT_STREQ(text("%d", s.parent), json_at(record, "process.parent.pid"));
	kill(again, SIGKILL);
	kill(s.parent, SIGKILL);
}
