/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ceilings of a guest's cgroup: what is written when, what a load that fails leaves, controllers that
 * lack; and that a guest which goes for them harms neither another nor the host.
 */
#include "harness.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "guest_tasks.h"

static const char *dir;

SETUP()
{
	dir = fds_dir();
}

static const char *guest_with(const char *name, const char *limits)
{
	return text(GUEST("%s") FILES RULE("%s", "rw") RULE("/dev/zero", "ro") END
		    "[guest.%s.limits]\n%s\n",
		    name, dir, name, limits);
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

/* ---- values ---- */

#define VM_GUEST(name, limits) "[guest." name ".limits]\n" limits "\n"

static void load_vms(void)
{
	ASSERT_LOAD("[defaults.limits]\nvm_memory = \"2GiB\"\nswap = \"0\"\n" GUEST("large") GUEST(
		"middle") VM_GUEST("middle", "vm_memory = \"256MiB\"\nswap = \"max\"")
			    GUEST("small") VM_GUEST("small", "vm_memory = \"128MiB\"\ncpu = 0.5")
				    GUEST("said") VM_GUEST("said", "memory = \"64MiB\"\npids = 7"));
}

static void expect_vms(void)
{
	expect_ceilings("large",
			&(struct ceilings){ "1024", "4831838208", "0", "1", "max 100000" });
	expect_ceilings("middle",
			&(struct ceilings){ "1024", "1073741824", "max", "1", "max 100000" });
	expect_ceilings("small",
			&(struct ceilings){ "1024", "805306368", "0", "1", "50000 100000" });
	expect_ceilings("said", &(struct ceilings){ "7", "67108864", "0", "1", "max 100000" });
}

TEST(values_to_the_byte)
{
	load_vms();
	expect_vms();
	load_vms();
	expect_vms();
	EXPECT_CTL(0, "", "stop small");
	EXPECT_FALSE(exists(tasks_cgroup("small", "")));
	EXPECT_CTL(0, "", "run small -- true");
	expect_vms();
	EXPECT_NOTHING(engine_down());
	load_vms();
	expect_vms();
}

TEST(change_while_a_guest_runs)
{
	struct numbers brood;
	struct probe p;

	load("pids = 50\nmemory = \"256MiB\"\nswap = 0\ncpu = 1", "");
	probe_start(&p, "a", STEPS("pause", "brood", "10", dir));
	probe_until(&p, "paused");
	load("pids = 60\nmemory = \"max\"\nswap = \"max\"\ncpu = \"max\"", "");
	expect_ceilings("a", &(struct ceilings){ "60", "max", "max", "1", "max 100000" });
	load("pids = 5\nmemory = \"128MiB\"\nswap = 4096\ncpu = 0.1", "");
	expect_ceilings("a", &(struct ceilings){ "5", "134217728", "4096", "1", "10000 100000" });
	probe_go(&p);
	brood = tasks_numbers(probe_until(&p, "brooded"));
	EXPECT_EQ(4, brood.n[1]); /* born */
	EXPECT_EQ(6, brood.n[2]); /* EAGAIN */
	EXPECT_EQ(0, probe_end(&p));
}

/* VMs break where address space, time or processes of a user are bounded. */
TEST(no_ceiling_is_an_rlimit)
{
	static const char cmd[] = "grep -v 'Max open files' /proc/%d/limits";
	char confined[4096], free_of_it[4096];
	struct probe p, control;

	load("pids = 50\nmemory = \"256MiB\"\nswap = 0\ncpu = 1\nfds = 100", "");
	probe_start(&p, "a", STEPS("pause"));
	probe_start(&control, NULL, STEPS("pause"));
	EXPECT_EQ(0,
		  run_cmd(confined, sizeof(confined), cmd, probe_pid(probe_until(&p, "paused"))));
	EXPECT_EQ(0, run_cmd(free_of_it, sizeof(free_of_it), cmd,
			     probe_pid(probe_until(&control, "paused"))));
	EXPECT_STRSTR("Max address space", confined);
	EXPECT_STREQ(free_of_it, confined);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(0, probe_end(&control));
}

/* ---- controllers ---- */

static int without(const char *controller, const char *cgroup)
{
	return write_file(text("%s/cgroup.subtree_control", cgroup), text("-%s", controller));
}

TEST(what_is_not_handed_on_is_handed_on_again)
{
	load("pids = 50\nmemory = \"256MiB\"", "");
	ASSERT_EQ(0, without("memory", CGROUPS));
	EXPECT_FALSE(exists(tasks_cgroup("a", "memory.max")));
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	EXPECT_STREQ("268435456", file_of("a", "memory.max"));
	EXPECT_CTL(0, "", "stop a");
	ASSERT_EQ(0, without("memory", CGROUPS));
	EXPECT_CTL(0, "", "run a -- true");
	EXPECT_STREQ("268435456", file_of("a", "memory.max"));
}

#define V1 "/tmp/v1"

/* A controller leaves one hierarchy for another once nothing of it is left there. */
static void mount_v1(const char *controller)
{
	int r = -1;

	ASSERT_EQ(0, without(controller, CGROUPS));
	ASSERT_EQ(0, without(controller, CGROUP_ROOT));
	mkdir(V1, 0755);
	for (int i = 0; i < 300 && r; i++) {
		r = mount("none", V1, "cgroup", 0, controller);
		if (r)
			usleep(100000);
	}
	ASSERT_EQ(0, r);
}

static void umount_v1(const char *controller)
{
	char words[512] = "";

	ASSERT_EQ(0, umount(V1));
	for (int i = 0; i < 300 && !strstr(words, controller); i++) {
		usleep(100000);
		EXPECT_LE(0, read_file(CGROUP_ROOT "/cgroup.controllers", words, sizeof(words)));
	}
	ASSERT_STRSTR(controller, words);
}

TEST(a_controller_that_cgroup_v1_has)
{
	load("pids = 50", "");
	mount_v1("cpu");
	policy_write("%s", guest_with("a", "pids = 60\ncpu = 1"));
	EXPECT_CTL(4,
		   "guest 'a': cpu.max cannot be set, no controller 'cpu': '" CGROUP_ROOT
		   "' has none",
		   "load " POLICY_FILE);
	EXPECT_STREQ("50", file_of("a", "pids.max"));
	policy_write("%s", guest_with("a", "pids = 60\ncpu = \"max\""));
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	policy_write("%s", guest_with("a", "pids = 70\ncpu = 1\nbest_effort = true"));
	EXPECT_CTL(0, "warning[P0616]", "load " POLICY_FILE);
	EXPECT_STREQ("70", file_of("a", "pids.max"));
	umount_v1("cpu");
	EXPECT_CTL(0, "", "load " POLICY_FILE);
	EXPECT_TRUE(!strstr(ctl_said, "P0616"));
	EXPECT_STREQ("100000 100000", file_of("a", "cpu.max"));
}

/* ---- guests that go for their ceilings ---- */

#define JOB "sh -c 'seq 1 1000 | wc -l'"

/* Another guest and the host do something meanwhile. */
static void expect_answers(void)
{
	char said[64];

	EXPECT_CTL(0, "1000", "run b -- " JOB);
	EXPECT_EQ(0, run_cmd(said, sizeof(said), JOB));
	EXPECT_STREQ("1000\n", said);
}

#define TASKS 512

TEST_TIMEOUT(a_thousand_forks, 600)
{
	struct probe p;
	long refused; /* by now: the count outlives an instance */

	load(text("pids = %d", TASKS), "");
	refused = guest_number("a", "pids.refused");
	events_forget();
	probe_start(&p, "a", STEPS("bomb-fork"));
	for (int i = 0; i < 3000 && read_number(tasks_cgroup("a", "pids.current")) < TASKS; i++)
		usleep(100000);
	EXPECT_STREQ(text("bombed %d %d", EAGAIN, TASKS), probe_until(&p, "bombed"));
	EXPECT_EQ(TASKS, guest_number("a", "pids.now"));
	EXPECT_EQ(TASKS, guest_number("a", "pids.ceiling"));
	EXPECT_EQ(TASKS, guest_number("a", "pids.refused") - refused);
	expect_answers();
	probe_go(&p);
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_EQ(1, CEILING("a", "resource=pids", "verdict=pressure", "percent=80"));
	EXPECT_EQ(1, CEILING("a", "resource=pids", "verdict=pressure", "percent=95"));
	EXPECT_LE(1,
		  CEILING("a", "resource=pids", "verdict=denied", "errno=EAGAIN", "percent=100"));
	EXPECT_EQ(0, CEILING("b"));
	EXPECT_EQ(0, tasks_settle("a", 0));
	EXPECT_EQ(TASKS, guest_number("a", "pids.peak"));
}

/* One number of a file of words and numbers: memory.events, cpu.stat. */
static long stat_of(const char *guest, const char *file, const char *word)
{
	const char *at = strstr(file_of(guest, file), word);

	return at ? strtol(at + strlen(word), NULL, 10) : -1;
}

#define EAT "dd if=/dev/zero of=/dev/null count=1 bs="

TEST(an_eater_ends_its_guest_alone)
{
	struct probe p;

	load("memory = \"128MiB\"\nswap = 0", "");
	EXPECT_CTL(0, "", "run a -- " EAT "64M");
	EXPECT_EQ(0, stat_of("a", "memory.events", "oom_kill "));
	probe_start(&p, "b", STEPS("pause", "spawn", "3"));
	probe_until(&p, "paused");
	EXPECT_CTL(137, "", "run a -- sh -c 'sleep 1000 & " EAT "512M'");
	EXPECT_EQ(0, tasks_settle("a", 0)); /* sleep, too */
	EXPECT_LE(3, stat_of("a", "memory.events", "oom_kill "));
	EXPECT_EQ(1, stat_of("a", "memory.events", "oom_group_kill "));
	EXPECT_LE(guest_number("a", "memory.peak"), 128 << 20);
	EXPECT_EQ(128 << 20, guest_number("a", "memory.ceiling"));
	EXPECT_EQ(0, stat_of("b", "memory.events", "oom_kill "));
	expect_answers();
	probe_go(&p);
	EXPECT_STREQ("spawn 0", probe_until(&p, "spawn"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_CTL(0, "", "run a -- true");
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Four tasks that never sleep, for four seconds of the VM's clock: hundredths of a CPU in use. */
static long busy(const char *cpu)
{
	long usage, begin, used, passed;
	pid_t pid;

	load(text("cpu = %s", cpu), "");
	pid = fork();
	if (!pid) {
		execlp("policyctl", "policyctl", "run", "a", "--", "sh", "-c",
		       "for i in 1 2 3; do while :; do :; done & done; while :; do :; done", NULL);
		_exit(127);
	}
	for (int i = 0; i < 600 && guest_number("a", "pids.now") < 4; i++)
		usleep(100000);
	usage = stat_of("a", "cpu.stat", "usage_usec ");
	begin = now_us();
	sleep(4);
	expect_answers();
	used = stat_of("a", "cpu.stat", "usage_usec ") - usage;
	passed = now_us() - begin;
	EXPECT_CTL(0, "", "stop a --timeout 0");
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	printf("# cpu = %s: %ld us in %ld us\n", cpu, used, passed);
	return used * 100 / passed;
}

TEST(busy_loops)
{
	EXPECT_LE(busy("1.0"), 150);
	EXPECT_LE(151, busy("\"max\"")); /* the VM has two CPUs */
}

LEAVES_NO_GUEST()
