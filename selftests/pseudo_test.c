/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * procfs, sysfs and cgroup2: what a rule there opens, what no rule opens in any mode, and that
 * neither depends on inodes that come and go.
 */
#include "harness.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "guest.h"
#include "guest_fds.h"
#include "guest_tasks.h"

/* Guests "g" and, in audit, "a", with everything that a rule can say; "o" is another one. */
static void load_with(const char *path)
{
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rwx")
			    END GUEST("a") "mode = \"audit\"\n" FILES RULE("%s", "rwx")
				    END GUEST("o"),
		    path, path);
	events_forget();
}

#define EXPECT_STEPS(guest, steps)                                                            \
	do {                                                                                  \
		const char *why_ = probe_batch(guest, steps, sizeof(steps) / sizeof(*steps)); \
		if (why_)                                                                     \
			FAIL("as %s: %s", (guest) ?: "no guest", why_);                       \
	} while (0)

/* The same steps in enforce, in audit, and as nobody. */
#define EXPECT_OPEN_TO_ALL(steps)          \
	do {                               \
		EXPECT_STEPS("g", steps);  \
		EXPECT_STEPS("a", steps);  \
		EXPECT_STEPS(NULL, steps); \
	} while (0)

/* A step that a built-in refusal meets, in both modes; @without: what nobody's guest meets. */
struct refused {
	int without;
	const char *path; /* as reported */
	const char *missing;
	const char *words[4];
};

#define REFUSED_MAX 32

static void expect_builtin(const char *guest, const struct refused *refused, size_t cnt)
{
	const char *name = text("guest.name=%s", guest), *why;
	struct step steps[REFUSED_MAX] = { 0 };

	events_forget();
	for (size_t i = 0; i < cnt; i++) {
		steps[i].want = EACCES;
		for (int k = 0; k < 4; k++)
			steps[i].words[k] = refused[i].words[k];
	}
	why = probe_batch(guest, steps, cnt);
	if (why)
		FAIL("as %s: %s", guest, why);
	for (size_t i = 0; i < cnt; i++)
		EXPECT_EVENT(name, "type=violation", "verdict=denied", "reason=builtin",
			     "errno=EACCES", "rule=null", text("path=%s", refused[i].path),
			     text("missing=%s", refused[i].missing));
}

static void expect_refused(const struct refused *refused, size_t cnt)
{
	struct step steps[REFUSED_MAX] = { 0 };
	const char *why;

	ASSERT_LE(cnt, REFUSED_MAX);
	expect_builtin("g", refused, cnt);
	expect_builtin("a", refused, cnt);
	for (size_t i = 0; i < cnt; i++) {
		steps[i].want = refused[i].without;
		for (int k = 0; k < 4; k++)
			steps[i].words[k] = refused[i].words[k];
	}
	why = probe_batch(NULL, steps, cnt);
	if (why)
		FAIL("as no guest: %s", why);
}

#define EXPECT_REFUSED(refused) expect_refused(refused, sizeof(refused) / sizeof(*(refused)))

static uint64_t inode_of(const char *path)
{
	struct stat st = { 0 };

	ASSERT_EQ(0, stat(path, &st));
	return st.st_ino;
}

/* What was used since the last time is only marked, so more than once; it has to take effect. */
static void drop_caches(void)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	uint64_t before = inode_of("/proc/sys/kernel");

	for (int i = 0; i < 40; i++) {
		for (int k = 0; k < 3; k++)
			ASSERT_EQ(0, write_file("/proc/sys/vm/drop_caches", "3"));
		if (inode_of("/proc/sys/kernel") != before)
			return;
		nanosleep(&tick, NULL);
	}
	SKIP("the kernel keeps the inode of /proc/sys/kernel");
}

/* A payload that waits: its pid as text. */
static const char *waiting(struct probe *p, const char *guest)
{
	probe_start(p, guest, STEPS("pause"));
	return text("%d", probe_pid(probe_until(p, "paused")));
}

static void done(struct probe *p)
{
	probe_go(p);
	EXPECT_EQ(0, probe_end(p));
}

/* ---- tasks ---- */

