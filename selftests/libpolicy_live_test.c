/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libpolicy while guests run: the example program with its two guests on two threads, ceilings that
 * change under them, and subscriptions to their exits.
 */
#include "harness.h"

#include <pthread.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "api.h"
#include "daemon.h"
#include "guest_tasks.h"

static const char *guest_with(const char *name, const char *limits)
{
	return text(GUEST("%s") "[guest.%s.limits]\n%s\n", name, name, limits);
}

static long cgroup_number(const char *guest, const char *file)
{
	return read_number(text(CGROUPS "/%s/%s", guest, file));
}

static struct pol_guest_info info_of(const char *guest)
{
	struct pol_guest_info info = { .size = sizeof(info) };

	EXPECT_RETURN(0, pol_guest_info(guest, &info, &error));
	return info;
}

static int set_one(const char *guest, uint32_t which, uint64_t value)
{
	const struct pol_ceilings c = {
		.size = sizeof(c),
		.set = which,
		.fds = value,
		.pids = value,
		.memory = value,
		.swap = value,
		.cpu_milli = value,
	};

	return pol_guest_limits_set(guest, &c, &error);
}

/* ---- the example ---- */

struct vmm {
	pid_t pid;
	FILE *in, *out;
};

static void vmm_start(struct vmm *vmm, const char *first, const char *second)
{
	int in[2], out[2];

	ASSERT_EQ(0, pipe2(in, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
	fflush(stdout);
	vmm->pid = fork();
	if (!vmm->pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("/selftests/vmm", "vmm", "/selftests/vmm.toml", first, second, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	vmm->in = fdopen(in[1], "we");
	vmm->out = fdopen(out[0], "re");
}

/* What it answers to a call, without its end. */
static const char *vmm_say(struct vmm *vmm, const char *call)
{
	static char line[1024];

	fprintf(vmm->in, "%s\n", call);
	fflush(vmm->in);
	if (!fgets(line, sizeof(line), vmm->out))
		return "(it has ended)";
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static int vmm_end(struct vmm *vmm)
{
	fclose(vmm->in);
	fclose(vmm->out);
	return end_of(vmm->pid);
}

static void vmm_files(void)
{
	mkdir("/srv/alpha", 0755);
	mkdir("/srv/beta", 0755);
	mkdir("/srv/beta/shared", 0755);
	make_file("/srv/beta/f", "beta's");
	make_file("/srv/beta/shared/f", "seen");
	make_file("/srv/alpha/f", "alpha's");
	unlink("/srv/alpha/out");
	ASSERT_EQ(0, symlink("../beta/f", "/srv/alpha/out"));
}

#define ALPHA "alpha=/srv/alpha:/data,/srv/beta/shared:/peek,/srv/alpha/new:/file"
#define BETA  "beta=/srv/beta:/data"

TEST(two_guests_of_a_vmm)
{
	static const struct {
		const char *call, *answer;
	} rows[] = {
		/* The map: */
		{ "alpha write /data/x hello", "ok" },
		{ "alpha read data/..//data/x", "hello" },
		{ "alpha read /data/missing", "ENOENT" },
		{ "alpha read /nowhere", "ENOENT" },
		{ "alpha read /srv/alpha/x", "ENOENT" },
		{ "alpha read /data/out", "EACCES" },
		{ "alpha unlink /data/x", "ok" },
		{ "alpha unlink /data/x", "ENOENT" },
		{ "alpha write /data/x again", "ok" },
		{ "alpha read /data/x", "again" },
		{ "alpha read /file", "ENOENT" },
		{ "alpha write /file new", "ok" },
		{ "alpha read /data/new", "new" },
		{ "alpha unlink /file", "ok" },
		{ "beta read /data/f", "beta's" },
		{ "beta write /data/y y", "ok" },
		/* The engine, where the map says yes; and the control. */
		{ "alpha read /peek/f", "EACCES" },
		{ "beta read /data/shared/f", "seen" },
		/* And whatever a thread is made to do: */
		{ "alpha raw /srv/beta/f", "EACCES" },
		{ "beta raw /srv/beta/f", "ok" },
		{ "beta raw /srv/alpha/f", "EACCES" },
		{ "alpha raw /srv/alpha/f", "ok" },
		{ "beta raw /etc/passwd", "EACCES" },
		{ "beta frob /x", "ENOSYS" },
	};
	struct vmm vmm;

	vmm_files();
	vmm_start(&vmm, ALPHA, BETA);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *answer = strrchr(vmm_say(&vmm, rows[i].call), ':');

		if (!answer || strcmp(answer + 2, rows[i].answer) != 0)
			FAIL("%s: expected '%s', got '%s'", rows[i].call, rows[i].answer,
			     answer ? answer + 2 : "nothing");
	}
	EXPECT_EQ(0, vmm_end(&vmm));
	EXPECT_EQ(0, ctl("events --guest alpha --type violation --path /srv/beta/f"));
	EXPECT_STRSTR("denied", ctl_said);
	EXPECT_EQ(0, ctl("events --guest beta --type violation --path /srv/alpha/f"));
	EXPECT_STRSTR("denied", ctl_said);
}

static void hold(struct vmm *vmm, const char *guest, int cnt, const char *path)
{
	for (int i = 0; i < cnt; i++)
		EXPECT_STREQ(text("%s hold %s: ok", guest, path),
			     vmm_say(vmm, text("%s hold %s", guest, path)));
}

/* Each its own ceiling, though they share one table; and it changes under them. */
TEST(ceilings_of_two_threads_change)
{
	struct vmm vmm;

	/* What the other slot has are no rules of theirs. */
	ASSERT_LOADED("%s", guest_with("g", ""));
	vmm_files();
	vmm_start(&vmm, ALPHA, BETA);
	EXPECT_STREQ("alpha left: 16 of 16", vmm_say(&vmm, "alpha left"));
	EXPECT_STREQ("beta left: 8 of 8", vmm_say(&vmm, "beta left"));
	hold(&vmm, "beta", 8, "/data/f");
	EXPECT_STREQ("beta hold /data/f: EMFILE", vmm_say(&vmm, "beta hold /data/f"));
	EXPECT_STREQ("beta left: 0 of 8", vmm_say(&vmm, "beta left"));
	EXPECT_STREQ("alpha left: 16 of 16", vmm_say(&vmm, "alpha left"));
	EXPECT_RETURN(0, set_one("beta", POL_CEILING_FDS, 11));
	EXPECT_STREQ("beta left: 3 of 11", vmm_say(&vmm, "beta left"));
	hold(&vmm, "beta", 3, "/data/f");
	EXPECT_STREQ("beta hold /data/f: EMFILE", vmm_say(&vmm, "beta hold /data/f"));
	/* Below what it holds nothing is closed; the next one is refused until it is below. */
	EXPECT_RETURN(0, set_one("beta", POL_CEILING_FDS, 4));
	EXPECT_STREQ("beta left: 0 of 4", vmm_say(&vmm, "beta left"));
	EXPECT_EQ(11, info_of("beta").fds.now);
	EXPECT_STREQ("beta hold /data/f: EMFILE", vmm_say(&vmm, "beta hold /data/f"));
	EXPECT_STREQ("beta drop : ok", vmm_say(&vmm, "beta drop"));
	hold(&vmm, "beta", 4, "/data/f");
	EXPECT_STREQ("beta hold /data/f: EMFILE", vmm_say(&vmm, "beta hold /data/f"));
	EXPECT_LE(4, info_of("beta").fds.refused);
	/* All else stays: the other's ceiling, both whitelists. */
	EXPECT_STREQ("alpha left: 16 of 16", vmm_say(&vmm, "alpha left"));
	EXPECT_STREQ("alpha raw /srv/beta/f: EACCES", vmm_say(&vmm, "alpha raw /srv/beta/f"));
	EXPECT_STREQ("alpha raw /srv/alpha/f: ok", vmm_say(&vmm, "alpha raw /srv/alpha/f"));
	hold(&vmm, "alpha", 16, "/data/f");
	EXPECT_STREQ("alpha hold /data/f: EMFILE", vmm_say(&vmm, "alpha hold /data/f"));
	EXPECT_EQ(0, vmm_end(&vmm));
	EXPECT_EQ(0, info_of("beta").tasks);
}

/* ---- ceilings, live ---- */

static const char *in_cgroup(const char *guest, const char *file)
{
	static char buf[64];

	if (read_file(text(CGROUPS "/%s/%s", guest, file), buf, sizeof(buf)) < 0)
		return "(not there)";
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

TEST(each_ceiling)
{
	static const struct {
		uint32_t which;
		uint64_t value;
		const char *file, *set, *lifted;
	} rows[] = {
		{ POL_CEILING_PIDS, 77, "pids.max", "77", NULL },
		{ POL_CEILING_MEMORY, 1 << 30, "memory.max", "1073741824", "max" },
		{ POL_CEILING_SWAP, 1 << 20, "memory.swap.max", "1048576", "max" },
		{ POL_CEILING_CPU, 1500, "cpu.max", "150000 100000", "max 100000" },
	};
	uint64_t before, generation;

	ASSERT_LOADED("%s", guest_with("g", ""));
	before = generation = info_of("g").generation;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pol_ceilings lift = { .size = sizeof(lift), .lift = rows[i].which };

		EXPECT_RETURN(0, set_one("g", rows[i].which, rows[i].value));
		if (exists(text(CGROUPS "/g/%s", rows[i].file))) /* swap: not on every kernel */
			EXPECT_STREQ(rows[i].set, in_cgroup("g", rows[i].file));
		EXPECT_EQ(++generation, info_of("g").generation);
		EXPECT_RETURN(0,
			      set_one("g", rows[i].which, rows[i].value)); /* the same: nothing */
		EXPECT_EQ(generation, info_of("g").generation);
		EXPECT_RETURN(rows[i].lifted ? 0 : -EINVAL,
			      pol_guest_limits_set("g", &lift, &error));
		if (rows[i].lifted && exists(text(CGROUPS "/g/%s", rows[i].file)))
			EXPECT_STREQ(rows[i].lifted, in_cgroup("g", rows[i].file));
		generation += !!rows[i].lifted;
	}
	EXPECT_LE(before + 7, generation);
	ASSERT_LOADED("%s", guest_with("g", ""));
	EXPECT_EQ(1024, cgroup_number("g", "pids.max"));
}

TEST(tasks_at_the_new_ceiling)
{
	pid_t first, second;

	ASSERT_LOADED("%s", guest_with("g", "pids = 1"));
	EXPECT_RETURN(0, run("g", "exec sleep 1000", &first));
	EXPECT_RETURN(-EAGAIN, run("g", "exit 0", NULL));
	EXPECT_RETURN(0, set_one("g", POL_CEILING_PIDS, 2));
	EXPECT_RETURN(0, run("g", "exec sleep 1000", &second));
	EXPECT_RETURN(-EAGAIN, run("g", "exit 0", NULL));
	EXPECT_RETURN(0, set_one("g", POL_CEILING_PIDS, 1));
	EXPECT_EQ(2, info_of("g").tasks);
	EXPECT_RETURN(0, pol_guest_stop("g", 0, NULL, &error));
	(void)end_of(first);
	(void)end_of(second);
	/* A guest without a cgroup gets it with these ceilings. */
	EXPECT_RETURN(0, set_one("g", POL_CEILING_PIDS, 3));
	EXPECT_RETURN(0, run("g", "exit 0", &first));
	(void)end_of(first);
	EXPECT_EQ(3, cgroup_number("g", "pids.max"));
}

static long nofile_of(pid_t pid)
{
	struct rlimit limit = {};

	EXPECT_EQ(0, prlimit(pid, RLIMIT_NOFILE, NULL, &limit));
	return (long)limit.rlim_max;
}

/* A ceiling of descriptors that a running guest did not have: what it holds is its baseline. */
TEST(descriptors_newly_counted)
{
	const struct pol_ceilings lift = { .size = sizeof(lift), .lift = POL_CEILING_FDS };
	long before;
	pid_t pid;

	ASSERT_LOADED("%s", guest_with("g", ""));
	EXPECT_RETURN(0, run("g", "exec sleep 1000", &pid));
	before = nofile_of(pid);
	EXPECT_EQ(0, info_of("g").fds.has & POL_HAS_CEILING);
	EXPECT_RETURN(0, set_one("g", POL_CEILING_FDS, 5));
	EXPECT_EQ(5, info_of("g").fds.left);
	EXPECT_EQ(0, info_of("g").fds.now);
	EXPECT_EQ(3 + 5, nofile_of(pid));
	EXPECT_RETURN(0, set_one("g", POL_CEILING_FDS, 9));
	EXPECT_EQ(3 + 9, nofile_of(pid));
	EXPECT_RETURN(0, pol_guest_limits_set("g", &lift, &error));
	EXPECT_EQ(before, nofile_of(pid));
	EXPECT_EQ(0, info_of("g").fds.has & POL_HAS_CEILING);
	EXPECT_RETURN(0, pol_guest_stop("g", 0, NULL, &error));
	(void)end_of(pid);
}

TEST(ceilings_refused)
{
	struct pol_ceilings c = { .size = sizeof(c) };
	uint64_t generation;
	int lock;

	ASSERT_LOADED("%s", guest_with("g", ""));
	generation = info_of("g").generation;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_limits_set("g", &c, &error));
	c.set = 32;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_limits_set("g", &c, &error));
	c.set = c.lift = POL_CEILING_FDS;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_limits_set("g", &c, &error));
	c.size = 8;
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_guest_limits_set("g", &c, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, set_one("g", POL_CEILING_FDS, (1ull << 30) + 1));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, set_one("g", POL_CEILING_PIDS, 0));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, set_one("g", POL_CEILING_PIDS, 4194305));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, set_one("g", POL_CEILING_MEMORY, 4095));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, set_one("g", POL_CEILING_CPU, 9));
	EXPECT_RETURN(-ENOENT, set_one("nobody", POL_CEILING_PIDS, 5));
	lock = open("/sys/fs/bpf", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(0, flock(lock, LOCK_EX));
	EXPECT_KIND(POL_ERROR_BUSY, -EBUSY, set_one("g", POL_CEILING_PIDS, 5));
	close(lock);
	EXPECT_EQ(generation, info_of("g").generation);
	EXPECT_EQ(1024, cgroup_number("g", "pids.max"));
}

