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

/* Two guests with rw below @ok: "g", and "a" in audit. @bad is outside. */
static const char *ok, *bad;

static void load_one(void)
{
	const char *dir = scratch();

	ok = make_dir(text("%s/ok", dir));
	bad = make_file(text("%s/f", make_dir(text("%s/no", dir))), "bad\n");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw")
			    END GUEST("a") "mode = \"audit\"\n" FILES RULE("%s", "rw") END,
		    ok, ok);
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

#define SPARE PINS "/links/spare"

/* Steps on what the engine and the kernel show as files: closed in every mode, and where reported. */
static const struct {
	const char *op;
	const char *path; /* NULL: the hook knows no mount, or what is refused is no file */
	const char *words[4];
} tampering[] = {
	{ "open", PINS, { "list", PINS } },
	{ "open", PINS "/maps/control", { "open", "r", PINS "/maps/control" } },
	{ "unlink", PINS "/links/pol_file_open", { "unlink", PINS "/links/pol_file_open" } },
	{ "unlink", PINS "/maps/control", { "unlink", PINS "/maps/control" } },
	{ "link", PINS "/links/pol_file_open", { "link", PINS "/links/pol_file_open", SPARE } },
	{ "rename", PINS, { "rename", PINS, PINS "_gone" } },
	{ "rmdir", PINS "/links", { "rmdir", PINS "/links" } },
	{ "mkdir", PINS "/mine", { "mkdir", PINS "/mine" } },
	{ "symlink", PINS "/mine", { "symlink", "x", PINS "/mine" } },
	{ "chmod", PINS, { "chmod", PINS } },
	{ "chown", PINS, { "chown", PINS } },
	{ "utime", NULL, { "utime", PINS } },
	{ "open", CGROUPS "/g/cgroup.procs", { "open", "w", CGROUPS "/g/cgroup.procs" } },
	{ "open", CGROUPS "/g/cgroup.threads", { "open", "w", CGROUPS "/g/cgroup.threads" } },
	{ "open", CGROUPS "/g/pids.max", { "open", "w", CGROUPS "/g/pids.max" } },
	{ "open", CGROUPS "/g/memory.max", { "open", "rw", CGROUPS "/g/memory.max" } },
	{ "open", CGROUPS "/g/cgroup.freeze", { "open", "wt", CGROUPS "/g/cgroup.freeze" } },
	{ "open", CGROUPS "/g/cgroup.kill", { "open", "w", CGROUPS "/g/cgroup.kill" } },
	{ "open", "/sys/fs/cgroup/cgroup.procs", { "open", "w", "/sys/fs/cgroup/cgroup.procs" } },
	{ "mkdir", CGROUPS "/g/sub", { "mkdir", CGROUPS "/g/sub" } },
	{ "rmdir", CGROUPS "/g", { "rmdir", CGROUPS "/g" } },
	{ "xattr", NULL, { "setxattr", CGROUPS "/g" } },
	{ "truncate", CGROUPS "/g/pids.max", { "truncate", CGROUPS "/g/pids.max" } },
	{ "open", "/proc/1/oom_score_adj", { "open", "w", "/proc/1/oom_score_adj" } },
	{ "open", "/proc/sys/kernel/core_pattern",
	  { "open", "w", "/proc/sys/kernel/core_pattern" } },
	{ "open", "/proc/sys/kernel/kptr_restrict",
	  { "open", "w", "/proc/sys/kernel/kptr_restrict" } },
	{ "open", "/proc/sysrq-trigger", { "open", "w", "/proc/sysrq-trigger" } },
	{ "open", "/sys/kernel/rcu_expedited", { "open", "w", "/sys/kernel/rcu_expedited" } },
	{ "open", "/sys/kernel/tracing/tracing_on",
	  { "open", "w", "/sys/kernel/tracing/tracing_on" } },
};
#define TAMPERING_CNT (sizeof(tampering) / sizeof(tampering[0]))

