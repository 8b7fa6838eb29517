/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl top on a terminal. */
#include "harness.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "guest.h"

#define WAIT_MS 60000

static char screen[1 << 18]; /* all that it has written so far */
static size_t screen_len;
static int terminal = -1;
static const char *root, *secret;

static void load_two(void)
{
	root = scratch();
	secret = make_file(text("%s/secret", root), "content");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "none") END GUEST("quiet") FILES RULE("%s", "rw") END,
		    root, root);
}

/* Return: its pid; it has a terminal of 24 lines, 200 columns. */
static pid_t start(const char *delay)
{
	struct winsize size = { .ws_row = 24, .ws_col = 200 };
	pid_t pid = forkpty(&terminal, NULL, NULL, &size);

	screen_len = 0;
	if (pid)
		return pid;
	setenv("TERM", "linux", 1);
	execlp("policyctl", "policyctl", "top", "--delay", delay, NULL);
	_exit(127);
}

/* Return: whether it comes to write that within a minute. */
static bool shows(const char *wanted)
{
	struct pollfd poll_fd = { .fd = terminal, .events = POLLIN };

	while (!memmem(screen, screen_len, wanted, strlen(wanted))) {
		ssize_t n;

		if (poll(&poll_fd, 1, WAIT_MS) <= 0 || screen_len == sizeof(screen))
			return false;
		n = read(terminal, screen + screen_len, sizeof(screen) - screen_len);
		if (n <= 0)
			return false;
		screen_len += (size_t)n;
	}
	return true;
}

static void forget(void)
{
	screen_len = 0;
}

static void press(const char *key)
{
	forget();
	EXPECT_EQ((ssize_t)strlen(key), write(terminal, key, strlen(key)));
}

static int end_of(pid_t pid)
{
	int status = -1;

	while (shows("\x01")) /* to the end of what it writes, or it would not end */
		forget();
	waitpid(pid, &status, 0);
	close(terminal);
	return status;
}

TEST(shows_what_is_refused_meanwhile)
{
	pid_t pid;

	load_two();
	pid = start("100ms");
	EXPECT_TRUE(shows("generation"));
	EXPECT_TRUE(shows("REFUSED/S"));
	EXPECT_TRUE(shows("quiet"));
	EXPECT_TRUE(shows("sorted by refused"));
	EXPECT_TRUE(shows("refused 0"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", secret));
	EXPECT_EQ(0, PROBE("quiet", "open", "r", secret));
	forget();
	EXPECT_TRUE(shows("1m")); /* who was refused something is bold: ESC [ ... 1m */
	press("s");
	EXPECT_TRUE(shows("tasks"));
	press("q");
	EXPECT_EQ(0, end_of(pid));
}

TEST(ends_by_a_signal_with_its_screen_put_back)
{
	static const int sigs[] = { SIGINT, SIGTERM };
	pid_t pid;

	load_two();
	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		pid = start("1h");
		EXPECT_TRUE(shows("quiet"));
		forget();
		kill(pid, sigs[i]);
		EXPECT_EQ(0, end_of(pid));
	}
}

/* A load of another policy, none at all, and the first one again: it goes on. */
TEST(outlives_the_engine)
{
	pid_t pid;

	load_two();
	pid = start("100ms");
	EXPECT_TRUE(shows("quiet"));
	ASSERT_EQ(0, ctl("unload --force"));
	EXPECT_TRUE(shows("no policy is loaded"));
	forget();
	load_two();
	EXPECT_TRUE(shows("quiet"));
	press("q");
	EXPECT_EQ(0, end_of(pid));
}

TEST(needs_a_terminal)
{
	load_two();
	EXPECT_CTL(4, "it needs a terminal", "top");
	EXPECT_CTL(2, "--delay takes", "top --delay 1ms");
	EXPECT_CTL(2, "--sort takes", "top --sort shoes");
	EXPECT_CTL(2, "no argument", "top now");
}

LEAVES_NO_GUEST()