static _Noreturn void change_for_ever(void)
{
	for (uint64_t i = 0;; i++)
		if (set_one("g", POL_CEILING_PIDS, 5 + i % 2) ||
		    set_one("g", POL_CEILING_FDS, 8 + i % 2))
			_exit(1);
}

/* Wherever it dies: the next one finds all in order, and so does a load. */
TEST(killed_while_it_changes)
{
	ASSERT_LOADED("%s", guest_with("g", "pids = 5\nfds = 8"));
	for (int i = 0; i < test_count(8, 100); i++) {
		pid_t pid = fork();

		if (!pid)
			change_for_ever();
		usleep(30000 + (unsigned int)i * 7919 % 50000);
		EXPECT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(128 + SIGKILL, end_of(pid));
		EXPECT_RETURN(0, set_one("g", POL_CEILING_PIDS, 7));
		EXPECT_EQ(7, cgroup_number("g", "pids.max"));
		EXPECT_EQ(7, info_of("g").pids.ceiling);
		EXPECT_TRUE(info_of("g").fds.ceiling == 8 || info_of("g").fds.ceiling == 9);
	}
	ASSERT_LOADED("%s", guest_with("g", "pids = 6"));
	EXPECT_EQ(6, cgroup_number("g", "pids.max"));
}

/* ---- exits ---- */

