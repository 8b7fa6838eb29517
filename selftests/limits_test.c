/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ceilings of a guest's cgroup: what is written when, and what a load that fails leaves. */
#include "harness.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "guest_tasks.h"

static const char *dir;

SETUP()
{
	dir = fds_dir();
}

static const char *guest_with(const char *name, const char *limits)
{
	return text(GUEST("%s") FILES RULE("%s", "rw") END "[guest.%s.limits]\n%s\n", name, dir,
		    name, limits);
}

static void load(const char *a, const char *b)
{
	ASSERT_LOAD("%s%s", guest_with("a", a), guest_with("b", b));
}

/* The whole of a file of a guest's cgroup, without its last newline. */
static const char *file_of(const char *guest, const char *file)
{
	char buf[4096];
	ssize_t len = read_file(tasks_cgroup(guest, file), buf, sizeof(buf));

	if (len < 0)
		return text("%s: %s", file, strerror((int)-len));
	if (len && buf[len - 1] == '\n')
		buf[len - 1] = 0;
	return text("%s", buf);
}

struct ceilings {
	const char *pids, *memory, *swap, *group, *cpu;
};

static void expect_ceilings(const char *guest, const struct ceilings *want)
{
	EXPECT_STREQ(want->pids, file_of(guest, "pids.max"));
	EXPECT_STREQ(want->memory, file_of(guest, "memory.max"));
	EXPECT_STREQ(want->swap, file_of(guest, "memory.swap.max"));
	EXPECT_STREQ(want->group, file_of(guest, "memory.oom.group"));
	EXPECT_STREQ(want->cpu, file_of(guest, "cpu.max"));
}

static const struct ceilings unset = { "50", "max", "max", "0", "max 100000" };

/* ---- a load that fails ---- */

#define MADE_UP "/tmp/made_up"

/* From now on @guest's cpu.max is a file that can be read, and not written. */
static void forbid_cpu(const char *guest, const char *content)
{
	const char *at = tasks_cgroup(guest, "cpu.max");

	make_file(MADE_UP, content);
	ASSERT_EQ(0, mount(MADE_UP, at, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

static void allow_cpu(const char *guest)
{
	ASSERT_EQ(0, umount(tasks_cgroup(guest, "cpu.max")));
}

/* It fails where it lowers: all of a's ceilings are written by then, the new policy published. */
TEST(a_failed_load_leaves_unset_what_was_unset)
{
	load("pids = 50", "pids = 50");
	expect_ceilings("a", &unset);
	forbid_cpu("b", "max 100000\n");
	policy_write("%s%s",
		     guest_with("a", "pids = 60\nvm_memory = \"1GiB\"\nswap = 0\ncpu = 1.5"),
		     guest_with("b", "pids = 50\ncpu = 1"));
	EXPECT_CTL(1, "guest 'b': cannot write '100000 100000' to cpu.max", "load " POLICY_FILE);
	expect_ceilings("a", &unset);
	expect_ceilings("b", &unset);
	allow_cpu("b");
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	expect_ceilings("a", &(struct ceilings){ "60", "2684354560", "0", "1", "150000 100000" });
}

/* It fails where it raises: nothing is published, and a's are looser already. */
TEST(a_failed_load_lowers_what_it_raised)
{
	static const struct ceilings low = { "50", "536870912", "4096", "1", "100000 100000" };

	load("pids = 50\nmemory = \"512MiB\"\nswap = 4096\ncpu = 1", "pids = 50\ncpu = 1");
	expect_ceilings("a", &low);
	forbid_cpu("b", "100000 100000\n");
	policy_write("%s%s", guest_with("a", "pids = 60\ncpu = 2"),
		     guest_with("b", "pids = 50\ncpu = 2"));
	EXPECT_CTL(1, "guest 'b': cannot write '200000 100000' to cpu.max", "load " POLICY_FILE);
	expect_ceilings("a", &low);
	allow_cpu("b");
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	expect_ceilings("a", &(struct ceilings){ "60", "max", "max", "0", "200000 100000" });
}

/* A load that is killed while it raises: the next one, which need not succeed, takes it back. */
TEST(a_killed_load_is_undone)
{
	const char *at = tasks_cgroup("b", "cpu.max");
	pid_t pid;

	load("pids = 50\nmemory = \"512MiB\"", "pids = 50\ncpu = 1");
	ASSERT_EQ(0, mkfifo(MADE_UP ".fifo", 0600));
	ASSERT_EQ(0, mount(MADE_UP ".fifo", at, NULL, MS_BIND, NULL));
	policy_write("%s%s", guest_with("a", "pids = 50\nmemory = \"1GiB\""),
		     guest_with("b", "pids = 50\ncpu = 2"));
	pid = fork();
	if (!pid) {
		execlp("policyctl", "policyctl", "load", POLICY_FILE, NULL);
		_exit(127);
	}
	for (int i = 0; i < 600 && strcmp(file_of("a", "memory.max"), "1073741824"); i++)
		usleep(100000);
	EXPECT_STREQ("1073741824", file_of("a", "memory.max"));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(0, umount(at));
	EXPECT_EQ(0, unlink(MADE_UP ".fifo"));
	policy_write("%s%s", guest_with("a", ""), GUEST("c") FILES RULE("/no/such/dir", "ro") END);
	EXPECT_CTL(3, "error[P0501]", "load " POLICY_FILE);
	EXPECT_STREQ("536870912", file_of("a", "memory.max"));
	EXPECT_STREQ("100000 100000", file_of("b", "cpu.max"));
}

LEAVES_NO_GUEST()
