/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against its guests: a guest that is root, with every capability, cannot reach our maps,
 * programs, links and pins, its cgroup, or other processes. Each step is refused with its event and
 * works for a process that is no guest; afterwards, and after kill -9 of all that is ours, policy
 * and pins are what they were.
 */
#include "harness.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "guest.h"

/* One guest, "g", with rw below @ok; @bad is outside. */
static const char *ok, *bad;

static void load_one(void)
{
	const char *dir = scratch();

	ok = make_dir(text("%s/ok", dir));
	bad = make_file(text("%s/f", make_dir(text("%s/no", dir))), "bad\n");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, ok);
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int cnt = 0;

	while (dir && readdir(dir))
		cnt++;
	if (dir)
		closedir(dir);
	return cnt;
}

/* A step that is an escape: EPERM and its event as a guest, @without otherwise. */
#define EXPECT_ESCAPE(op, without, ...)                                                          \
	do {                                                                                     \
		events_forget();                                                                 \
		EXPECT_EQ(EPERM, PROBE("g", __VA_ARGS__));                                       \
		EXPECT_EVENT("type=escape", "op=" op, "verdict=denied", "errno=EPERM",          \
			     "guest.name=g", "process.exe=" PROBE_BIN);           \
		EXPECT_EQ(without, PROBE(NULL, __VA_ARGS__));                                    \
	} while (0)

/* A step at a file: the policy's errno as a guest. */
#define EXPECT_CLOSED(...) EXPECT_EQ(EACCES, PROBE("g", __VA_ARGS__))

static const char *start_stranger(struct probe *p)
{
	probe_start(p, NULL, STEPS("pause", "block"));
	return text("%d", probe_pid(probe_until(p, "paused")));
}

TEST(signals_to_strangers)
{
	struct probe p;
	const char *pid;

	load_one();
	pid = start_stranger(&p);
	EXPECT_ESCAPE("signal", 0, "signal", pid, "0");
	EXPECT_ESCAPE("signal", 0, "tgkill", pid, "0");
	EXPECT_ESCAPE("signal", 0, "pidfd-signal", pid, "0");
	EXPECT_EQ(EPERM, PROBE("g", "signal", pid, "9"));
	EXPECT_EQ(EPERM, PROBE("g", "signal", pid, "19"));
	EXPECT_EQ(0, kill(p.pid, 0));
	EXPECT_EQ(EPERM, PROBE("g", "signal", "1", "0"));
	(void)PROBE("g", "signal", "-1", "15"); /* everybody else; the call says 0 whoever refuses */
	EXPECT_EQ(0, kill(p.pid, 0));
	probe_kill(&p);
}

/* Its own tasks it signals, and its parent hears of its end. */
TEST(signals_within_the_guest)
{
	struct probe p;
	const char *pid;

	load_one();
	probe_start(&p, "g", STEPS("pause", "block"));
	pid = text("%d", probe_pid(probe_until(&p, "paused")));
	EXPECT_EQ(0, PROBE("g", "signal", pid, "0"));
	EXPECT_EQ(0, PROBE("g", "pidfd-signal", pid, "9"));
	EXPECT_EQ(137, probe_end(&p));
}

TEST(signals_between_guests)
{
	struct probe p;
	const char *pid;

	load_one();
	ASSERT_LOAD(GUEST("g") GUEST("h"));
	probe_start(&p, "h", STEPS("pause", "block"));
	pid = text("%d", probe_pid(probe_until(&p, "paused")));
	EXPECT_EQ(EPERM, PROBE("g", "signal", pid, "9"));
	EXPECT_EQ(EPERM, PROBE("g", "affinity", pid));
	EXPECT_EQ(0, PROBE("h", "signal", pid, "0"));
	probe_kill(&p);
}

TEST(scheduling_of_strangers)
{
	struct probe p;
	const char *pid;

	load_one();
	pid = start_stranger(&p);
	EXPECT_ESCAPE("sched", 0, "affinity", pid);
	EXPECT_ESCAPE("sched", 0, "renice", pid);
	EXPECT_ESCAPE("sched", 0, "ioprio", pid);
	EXPECT_ESCAPE("ptrace", 0, "move-pages", pid); /* asked before task_movememory is */
	EXPECT_EQ(0, PROBE("g", "affinity", "0"));
	EXPECT_EQ(0, PROBE("g", "renice", "0"));
	probe_kill(&p);
}

TEST(memory_and_descriptors_of_strangers)
{
	struct probe p;
	const char *pid;

	load_one();
	pid = start_stranger(&p);
	EXPECT_ESCAPE("ptrace", 0, "pidfd-take", pid, "1");
	EXPECT_ESCAPE("ptrace", 0, "vm-read", pid);
	EXPECT_ESCAPE("ptrace", 0, "ptrace", pid);
	probe_kill(&p);
}

TEST(bpf_objects_by_id)
{
	load_one();
	EXPECT_ESCAPE("bpf", ENOENT, "bpf-id", "map", "999999");
	EXPECT_ESCAPE("bpf", ENOENT, "bpf-id", "prog", "999999");
	EXPECT_ESCAPE("bpf", ENOENT, "bpf-id", "link", "999999");
	EXPECT_ESCAPE("bpf", 0, "bpf-get", PINS "/maps/control");
	EXPECT_ESCAPE("bpf", 0, "bpf-get", PINS "/links/pol_file_open");
}