#define EACH 40

struct seen {
	pid_t pids[EACH];
	int codes[EACH];
	int times[EACH];
};

static void run_each(const char *guest, struct seen *seen)
{
	for (int i = 0; i < EACH; i++) {
		seen->codes[i] = i;
		EXPECT_RETURN(0, run(guest, text("exit %d", i), &seen->pids[i]));
		(void)end_of(seen->pids[i]);
	}
}

static int note(struct seen *seen, const struct pol_exit *exit)
{
	for (int i = 0; i < EACH; i++)
		if (seen->pids[i] == exit->pid && seen->codes[i] == exit->code)
			return seen->times[i]++, 1;
	return 0;
}

/* The next one, waited for; an error of the stream is the result. */
static int take(struct pol_exit_stream *stream, struct pol_exit *ret)
{
	struct pollfd p = { .fd = pol_exit_stream_fd(stream), .events = POLLIN };
	int r;

	while ((r = pol_exit_stream_next(stream, ret)) == -EAGAIN)
		if (poll(&p, 1, 30000) != 1)
			return -ETIMEDOUT;
	return r;
}

static void expect_each_once(struct pol_exit_stream *stream, struct seen *a, struct seen *b)
{
	struct pol_exit exit = { .size = sizeof(exit) };
	uint64_t seq[2] = {};

	for (int i = 0; i < (b ? 2 : 1) * EACH; i++) {
		int of_a, of_b;

		ASSERT_EQ(0, take(stream, &exit));
		of_a = note(a, &exit);
		of_b = b ? note(b, &exit) : 0;
		EXPECT_EQ(1, of_a + of_b);
		EXPECT_STREQ(of_a ? "a" : "b", exit.guest);
		EXPECT_LE(seq[of_b] + 1, exit.seq);
		seq[of_b] = exit.seq;
	}
	for (int i = 0; i < EACH; i++) {
		EXPECT_EQ(1, a->times[i]);
		a->times[i] = 0;
		if (b) {
			EXPECT_EQ(1, b->times[i]);
			b->times[i] = 0;
		}
	}
	EXPECT_EQ(-EAGAIN, pol_exit_stream_next(stream, &exit));
	EXPECT_EQ(0, pol_exit_stream_lost(stream));
}