TEST(its_own_directory)
{
	static const struct step steps[] = {
		{ 0, { "list", "/proc" } },
		{ 0, { "list", "/proc/self" } },
		{ 0, { "list", "/proc/self/fd" } },
		{ 0, { "list", "/proc/self/task" } },
		{ 0, { "list", "/proc/self/net" } },
		{ 0, { "open", "r", "/proc/self/maps" } },
		{ 0, { "open", "r", "/proc/self/mem" } },
		{ 0, { "open", "r", "/proc/self/environ" } },
		{ 0, { "open", "r", "/proc/self/status" } },
		{ 0, { "open", "r", "/proc/self/cmdline" } },
		{ 0, { "open", "r", "/proc/self/mountinfo" } },
		{ 0, { "open", "r", "/proc/mounts" } },
		{ 0, { "open", "r", "/proc/self/fdinfo/0" } },
		{ 0, { "open", "r", "/proc/thread-self/status" } },
		{ 0, { "open", "r", "/proc/net/dev" } },
		{ 0, { "open", "r", "/proc/net/stat/rt_cache" } },
		{ 0, { "open", "wt", "/proc/self/comm" } },
		{ 0, { "open", "rw", "/proc/thread-self/comm" } },
		{ 0, { "open", "w", "/proc/self/oom_score_adj" } },
		{ 0, { "open", "w", "/proc/self/clear_refs" } },
		{ 0, { "open", "w", "/proc/self/attr/current" } },
	};

	load_with("/proc");
	EXPECT_OPEN_TO_ALL(steps);
	EXPECT_EQ(0, EVENTS("type=violation"));
}

/* Built in, whatever the rule says. */
TEST(its_own_directory_is_not_all_its_own)
{
	static const struct refused refused[] = {
		{ 0, "/proc/self/mem", "write", { "open", "w", "/proc/self/mem" } },
		{ 0, "/proc/self/mem", "write", { "open", "rw", "/proc/self/mem" } },
		{ 0, "/proc/self/loginuid", "write", { "open", "w", "/proc/self/loginuid" } },
		{ 0, "/proc/self/comm", "metadata", { "utime", "/proc/self/comm" } },
	};
	const char *why;

	load_with("/proc");
	/* Paths are reported with the number that self stands for. */
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const struct refused *r = &refused[i];

		for (int audit = 0; audit < 2; audit++) {
			struct step step = { EACCES, { NULL } };

			events_forget();
			memcpy(step.words, r->words, sizeof(r->words));
			why = probe_batch(audit ? "a" : "g", &step, 1);
			if (why)
				FAIL("%s", why);
			EXPECT_EVENT("type=violation", "verdict=denied", "reason=builtin",
				     text("missing=%s", r->missing), "rule=null");
			step.want = r->without;
			why = probe_batch(NULL, &step, 1);
			if (why)
				FAIL("%s", why);
		}
	}
}

/* Those of the guest's other tasks are its own; also of one that was moved to another cgroup. */
TEST(tasks_of_the_guest)
{
	struct probe p;
	const char *pid;

	load_with("/proc");
	pid = waiting(&p, "g");
	for (int moved = 0; moved < 2; moved++) {
		const struct step steps[] = {
			{ 0, { "list", text("/proc/%s", pid) } },
			{ 0, { "list", text("/proc/%s/fd", pid) } },
			{ 0, { "open", "r", text("/proc/%s/mem", pid) } },
			{ 0, { "open", "r", text("/proc/%s/environ", pid) } },
			{ 0, { "open", "r", text("/proc/%s/status", pid) } },
			{ 0, { "open", "r", text("/proc/%s/task/%s/stat", pid, pid) } },
			{ 0, { "open", "r", text("/proc/%s/net/dev", pid) } },
			{ 0, { "open", "w", text("/proc/%s/oom_score_adj", pid) } },
		};

		EXPECT_STEPS("g", steps);
		EXPECT_STEPS(NULL, steps);
		EXPECT_EQ(0, write_file("/sys/fs/cgroup/cgroup.procs", pid));
	}
	EXPECT_EQ(0, EVENTS("type=violation"));
	done(&p);
}

