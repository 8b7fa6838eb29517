/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verb over a feed of memory: this file's pol_feed_* are linked in place of the library's.
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "cmd_events.h"
#include "feed.h"
#include "records.h"

struct pol_feed {
	struct test_ring memory;
	struct pol_ring ring;
	struct pol_guest_state states[8];
	struct pol_cursor cursors[8];
	int open_error;
	enum pol_err_kind open_kind;
};

static struct pol_feed feed;

int pol_feed_open(struct pol_feed **ret, struct pol_err *err)
{
	if (feed.open_error)
		return pol_err_say(err, feed.open_kind, feed.open_error,
				   "the engine is not loaded");
	pol_ring_image(&feed.memory.consumer, &feed.memory.producer, feed.memory.data,
		       feed.memory.size, &feed.ring);
	*ret = &feed;
	return 0;
}

void pol_feed_close(struct pol_feed *f)
{
	(void)f;
}

struct pol_ring *pol_feed_rings(struct pol_feed *f, size_t *ret_cnt)
{
	*ret_cnt = 1;
	return &f->ring;
}

uint32_t pol_feed_guest_limit(struct pol_feed *f)
{
	return ARRAY_SIZE(f->states);
}

int pol_feed_state(struct pol_feed *f, uint32_t guest, struct pol_guest_state *ret)
{
	*ret = f->states[guest];
	return 0;
}

int pol_feed_cursor_load(struct pol_feed *f, uint32_t guest, struct pol_cursor *ret)
{
	*ret = f->cursors[guest];
	return 0;
}

int pol_feed_cursor_save(struct pol_feed *f, uint32_t guest, const struct pol_cursor *cursor)
{
	f->cursors[guest] = *cursor;
	return 0;
}

uint64_t pol_feed_generation(struct pol_feed *f)
{
	(void)f;
	return 3;
}

bool pol_feed_gone(const struct pol_feed *f)
{
	(void)f;
	return false;
}

int pol_feed_guest_id(struct pol_feed *f, const char *name, uint32_t *ret)
{
	(void)f;
	if (strcmp(name, "web") != 0)
		return -ENOENT;
	*ret = 3;
	return 0;
}

void pol_feed_context(struct pol_feed *f, struct pol_event_ctx *ctx)
{
	(void)f;
	*ctx = test_record_ctx;
}

/* ------------------------------------------------------------------------------------------- */

static char out[65536];
static char errors[4096];

static void init(void)
{
	test_ring_init(&feed.memory, 1 << 16);
}

static void done(void)
{
	test_ring_done(&feed.memory);
}

TestSuite(cmd_events, .init = init, .fini = done, .timeout = 300);

static void send(union test_record *record, uint32_t guest)
{
	uint64_t ticket = test_ring_reserve(&feed.memory, record->event.size);
	struct timespec now;

	cr_assert(ticket);
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	record->event.guest = guest;
	record->event.seq = ++feed.states[guest].seq;
	record->event.boot_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	test_ring_write(&feed.memory, ticket, record, record->event.size);
	test_ring_submit(&feed.memory, ticket, false);
}

static void send_two(void)
{
	union test_record record;

	test_record_violation(&record);
	send(&record, 3);
	test_record_exit(&record);
	send(&record, 4);
}

static size_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len + 1 < size && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return len;
}

/* Runs the verb with its output in files. Return: exit status. */
static int run(const char *const *args)
{
	char *argv[16] = { (char *)(uintptr_t) "events" };
	int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO), argc = 1, r;
	int to_out = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int to_err = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	cr_assert(to_out >= 0 && to_err >= 0);
	for (; *args; args++)
		argv[argc++] = (char *)(uintptr_t)*args;
	(void)fflush(stdout);
	(void)dup2(to_out, STDOUT_FILENO);
	(void)dup2(to_err, STDERR_FILENO);
	r = cmd_events(argc, argv);
	(void)fflush(stdout);
	(void)dup2(saved_out, STDOUT_FILENO);
	(void)dup2(saved_err, STDERR_FILENO);
	(void)lseek(to_out, 0, SEEK_SET);
	(void)lseek(to_err, 0, SEEK_SET);
	(void)read_all(to_out, out, sizeof(out));
	(void)read_all(to_err, errors, sizeof(errors));
	(void)close(to_out);
	(void)close(to_err);
	(void)close(saved_out);
	(void)close(saved_err);
	return r;
}

#define RUN(...) run((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static int lines(void)
{
	int cnt = 0;

	for (const char *p = out; *p; p++)
		cnt += *p == '\n';
	return cnt;
}