static long exits_in(FILE *f, long want)
{
	long cnt = 0;

	while (cnt < want && *line_with(f, "\"type\":\"exit\""))
		cnt++;
	return cnt;
}

/* All that listen have all of it: two subscribers, one of one guest, and policyd with its own. */
TEST(each_exit_once_beside_policyd)
{
	struct pol_exit_stream *one, *other, *of_a;
	struct seen a = {}, b = {};
	struct daemon d;
	FILE *f;

	ASSERT_LOADED("%s%s", guest_with("a", ""), guest_with("b", ""));
	start(&d);
	f = subscribe("{\"follow\":true,\"format\":\"json\",\"type\":\"exit\"}");
	ASSERT_EQ(0, pol_exit_stream_open(NULL, 0, &one, &error));
	ASSERT_EQ(0, pol_exit_stream_open(NULL, 0, &other, &error));
	ASSERT_EQ(0, pol_exit_stream_open("a", 0, &of_a, &error));
	run_each("a", &a);
	run_each("b", &b);
	expect_each_once(one, &a, &b);
	expect_each_once(other, &a, &b);
	expect_each_once(of_a, &a, NULL);
	EXPECT_EQ(2 * EACH, exits_in(f, 2 * EACH));
	pol_exit_stream_close(one);
	pol_exit_stream_close(other);
	pol_exit_stream_close(of_a);
	fclose(f);
	EXPECT_EQ(0, end(&d, SIGTERM));
}

