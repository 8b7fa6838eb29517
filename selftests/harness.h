/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * harness.h - what a selftest binary is made of. One file = one suite = one binary; include this
 * once, it brings main().
 *
 *	TEST(name) { ... }		a test; TEST_TIMEOUT(name, seconds) for another limit
 *	SETUP() { ... }			optional, before each test; TEARDOWN() after each
 *	EXPECT_EQ(expected, got)	goes on after a failure; ASSERT_EQ ends the test
 *	SKIP("reason")			ends the test, counted and listed as skipped
 *
 * Each test runs in a forked child, a session of its own: a crash or a time-out is a failed test
 * and no more. TEARDOWN runs in that child too, also after ASSERT and SKIP - not after a crash.
 * Output, one line a test: "ok S.T (seconds)", "not ok S.T: file:line: message", "skip S.T: reason";
 * last "S: N passed, N failed, N skipped". Arguments are globs of test names.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HARNESS_TIMEOUT_S 240

struct harness_test {
	const char *name;
	int line;
	void (*fn)(void);
	unsigned int timeout_s;
	struct harness_test *next;
};

/* Shared with the child that runs the test. */
struct harness_result {
	int failures;
	bool skipped;
	bool finished;
	char text[768]; /* the first failure, or the reason of the skip */
};

static struct harness_test *harness_first, **harness_last = &harness_first;
static struct harness_result *harness_now;
static jmp_buf harness_end;
static pid_t harness_pid;

__attribute__((weak)) void harness_setup(void);
__attribute__((weak)) void harness_teardown(void);
#define SETUP()	   void harness_setup(void)
#define TEARDOWN() void harness_teardown(void)

#define TEST(name) TEST_TIMEOUT(name, HARNESS_TIMEOUT_S)
#define TEST_TIMEOUT(name_, seconds)                                                              \
	static void harness_fn_##name_(void);                                                     \
	static struct harness_test harness_test_##name_ = { #name_, __LINE__, harness_fn_##name_, \
							    seconds, NULL };                      \
	__attribute__((constructor)) static void harness_register_##name_(void)                   \
	{                                                                                         \
		*harness_last = &harness_test_##name_;                                            \
		harness_last = &harness_test_##name_.next;                                        \
	}                                                                                         \
	static void harness_fn_##name_(void)

