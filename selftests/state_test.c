/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state in the kernel: it holds while nothing of ours runs, is read by the next command,
 * refuses what it does not know, and goes without a trace.
 */
#include "harness.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <bpf/bpf.h>

#include "abi.h"
#include "guest.h"

static const char *root, *good, *bad;

static void load_one(void)
{
	root = scratch();
	make_dir(text("%s/ok", root));
	good = make_file(text("%s/ok/f", root), "good\n");
	bad = make_file(text("%s/f", root), "bad\n");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s/ok", "rw") END, root);
}

/* ---- nothing of ours runs ---- */

static void kill_all_policyctl(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char comm[32];

	while ((e = readdir(d))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid > 1 && read_file(text("/proc/%d/comm", pid), comm, sizeof(comm)) > 0 &&
		    !strcmp(comm, "policyctl\n"))
			kill(pid, SIGKILL);
	}
	closedir(d);
}

TEST(enforcement_outlives_policyctl)
{
	struct probe p;
	pid_t pid;

	load_one();
	probe_start(&p, "g", STEPS("fork", "pause", "open", "r", bad, "open", "rw", good));
	pid = probe_pid(probe_until(&p, "paused"));
	kill_all_policyctl();
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(137, probe_end(&p));
	EXPECT_EVENT("type=violation", "op=open", text("path=%s", bad), "errno=EACCES",
		     text("process.pid=%d", pid), "guest.name=g");
}

TEST(events_outlive_their_reader)
{
	load_one();
	events_forget();
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_EQ(1, EVENTS("type=violation", text("path=%s", bad)));
	EXPECT_EQ(1, EVENTS("type=violation", text("path=%s", bad))); /* consumed: not again */
}

TEST(a_filter_consumes_nothing)
{
	load_one();
	events_forget();
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_EQ(0, ctl("events --guest g --format json"));
	EXPECT_STRSTR(bad, ctl_said);
	EXPECT_EQ(0, ctl("events --type exit --format json"));
	EXPECT_TRUE(!strstr(ctl_said, "violation"));
	EXPECT_EQ(1, EVENTS("type=violation", text("path=%s", bad)));
}

TEST(sequence_numbers_have_no_gap)
{
	long long last = 0, seq;
	const json_t *event;
	size_t i, n = 0;

	load_one();
	events_forget();
	for (int k = 0; k < 3; k++)
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad, "open", "w", bad, "mkdir",
					text("%s/dir", root)));
	EXPECT_EQ(9, EVENTS("type=violation"));
	json_array_foreach(events_all(), i, event) {
		if (strcmp(json_at(event, "guest.name"), "g") != 0)
			continue;
		seq = strtoll(json_at(event, "guest.seq"), NULL, 10);
		if (n++)
			EXPECT_EQ(last + 1, seq);
		last = seq;
	}
	EXPECT_LE(9, n);
}

TEST(denials_are_counted)
{
	long before;

	load_one();
	before = strtol(guest_value("g", "denials"), NULL, 10);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad, "open", "r", bad, "open", "r", bad));
	EXPECT_EQ(before + 3, strtol(guest_value("g", "denials"), NULL, 10));
}

/* ---- status ---- */