/* No reader wakes anybody here; and what is pending stays so. */
TEST(each_exit_once_without_policyd)
{
	struct pol_exit_stream *stream, *late;
	struct seen a = {}, b = {};

	ASSERT_LOADED("%s%s", guest_with("a", ""), guest_with("b", ""));
	events_forget();
	ASSERT_EQ(0, pol_exit_stream_open(NULL, 0, &stream, &error));
	run_each("a", &a);
	run_each("b", &b);
	expect_each_once(stream, &a, &b);
	EXPECT_EQ(2 * EACH, EVENTS("type=exit"));
	/* A supervisor that comes back: what it missed is kept. */
	ASSERT_EQ(0, pol_exit_stream_open("b", POL_EXITS_KEPT, &late, &error));
	for (struct pol_exit exit = { .size = sizeof(exit) };
	     pol_exit_stream_next(late, &exit) != -EAGAIN;)
		(void)note(&b, &exit);
	for (int i = 0; i < EACH; i++)
		EXPECT_EQ(1, b.times[i]);
	pol_exit_stream_close(stream);
	pol_exit_stream_close(late);
}

/* Two whose exits lie in one ring (their numbers are 16 apart): each has a subscription of its own. */
TEST(one_guest_among_its_neighbours)
{
	struct pol_exit exit = { .size = sizeof(exit) };
	struct pol_exit_stream *streams[2];
	const char *policy = "";
	pid_t pids[2];

	for (int i = 0; i < 17; i++)
		policy = text("%s[guest.n%02d]\ninclude = [\"runtime\"]\n", policy, i);
	ASSERT_LOADED("%s", policy);
	ASSERT_EQ(info_of("n00").id + 16, info_of("n16").id);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pol_exit_stream_open(i ? "n16" : "n00", 0, &streams[i], &error));
	for (int i = 0; i < 2; i++) {
		EXPECT_RETURN(0, run(i ? "n16" : "n00", "exit 5", &pids[i]));
		(void)end_of(pids[i]);
	}
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, take(streams[i], &exit));
		EXPECT_EQ(pids[i], exit.pid);
		EXPECT_STREQ(i ? "n16" : "n00", exit.guest);
		EXPECT_EQ(-EAGAIN, pol_exit_stream_next(streams[i], &exit));
		pol_exit_stream_close(streams[i]);
	}
}