/* The same as root without confinement; what would last is undone. */
static const struct step untampered[] = {
	{ 0, { "list", PINS } },
	{ 0, { "link", PINS "/links/pol_file_open", SPARE } },
	{ 0, { "unlink", SPARE } },
	{ 0, { "rename", PINS, PINS "_gone" } },
	{ 0, { "rename", PINS "_gone", PINS } },
	{ 0, { "mkdir", PINS "/mine" } },
	{ 0, { "rmdir", PINS "/mine" } },
	{ 0, { "symlink", "x", PINS "/mine" } },
	{ 0, { "unlink", PINS "/mine" } },
	{ 0, { "chmod", PINS } },
	{ 0, { "chown", PINS } },
	{ 0, { "utime", PINS } },
	{ 0, { "open", "w", CGROUPS "/g/cgroup.procs" } },
	{ 0, { "open", "w", CGROUPS "/g/cgroup.threads" } },
	{ 0, { "open", "w", CGROUPS "/g/pids.max" } },
	{ 0, { "open", "rw", CGROUPS "/g/memory.max" } },
	{ 0, { "open", "wt", CGROUPS "/g/cgroup.freeze" } },
	{ 0, { "open", "w", CGROUPS "/g/cgroup.kill" } },
	{ 0, { "open", "w", "/sys/fs/cgroup/cgroup.procs" } },
	{ 0, { "mkdir", CGROUPS "/g/sub" } },
	{ 0, { "rmdir", CGROUPS "/g/sub" } },
	{ 0, { "setxattr", CGROUPS "/g" } },
	{ 0, { "removexattr", CGROUPS "/g" } },
	{ 0, { "truncate", CGROUPS "/g/pids.max" } },
	{ 0, { "clone-into", "/sys/fs/cgroup" } },
	{ 0, { "open", "w", "/proc/1/oom_score_adj" } },
	{ 0, { "open", "w", "/proc/sys/kernel/core_pattern" } },
	{ 0, { "open", "w", "/proc/sys/kernel/kptr_restrict" } },
	{ 0, { "open", "w", "/proc/sysrq-trigger" } },
	{ 0, { "open", "w", "/sys/kernel/rcu_expedited" } },
	{ 0, { "open", "w", "/sys/kernel/tracing/tracing_on" } },
	{ 0, { "open", "r", "/proc/kcore" } },
	{ 0, { "open", "rw", "/dev/mem" } },
};

#define EXPECT_STEPS(guest, steps, cnt)                               \
	do {                                                          \
		const char *why_ = probe_batch(guest, steps, cnt);    \
		if (why_)                                             \
			FAIL("as %s: %s", guest ?: "no guest", why_); \
	} while (0)

static void tamper_with_files(const char *guest)
{
	static struct step steps[TAMPERING_CNT];
	const char *who = text("guest.name=%s", guest), *op;

	events_forget();
	for (size_t i = 0; i < TAMPERING_CNT; i++) {
		steps[i].want = EACCES;
		for (int k = 0; k < 4; k++)
			steps[i].words[k] = tampering[i].words[k];
	}
	EXPECT_STEPS(guest, steps, TAMPERING_CNT);
	for (size_t i = 0; i < TAMPERING_CNT; i++) {
		op = text("op=%s", tampering[i].op);
		EXPECT_EVENT(who, "type=violation", op, "verdict=denied", "errno=EACCES",
			     "reason=builtin",
			     tampering[i].path ? text("path=%s", tampering[i].path) : op);
	}
	EXPECT_EQ(EPERM, PROBE(guest, "clone-into", "/sys/fs/cgroup"));
	EXPECT_EVENT(who, "type=escape", "op=clone_into_cgroup", "verdict=denied");
}