/* Somebody else's: nothing, in any mode, be it another guest or no guest. */
TEST(tasks_of_others)
{
	static const char *const who[] = { NULL, "o", "a" };
	struct probe p;
	const char *pid;

	load_with("/proc");
	for (int i = 0; i < 3; i++) {
		pid = waiting(&p, who[i]);
#define AT(name) text("/proc/%s/" name, pid)
#define READ_OF(name)                         \
	{                                     \
		0, AT(name), "read",          \
		{                             \
			"open", "r", AT(name) \
		}                             \
	}
		const struct refused refused[] = {
			READ_OF("mem"),
			READ_OF("environ"),
			READ_OF("maps"),
			READ_OF("status"),
			READ_OF("stat"),
			READ_OF("cmdline"),
			READ_OF("comm"),
			READ_OF("cgroup"),
			READ_OF("net/dev"),
			READ_OF("net/stat/rt_cache"),
			{ 0, AT("fd"), "list", { "list", AT("fd") } },
			{ 0, AT("task"), "list", { "list", AT("task") } },
			{ 0, AT("oom_score_adj"), "write", { "open", "w", AT("oom_score_adj") } },
			{ 0, AT("mem"), "read,write", { "open", "rw", AT("mem") } },
			{ 0,
			  text("/proc/%s/task/%s/status", pid, pid),
			  "read",
			  { "open", "r", text("/proc/%s/task/%s/status", pid, pid) } },
		};

		expect_builtin("g", refused, sizeof(refused) / sizeof(*refused));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", AT("root/etc/passwd")));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", AT("fd/0")));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", AT("exe")));
		EXPECT_EQ(0, PROBE(NULL, "open", "r", AT("status")));
		EXPECT_EQ(0, PROBE(NULL, "list", AT("fd")));
		if (i < 2)
			expect_builtin("a", refused, sizeof(refused) / sizeof(*refused));
		done(&p);
	}
}

/* In one process: each thread is what its label says, and the process as such its first thread's. */
TEST(threads_of_one_process)
{
	struct numbers members;
	struct probe p;

	load_with("/proc");
	probe_start(&p, NULL, STEPS("members", "thread", "3"));
	members = tasks_numbers(probe_until(&p, "ready"));
	EXPECT_EQ(0, ctl("attach g %ld --tid", members.n[1]));
	EXPECT_EQ(0, ctl("attach o %ld --tid", members.n[2]));
	tasks_order(&p, 1, "open r /proc/thread-self/status");
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	tasks_order(&p, 1, "open r /proc/self/status");
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	tasks_order(&p, 1, "open r /proc/self/task/%ld/status", members.n[2]);
	EXPECT_STREQ(text("open %d", EACCES), probe_until(&p, "open"));
	tasks_order(&p, 3, "open r /proc/self/task/%ld/status", members.n[1]);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(2, EVENTS("type=violation", "reason=builtin", "guest.name=g"));
	EXPECT_EQ(0, probe_end(&p));
}

/* A descriptor that somebody opened for it. */
TEST(descriptors_of_others_are_not_received)
{
	struct probe p;

	load_with("/proc");
	probe_start_socket(&p, "g", STEPS("receive", "1", "receive", "1"));
	for (int i = 0; i < 2; i++) {
		int fd = open(i ? "/proc/self/status" : "/proc/meminfo", O_RDONLY | O_CLOEXEC);

		ASSERT_LE(0, fd);
		probe_give(&p, fd);
		close(fd);
		EXPECT_STREQ(i ? "received 0 0 1" : "received 0 1 0", probe_until(&p, "received"));
	}
	probe_end(&p);
	EXPECT_EVENT("type=violation", "op=receive", "reason=builtin", "missing=read",
		     text("path=/proc/%d/status", getpid()));
}

/* ---- the rest of procfs ---- */

TEST(public_files)
{
	static const struct step steps[] = {
		{ 0, { "open", "r", "/proc/meminfo" } },
		{ 0, { "open", "r", "/proc/cpuinfo" } },
		{ 0, { "open", "r", "/proc/stat" } },
		{ 0, { "open", "r", "/proc/uptime" } },
		{ 0, { "open", "r", "/proc/loadavg" } },
		{ 0, { "open", "r", "/proc/version" } },
		{ 0, { "open", "r", "/proc/filesystems" } },
		{ 0, { "open", "r", "/proc/sys/kernel/osrelease" } },
		{ 0, { "open", "r", "/proc/sys/kernel/random/boot_id" } },
		{ 0, { "open", "r", "/proc/sys/kernel/cap_last_cap" } },
		{ 0, { "open", "r", "/proc/sys/vm/overcommit_memory" } },
		{ 0, { "open", "r", "/proc/sys/net/core/somaxconn" } },
	};

	load_with("/proc");
	EXPECT_OPEN_TO_ALL(steps);
	drop_caches();
	EXPECT_OPEN_TO_ALL(steps);
	EXPECT_EQ(0, EVENTS("type=violation"));
}

#define HOSTS(need, word, flags, name)    \
	{                                 \
		0, name, need,            \
		{                         \
			word, flags, name \
		}                         \
	}