#define KEPT 1024

TEST(who_falls_behind_is_told)
{
	struct pol_exit exit = { .size = sizeof(exit) };
	struct pol_exit_stream *stream;
	long got = 0;
	pid_t pid;
	int r;

	ASSERT_LOADED("%s", guest_with("g", ""));
	ASSERT_EQ(0, pol_exit_stream_open("g", 0, &stream, &error));
	EXPECT_RETURN(0, run("g",
			     text("i=0; while [ $i -lt %d ]; do (:); i=$((i+1)); done", KEPT + 100),
			     &pid));
	EXPECT_EQ(0, end_of(pid));
	do /* its own comes last */
		r = take(stream, &exit);
	while (r == 0 ? ++got && exit.pid != pid : r == -EOVERFLOW);
	EXPECT_EQ(0, r);
	EXPECT_EQ(KEPT, got);
	EXPECT_EQ(101, pol_exit_stream_lost(stream));
	pol_exit_stream_close(stream);
}

TEST(subscriptions_refused)
{
	struct pol_exit exit = { .size = 8 };
	struct pol_exit_stream *stream = NULL;

	ASSERT_LOADED("%s", guest_with("g", ""));
	EXPECT_RETURN(-ENOENT, pol_exit_stream_open("nobody", 0, &stream, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_exit_stream_open("g", 2, &stream, &error));
	ASSERT_EQ(0, pol_exit_stream_open("g", 0, &stream, &error));
	EXPECT_EQ(-EINVAL, pol_exit_stream_next(stream, &exit));
	EXPECT_EQ(-EINVAL, pol_exit_stream_next(stream, NULL));
	exit.size = sizeof(exit);
	EXPECT_EQ(-EAGAIN, pol_exit_stream_next(stream, &exit));
	pol_exit_stream_close(stream);
}

/* ---- handles and an unload ---- */

/* This process is its own guest: a lazy shadow of its own, mapped and served. */
static struct pol_lazy *serve_oneself(struct pol_lazy_mapping *ret)
{
	const char *dir = scratch(), *file = make_file(text("%s/file", dir), "content");
	struct pol_lazy *lazy = NULL;
	int shadow;

	ASSERT_LOADED(GUEST("g") "[guest.g.shadow]\npaths = [\"%s\"]\n", dir);
	shadow = pol_shadow_make("g", file, POL_SHADOW_MAKE_LAZY, NULL, NULL, &error);
	ASSERT_LE(0, shadow);
	ASSERT_EQ(0, pol_lazy_map(shadow, PROT_READ, ret, &error));
	ASSERT_EQ(0, pol_lazy_open("g", shadow, file, ret->uffd, (uintptr_t)ret->address, &lazy,
				   &error));
	return lazy;
}

/* Waits for its page in the kernel, which has no signal for it. */
static void *read_page(void *page)
{
	return (void *)write(memfd_create("sink", 0), page, 1);
}

/* Nobody says any more whether the file changes. */
static void expect_no_page(struct pol_lazy *lazy, void *page)
{
	struct pollfd p = { .fd = pol_lazy_fd(lazy), .events = POLLIN };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, read_page, page));
	ASSERT_EQ(1, poll(&p, 1, 30000));
	EXPECT_RETURN(-ESTALE, pol_lazy_serve(lazy, 1, &error));
	EXPECT_EQ(0, pol_lazy_copied(lazy));
	pol_lazy_close(lazy);
}

TEST(an_unload_ends_them)
{
	struct pol_lazy_mapping mapping = { .size = sizeof(mapping) };
	struct pol_exit exit = { .size = sizeof(exit) };
	struct pol_lazy *lazy = serve_oneself(&mapping);
	struct pol_exit_stream *stream = NULL;

	ASSERT_EQ(0, pol_exit_stream_open("g", 0, &stream, &error));
	EXPECT_NOTHING(engine_down());
	EXPECT_EQ(-ESTALE, take(stream, &exit));
	pol_exit_stream_close(stream);
	EXPECT_RETURN(-ENOENT, pol_exit_stream_open(NULL, 0, &stream, &error));
	expect_no_page(lazy, mapping.address);
}
