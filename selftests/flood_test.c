/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * More refusals than anybody wants to read: equal ones are folded, a flood of one guest's takes
 * nothing from another, and per guest every one is accounted for, whether somebody reads or not.
 */
#include "harness.h"

#include "guest.h"
#include "guest_fds.h"
#include "guest_kill.h"

#define FILES_CNT 4000
#define KINDS	  700 /* of each guest, in turn: some are folded, some have no place for it */
#define GUESTS	  3

static const char *root;

static const char *file_of(int nr)
{
	return text("%s/%d", root, nr);
}

/* Guests a and b, and c in audit, that may none of them open anything of @cnt files. */
static void make_world(int cnt)
{
	root = scratch();
	for (int i = 0; i < cnt; i++)
		make_file(file_of(i), "");
	ASSERT_LOAD(GUEST("a") GUEST("b") GUEST("c") "mode = \"audit\"\n");
	events_forget();
}

/* ---- what status says of a guest, since then ---- */

struct numbers {
	long emitted, lost, denials, would_deny, folded, folded_would, lost_repeats, folded_lost;
};

static struct numbers numbers_of(const char *guest)
{
	return (struct numbers){
		guest_number(guest, "events.emitted"), guest_number(guest, "events.lost"),
		guest_number(guest, "denials"),	       guest_number(guest, "would_deny"),
		guest_number(guest, "events.folded"),  guest_number(guest, "events.folded_would"),
		guest_number(guest, "events.lost_repeats"),
		guest_number(guest, "events.folded_lost"),
	};
}

static struct numbers since(const char *guest, const struct numbers *then)
{
	struct numbers now = numbers_of(guest);

	return (struct numbers){
		now.emitted - then->emitted, now.lost - then->lost,
		now.denials - then->denials, now.would_deny - then->would_deny,
		now.folded - then->folded,   now.folded_would - then->folded_would,
		now.lost_repeats - then->lost_repeats,
		now.folded_lost - then->folded_lost,
	};
}

/* ---- what a reader got of a guest ---- */

struct got {
	long records, firsts, repeats, lost, lost_violations;
	long last, backwards; /* sequence numbers */
};

static long number_in(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtol(at + strlen(key), NULL, 10) : 0;
}

static void count_line(const char *line, const char *guest, struct got *ret)
{
	long repeats = number_in(line, "\"repeats\":"), seq = number_in(line, "\"seq\":");

	if (!strstr(line, text("\"guest\":{\"name\":\"%s\"", guest)))
		return;
	if (strstr(line, "\"type\":\"lost\"")) {
		ret->lost += number_in(line, "\"count\":");
		if (strstr(line, "\"of\":\"violation\""))
			ret->lost_violations += number_in(line, "\"count\":");
		return;
	}
	ret->records++;
	ret->backwards += seq <= ret->last;
	ret->last = seq;
	if (strstr(line, "\"type\":\"violation\"")) {
		ret->firsts += !repeats;
		ret->repeats += repeats;
	}
}

static struct got got_of(const char *path, const char *guest)
{
	static char line[16384];
	struct got got = { 0 };
	FILE *f = fopen(path, "re");

	ASSERT_TRUE(f != NULL);
	while (fgets(line, sizeof(line), f))
		count_line(line, guest, &got);
	fclose(f);
	return got;
}

/* ---- a reader that comes and goes ---- */

static pid_t reader_start(const char *path)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	dup2(open(path, O_WRONLY | O_CREAT | O_APPEND, 0600), STDOUT_FILENO);
	execlp("policyctl", "policyctl", "events", "--follow", "--format", "json", (char *)NULL);
	_exit(127);
}

