/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of shadows: the events of their lives, as policyctl has them.
 */
#include "harness.h"

#include <fcntl.h>
#include <policy/policy.h>
#include <unistd.h>

#include "guest.h"

#define SHADOW "type=shadow", "guest.name=s"

static struct pol_error error = { .size = sizeof(error) };
static const char *path;

/* A guest with what @path is the name of. */
static void load(const char *name)
{
	path = make_file(name, "hello");
	ASSERT_LOAD(GUEST("s") "[guest.s.shadow]\npaths = [\"/tmp\"]\nmax_size = \"4KiB\"\n"
			       "exec = true\n");
	events_forget();
}

static const char *some_file(void)
{
	return text("%s/f", scratch());
}

static int shadow(uint32_t flags)
{
	return pol_shadow_make("s", path, flags, NULL, NULL, &error);
}

static int told(const char *action)
{
	return EVENTS(SHADOW, text("action=%s", action), text("path=%s", path));
}

TEST(a_life)
{
	const char *mine = text("process.pid=%d", getpid());
	int fd;

	load(some_file());
	fd = shadow(POL_SHADOW_MAKE_EXEC);
	ASSERT_LE(0, fd);
	EXPECT_EVENT(SHADOW, "action=created", text("path=%s", path), "path_truncated=false", "size=5",
		     "exec=true", "lazy=false", "op=null", "errno=null", mine);
	EXPECT_EQ(0, told("stale"));
	ASSERT_EQ(0, run_cmd(NULL, 0, "chmod 600 %s", path));
	EXPECT_EVENT(SHADOW, "action=stale", text("path=%s", path), "size=5", "exec=true", "op=chmod",
		     "errno=null", "process.comm=chmod");
	/* Once: it is no staler. */
	ASSERT_EQ(0, truncate(path, 1));
	EXPECT_EQ(1, told("stale"));
	EXPECT_EQ(0, told("freed"));
	close(fd);
	EXPECT_EQ(1, told("freed"));
	EXPECT_TRUE(!json_object_get(events_find(STEPS(SHADOW, "action=freed")), "process"));
	EXPECT_EQ(1, told("created"));
	EXPECT_EQ(0, told("refused"));
}

TEST(stale_from_the_start)
{
	int fd, rw;

	load(some_file());
	rw = open(path, O_RDWR);
	fd = shadow(0);
	ASSERT_LE(0, fd);
	EXPECT_EVENT(SHADOW, "action=created", text("path=%s", path), "exec=false");
	EXPECT_EVENT(SHADOW, "action=stale", text("path=%s", path), "op=null",
		     text("process.pid=%d", getpid()));
	close(rw);
	close(fd);
}

TEST(a_refusal)
{
	load(some_file());
	ASSERT_EQ(0, truncate(path, 4097));
	EXPECT_EQ(-EFBIG, shadow(0));
	EXPECT_EVENT(SHADOW, "action=refused", text("path=%s", path), "errno=EFBIG", "op=null",
		     text("process.pid=%d", getpid()));
	EXPECT_EQ(0, told("created"));
	EXPECT_EQ(0, told("freed"));
}

TEST(a_path_that_is_no_text)
{
	load(text("%s/caf\xe9", scratch()));
	close(shadow(0));
	EXPECT_EVENT(SHADOW, "action=created", "path$=/caf\xef\xbf\xbd", "path_hex$=2f636166e9");
	EXPECT_EVENT(SHADOW, "action=freed", "path$=/caf\xef\xbf\xbd", "path_hex$=2f636166e9");
}

/* Longer than a record has room for: it keeps its end. */
TEST(a_path_that_is_long)
{
	const char *dir = scratch(), *end = text("%0100d/f", 5);

	for (int i = 0; i <= 5; i++)
		dir = make_dir(text("%s/%0100d", dir, i));
	load(text("%s/f", dir));
	close(shadow(0));
	EXPECT_EVENT(SHADOW, "action=created", "path_truncated=true", text("path$=%s", end));
	EXPECT_EVENT(SHADOW, "action=freed", "path_truncated=true", text("path$=%s", end));
}

TEST(finds_them_by_their_type)
{
	int fd;

	load(some_file());
	fd = shadow(0);
	ASSERT_LE(0, fd);
	EXPECT_CTL(0, text("created    %s  5 bytes  by ", path), "events --type shadow --path %s", path);
	close(fd);
}

/* Who reads the events, policyd or another, is in nobody's way. */
TEST(beside_a_reader)
{
	const char *out;
	pid_t pid;
	int fd;

	load(some_file());
	out = make_file(text("%s/out", scratch()), "");
	pid = fork();
	if (!pid) {
		dup2(open(out, O_WRONLY), STDOUT_FILENO);
		execlp("policyctl", "policyctl", "events", "--follow", (char *)NULL);
		_exit(127);
	}
	/* Once it has told of one it reads. */
	for (int i = 0; i < 100 && run_cmd(NULL, 0, "grep -q 'created.*%s' %s", path, out); i++) {
		close(shadow(0));
		usleep(100000);
	}
	EXPECT_EQ(0, run_cmd(NULL, 0, "grep -q 'created.*%s' %s", path, out));
	fd = shadow(0);
	EXPECT_LE(0, fd);
	close(fd);
	kill(pid, SIGTERM);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

LEAVES_NO_GUEST()