TEST(status_json)
{
	static const char *const keys[] = { "mode",	     "tasks",	       "fds",
					    "pids.now",	     "pids.peak",      "pids.ceiling",
					    "pids.refused",  "memory.now",     "memory.ceiling",
					    "denials",	     "events.emitted", "events.lost",
					    "events.folded", "stale" };
	struct probe p;

	load_one();
	probe_start(&p, "g", STEPS("fork", "pause"));
	probe_until(&p, "paused");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		EXPECT_STRSTR("", guest_value("g", keys[i]));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp("(no such key)", guest_value("g", keys[i])))
			FAIL("status lacks %s", keys[i]);
	EXPECT_STREQ("enforce", guest_value("g", "mode"));
	EXPECT_STREQ("2", guest_value("g", "tasks"));
	EXPECT_STREQ("2", guest_value("g", "pids.now"));
	EXPECT_STREQ("1024", guest_value("g", "pids.ceiling"));
	EXPECT_STREQ("null", guest_value("g", "fds"));
	EXPECT_STREQ("null", guest_value("g", "memory.ceiling"));
	EXPECT_STREQ("0", guest_value("g", "stale"));
	EXPECT_EQ(1024, read_number(CGROUPS "/g/pids.max"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_STREQ("0", guest_value("g", "tasks"));
}

TEST(status_of_the_engine)
{
	char out[128];

	load_one();
	EXPECT_STREQ("policyctl/v1", status_value("schema"));
	EXPECT_STREQ("enforce", status_value("engine.mode"));
	EXPECT_EQ(0, run_cmd(out, sizeof(out), "sha256sum < " POLICY_FILE " | tr -d ' \\n-'"));
	EXPECT_STREQ(out, status_value("engine.policy_sha256"));
	EXPECT_EQ(0, run_cmd(out, sizeof(out), "uname -r | tr -d '\\n'"));
	EXPECT_STRSTR(out, status_value("engine.kernel"));
	EXPECT_TRUE(strspn(status_value("engine.health.recursion_misses"), "0123456789") > 0);
	ASSERT_LOAD(GUEST("g") "mode = \"audit\"\n" GUEST("h"));
	EXPECT_STREQ("mixed", status_value("engine.mode"));
	EXPECT_STREQ("audit", guest_value("g", "mode"));
	EXPECT_STREQ("0", guest_value("h", "tasks"));
	ASSERT_LOAD(GUEST("g") "mode = \"audit\"\n");
	EXPECT_STREQ("audit", status_value("engine.mode"));
	EXPECT_STREQ("absent", guest_value("h", "tasks"));
}

TEST(doctor)
{
	json_error_t err;
	json_t *said;

	load_one();
	ASSERT_EQ(0, ctl("doctor --json 2>/dev/null"));
	said = json_loads(ctl_said, 0, &err);
	ASSERT_TRUE(said != NULL);
	EXPECT_STREQ("true", json_at(said, "enforcing"));
	EXPECT_STREQ("exact", json_at(said, "rights.read"));
	EXPECT_STREQ("exact", json_at(said, "rights.create"));
	EXPECT_STREQ("exact", json_at(said, "rights.connect"));
	EXPECT_STREQ("bounded", json_at(said, "rights.ioctl"));
	EXPECT_STREQ("", json_at(said, "problems"));
	EXPECT_STREQ("exact", json_at(said, "ceilings.tasks"));
	EXPECT_STREQ("exact", json_at(said, "ceilings.fds.open"));
	/* The grade is of what is attached: the program that can be skipped, or the other. */
	ASSERT_LOAD(GUEST("g") "limits = { fds = 64 }\n");
	EXPECT_STREQ(exists(PINS "/links/pol_file_alloc") ? "exact" : "bounded",
		     json_at(said, "ceilings.fds.pipe"));
	EXPECT_EQ(!exists(PINS "/links/pol_file_alloc"), exists(PINS "/links/pol_file_alloc_fmod"));
}

/* ---- another version ---- */

/* One field of the pinned control map, in place. Return: what it was. */
static uint32_t tamper(uint32_t abi)
{
	struct pol_control control = { 0 };
	uint32_t zero = 0, was;
	int fd = -1;
	DIR *d;

	for (const char *const *path =
		     STEPS(PINS "/control", PINS "/maps/control", PINS "/map_control");
	     *path && fd < 0; path++)
		fd = bpf_obj_get(*path);
	if (fd < 0) {
		d = opendir(PINS);
		for (struct dirent *e; d && (e = readdir(d));)
			printf("# pinned: %s\n", e->d_name);
		SKIP("the pin of map control was not found");
	}
	ASSERT_EQ(0, bpf_map_lookup_elem(fd, &zero, &control));
	was = control.abi;
	control.abi = abi;
	ASSERT_EQ(0, bpf_map_update_elem(fd, &zero, &control, 0));
	close(fd);
	return was;
}

TEST(state_of_another_version)
{
	uint32_t was;

	load_one();
	was = tamper(POL_ABI_VERSION + 1000);
	EXPECT_CTL(1, "version", "load " POLICY_FILE);
	EXPECT_CTL(1, "version", "status");
	EXPECT_CTL(1, "version", "events");
	EXPECT_CTL(125, "version", "run g -- /usr/bin/true");
	tamper(was);
	EXPECT_EQ(0, ctl("load " POLICY_FILE));
	EXPECT_EQ(0, PROBE("g", "open", "rw", good));
}

/* ---- unload ---- */

TEST(unload_refuses_while_guests_run)
{
	struct probe p;

	load_one();
	probe_start(&p, "g", STEPS("pause", "open", "r", bad, "pause", "open", "r", bad));
	probe_until(&p, "paused");
	EXPECT_CTL(1, "'g'", "unload");
	EXPECT_STRSTR("--force", ctl_said);
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, ctl("unload --force"));
	EXPECT_STRSTR("unconfined", ctl_said);
	probe_go(&p);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_NOTHING(engine_down());
}

