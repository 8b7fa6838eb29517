/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyd --metrics on a real engine: the numbers are exact, those of the kernel outlive policyd, and
 * no client of it holds events up. What is waited for is a line or a number, never time.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "daemon.h"

#define PAGE "/run/policyd/metrics.sock"
#define PORT 9812
#define TCP  "127.0.0.1:9812"

/* A guest of this name alone: its counters begin at 0. */
#define LOAD(name)                                                                             \
	do {                                                                                   \
		root = scratch();                                                              \
		bad = make_file(text("%s/f", root), "bad\n");                                  \
		make_dir(text("%s/ok", root));                                                 \
		ASSERT_LOAD(GUEST(name) FILES RULE("%s/ok", "rw") END "[guest." name           \
								      ".limits]\npids = 64\n", \
			    root);                                                             \
	} while (0)

/* ---- HTTP ---- */

static int dial(bool tcp)
{
	struct sockaddr_un local = address_of(PAGE);
	struct sockaddr_in inet = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!connect(fd, tcp ? (struct sockaddr *)&inet : (struct sockaddr *)&local,
		     tcp ? sizeof(inet) : sizeof(local)))
		return fd;
	close(fd);
	return -1;
}

/* What comes until the end. */
static const char *answer(int fd)
{
	static char buf[262144];
	size_t len = 0;
	ssize_t n;

	while (len + 1 < sizeof(buf) && (n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = 0;
	close(fd);
	return buf;
}

static const char *ask(bool tcp, const char *request)
{
	int fd = dial(tcp);

	if (fd < 0)
		return "";
	dprintf(fd, "%s HTTP/1.1\r\nHost: x\r\n\r\n", request);
	return answer(fd);
}

/* The value of a sample, -1: it is not there. */
static long value_in(const char *page, const char *sample)
{
	const char *at = strstr(page, text("\n%s ", sample));

	return at ? strtol(at + strlen(sample) + 2, NULL, 10) : -1;
}

/* Scrapes until the sample has this value: a text may be given again for a while. */
static const char *scrape_until(bool tcp, const char *sample, long value)
{
	for (;;) {
		const char *page = ask(tcp, "GET /metrics");

		if (value_in(page, sample) == value)
			return page;
		usleep(20000);
	}
}

/* ---- the daemon ---- */

static void start_at(struct daemon *d, const char *address)
{
	more_args[0] = "--metrics";
	more_args[1] = address;
	signal(SIGPIPE, SIG_IGN);
	start(d);
}

/* The next event with both in it was delivered. */
static bool delivered(struct daemon *d, const char *part, const char *other)
{
	static char line[16384];

	while (fgets(line, sizeof(line), d->out))
		if (strstr(line, part) && strstr(line, other))
			return true;
	return false;
}

/* ---- the tests; first, as all that follow use what it has loaded ---- */

TEST_TIMEOUT(answers_while_no_engine_is_loaded, 600)
{
	struct daemon d;
	const char *page;

	EXPECT_NOTHING(engine_down());
	start_at(&d, "unix:" PAGE);
	page = ask(false, "GET /metrics");
	EXPECT_STRSTR("HTTP/1.1 200 OK\r\n", page);
	EXPECT_STRSTR("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n", page);
	EXPECT_EQ(0, value_in(page, "policyctl_up"));
	EXPECT_EQ(0, value_in(page, "policyctl_engine_loaded"));
	EXPECT_EQ(0, value_in(page, "policyd_events_total{type=\"exit\"}"));
	EXPECT_TRUE(!strstr(page, "policyd_ring_bytes"));
	EXPECT_CTL(0, "policyctl_up 0", "status --metrics");
	LOAD("first");
	page = scrape_until(false, "policyctl_up", 1);
	EXPECT_EQ(1, value_in(page, "policyctl_guest_info{guest=\"first\",mode=\"enforce\"}"));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_TRUE(!exists(PAGE));
}

#define REFUSED 7

#define OF(guest, family, labels) family "{guest=\"" guest "\"" labels "}"
#define RIGHT(guest, right) \
	OF(guest, "policyd_guest_refused_rights_total", ",verdict=\"denied\",right=\"" right "\"")

TEST(tells_exactly_what_was_refused_and_how_it_ended)
{
	struct daemon d;
	const char *page;

	LOAD("counted");
	events_forget();
	start_at(&d, "unix:" PAGE);
	EXPECT_EQ(EACCES, PROBE("counted", "opens", text("%d", REFUSED), "r", bad));
	/* Which starts by ending the window of those. */
	EXPECT_EQ(EACCES, PROBE("counted", "open", "w", bad));
	page = scrape_until(false, OF("counted", "policyd_guest_exits_total", ",cause=\"exit\""),
			    2);
	EXPECT_EQ(REFUSED, value_in(page, RIGHT("counted", "read")));
	EXPECT_EQ(1, value_in(page, RIGHT("counted", "write")));
	EXPECT_EQ(-1, value_in(page, RIGHT("counted", "execute")));
	EXPECT_EQ(REFUSED + 1, value_in(page, OF("counted", "policyd_guest_refusals_total",
						 ",type=\"violation\",verdict=\"denied\","
						 "hook=\"file_open\"")));
	EXPECT_EQ(REFUSED + 1, value_in(page, OF("counted", "policyd_guest_refusal_reasons_total",
						 ",verdict=\"denied\",reason=\"no_rule\"")));
	EXPECT_EQ(REFUSED + 1, value_in(page, OF("counted", "policyctl_guest_denials_total", "")));
	EXPECT_EQ(0, value_in(page, OF("counted", "policyctl_guest_events_lost_total", "")));
	EXPECT_EQ(64, value_in(page, OF("counted", "policyctl_guest_pids_ceiling", "")));
	EXPECT_LE(1, value_in(page, OF("counted", "policyctl_guest_pids_peak", "")));
	EXPECT_EQ(-1, value_in(page, OF("counted", "policyctl_guest_fds", "")));
	EXPECT_EQ(0, value_in(page, "policyd_sink_lost_events_total{sink=\"stdout\"}"));
	EXPECT_EQ(16 << 20, value_in(page, "policyd_ring_size_bytes{ring=\"0\"}"));
	EXPECT_EQ(strtol(status_value("engine.generation"), NULL, 10),
		  value_in(page, "policyctl_generation"));
	EXPECT_LE(1, value_in(page, "policyctl_generation_timestamp_seconds"));
	/* A signal ends one that waits. */
	struct probe p;

	probe_start(&p, "counted", STEPS("pause"));
	EXPECT_EQ(0, kill(probe_pid(probe_until(&p, "paused")), SIGKILL));
	page = scrape_until(false, OF("counted", "policyd_guest_exits_total", ",cause=\"signal\""),
			    1);
	EXPECT_EQ(2, value_in(page, OF("counted", "policyd_guest_exits_total", ",cause=\"exit\"")));
	EXPECT_EQ(137, probe_end(&p));
	EXPECT_EQ(0, end(&d, SIGTERM));
}

/* The kernel's go on, policyd's own begin again; the socket of one that was killed is in no way. */
TEST(the_kernels_numbers_outlive_policyd)
{
	struct daemon d;
	const char *page;

	LOAD("outlived");
	events_forget();
	start_at(&d, "unix:" PAGE);
	EXPECT_EQ(EACCES, PROBE("outlived", "opens", text("%d", REFUSED), "r", bad));
	(void)scrape_until(false, OF("outlived", "policyd_guest_exits_total", ",cause=\"exit\""),
			   1);
	EXPECT_EQ(137, end(&d, SIGKILL));
	EXPECT_TRUE(exists(PAGE));
	events_forget();
	start_at(&d, "unix:" PAGE);
	EXPECT_EQ(EACCES, PROBE("outlived", "open", "r", bad));
	page = scrape_until(false, OF("outlived", "policyd_guest_exits_total", ",cause=\"exit\""),
			    1);
	EXPECT_EQ(REFUSED + 1, value_in(page, OF("outlived", "policyctl_guest_denials_total", "")));
	EXPECT_EQ(1, value_in(page, RIGHT("outlived", "read")));
	EXPECT_EQ(0, ctl("status --metrics"));
	EXPECT_EQ(REFUSED + 1,
		  value_in(ctl_said, OF("outlived", "policyctl_guest_denials_total", "")));
	EXPECT_EQ(0, value_in(ctl_said, OF("outlived", "policyctl_guest_stale_rules", "")));
	EXPECT_EQ(0, end(&d, SIGTERM));
}

TEST(tells_what_programs_cost_where_the_kernel_counts_it)
{
	const char *runs = "policyctl_program_runs_total{program=\"pol_file_open\"}";
	const char *skipped = "policyctl_program_skipped_runs_total{program=\"pol_file_open\"}";

	LOAD("timed");
	EXPECT_EQ(0, write_file("/proc/sys/kernel/bpf_stats_enabled", "1"));
	EXPECT_EQ(EACCES, PROBE("timed", "opens", text("%d", REFUSED), "r", bad));
	EXPECT_EQ(0, write_file("/proc/sys/kernel/bpf_stats_enabled", "0"));
	EXPECT_EQ(0, ctl("status --metrics"));
	EXPECT_LE(REFUSED, value_in(ctl_said, runs));
	EXPECT_EQ(0, value_in(ctl_said, skipped));
}

/* ---- who may read, and what ---- */

TEST(serves_one_page_to_root_alone)
{
	struct daemon d;
	struct stat st;
	char out[1024];
	int status = 0;

	LOAD("page");
	start_at(&d, "unix:" PAGE);
	EXPECT_STRSTR("HTTP/1.1 404 ", ask(false, "GET /"));
	EXPECT_STRSTR("HTTP/1.1 404 ", ask(false, "GET /metrics/../etc/passwd"));
	EXPECT_STRSTR("HTTP/1.1 405 ", ask(false, "DELETE /metrics"));
	EXPECT_STRSTR("Allow: GET\r\n", ask(false, "OPTIONS /metrics"));
	EXPECT_EQ(0, stat(PAGE, &st));
	EXPECT_EQ(0600, (int)st.st_mode & 07777);
	/* Neither by its mode nor, were that wrong, by who it is. */
	EXPECT_EQ(0, chmod(PAGE, 0666));
	fflush(stdout);
	if (!fork()) {
		if (setuid(1000))
			_exit(1);
		_exit(strstr(ask(false, "GET /metrics"), "HTTP/1.1 403 ") ? 0 : 2);
	}
	EXPECT_LE(1, wait(&status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(5,
		  run_cmd(out, sizeof(out), POLICYD " --socket %s/s --metrics unix:" PAGE, root));
	EXPECT_STRSTR("another program serves 'unix:" PAGE "'", out);
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --metrics 0.0.0.0:9812"));
	EXPECT_STRSTR("no other address is served", out);
}

/* ---- clients that are no help ---- */

#define HELD 40

static void send_garbage(void)
{
	static char junk[100000];
	static const char *const begins[] = {
		"", "GET ", "GET /metrics HTTP/1.1\r\nX: ",
		"POST /metrics HTTP/1.1\r\nContent-Length: 99999\r\n\r\n"
	};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		int fd = dial(true);

		memset(junk, i ? 'a' : 0, sizeof(junk));
		memcpy(junk, begins[i], strlen(begins[i]));
		/* It is closed before all is sent, or not even read: either is well. */
		(void)!send(fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
	}
}

/* Each connection has seconds, whatever it sends, and then somebody else is served. */
TEST_TIMEOUT(no_client_holds_events_up, 600)
{
	int held[HELD];
	struct daemon d;
	const char *page;

	LOAD("rude");
	events_forget();
	lo_up();
	start_at(&d, TCP);
	send_garbage();
	for (int i = 0; i < HELD; i++) {
		held[i] = dial(true);
		EXPECT_LE(0, held[i]);
		if (i % 2)
			dprintf(held[i], "GET /metr");
	}
	EXPECT_EQ(EACCES, PROBE("rude", "open", "r", bad));
	EXPECT_TRUE(delivered(&d, "\"type\":\"violation\"", bad));
	EXPECT_TRUE(delivered(&d, "\"type\":\"exit\"", "\"rude\""));
	page = scrape_until(true, OF("rude", "policyd_guest_exits_total", ",cause=\"exit\""), 1);
	EXPECT_EQ(1, value_in(page, RIGHT("rude", "read")));
	for (int i = 0; i < HELD; i++)
		EXPECT_TRUE(!strstr(answer(held[i]), "200 OK"));
	EXPECT_STRSTR("200 OK", ask(true, "GET /metrics"));
	EXPECT_EQ(0, end(&d, SIGTERM));
}

LEAVES_NO_GUEST()