TEST(what_is_the_hosts)
{
	static const struct refused refused[] = {
		HOSTS("read", "open", "r", "/proc/kcore"),
		HOSTS("read", "open", "r", "/proc/kallsyms"),
		HOSTS("read", "open", "r", "/proc/keys"),
		HOSTS("read", "open", "r", "/proc/interrupts"),
		HOSTS("read", "open", "r", "/proc/timer_list"),
		HOSTS("read", "open", "r", "/proc/modules"),
		HOSTS("read", "open", "r", "/proc/iomem"),
		HOSTS("read", "open", "r", "/proc/sysvipc/shm"),
		HOSTS("write", "open", "w", "/proc/sysrq-trigger"),
		HOSTS("write", "open", "w", "/proc/pressure/memory"),
		HOSTS("read", "open", "r", "/proc/sys/kernel/core_pattern"),
		HOSTS("write", "open", "w", "/proc/sys/kernel/core_pattern"),
		HOSTS("write,truncate", "open", "wt", "/proc/sys/kernel/modprobe"),
		HOSTS("write", "open", "w", "/proc/sys/vm/overcommit_memory"),
		HOSTS("read", "open", "r", "/proc/sys/kernel/sysrq"),
		{ 0, "/proc/irq", "list", { "list", "/proc/irq" } },
		{ 0, "/proc/sys", "list", { "list", "/proc/sys" } },
		{ 0,
		  "/proc/sys/net/ipv4/conf/all",
		  "list",
		  { "list", "/proc/sys/net/ipv4/conf/all" } },
	};

	load_with("/proc");
	EXPECT_REFUSED(refused);
}

/* By /proc/sys all that is below may be read, and nothing written. */
TEST(a_rule_on_proc_sys)
{
	static const struct step steps[] = {
		{ 0, { "list", "/proc/sys" } },
		{ 0, { "list", "/proc/sys/net/ipv4/conf/all" } },
		{ 0, { "open", "r", "/proc/sys/kernel/core_pattern" } },
		{ 0, { "open", "r", "/proc/sys/net/ipv4/conf/all/rp_filter" } },
	};
	static const struct refused refused[] = {
		HOSTS("write", "open", "w", "/proc/sys/kernel/core_pattern"),
		HOSTS("write", "open", "rw", "/proc/sys/vm/overcommit_memory"),
	};

	load_with("/proc/sys");
	for (int i = 0; i < 2; i++) {
		EXPECT_OPEN_TO_ALL(steps);
		EXPECT_EQ(0, EVENTS("type=violation"));
		EXPECT_REFUSED(refused);
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/proc/meminfo"));
		EXPECT_EVENT("path=/proc/meminfo", "reason=no_rule");
		drop_caches();
		events_forget();
	}
}

/* Its inode is another one whenever memory was reclaimed: the name holds. */
TEST(a_rule_on_a_directory_in_proc_sys)
{
	load_with("/proc/sys/kernel");
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, PROBE("g", "list", "/proc/sys/kernel", "open", "r",
				   "/proc/sys/kernel/core_pattern", "open", "r",
				   "/proc/sys/kernel/random/poolsize"));
		EXPECT_EQ(0, EVENTS("type=violation"));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/proc/sys/vm/overcommit_memory"));
		EXPECT_EQ(EACCES, PROBE("g", "open", "w", "/proc/sys/kernel/core_pattern"));
		EXPECT_EQ(EACCES, PROBE("g", "list", "/proc/sys"));
		drop_caches();
		events_forget();
	}
	/* The next load finds another inode where this one was, and it is the same rule. */
	load_with("/proc/sys/kernel");
	EXPECT_EQ(0, PROBE("g", "open", "r", "/proc/sys/kernel/core_pattern"));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", "/proc/sys/vm/overcommit_memory"));
}