TEST(unload_leaves_nothing_behind)
{
	load_one();
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_EQ(0, ctl("unload"));
	EXPECT_NOTHING(engine_left());
	EXPECT_EQ(0, ctl("unload")); /* of nothing */
	EXPECT_STREQ("false", status_value("engine.loaded"));
	EXPECT_STREQ("", status_value("guests"));
	load_one();
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
}

TEST(unload_empties_cgroups_within_the_guests)
{
	struct probe p;
	pid_t pid;

	load_one();
	probe_start(&p, "g", STEPS("pause", "open", "r", bad));
	pid = probe_pid(probe_until(&p, "paused"));
	make_dir(CGROUPS "/g/a");
	make_dir(CGROUPS "/g/a/b");
	make_dir(CGROUPS "/g/c");
	ASSERT_EQ(0, run_cmd(NULL, 0, "echo %d >" CGROUPS "/g/a/b/cgroup.procs", pid));
	EXPECT_EQ(0, ctl("unload --force"));
	EXPECT_FALSE(exists(CGROUPS));
	probe_go(&p);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
}

/*
 * Neither a mount point nor what is mounted over can be renamed: the unload fails, and has to leave
 * the guest as confined as it was.
 */
static void fail_to_unload(const char *mounted)
{
	const char *before = status_value("engine.generation");

	ASSERT_EQ(0, mount(mounted, mounted, NULL, MS_BIND, NULL));
	EXPECT_CTL(1, "nothing has changed", "unload --force");
	EXPECT_STREQ("true", status_value("engine.loaded"));
	EXPECT_STREQ(before, status_value("engine.generation"));
	EXPECT_TRUE(exists(CGROUPS "/g"));
}

TEST(unload_that_fails_changes_nothing)
{
	struct probe p;

	load_one();
	probe_start(&p, "g",
		    STEPS("pause", "open", "r", bad, "pause", "open", "r", bad, "pause", "open",
			  "r", bad));
	probe_until(&p, "paused");
	fail_to_unload(PINS);
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	ASSERT_EQ(0, umount(PINS));
	probe_until(&p, "paused");
	fail_to_unload(make_dir(PINS "_old"));
	probe_go(&p);
	EXPECT_STREQ("open 13", probe_until(&p, "open"));
	ASSERT_EQ(0, umount(PINS "_old"));
	probe_until(&p, "paused");
	EXPECT_EQ(0, ctl("unload --force"));
	probe_go(&p);
	EXPECT_STREQ("open 0", probe_until(&p, "open"));
	EXPECT_EQ(0, probe_end(&p));
	EXPECT_NOTHING(engine_down());
}

LEAVES_NO_GUEST()