static void reader_end(pid_t pid)
{
	int status = -1;

	kill(pid, SIGTERM);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Polls until it is so, for half a minute. */
static bool comes(const char *guest, const char *key, long want)
{
	for (int i = 0; i < 300; i++) {
		if (guest_number(guest, key) >= want)
			return true;
		usleep(100000);
	}
	return false;
}

/* ---- folding ---- */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* @cnt refusals of one kind within one window: tried anew where this machine was slower than that. */
static struct numbers burst(const char *guest, long cnt, const char *path)
{
	struct numbers then;
	double begin;

	events_fold = true;
	for (int i = 0; i < 20; i++) {
		events_forget();
		events_unfold();
		events_forget();
		then = numbers_of(guest);
		begin = now_s();
		(void)PROBE(guest, "opens", text("%ld", cnt), "r", path);
		if (now_s() - begin < 0.9)
			return then;
	}
	FAIL("%ld refusals never take less than a window", cnt);
	return then;
}

#define RECORDS 4 /* that the guest was created, the first, the end of its process, the repeats */

/* A hundred, and no reader: one record at once, one more from the window's timer. */
TEST(equal_refusals_are_two_records)
{
	struct numbers then, now;

	make_world(1);
	then = burst("a", 100, file_of(0));
	EXPECT_TRUE(comes("a", "events.folded", then.folded + 99));
	now = since("a", &then);
	EXPECT_EQ(100, now.denials);
	EXPECT_EQ(99, now.folded);
	EXPECT_TRUE(comes("a", "events.emitted", then.emitted + RECORDS));
	EXPECT_NOTHING(events_read());
	EXPECT_EQ(100, EVENTS("type=violation", "guest.name=a"));
	EXPECT_EVENT("type=violation", "guest.name=a", "repeats=0", "verdict=denied", "op=open",
		     text("path=%s", file_of(0)), "access=read", "missing=read");
	EXPECT_EVENT("type=violation", "guest.name=a", "repeats=99", "verdict=denied", "op=open",
		     text("path=%s", file_of(0)), "access=read", "missing=read", "reason=no_rule",
		     "process.comm=probe");
	EXPECT_EQ(RECORDS, since("a", &then).emitted);
	/* That window is over. */
	EXPECT_EQ(EACCES, PROBE("a", "open", "r", file_of(0)));
	EXPECT_EQ(2, EVENTS("type=violation", "guest.name=a", "repeats=0"));
}

TEST(audit_folds_apart)
{
	struct numbers then, now;

	make_world(1);
	then = burst("c", 100, file_of(0));
	EXPECT_TRUE(comes("c", "events.emitted", then.emitted + RECORDS));
	now = since("c", &then);
	EXPECT_EQ(100, now.would_deny);
	EXPECT_EQ(99, now.folded_would);
	EXPECT_EQ(0, now.denials);
	EXPECT_EQ(0, now.folded);
	EXPECT_EVENT("type=violation", "guest.name=c", "repeats=99", "verdict=would_deny");
}

/* Of another guest, object, access, operation; of names that nothing has. */
TEST(different_refusals_are_not_folded)
{
	static const struct step steps[] = {
		{ EACCES, { "open", "r", "0" } },	{ EACCES, { "open", "w", "0" } },
		{ EACCES, { "open", "r", "1" } },	{ EACCES, { "open", "rwc", "new" } },
		{ EACCES, { "open", "rwc", "newer" } }, { EACCES, { "mkdir", "new" } },
		{ EACCES, { "truncate", "0" } },	{ EACCES, { "chmod", "0" } },
		{ EACCES, { "unlink", "0" } },		{ EACCES, { "unlink", "1" } },
	};
	const size_t cnt = sizeof(steps) / sizeof(*steps);
	struct numbers then;

	make_world(2);
	ASSERT_EQ(0, chdir(root));
	events_fold = true;
	then = numbers_of("a");
	EXPECT_BATCH("a", steps);
	EXPECT_BATCH("b", steps);
	EXPECT_EQ(cnt, EVENTS("type=violation", "guest.name=a", "repeats=0"));
	EXPECT_EQ(cnt, EVENTS("type=violation", "guest.name=b", "repeats=0"));
	EXPECT_EQ(0, since("a", &then).folded);
}

/* What the first record said holds of the repeats: another generation is another kind. */
TEST(a_load_begins_anew)
{
	struct numbers then;

	make_world(1);
	then = burst("a", 50, file_of(0));
	EXPECT_CTL(0, "replaced", "load " POLICY_FILE);
	EXPECT_EQ(EACCES, PROBE("a", "opens", "50", "r", file_of(0)));
	events_fold = false;
	EXPECT_EQ(100, EVENTS("type=violation", "guest.name=a"));
	EXPECT_EQ(2, EVENTS("type=violation", "guest.name=a", "repeats=0"));
	EXPECT_EQ(98, since("a", &then).folded);
}

/* Its text is longer than a window keeps. */
TEST(a_long_path_is_cut_in_the_repeats)
{
	char name[201];
	const char *dir = scratch(), *path;

	memset(name, 'n', 200);
	name[200] = 0;
	make_world(1);
	for (int i = 0; i < 4; i++)
		make_dir(dir = text("%s/%s", dir, name));
	path = make_file(text("%s/last", dir), "");
	(void)burst("a", 10, path);
	events_fold = false;
	EXPECT_EQ(10, EVENTS("type=violation", "guest.name=a"));
	EXPECT_EVENT("type=violation", "repeats=0", text("path=%s", path), "path_truncated=false");
	EXPECT_EVENT("type=violation", "repeats=9", text("path$=%s/last", name),
		     "path_truncated=true");
}

/* What pends at an unload is delivered to whoever reads. */
TEST_TIMEOUT(an_unload_tells_what_pends, 900)
{
	const char *out;
	struct got got;
	pid_t reader;

	make_world(1);
	out = text("%s/out", root);
	reader = reader_start(out);
	events_fold = true;
	for (int i = 0; i < 300 && access(out, F_OK); i++)
		usleep(100000);
	EXPECT_EQ(EACCES, PROBE("a", "opens", "50", "r", file_of(0)));
	EXPECT_CTL(0, "unloaded", "unload --force");
	for (int i = 0; i < 300 && got_of(out, "a").firsts + got_of(out, "a").repeats < 50; i++)
		usleep(100000);
	reader_end(reader);
	got = got_of(out, "a");
	EXPECT_LE(50, got.firsts + got.repeats);
	EXPECT_LE(1, got.repeats);
}

/* ---- floods ---- */

static void flood_start(struct probe *p, const char *guest, long opens, long files)
{
	probe_start(p, guest, STEPS("flood", "4", text("%ld", opens), text("%ld", files), root));
}

static void flood_end(struct probe *p, int want)
{
	const char *line = probe_until(p, "flood");

	EXPECT_STREQ(text("flood %d", want),
		     line ? text("%.*s", (int)strcspn(line + 6, " ") + 6, line) : "");
	EXPECT_EQ(0, probe_end(p));
}

/* All guests at once, by several threads each. */
static void flood_all(long opens, long files)
{
	static const char *const names[GUESTS] = { "a", "b", "c" };
	struct probe probes[GUESTS];

	for (int i = 0; i < GUESTS; i++)
		flood_start(&probes[i], names[i], opens, files);
	for (int i = 0; i < GUESTS; i++)
		flood_end(&probes[i], i == 2 ? -1 : EACCES);
}

static void check_guest(const char *guest, const struct numbers *then, const char *out)
{
	struct numbers now = since(guest, then);
	long refused = now.denials + now.would_deny, folded = now.folded + now.folded_would;
	struct got got = got_of(out, guest);

	printf("# %s: %ld refused, %ld folded, %ld emitted, %ld lost; read %ld, %ld of them first\n",
	       guest, refused, folded, now.emitted, now.lost, got.records, got.firsts);
	EXPECT_EQ(now.lost, got.lost);
	EXPECT_EQ(now.emitted, got.records + got.lost);
	EXPECT_EQ(0, got.backwards);
	EXPECT_EQ(refused, got.firsts + got.lost_violations - now.lost_repeats + folded);
	EXPECT_EQ(folded, got.repeats + now.folded_lost);
}

/* A third while somebody reads, one while nobody does, one while somebody does again. */
TEST_TIMEOUT(every_refusal_is_accounted_for, 1200)
{
	static const char *const names[GUESTS] = { "a", "b", "c" };
	long each = test_count(50000, 1000000) / (3 * GUESTS);
	struct numbers then[GUESTS];
	const char *out;
	pid_t reader;

	make_world(KINDS);
	out = text("%s.out", root);
	events_fold = true;
	for (int i = 0; i < GUESTS; i++)
		then[i] = numbers_of(names[i]);
	for (int third = 0; third < 3; third++) {
		reader = third == 1 ? -1 : reader_start(out);
		flood_all(each, KINDS);
		if (reader > 0)
			reader_end(reader);
	}
	events_unfold();
	ASSERT_EQ(0, ctl("events --format json >> %s", out));
	for (int i = 0; i < GUESTS; i++) {
		EXPECT_EQ(3 * each,
			  since(names[i], &then[i]).denials + since(names[i], &then[i]).would_deny);
		check_guest(names[i], &then[i], out);
	}
}

/* One file, four threads, two CPUs: nothing is lost, so all of it is exact. */
TEST_TIMEOUT(threads_fold_together, 600)
{
	struct numbers then, now;
	long cnt = test_count(4000, 100000), firsts;
	struct probe p;

	make_world(1);
	events_fold = true;
	then = numbers_of("a");
	flood_start(&p, "a", cnt, 1);
	flood_end(&p, EACCES);
	events_fold = false;
	EXPECT_EQ(cnt, EVENTS("type=violation", "guest.name=a"));
	firsts = EVENTS("type=violation", "guest.name=a", "repeats=0");
	now = since("a", &then);
	EXPECT_EQ(0, now.lost);
	EXPECT_EQ(cnt, now.denials);
	EXPECT_EQ(cnt, firsts + now.folded);
	EXPECT_LE(cnt / 2, now.folded);
}

/* Nobody reads, one guest floods: another's few refusals and its exits are all there. */
TEST_TIMEOUT(a_flood_takes_nothing_from_others, 600)
{
	struct numbers loud, quiet, now;
	struct probe p;

	make_world(FILES_CNT);
	events_fold = true;
	loud = numbers_of("a");
	quiet = numbers_of("b");
	flood_start(&p, "a", 3 * FILES_CNT, FILES_CNT);
	EXPECT_TRUE(comes("a", "events.lost", loud.lost + 1));
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(EACCES, PROBE("b", "open", "r", file_of(i)));
	flood_end(&p, EACCES);
	now = since("b", &quiet);
	EXPECT_EQ(0, now.lost);
	EXPECT_EQ(10, now.denials);
	EXPECT_LE(100, since("a", &loud).lost);
	EXPECT_EQ(10, EVENTS("type=violation", "guest.name=b"));
	EXPECT_LE(10, EVENTS("type=exit", "guest.name=b"));
}

/* What everybody has a right to for certain is exits: the last quarter is theirs alone. */
TEST(past_three_quarters_only_exits)
{
	struct numbers then;

	make_world(1);
	then = numbers_of("b");
	events_fill();
	EXPECT_EQ(EACCES, PROBE("b", "open", "r", file_of(0)));
	EXPECT_EQ(1, since("b", &then).denials);
	events_fold = true;
	EXPECT_EVENT("type=lost", "of=violation", "guest.name=b", "count=1");
	EXPECT_EQ(0, EVENTS("type=violation", "guest.name=b"));
	EXPECT_LE(1, EVENTS("type=exit", "guest.name=b"));
	EXPECT_EQ(0, EVENTS("type=lost", "of=exit"));
	/* Once it is read there is room again. */
	EXPECT_EQ(EACCES, PROBE("b", "open", "w", file_of(0)));
	EXPECT_EQ(1, EVENTS("type=violation", "guest.name=b"));
}

LEAVES_NO_GUEST()