/* Nearest rule wins there, too. */
TEST(carve_outs)
{
	ASSERT_LOAD(GUEST("g") FILES RULE("/proc", "ro") RULE("/proc/meminfo", "none")
			    RULE("/proc/sys", "none") END);
	EXPECT_EQ(0, PROBE("g", "open", "r", "/proc/cpuinfo", "open", "r", "/proc/self/maps"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/proc/meminfo"));
	EXPECT_EVENT("path=/proc/meminfo", "reason=rule", "verdict=denied");
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/proc/sys/kernel/osrelease"));
	EXPECT_EVENT("path=/proc/sys/kernel/osrelease", "reason=rule");
	EXPECT_EQ(EACCES, PROBE("g", "open", "w", "/proc/self/comm"));
	EXPECT_EVENT("reason=rule", "missing=write");
	EXPECT_EQ(0, PROBE(NULL, "open", "r", "/proc/meminfo"));
}

/* A file alone, without the rest. */
TEST(a_rule_on_one_file)
{
	ASSERT_LOAD(GUEST("g") FILES RULE("/proc/meminfo", "ro") END);
	EXPECT_EQ(0, PROBE("g", "open", "r", "/proc/meminfo"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/proc/cpuinfo"));
	EXPECT_EVENT("path=/proc/cpuinfo", "reason=no_rule");
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/proc/self/status"));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", "/proc/cpuinfo"));
}

/* Another instance of procfs has no rule. */
TEST(another_procfs)
{
	const char *dir = scratch(), *file = text("%s/meminfo", dir);

	load_with("/proc");
	ASSERT_EQ(0, mount("proc", dir, "proc", 0, NULL));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", file));
	EXPECT_EVENT("type=violation", "reason=no_rule", text("path=%s", file));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", file));
	EXPECT_EQ(0, umount(dir));
}

/* ---- sysfs, cgroup2 ---- */

TEST(sysfs_is_for_reading)
{
	static const struct step steps[] = {
		{ 0, { "list", "/sys" } },
		{ 0, { "list", "/sys/devices/system/cpu" } },
		{ 0, { "open", "r", "/sys/devices/system/cpu/online" } },
		{ 0, { "open", "r", "/sys/kernel/rcu_expedited" } },
	};
	static const struct refused refused[] = {
		HOSTS("write", "open", "w", "/sys/kernel/rcu_expedited"),
		HOSTS("write", "open", "rw", "/sys/kernel/rcu_expedited"),
		HOSTS("write,truncate", "open", "wt", "/sys/kernel/rcu_expedited"),
		{ 0,
		  "/sys/kernel/rcu_expedited",
		  "metadata",
		  { "chown", "/sys/kernel/rcu_expedited" } },
	};

	load_with("/sys");
	for (int i = 0; i < 2; i++) {
		EXPECT_OPEN_TO_ALL(steps);
		EXPECT_EQ(0, EVENTS("type=violation"));
		EXPECT_REFUSED(refused);
		drop_caches();
		events_forget();
	}
	/* What is mounted below it does not get its rule. */
	EXPECT_EQ(EACCES, PROBE("g", "list", "/sys/fs/cgroup"));
	EXPECT_EQ(EACCES, PROBE("g", "list", "/sys/fs/bpf"));
	EXPECT_EQ(EACCES, PROBE("g", "list", "/sys/kernel/tracing"));
	EXPECT_EQ(0, PROBE(NULL, "list", "/sys/kernel/tracing"));
}

TEST(a_rule_deep_in_sysfs)
{
	ASSERT_LOAD(GUEST("g") FILES RULE("/sys/devices/system/cpu", "ro") END);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, PROBE("g", "open", "r", "/sys/devices/system/cpu/online", "open", "r",
				   "/sys/bus/cpu/devices/cpu0/uevent"));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/sys/kernel/rcu_expedited"));
		EXPECT_EQ(EACCES, PROBE("g", "open", "w", "/sys/devices/system/cpu/uevent"));
		drop_caches();
	}
	EXPECT_EQ(0, PROBE(NULL, "open", "w", "/sys/devices/system/cpu/uevent"));
}

TEST(cgroup2_is_for_reading)
{
	static const struct step steps[] = {
		{ 0, { "list", "/sys/fs/cgroup" } },
		{ 0, { "open", "r", "/sys/fs/cgroup/cgroup.controllers" } },
		{ 0, { "open", "r", CGROUPS "/g/memory.max" } },
		{ 0, { "open", "r", CGROUPS "/g/cgroup.procs" } },
	};
	static const struct refused refused[] = {
		HOSTS("write", "open", "w", CGROUPS "/g/cgroup.procs"),
		HOSTS("write", "open", "rw", "/sys/fs/cgroup/cgroup.procs"),
		HOSTS("write", "open", "w", CGROUPS "/g/memory.max"),
		HOSTS("write", "open", "w", CGROUPS "/g/cgroup.kill"),
		{ 0, CGROUPS "/g/sub", "create", { "mkdir", CGROUPS "/g/sub" } },
	};

	load_with("/sys/fs/cgroup");
	EXPECT_OPEN_TO_ALL(steps);
	EXPECT_EQ(0, EVENTS("type=violation"));
	EXPECT_REFUSED(refused);
	EXPECT_EQ(EACCES, PROBE("g", "rmdir", CGROUPS "/g/sub"));
	EXPECT_EQ(0, PROBE(NULL, "rmdir", CGROUPS "/g/sub"));
}

LEAVES_NO_GUEST()
