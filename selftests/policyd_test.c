/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyd on a real engine: what it prints and serves, who may subscribe, and that it waits, goes on
 * and starts over with nothing lost. What it is waited for is a line or a notification, never time.
 */
#include "harness.h"

#include <limits.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "daemon.h"

/* ---- the engine comes and goes: first, as all that follow use what it has loaded ---- */

/* Two first loads, on 6.1 with a wait for RCU at each hook. */
TEST_TIMEOUT(waits_for_an_engine_and_for_the_next_one, 900)
{
	struct daemon d;
	FILE *f;

	EXPECT_NOTHING(engine_down());
	start(&d);
	EXPECT_STRSTR("no policy is loaded, waiting", said());
	f = subscribe("{}");
	EXPECT_STRSTR("\"ok\":true", line_with(f, ""));
	for (int i = 0; i < 2; i++) {
		load_one();
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
		EXPECT_STRSTR("denied", line_with(d.out, violation(bad)));
		EXPECT_STRSTR("denied", line_with(f, violation(bad)));
		if (i)
			break;
		EXPECT_EQ(0, ctl("unload --force"));
		/* Said once its maps are closed: it keeps nothing of an engine that is gone. */
		EXPECT_STRSTR("waiting", notified(&d, "STATUS=No policy is loaded, waiting"));
		EXPECT_NOTHING(engine_left());
	}
	EXPECT_STRSTR("the engine was unloaded", said());
	EXPECT_EQ(0, end(&d, SIGTERM));
}

/* ---- what it prints and serves ---- */

TEST(prints_and_serves_what_was_refused)
{
	struct daemon d;
	FILE *json, *text_;
	json_t *a, *b;

	load_one();
	events_forget();
	start(&d);
	json = subscribe("{}");
	EXPECT_STREQ("{\"schema\":\"policyd/v1\",\"ok\":true}\n", line_with(json, ""));
	text_ = subscribe("{\"format\":\"text\"}");
	EXPECT_STREQ("{\"schema\":\"policyd/v1\",\"ok\":true}\n", line_with(text_, ""));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	a = json_loads(line_with(d.out, violation(bad)), 0, NULL);
	b = json_loads(line_with(json, violation(bad)), 0, NULL);
	EXPECT_STREQ("violation", json_at(a, "type"));
	EXPECT_STREQ("EACCES", json_at(a, "errno"));
	EXPECT_STREQ("g", json_at(a, "guest.name"));
	EXPECT_TRUE(json_equal(a, b));
	EXPECT_STRSTR("denied", line_with(text_, bad));
	EXPECT_EQ(0, kill(d.pid, SIGHUP));
	EXPECT_STRSTR("RELOADING=1", notified(&d, "RELOADING=1"));
	EXPECT_STRSTR("READY=1", notified(&d, "READY=1"));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_STREQ("", line_with(json, "no such line")); /* its end */
	EXPECT_TRUE(!exists(SOCK));
	/* Nothing is left for the next reader. */
	EXPECT_EQ(0, EVENTS("type=violation"));
}

TEST(refuses_what_is_no_request)
{
	struct daemon d;

	load_one();
	start(&d);
	EXPECT_STRSTR("\"ok\":false", line_with(subscribe("{\"typ\":\"exit\"}"), ""));
	EXPECT_STRSTR("'format'", line_with(subscribe("{\"format\":\"xml\"}"), ""));
	EXPECT_STRSTR("a JSON object", line_with(subscribe("hello"), ""));
	EXPECT_STRSTR("longer than", line_with(subscribe(text("%032768d", 0)), ""));
	EXPECT_STRSTR("\"ok\":true", line_with(subscribe("{\"format\":\"json\"}"), ""));
	EXPECT_EQ(0, end(&d, SIGTERM));
}