TEST(the_kernel_itself)
{
	load_one();
	EXPECT_ESCAPE("perf", 0, "perf");
	EXPECT_ESCAPE("module", ENOEXEC, "init-module");
	EXPECT_ESCAPE("module", ENOEXEC, "finit-module", PROBE_BIN);
	EXPECT_ESCAPE("kexec", 0, "kexec");
	EXPECT_ESCAPE("device", 0, "ioperm");
}

static void tamper_with_files(void)
{
	EXPECT_CLOSED("list", PINS);
	EXPECT_CLOSED("unlink", PINS "/links/pol_file_open");
	EXPECT_CLOSED("unlink", PINS "/maps/control");
	EXPECT_CLOSED("rename", PINS, PINS "_gone");
	EXPECT_CLOSED("rmdir", PINS "/links");
	EXPECT_CLOSED("mkdir", PINS "/mine");
	EXPECT_EQ(EPERM, PROBE("g", "umount", "/sys/fs/bpf"));
	EXPECT_EQ(EPERM, PROBE("g", "mount-tmpfs", "/sys/fs/bpf"));
	EXPECT_CLOSED("open", "w", CGROUPS "/g/cgroup.procs");
	EXPECT_CLOSED("open", "w", CGROUPS "/g/cgroup.threads");
	EXPECT_CLOSED("open", "w", CGROUPS "/g/pids.max");
	EXPECT_CLOSED("open", "w", CGROUPS "/g/memory.max");
	EXPECT_CLOSED("open", "w", CGROUPS "/g/cgroup.freeze");
	EXPECT_CLOSED("open", "w", CGROUPS "/g/cgroup.kill");
	EXPECT_CLOSED("open", "w", "/sys/fs/cgroup/cgroup.procs");
	EXPECT_CLOSED("mkdir", CGROUPS "/g/sub");
	EXPECT_CLOSED("rmdir", CGROUPS "/g");
	EXPECT_EQ(EPERM, PROBE("g", "clone-into", "/sys/fs/cgroup"));
	EXPECT_CLOSED("open", "w", "/proc/1/oom_score_adj");
	EXPECT_CLOSED("open", "w", "/proc/sys/kernel/kptr_restrict");
	EXPECT_CLOSED("open", "w", "/proc/sysrq-trigger");
	EXPECT_CLOSED("open", "r", "/proc/kcore");
	EXPECT_CLOSED("open", "rw", "/dev/mem");
}

TEST(pins_and_cgroups)
{
	const char *generation;
	int links, maps;

	load_one();
	generation = status_value("engine.generation");
	links = entries(PINS "/links");
	maps = entries(PINS "/maps");
	tamper_with_files();
	EXPECT_EQ(links, entries(PINS "/links"));
	EXPECT_EQ(maps, entries(PINS "/maps"));
	EXPECT_STREQ(generation, status_value("engine.generation"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_EQ(0, PROBE("g", "open", "wc", text("%s/new", ok)));
}

/* Nothing of ours runs any more: the same is refused, and by the same policy. */
TEST(after_kill_9_of_everything_of_ours)
{
	struct probe p, stranger;
	const char *pid;
	int status;

	load_one();
	pid = start_stranger(&stranger);
	probe_start(&p, "g",
		    STEPS("pause", "open", "r", bad, "bpf", "bpf-get", PINS "/maps/control",
			  "unlink", PINS "/links/pol_file_open", "signal", pid, "9", "perf",
			  "open", "wc", text("%s/new", ok)));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	ASSERT_EQ(0, kill(p.pid, SIGKILL)); /* policyctl run */
	ASSERT_EQ(p.pid, waitpid(p.pid, &status, 0));
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("bpf 1", probe_line(&p));
	EXPECT_STREQ("bpf-get 1", probe_line(&p));
	EXPECT_STREQ("unlink 13", probe_line(&p));
	EXPECT_STREQ("signal 1", probe_line(&p));
	EXPECT_STREQ("perf 1", probe_line(&p));
	EXPECT_STREQ("open 0", probe_line(&p));
	close(p.in);
	close(p.out);
	EXPECT_EQ(0, kill(stranger.pid, 0));
	probe_kill(&stranger);
	tamper_with_files();
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
}

/* Built in: audit lets nobody at the engine. */
TEST(audit_refuses_tampering)
{
	struct probe p;
	const char *pid;

	load_one();
	ASSERT_LOAD(GUEST("g") "mode = \"audit\"\n" FILES RULE("%s", "rw") END, ok);
	pid = start_stranger(&p);
	EXPECT_EQ(EPERM, PROBE("g", "signal", pid, "0"));
	EXPECT_EQ(EPERM, PROBE("g", "bpf"));
	EXPECT_EQ(EPERM, PROBE("g", "perf"));
	EXPECT_EQ(EPERM, PROBE("g", "affinity", pid));
	EXPECT_EQ(0, PROBE("g", "open", "r", bad));
	probe_kill(&p);
}

UNLOADS_CLEAN()