/* Mounts that would take the engine's objects away or hide them: EPERM in every mode. */
static void tamper_with_mounts(const char *guest)
{
	const char *d = make_dir(text("%s/%s", ok, guest)), *who = text("guest.name=%s", guest);
	const char *e = make_dir(text("%s/e", d)), *u = make_dir(text("%s/u", d));
	const char *w = make_dir(text("%s/w", d));
	const struct step steps[] = {
		{ EPERM, { "umount", "/sys/fs/bpf" } },
		{ EPERM, { "umount", "/sys/fs/cgroup" } },
		{ EPERM, { "umount", "/sys" } },
		{ EPERM, { "umount", "/proc" } },
		{ EPERM, { "umount", "/" } }, /* and all that is mounted below */
		{ EPERM, { "mount-tmpfs", "/sys/fs/bpf" } },
		{ EPERM, { "mount-tmpfs", PINS } },
		{ EPERM, { "mount-tmpfs", "/sys/fs/cgroup" } },
		{ EPERM, { "mount-bind", d, "/proc/self" } },
		{ EPERM, { "mount-ro", "/sys/fs/bpf" } },
		{ EPERM, { "mount-move", "/sys/fs/bpf", d } },
		{ EPERM, { "move-mount", "/sys/fs/bpf", d } },
		{ EPERM, { "mount-overlay", d, u, w, e } },
		{ EPERM, { "pivot", d, d } },
	};
	const size_t cnt = sizeof(steps) / sizeof(steps[0]);

	events_forget();
	EXPECT_STEPS(guest, steps, cnt);
	EXPECT_EVENT(who, "type=escape", "op=pivot_root", "verdict=denied", "errno=EPERM");
	EXPECT_EQ(5, EVENTS(who, "op=umount", "verdict=denied", "errno=EPERM"));
	EXPECT_EQ(8, EVENTS(who, "op=mount", "verdict=denied", "errno=EPERM"));
	EXPECT_EQ(5, EVENTS(who, "op=umount"));
}

/* As root without confinement, in mounts of its own. */
TEST(tampering_without_confinement)
{
	const char *d, *e, *u, *w;

	load_one();
	EXPECT_STEPS(NULL, untampered, sizeof(untampered) / sizeof(untampered[0]));
	d = make_dir(text("%s/d", ok));
	e = make_dir(text("%s/e", ok));
	u = make_dir(text("%s/u", ok));
	w = make_dir(text("%s/w", ok));
	const struct step steps[] = {
		{ 0, { "unshare-mnt" } },
		{ 0, { "mount-private" } },
		{ 0, { "mount-ro", "/sys/fs/bpf" } },
		{ 0, { "mount-move", "/sys/fs/bpf", d } },
		{ 0, { "move-mount", d, "/sys/fs/bpf" } },
		{ 0, { "mount-overlay", e, u, w, d } },
		{ 0, { "umount", d } },
		{ 0, { "mount-tmpfs", PINS } },
		{ 0, { "umount", PINS } },
		{ 0, { "mount-tmpfs", "/sys/fs/bpf" } },
		{ 0, { "umount", "/sys/fs/bpf" } },
		{ 0, { "umount", "/sys/fs/bpf" } },
		{ 0, { "mount-tmpfs", "/sys/fs/cgroup" } },
		{ 0, { "mount-bind", d, "/proc/self" } },
		{ 0, { "umount", "/sys" } },
		{ 0, { "umount", "/proc" } },
		{ 0, { "mount-bind", d, d } },
		{ 0, { "pivot", d, d } },
	};
	EXPECT_STEPS(NULL, steps, sizeof(steps) / sizeof(steps[0]));
	EXPECT_TRUE(exists(PINS "/links/pol_file_open"));
}

/* What tampering with the engine would change. */
struct seen {
	const char *generation;
	int links, maps;
};

static struct seen look(void)
{
	return (struct seen){
		.generation = text("%s", status_value("engine.generation")),
		.links = entries(PINS "/links"),
		.maps = entries(PINS "/maps"),
	};
}

static void expect_as_before(const struct seen *before)
{
	EXPECT_EQ(before->links, entries(PINS "/links"));
	EXPECT_EQ(before->maps, entries(PINS "/maps"));
	EXPECT_STREQ(before->generation, status_value("engine.generation"));
}