Test(cmd_events, prints_what_is_pending_and_consumes_it)
{
	send_two();
	cr_assert_eq(RUN(), 0);
	cr_assert_eq(lines(), 2, "%s", out);
	cr_assert_eq(pol_ring_fill(&feed.ring), 0);
	cr_assert_eq(feed.cursors[3].delivered, 1);
	cr_assert_eq(RUN(), 0);
	cr_assert_eq(lines(), 0);
}

Test(cmd_events, prints_json_on_demand)
{
	send_two();
	cr_assert_eq(RUN("--format", "json"), 0);
	cr_assert_eq(lines(), 2);
	cr_assert_eq(strncmp(out, "{\"schema\":\"policyctl/v1\",\"type\":\"violation\"", 43), 0);
}

Test(cmd_events, finds_ceilings_by_their_type)
{
	union test_record record;

	send_two();
	test_record_ceiling(&record);
	send(&record, 3);
	cr_assert_eq(RUN("--type", "ceiling"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_not_null(strstr(out, "ceiling    denied      fds        256 of 256 (100%)"));
	cr_assert_eq(RUN("--type", "ceiling", "--format", "json", "--guest", "web"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_not_null(strstr(out, "\"resource\":\"fds\",\"now\":256,\"ceiling\":256"));
}

Test(cmd_events, finds_shadows_by_their_type)
{
	union test_record record;

	send_two();
	test_record_shadow(&record);
	send(&record, 3);
	cr_assert_eq(RUN("--type", "shadow"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_not_null(
		strstr(out, "shadow     -           stale      /srv/web/lib/libweb.so.1"));
	cr_assert_eq(RUN("--type", "shadow", "--format", "json", "--path", "/srv/web/lib"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_not_null(
		strstr(out, "\"action\":\"stale\",\"path\":\"/srv/web/lib/libweb.so.1\""));
	cr_assert_eq(RUN("--type", "shadow", "--path", "/srv/web/secrets"), 0);
	cr_assert_eq(lines(), 0);
}

Test(cmd_events, only_looks_with_a_filter)
{
	send_two();
	cr_assert_eq(RUN("--guest", "web"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_not_null(strstr(out, "violation"));
	cr_assert_eq(RUN("--type=exit"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_eq(RUN("--since", "1h"), 0);
	cr_assert_eq(lines(), 2);
	cr_assert_eq(RUN("--since", "2099-01-01T00:00:00Z"), 0);
	cr_assert_eq(lines(), 0);
	cr_assert_gt(pol_ring_fill(&feed.ring), 0);
	cr_assert_eq(RUN(), 0);
	cr_assert_eq(lines(), 2);
}

Test(cmd_events, filters_by_verdict_and_path)
{
	send_two();
	cr_assert_eq(RUN("--verdict", "denied"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_eq(RUN("--verdict=would_deny"), 0);
	cr_assert_eq(lines(), 0);
	cr_assert_eq(RUN("--path", "/srv//web/"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_eq(RUN("--path", "/srv/we"), 0);
	cr_assert_eq(lines(), 0);
	cr_assert_eq(RUN("--path=/", "--path=/srv/web/secrets", "--verdict", "denied"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_eq(RUN("--path", "/srv", "--type", "exit"), 0);
	cr_assert_eq(lines(), 0);
	cr_assert_gt(pol_ring_fill(&feed.ring), 0, "with a filter nothing is consumed");
}

Test(cmd_events, reports_what_was_lost)
{
	feed.states[3].seq = 12;
	feed.states[3].lost[POL_TYPE_VIOLATION] = 12;
	cr_assert_eq(RUN("--format=json"), 0);
	cr_assert_eq(lines(), 1);
	cr_assert_not_null(
		strstr(out, "\"of\":\"violation\",\"count\":12,\"first\":1,\"last\":12}"), "%s",
		out);
	cr_assert_eq(RUN(), 0);
	cr_assert_eq(lines(), 0);
}

Test(cmd_events, goes_past_a_number_that_stays_in_flight)
{
	feed.states[3].seq = 1;
	send_two();
	cr_assert_eq(RUN(), 0);
	cr_assert_eq(lines(), 2);
	cr_assert_eq(pol_cursor_holes(&feed.cursors[3]), 1);
}

Test(cmd_events, warns_of_records_it_cannot_decode)
{
	uint64_t ticket = test_ring_reserve(&feed.memory, 16);

	test_ring_submit(&feed.memory, ticket, false);
	cr_assert_eq(RUN(), 0);
	cr_assert_not_null(strstr(errors, "1 records could not be decoded"), "%s", errors);
	cr_assert_eq(pol_ring_fill(&feed.ring), 0);
}

Test(cmd_events, says_that_the_engine_is_not_loaded)
{
	feed.open_error = -ENOENT;
	feed.open_kind = POL_ERR_FAILED;
	cr_assert_eq(RUN(), 0, "nothing is pending");
	cr_assert_not_null(strstr(errors, "not loaded"));
	cr_assert_eq(RUN("--follow"), 1, "nothing to follow");
	cr_assert_eq(lines(), 0);
}

Test(cmd_events, passes_on_the_status_of_a_host_or_a_lock)
{
	feed.open_error = -EPERM;
	feed.open_kind = POL_ERR_HOST;
	cr_assert_eq(RUN(), 4);
	feed.open_error = -EBUSY;
	feed.open_kind = POL_ERR_BUSY;
	cr_assert_eq(RUN(), 5);
}

Test(cmd_events, refuses_a_guest_that_the_policy_lacks)
{
	cr_assert_eq(RUN("--guest", "db"), 1);
	cr_assert_not_null(strstr(errors, "'db'"));
}

Test(cmd_events, refuses_formats_it_does_not_have)
{
	cr_assert_eq(RUN("--format", "xml"), 2);
	cr_assert_not_null(strstr(errors, "'xml': expected one of text json"), "%s", errors);
}

Test(cmd_events, refuses_bad_arguments)
{
	cr_assert_eq(RUN("--type", "nonsense"), 2);
	cr_assert_eq(RUN("--verdict", "refused"), 2);
	cr_assert_eq(RUN("--path", "srv"), 2);
	cr_assert_not_null(strstr(errors, "an absolute path"), "%s", errors);
	cr_assert_eq(RUN("--path", "/srv/../etc"), 2);
	cr_assert_eq(RUN("--path", ""), 2);
	cr_assert_eq(RUN("--since", "yesterday"), 2);
	cr_assert_eq(RUN("--since"), 2);
	cr_assert_eq(RUN("--fol"), 2, "no abbreviations");
	cr_assert_eq(RUN("more"), 2);
	cr_assert_eq(RUN("--typex", "exit"), 2);
	cr_assert_eq(RUN("--guest", "a\nb"), 1);
	cr_assert_null(strstr(errors, "a\nb"), "unescaped: %s", errors);
}

Test(cmd_events, has_help)
{
	cr_assert_eq(RUN("--help"), 0);
	cr_assert_eq(strncmp(out, "usage: policyctl events", 23), 0);
}

/* In a child, with its standard output on @fd. */
static pid_t start(int fd, int spare)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		char *argv[] = { (char *)(uintptr_t) "events", (char *)(uintptr_t) "--follow",
				 NULL };

		(void)dup2(fd, STDOUT_FILENO);
		(void)close(fd);
		(void)close(spare);
		_exit(cmd_events(2, argv));
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Test(cmd_events, follows_until_it_is_told_to_stop)
{
	static const int signals[] = { SIGINT, SIGTERM };

	send_two();
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		int fds[2];
		pid_t pid;

		cr_assert_eq(pipe(fds), 0);
		pid = start(fds[1], fds[0]);
		(void)close(fds[1]);
		/* A line is there as soon as it was printed: it is not kept in a buffer. */
		cr_assert_gt(read(fds[0], out, sizeof(out)), 0);
		cr_assert_eq(kill(pid, signals[i]), 0);
		cr_assert_eq(status_of(pid), 0);
		(void)close(fds[0]);
	}
}

Test(cmd_events, ends_quietly_when_nobody_reads)
{
	int fds[2];
	pid_t pid;

	send_two();
	cr_assert_eq(pipe(fds), 0);
	(void)close(fds[0]);
	pid = start(fds[1], -1);
	(void)close(fds[1]);
	cr_assert_eq(status_of(pid), 0);
}

Test(cmd_events, keeps_what_it_could_not_write)
{
	int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC), r;
	char *argv[] = { (char *)(uintptr_t) "events", NULL };

	cr_assert_geq(full, 0);
	send_two();
	(void)fflush(stdout);
	(void)dup2(full, STDOUT_FILENO);
	r = cmd_events(1, argv);
	(void)dup2(saved, STDOUT_FILENO);
	cr_assert_eq(r, 1);
	cr_assert_eq(feed.cursors[3].delivered, 0);
	cr_assert_gt(pol_ring_fill(&feed.ring), 0);
	(void)close(full);
	(void)close(saved);
}