TEST(serves_root_only)
{
	struct daemon d;
	struct stat st;
	char out[1024];

	load_one();
	start(&d);
	EXPECT_EQ(0, stat(SOCK, &st));
	EXPECT_EQ(0600, (int)st.st_mode & 07777);
	/* Neither by its mode nor, were that wrong, by who it is. */
	EXPECT_EQ(0, chmod(SOCK, 0666));
	fflush(stdout);
	if (!fork()) {
		FILE *f;

		if (setuid(1000))
			_exit(1);
		f = subscribe("{}");
		_exit(strstr(line_with(f, ""), "for root only") && !*line_with(f, "") ? 0 : 2);
	}
	int status = 0;

	EXPECT_LE(1, wait(&status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_STRSTR("\"ok\":true", line_with(subscribe("{}"), ""));
	/* A second one. */
	EXPECT_EQ(5, run_cmd(out, sizeof(out), POLICYD));
	EXPECT_STRSTR("another policyd serves", out);
	EXPECT_EQ(0, end(&d, SIGTERM));
}

/* One at another socket: it says so once, and goes on when the ring is free. */
TEST(waits_for_another_reader)
{
	struct daemon d, second;
	const char *why = "another reader has the events";

	load_one();
	events_forget();
	start(&d);
	more_args[0] = "--socket";
	more_args[1] = SOCK "2";
	start(&second);
	EXPECT_STRSTR(why, said());
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_STRSTR("denied", line_with(d.out, violation(bad)));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_STRSTR("STATUS=Reading the events", notified(&second, "STATUS=Reading the events"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_STRSTR("denied", line_with(second.out, violation(bad)));
	EXPECT_TRUE(!strstr(strstr(said(), why) + 1, why));
	EXPECT_EQ(0, end(&second, SIGTERM));
}

/* ---- policyctl events by it ---- */

static long lines_said(void)
{
	long cnt = 0;

	for (const char *p = ctl_said; *p; p++)
		cnt += *p == '\n';
	return cnt;
}

/* It prints what policyd keeps, as often as it is asked, by all the filters it has without. */
TEST(policyctl_prints_what_it_keeps)
{
	struct daemon d;

	load_one();
	events_forget();
	start(&d);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_EQ(EACCES, PROBE("g", "open", "w", bad));
	for (int i = 0; i < 2; i++) {
		EXPECT_CTL(0, bad, "events --type violation");
		EXPECT_EQ(2, lines_said());
	}
	EXPECT_CTL(0, "\"missing\":[\"write\"", "events --format json --path %s", bad);
	EXPECT_CTL(0, "exit", "events --guest g --type exit");
	EXPECT_EQ(2, lines_said());
	EXPECT_CTL(0, "", "events --verdict would_deny");
	EXPECT_EQ(0, lines_said());
	EXPECT_CTL(0, "", "events --since 2099-01-01T00:00:00Z");
	EXPECT_EQ(0, lines_said());
	EXPECT_CTL(0, bad, "events --since 1h --verdict denied");
	EXPECT_EQ(2, lines_said());
	EXPECT_CTL(1, "no guest 'other'", "events --guest other");
	EXPECT_CTL(2, "--path '/\\xff'", "events --path \"$(printf '/\\377')\"");
	/* Without it nothing is left: it had taken them from the ring. */
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_CTL(0, "", "events --type violation");
	EXPECT_EQ(0, lines_said());
}

TEST(policyctl_follows_by_it)
{
	struct daemon d;
	FILE *f;

	load_one();
	events_forget();
	start(&d);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	f = popen("exec policyctl events --follow --format json 2>&1", "re");
	EXPECT_STRSTR("\"missing\":[\"read\"", line_with(f, violation(bad)));
	EXPECT_EQ(EACCES, PROBE("g", "open", "w", bad));
	EXPECT_STRSTR("\"missing\":[\"write\"", line_with(f, violation(bad)));
	EXPECT_EQ(137, end(&d, SIGKILL));
	EXPECT_STRSTR("policyd has ended", line_with(f, "has ended"));
	EXPECT_EQ(1, WEXITSTATUS(pclose(f)));
}

/* ---- who does not read ---- */

TEST_TIMEOUT(who_does_not_read_holds_nobody_up, 600)
{
	long refused = 2500;
	struct daemon d;
	FILE *slow;

	load_one();
	events_forget();
	more_args[0] = "--keep";
	more_args[1] = "256KiB";
	start(&d);
	slow = subscribe("{}");
	EXPECT_STRSTR("\"ok\":true", line_with(slow, ""));
	fflush(stdout);
	pid_t pid = fork();

	if (!pid)
		_exit(PROBE("g", "names", text("%ld", refused), bad) != EACCES);
	/* Standard output has all of it while the other has read nothing ... */
	EXPECT_EQ(refused, count_of(d.out, refused));
	/* ... which then gets some, and is told exactly how many it did not get. */
	EXPECT_EQ(refused, count_of(slow, refused));
	int status = -1;

	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(0, EVENTS("type=violation"));
}

/* ---- a file ---- */

/* Starts it on a file in @dir. Return: the file. */
static const char *start_in(struct daemon *d, const char *dir, const char *size)
{
	const char *file = text("%s/events.jsonl", dir);
	const char *args[] = {
		"--keep", "64KiB", "--file", file, size ? "--file-size" : NULL, size
	};

	memcpy(more_args, args, sizeof(args));
	start(d);
	return file;
}

static const char *start_on_file(struct daemon *d, const char *size)
{
	return start_in(d, scratch(), size);
}

/* Until the daemon has written it: SIGTERM delivers what is pending. */
static long violations_in(const char *file)
{
	FILE *f = fopen(file, "re");
	long cnt = f ? count_of(f, LONG_MAX) : 0;

	if (f)
		fclose(f);
	return cnt;
}

TEST(writes_to_a_file_that_may_be_moved_away)
{
	static const int signals[] = { SIGHUP, SIGUSR1 };
	struct daemon d;
	const char *file;
	struct stat st;
	FILE *f;

	load_one();
	events_forget();
	file = start_on_file(&d, NULL);
	f = subscribe("{}");
	EXPECT_STRSTR("\"ok\":true", line_with(f, ""));
	for (size_t i = 0; i < 2; i++) {
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
		EXPECT_STRSTR("denied", line_with(f, violation(bad)));
		EXPECT_EQ(0, rename(file, text("%s.%d", file, signals[i])));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
		EXPECT_STRSTR("denied", line_with(f, violation(bad)));
		EXPECT_EQ(0, kill(d.pid, signals[i]));
		/* Its answer to the next request comes after the signal was handled. */
		EXPECT_STRSTR("\"ok\":true", line_with(subscribe("{}"), ""));
	}
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(2, violations_in(text("%s.%d", file, SIGHUP)));
	EXPECT_EQ(2, violations_in(text("%s.%d", file, SIGUSR1)));
	EXPECT_EQ(1, violations_in(file));
	EXPECT_EQ(0, stat(file, &st));
	EXPECT_EQ(0600, (int)st.st_mode & 07777);
}

TEST(rotates_by_size)
{
	long refused = 250, sum = 0;
	struct daemon d;
	const char *file;
	struct stat st;

	load_one();
	events_forget();
	file = start_on_file(&d, "64KiB");
	EXPECT_EQ(EACCES, PROBE("g", "names", text("%ld", refused), bad));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_TRUE(exists(text("%s.1", file)));
	EXPECT_TRUE(!exists(text("%s.6", file)));
	for (int i = 5; i >= 0; i--)
		sum += violations_in(i ? text("%s.%d", file, i) : file);
	EXPECT_EQ(refused, sum);
	EXPECT_EQ(0, stat(text("%s.1", file), &st));
	EXPECT_LE(64 << 10, st.st_size);
}

#define REFUSED_MORE_THAN_FITS 600

/*
 * Starts it on a file of a filesystem mounted at @dir with @options, and makes more events than fit.
 * Return: the file. A subscriber, held up by nothing, has had them all.
 */
static const char *start_and_fill(struct daemon *d, const char *dir, const char *options)
{
	const char *file;
	FILE *f;

	load_one();
	events_forget();
	EXPECT_EQ(0, mount("tmpfs", dir, "tmpfs", 0, options));
	file = start_in(d, dir, NULL);
	f = subscribe("{\"type\":\"violation\"}");
	EXPECT_STRSTR("\"ok\":true", line_with(f, ""));
	EXPECT_EQ(EACCES, PROBE("g", "names", text("%d", REFUSED_MORE_THAN_FITS), bad));
	EXPECT_EQ(REFUSED_MORE_THAN_FITS, count_of(f, REFUSED_MORE_THAN_FITS));
	return file;
}

/* The disk is full: no line is torn; what was lost meanwhile is told once there is room. */
TEST(a_full_disk_tears_no_line_and_hides_no_loss)
{
	const char *dir = scratch(), *file;
	struct daemon d;

	file = start_and_fill(&d, dir, "size=128k");
	EXPECT_STRSTR("takes no more events", said());
	EXPECT_EQ(0, mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=16m"));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(REFUSED_MORE_THAN_FITS, violations_in(file));
	EXPECT_EQ(0, run_cmd(NULL, 0, "grep -q '\"type\":\"lost\"' %s", file));
	EXPECT_EQ(0, umount(dir));
}

TEST(says_at_its_end_what_a_full_disk_cost)
{
	const char *dir = scratch();
	struct daemon d;

	(void)start_and_fill(&d, dir, "size=64k");
	EXPECT_EQ(1, end(&d, SIGTERM));
	EXPECT_STRSTR("events that found no room", said());
	EXPECT_EQ(0, umount(dir));
}

static bool holds(const char *file, const char *line)
{
	return run_cmd(NULL, 0, "grep -qx '%s' %s", line, file) == 0;
}

/* No inode for the next file: nothing is shifted; with one, it goes on. */
TEST(a_rotation_that_fails_takes_nothing)
{
	const char *dir = scratch(), *file = text("%s/f", dir);
	int one = 1;
	long sum = 0;
	struct daemon d;
	FILE *f;

	load_one();
	events_forget();
	/* The directory, PATH and two rotated ones. */
	EXPECT_EQ(0, mount("tmpfs", dir, "tmpfs", 0, "size=16m,nr_inodes=4"));
	make_file(text("%s.1", file), "one\n");
	make_file(text("%s.2", file), "two\n");
	const char *args[] = { "--file", file, "--file-size", "64KiB" };

	memcpy(more_args, args, sizeof(args));
	start(&d);
	f = subscribe_violations();
	refuse_many(f, 150);
	refuse_each(f, 8);
	EXPECT_STRSTR("cannot open", said());
	EXPECT_TRUE(holds(text("%s.1", file), "one"));
	EXPECT_TRUE(holds(text("%s.2", file), "two"));
	EXPECT_EQ(0, mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=16m,nr_inodes=64"));
	refuse_many(f, 150);
	refuse_each(f, 1);
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(0, run_cmd(NULL, 0, "test -e %s.1 && ! test -e %s.new", file, file));
	/* One rotation or, as it falls, two. */
	while (one < 4 && !holds(text("%s.%d", file, one), "one"))
		sum += violations_in(text("%s.%d", file, one++));
	EXPECT_TRUE(holds(text("%s.%d", file, one + 1), "two"));
	EXPECT_EQ(150 + 8 + 150 + 1, sum + violations_in(file));
	EXPECT_EQ(0, umount(dir));
}

/* Moved with no signal: a new one, once it is to be rotated; the rotated ones stay. */
TEST(a_file_that_was_moved_away_is_not_rotated)
{
	struct daemon d;
	const char *file;
	FILE *f;

	load_one();
	events_forget();
	file = start_on_file(&d, "64KiB");
	make_file(text("%s.1", file), "one\n");
	f = subscribe_violations();
	refuse_each(f, 2);
	EXPECT_EQ(0, rename(file, text("%s.moved", file)));
	refuse_many(f, 120);
	refuse_each(f, 4);
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_TRUE(holds(text("%s.1", file), "one"));
	EXPECT_TRUE(!exists(text("%s.2", file)));
	EXPECT_LE(1, violations_in(file));
	EXPECT_EQ(2 + 120 + 4, violations_in(text("%s.moved", file)) + violations_in(file));
}

/* The engine goes while lines wait, on a full disk; their records are in no ring any more. */
static FILE *unload_with_lines_waiting(struct daemon *d, const char *dir, const char *file)
{
	FILE *f;

	load_one();
	events_forget();
	EXPECT_EQ(0, mount("tmpfs", dir, "tmpfs", 0, "size=64k"));
	const char *args[] = { "--file", file };

	memcpy(more_args, args, sizeof(args));
	start(d);
	f = subscribe_violations();
	refuse_many(f, 300);
	EXPECT_EQ(0, ctl("unload --force"));
	EXPECT_STRSTR("waiting", notified(d, "STATUS=No policy is loaded, waiting"));
	return f;
}

TEST_TIMEOUT(lines_that_outlive_their_engine_are_written, 600)
{
	const char *dir = scratch(), *file = text("%s/f", dir);
	struct daemon d;

	unload_with_lines_waiting(&d, dir, file);
	EXPECT_STRSTR("takes no more events", said());
	EXPECT_EQ(0, mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=16m"));
	while (!strstr(said(), "takes events again"))
		usleep(10000); /* nothing else tells; the test's time bounds it */
	EXPECT_EQ(300, violations_in(file));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(0, umount(dir));
}

TEST_TIMEOUT(lines_that_outlive_their_engine_are_not_lost_unsaid, 600)
{
	const char *dir = scratch(), *file = text("%s/f", dir);
	struct daemon d;

	unload_with_lines_waiting(&d, dir, file);
	EXPECT_EQ(1, end(&d, SIGTERM));
	EXPECT_STRSTR("lines that waited are lost", said());
	EXPECT_EQ(0, umount(dir));
}

TEST(touches_no_file_of_others)
{
	static const char *const foreign[] = { "root:x:0:0", "root:x:0:0\nbin:x:1:1\n",
					       "{\"version\":1}", "[Unit]\nDescription=x" };
	const char *file = text("%s/f", scratch());
	char out[1024];

	load_one();
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		make_file(file, foreign[i]);
		EXPECT_EQ(1, run_cmd(out, sizeof(out), POLICYD " --file %s", file));
		EXPECT_STRSTR("is no file of events", out);
		EXPECT_LE(0, read_file(file, out, sizeof(out)));
		EXPECT_STREQ(foreign[i], out);
	}
}

TEST(cuts_a_torn_line_and_shares_with_nobody)
{
	const char *file = text("%s/f", scratch());
	struct daemon d;
	char out[1024];

	load_one();
	events_forget();
	make_file(file, "{\"schema\":\"policyctl/v1\",\"whole\":1}\n{\"sc");
	const char *args[] = { "--file", file };

	memcpy(more_args, args, sizeof(args));
	start(&d);
	EXPECT_STRSTR("torn line: cut off", said());
	EXPECT_EQ(1, run_cmd(out, sizeof(out), POLICYD " --socket " SOCK "2 --file %s", file));
	EXPECT_STRSTR("locked by another process", out);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(1, violations_in(file));
	EXPECT_TRUE(holds(file, "{\"schema\":\"policyctl/v1\",\"whole\":1}"));
	EXPECT_EQ(1, run_cmd(out, sizeof(out), POLICYD " --file /dev/null"));
	EXPECT_STRSTR("no regular file", out);
	EXPECT_EQ(1, run_cmd(out, sizeof(out), POLICYD " --file /no/such/file"));
	EXPECT_STRSTR("cannot open '/no/such/file'", out);
	EXPECT_EQ(1, run_cmd(out, sizeof(out), "ln -s %s %s.l; " POLICYD " --file %s.l", file, file,
			     file));
	EXPECT_STRSTR("Too many levels of symbolic links", out);
}

/* ---- policyctl-load.service ---- */

/* POLICY is a pipe first, so that the load waits for its end while it is replaced. */
TEST(a_save_during_a_load_is_loaded_too)
{
	const char *dir = scratch(), *policy = text("%s/policy.toml", dir);
	const char *next = text("%s/next", dir), *loaded;
	static const char head[] = "version = 1\n[guest.g]\n";
	char event[sizeof(struct inotify_event) + NAME_MAX + 1];
	int opened = inotify_init1(IN_CLOEXEC), pipe_fd;
	FILE *f;

	load_one();
	make_file(next, text("%s[guest.later]\n", head));
	EXPECT_EQ(0, mkfifo(policy, 0600));
	pipe_fd = open(policy, O_RDWR | O_CLOEXEC);
	EXPECT_LE(0, inotify_add_watch(opened, policy, IN_OPEN));
	f = popen(text("exec policyctl load --settle %s 2>&1", policy), "re");
	EXPECT_LE(1, read(opened, event, sizeof(event)));
	EXPECT_EQ((ssize_t)strlen(head), write(pipe_fd, head, strlen(head)));
	EXPECT_EQ(0, rename(next, policy));
	close(pipe_fd);
	close(opened);
	EXPECT_STRSTR("1 guest,", line_with(f, "replaced"));
	loaded = line_with(f, "replaced");
	EXPECT_STRSTR("2 guests,", loaded);
	EXPECT_STREQ("", line_with(f, "replaced"));
	EXPECT_EQ(0, WEXITSTATUS(pclose(f)));
	EXPECT_CTL(2, "'-'", "load --settle -");
}

/* ---- it dies ---- */

TEST(killed_it_loses_nothing_and_weakens_nothing)
{
	struct daemon d;

	load_one();
	events_forget();
	start(&d);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_STRSTR("denied", line_with(d.out, violation(bad)));
	EXPECT_EQ(137, end(&d, SIGKILL));
	EXPECT_EQ(EACCES, PROBE("g", "open", "w", bad));
	EXPECT_TRUE(exists(SOCK)); /* nobody's: the next one takes its place */
	start(&d);
	EXPECT_STRSTR("\"missing\":[\"write\"]", line_with(d.out, "\"missing\":[\"write\""));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
	EXPECT_STRSTR("denied", line_with(d.out, violation(bad)));
	EXPECT_EQ(0, end(&d, SIGTERM));
}

/* Marks the numbers of guest @name that a file accounts for; those of `lost` by their count. */
static long account(const char *file, const char *name, bool *seen, long max)
{
	static char line[16384];
	FILE *f = fopen(file, "re");
	long lost = 0;

	while (f && fgets(line, sizeof(line), f)) {
		json_t *event = json_loads(line, 0, NULL);
		long seq = event ? strtol(json_at(event, "guest.seq"), NULL, 10) : 0;

		if (!event)
			FAIL("no JSON: %.200s", line);
		if (strcmp(name, json_at(event, "guest.name")) != 0)
			seq = 0;
		else if (!strcmp("lost", json_at(event, "type")))
			lost += strtol(json_at(event, "count"), NULL, 10);
		else if (seq < max)
			seen[seq] = true;
		json_decref(event);
	}
	if (f)
		fclose(f);
	return lost;
}

/* Killed in the middle of a flood, and again: each number is in the file, or counted as lost. */
TEST_TIMEOUT(killed_in_a_flood_every_number_is_accounted_for, 600)
{
	static bool seen[1 << 16];
	const char *file = text("%s/f", scratch());
	const char *args[] = { "--file", file };
	long refused = 400, emitted, cnt = 0;
	struct daemon d;
	FILE *f;

	load_one();
	events_forget();
	emitted = strtol(guest_value("g", "events.emitted"), NULL, 10);
	memcpy(more_args, args, sizeof(args));
	for (int i = 0; i < 3; i++) {
		int status = -1;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (!pid)
			_exit(PROBE("g", "names", text("%ld", refused), bad) != EACCES);
		start(&d);
		f = subscribe("{\"kept\":true,\"type\":\"violation\"}");
		EXPECT_STRSTR("denied", line_with(f, "\"type\":\"violation\""));
		EXPECT_EQ(137, end(&d, SIGKILL));
		fclose(f);
		waitpid(pid, &status, 0);
		EXPECT_EQ(0, status);
	}
	start(&d);
	EXPECT_EQ(0, end(&d, SIGTERM));
	cnt = account(file, "g", seen, 1 << 16);
	emitted = strtol(guest_value("g", "events.emitted"), NULL, 10) - emitted;
	for (size_t i = 0; i < sizeof(seen); i++)
		cnt += seen[i];
	EXPECT_LE(3 * refused, emitted);
	EXPECT_EQ(emitted, cnt);
}

TEST(says_what_it_is)
{
	char out[4096];

	EXPECT_EQ(0, run_cmd(out, sizeof(out), POLICYD " --help"));
	EXPECT_STRSTR("usage: policyd", out);
	EXPECT_EQ(0, run_cmd(out, sizeof(out), POLICYD " --version"));
	EXPECT_STRSTR("kernel interface", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --sock"));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " more"));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --keep 1KiB"));
	EXPECT_STRSTR("64KiB to 1GiB", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --keep much"));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --format xml"));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --file here"));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --file /f --file-size 1"));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --file /f --file-count 0"));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --file /f --file-count 1x"));
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --sync"));
	EXPECT_STRSTR("are for --file", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --socket here"));
	EXPECT_STRSTR("absolute", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --socket /%0200d", 0));
	EXPECT_STRSTR("107 bytes", out);
	EXPECT_EQ(1, run_cmd(out, sizeof(out), POLICYD " --socket /no/such/dir/s"));
	EXPECT_STRSTR("cannot make the directory '/no/such/dir'", out);
	EXPECT_EQ(1, run_cmd(out, sizeof(out), POLICYD " --socket %s",
			     make_file(text("%s/f", scratch()), "")));
	EXPECT_STRSTR("is no socket", out);
	EXPECT_EQ(1, run_cmd(out, sizeof(out), POLICYD " >&-"));
	EXPECT_STRSTR("standard output is closed", out);
	EXPECT_EQ(4, run_cmd(out, sizeof(out), "setpriv --reuid 1000 --clear-groups " POLICYD));
	EXPECT_STRSTR("not root", out);
}

LEAVES_NO_GUEST()