/* Audit: the engine's own are closed, all else goes on being reported and let pass. */
TEST(audit_guards_pins_mounts_and_the_kernel)
{
	struct seen before;
	const char *d;

	load_one();
	before = look();
	tamper_with_files("a");
	tamper_with_mounts("a");
	expect_as_before(&before);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad)); /* the other guest's confinement */
	EXPECT_EQ(EACCES, PROBE("a", "open", "r", "/proc/kcore"));
	EXPECT_EQ(EPERM, PROBE("a", "open", "rw", "/dev/mem"));
	EXPECT_EVENT("guest.name=a", "type=escape", "op=device", "verdict=denied");

	events_forget();
	d = make_dir(text("%s/d", ok));
	const struct step steps[] = {
		{ 0, { "open", "r", bad } },
		{ 0, { "open", "w", bad } },
		{ 0, { "open", "r", "/proc/version" } },
		{ 0, { "list", "/proc" } },
		{ 0, { "open", "r", "/sys/kernel/rcu_expedited" } },
		{ 0, { "open", "r", CGROUPS "/g/cgroup.procs" } },
		{ 0, { "unshare-mnt" } },
		{ 0, { "mount-private" } },
		{ 0, { "fs-open", "tmpfs" } },
		{ 0, { "fs-create" } },
		{ 0, { "fs-mount" } },
		{ 0, { "attach-tree", d } },
		{ 0, { "mount-setattr", d } },
		{ 0, { "umount", d } },
		{ 0, { "fs-open", "proc" } },
		{ 0, { "fs-create" } },
		{ 0, { "fs-mount" } },
		{ EPERM, { "attach-tree", "/proc" } },
		{ 0, { "attach-tree", d } },
		{ EPERM, { "umount", d } },
		{ 0, { "fs-pick", "/sys/fs/bpf" } },
		{ EPERM, { "fs-reconfigure" } },
		{ 0, { "mount-bind", ok, ok } },
		{ 0, { "pivot", ok, ok } },
	};
	EXPECT_STEPS("a", steps, sizeof(steps) / sizeof(steps[0]));
	EXPECT_EVENT("guest.name=a", text("path=%s", bad), "access=read", "verdict=would_deny",
		     "errno=EACCES");
	EXPECT_EVENT("guest.name=a", text("path=%s", bad), "access=write", "verdict=would_deny",
		     "errno=EACCES");
	EXPECT_EVENT("guest.name=a", "path=/proc/version", "verdict=would_deny");
	EXPECT_EVENT("guest.name=a", "op=mount", "verdict=would_deny");
	EXPECT_EQ(2, EVENTS("guest.name=a", "op=mount", "verdict=denied"));
	EXPECT_EVENT("guest.name=a", "op=pivot_root", "verdict=would_deny");
}

/* open_tree, fsopen, fspick, mount_setattr, open_tree_attr: asked of at the capability alone. */
TEST(mounting_by_calls_without_a_hook)
{
	const char *d;
	struct probe p;

	load_one();
	d = make_dir(text("%s/d", ok));
	EXPECT_ESCAPE("mount", 0, "open-tree", d);
	EXPECT_ESCAPE("mount", 0, "fs-open", "tmpfs");
	EXPECT_ESCAPE("mount", 0, "fs-pick", "/tmp");
	EXPECT_ESCAPE("mount", 0, "mount-setattr", "/tmp");
	EXPECT_EQ(PROBE(NULL, "open-tree-attr", "/tmp") ? ENOSYS : EPERM,
		  PROBE("g", "open-tree-attr", "/tmp"));
	EXPECT_EQ(0, PROBE(NULL, "fs-open", "tmpfs", "fs-create", "fs-mount"));

	/* What it had open when it was adopted serves for nothing. */
	probe_start(&p, NULL, STEPS("fs-open", "tmpfs", "pause", "fs-create", "pause"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	probe_go(&p);
	EXPECT_STREQ("fs-create 1", probe_until(&p, "fs-create"));
	probe_kill(&p);
	probe_start(&p, NULL, STEPS("fs-open", "tmpfs", "fs-create", "pause", "fs-mount"));
	ASSERT_TRUE(probe_until(&p, "paused") != NULL);
	EXPECT_EQ(0, ctl("attach g %d", p.pid));
	probe_go(&p);
	EXPECT_STREQ("fs-mount 1", probe_until(&p, "fs-mount"));
	probe_kill(&p);
}

TEST(pins_and_cgroups)
{
	struct seen before;

	load_one();
	before = look();
	tamper_with_files("g");
	tamper_with_mounts("g");
	EXPECT_CLOSED("open", "r", "/proc/kcore");
	EXPECT_CLOSED("open", "rw", "/dev/mem");
	expect_as_before(&before);
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
	tamper_with_files("g");
	tamper_with_files("a");
	tamper_with_mounts("a");
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

LEAVES_NO_GUEST()