__attribute__((format(printf, 3, 4), unused)) static void harness_fail(const char *file, int line,
								       const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	for (char *c = msg; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (harness_now->failures++)
		printf("# %s:%d: %s\n", file, line, msg);
	else
		snprintf(harness_now->text, sizeof(harness_now->text), "%s:%d: %s", file, line,
			 msg);
}

#define FAIL(...) harness_fail(__FILE__, __LINE__, __VA_ARGS__)
/* A process that the test itself forked only ends; its failures are in the shared result. */
#define END_TEST() (getpid() == harness_pid ? longjmp(harness_end, 1) : _exit(1))
#define SKIP(...)                                                                    \
	do {                                                                         \
		harness_now->skipped = true;                                         \
		snprintf(harness_now->text, sizeof(harness_now->text), __VA_ARGS__); \
		END_TEST();                                                          \
	} while (0)

#define HARNESS_CMP(expected, op, got, end)                                                    \
	do {                                                                                   \
		long long e_ = (long long)(expected), g_ = (long long)(got);                   \
		if (!(e_ op g_)) {                                                             \
			FAIL("expected %.120s (%lld) %s %.120s, got %lld", #expected, e_, #op, \
			     #got, g_);                                                        \
			end;                                                                   \
		}                                                                              \
	} while (0)
#define HARNESS_TRUE(cond, text, end)     \
	do {                              \
		if (!(cond)) {            \
			FAIL("%s", text); \
			end;              \
		}                         \
	} while (0)
#define HARNESS_STR(test, expected, got, what, end)                                \
	do {                                                                       \
		const char *e_ = (expected), *g_ = (got);                          \
		if (!g_ || !(test)) {                                              \
			FAIL("%.120s: expected %s '%s', got '%s'", #got, what, e_, \
			     g_ ? g_ : "(null)");                                  \
			end;                                                       \
		}                                                                  \
	} while (0)

#define EXPECT_EQ(expected, got)    HARNESS_CMP(expected, ==, got, (void)0)
#define EXPECT_NE(expected, got)    HARNESS_CMP(expected, !=, got, (void)0)
#define EXPECT_LE(expected, got)    HARNESS_CMP(expected, <=, got, (void)0)
#define EXPECT_TRUE(cond)	    HARNESS_TRUE(cond, "not true: " #cond, (void)0)
#define EXPECT_FALSE(cond)	    HARNESS_TRUE(!(cond), "true: " #cond, (void)0)
#define EXPECT_STREQ(expected, got) HARNESS_STR(!strcmp(e_, g_), expected, got, "just", (void)0)
#define EXPECT_STRSTR(part, got)    HARNESS_STR(strstr(g_, e_), part, got, "a part", (void)0)
#define ASSERT_EQ(expected, got)    HARNESS_CMP(expected, ==, got, END_TEST())
#define ASSERT_NE(expected, got)    HARNESS_CMP(expected, !=, got, END_TEST())
#define ASSERT_LE(expected, got)    HARNESS_CMP(expected, <=, got, END_TEST())
#define ASSERT_TRUE(cond)	    HARNESS_TRUE(cond, "not true: " #cond, END_TEST())
#define ASSERT_FALSE(cond)	    HARNESS_TRUE(!(cond), "true: " #cond, END_TEST())
#define ASSERT_STREQ(expected, got) HARNESS_STR(!strcmp(e_, g_), expected, got, "just", END_TEST())
#define ASSERT_STRSTR(part, got)    HARNESS_STR(strstr(g_, e_), part, got, "a part", END_TEST())

#include "harness_util.h"

/* ---- the runner ---- */

static void harness_child(struct harness_test *t)
{
	harness_pid = getpid();
	setsid();
	if (!setjmp(harness_end)) {
		if (harness_setup)
			harness_setup();
		t->fn();
	}
	if (harness_teardown && !setjmp(harness_end))
		harness_teardown();
	harness_now->finished = true;
	fflush(stdout);
	_exit(0);
}

/* Wait with a limit; the test's whole session of processes goes down with it. */
static int harness_wait(pid_t pid, unsigned int timeout_s, bool *ret_timed_out)
{
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status = -1, r;

	while ((r = poll(&p, 1, (int)timeout_s * 1000)) < 0 && errno == EINTR)
		;
	*ret_timed_out = r == 0;
	kill(-pid, SIGKILL);
	if (*ret_timed_out)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(p.fd);
	return status;
}

/* For whoever makes the suites faster; nothing passes or fails by it. */
static double harness_seconds(const struct timespec *begin, const struct timespec *end)
{
	return (double)(end->tv_sec - begin->tv_sec) + (double)(end->tv_nsec - begin->tv_nsec) / 1e9;
}

static void harness_run(struct harness_test *t, const char *suite, int count[3])
{
	struct harness_result *res = harness_now;
	struct timespec begin, end;
	unsigned int limit_s;
	bool timed_out;
	int status;
	pid_t pid;

	memset(res, 0, sizeof(*res));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	fflush(stdout);
	pid = fork();
	if (!pid)
		harness_child(t);
	/* Soak counts are up to sixty times those of CI. */
	limit_s = t->timeout_s * (unsigned int)test_count(1, 60);
	status = harness_wait(pid, limit_s, &timed_out);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (timed_out)
		harness_fail(__BASE_FILE__, t->line, "timed out after %u s", limit_s);
	else if (WIFSIGNALED(status))
		harness_fail(__BASE_FILE__, t->line, "killed by signal %d", WTERMSIG(status));
	else if (!res->finished)
		harness_fail(__BASE_FILE__, t->line, "exited with status %d before its end",
			     WEXITSTATUS(status));
	if (res->failures)
		printf("not ok %s.%s: %s\n", suite, t->name, res->text);
	else if (res->skipped)
		printf("skip %s.%s: %s\n", suite, t->name, res->text);
	else
		printf("ok %s.%s (%.1f s)\n", suite, t->name, harness_seconds(&begin, &end));
	count[res->failures ? 1 : res->skipped ? 2 : 0]++;
}

int main(int argc, char *argv[])
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	const char *end = strstr(name, "_test");
	int count[3] = { 0 }, len = end ? (int)(end - name) : (int)strlen(name);
	char suite[64];

	snprintf(suite, sizeof(suite), "%.*s", len, name);
	setvbuf(stdout, NULL, _IOLBF, 0);
	harness_now = mmap(NULL, sizeof(*harness_now), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (harness_now == MAP_FAILED)
		return 1;
	for (struct harness_test *t = harness_first; t; t = t->next) {
		bool run = argc < 2;

		for (int i = 1; i < argc; i++)
			run |= !fnmatch(argv[i], t->name, 0);
		if (run)
			harness_run(t, suite, count);
	}
	printf("%s: %d passed, %d failed, %d skipped\n", suite, count[0], count[1], count[2]);
	return count[1] || !(count[0] + count[2]);
}
