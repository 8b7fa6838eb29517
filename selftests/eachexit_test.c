/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exits at full speed, waited for by eight at once, and read by a reader that is killed: each exactly
 * once, with its own code.
 */
#include "harness.h"

#include <sched.h>
#include <sys/stat.h>

#include "exits.h"
#include "guest_tasks.h"
#include "pidwait.h"

#define PAIRS	8
#define BATCH	4 /* of a pair, at once: all of them fit among the newest exits by far */
#define MODULUS 251

/* What a waiter was told of one exit. */
struct told {
	uint64_t seq;
	uint64_t start_ns;
	uint32_t pid;
	uint32_t code;
	bool by_engine;
};

/*
 * A pair: the forker, a guest, says whom it has borne; the waiter, no guest, begins to wait and lets
 * them end.
 */
struct pair {
	int born[2];
	int let[2];
	pid_t waiter;
	struct told *told; /* shared */
};

static void load_one(void)
{
	ASSERT_LOAD(GUEST("g"));
	events_forget();
}

/* ---- the forker, a guest: nothing is opened ---- */

static _Noreturn void be_child(const struct pair *pair)
{
	char byte;

	_exit(read(pair->let[0], &byte, 1) == 1 ? getpid() % MODULUS : 255);
}

static _Noreturn void be_forker(const struct pair *pair, int go, long batches)
{
	char byte;

	if (read(go, &byte, 1) != 1)
		_exit(1);
	while (batches--) {
		pid_t pids[BATCH];

		for (int i = 0; i < BATCH; i++) {
			pids[i] = fork();
			if (!pids[i])
				be_child(pair);
			if (pids[i] < 0)
				_exit(2);
		}
		if (write(pair->born[1], pids, sizeof(pids)) != sizeof(pids))
			_exit(3);
		for (int i = 0; i < BATCH; i++)
			if (waitpid(pids[i], NULL, 0) != pids[i])
				_exit(4);
	}
	_exit(0);
}

/* The parent of all forkers. @cpu: where they and their children stay; -1: anywhere. */
static _Noreturn void be_tree(struct pair *pairs, int go, int tell, long batches, int cpu)
{
	cpu_set_t set;
	int bad = 0, status;

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : cpu, &set);
	if (cpu >= 0 && sched_setaffinity(0, sizeof(set), &set))
		_exit(5);
	for (int i = 0; i < PAIRS; i++)
		if (!fork())
			be_forker(&pairs[i], go, batches);
	if (write(tell, "", 1) != 1)
		_exit(6);
	for (int i = 0; i < PAIRS; i++) {
		if (wait(&status) < 0 || status)
			bad++;
	}
	_exit(bad);
}

/* ---- the waiter ---- */

static void wait_batch(const struct pair *pair, const pid_t pids[BATCH], struct told *told)
{
	struct pol_pidwait *waits[BATCH] = {};
	struct pol_event_view view;
	enum pol_pidwait_step step;

	for (int i = 0; i < BATCH; i++)
		if (pol_pidwait_begin(pids[i], 0, &waits[i]))
			_exit(1);
	if (write(pair->let[1], "1234", BATCH) != BATCH)
		_exit(2);
	for (int i = 0; i < BATCH; i++) {
		if (pol_pidwait_end(waits[i], &view, &step))
			_exit(3);
		pol_pidwait_freep(&waits[i]);
		told[i] = (struct told){
			.seq = view.seq,
			.start_ns = view.process.start_ns,
			.pid = view.process.tgid == (uint32_t)pids[i] ? view.process.tgid : 0,
			.code = view.exit.code,
			.by_engine = step == POL_PIDWAIT_ENGINE,
		};
	}
}

static _Noreturn void be_waiter(const struct pair *pair, long batches)
{
	for (long i = 0; i < batches; i++) {
		pid_t pids[BATCH];

		if (read(pair->born[0], pids, sizeof(pids)) != sizeof(pids))
			_exit(4);
		wait_batch(pair, pids, pair->told + i * BATCH);
	}
	_exit(0);
}

/* ---- together ---- */

static void *shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(at != MAP_FAILED);
	return at;
}

static void pairs_make(struct pair pairs[PAIRS], struct told *told, long each)
{
	for (int i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, pipe2(pairs[i].born, O_CLOEXEC));
		ASSERT_EQ(0, pipe2(pairs[i].let, O_CLOEXEC));
		pairs[i].told = told + i * each;
	}
}

/* Adopted as a whole. Return: its pid. */
static pid_t tree_start(struct pair pairs[PAIRS], long batches, int cpu, int *ret_go)
{
	int go[2], tell[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(tell, O_CLOEXEC));
	fflush(stdout);
	pid = fork();
	if (!pid)
		be_tree(pairs, go[0], tell[1], batches, cpu);
	ASSERT_EQ(1, read(tell[0], &byte, 1));
	ASSERT_EQ(0, ctl("attach g %d", pid));
	*ret_go = go[1];
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int by_seq(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void expect_each_once(struct told *told, long cnt)
{
	long by_engine = 0, right = 0, once = 0;

	qsort(told, (size_t)cnt, sizeof(*told), by_seq);
	for (long i = 0; i < cnt; i++) {
		by_engine += told[i].by_engine;
		right += told[i].pid && told[i].code == told[i].pid % MODULUS << 8;
		once += told[i].seq && (!i || told[i].seq != told[i - 1].seq);
	}
	EXPECT_EQ(cnt, by_engine);
	EXPECT_EQ(cnt, right);
	EXPECT_EQ(cnt, once);
}

static uint32_t guest_id(void)
{
	return (uint32_t)strtoul(json_at(events_find(STEPS("type=exit")), "guest.id"), NULL, 10);
}

/* Those of the instance, as the engine counts what it keeps. */
static uint64_t kept(void)
{
	struct pol_exits exits = POL_EXITS_INIT;
	struct pol_exit_ends ends = {};

	ASSERT_EQ(0, pol_exits_open(&exits));
	EXPECT_EQ(0, pol_exits_ends(&exits, guest_id(), true, 0, &ends));
	pol_exits_close(&exits);
	return ends.cnt;
}

static void waited_for(long cnt, int cpu)
{
	long batches = cnt / PAIRS / BATCH, each = batches * BATCH, all = each * PAIRS;
	struct told *told = shared((size_t)all * sizeof(*told));
	struct pair pairs[PAIRS];
	pid_t forkers;
	int go;

	load_one();
	pairs_make(pairs, told, each);
	forkers = tree_start(pairs, batches, cpu, &go);
	for (int i = 0; i < PAIRS; i++) {
		pairs[i].waiter = fork();
		if (!pairs[i].waiter)
			be_waiter(&pairs[i], batches);
	}
	ASSERT_EQ(PAIRS, write(go, "12345678", PAIRS));
	for (int i = 0; i < PAIRS; i++)
		EXPECT_EQ(0, end_of(pairs[i].waiter));
	EXPECT_EQ(0, end_of(forkers));
	EXPECT_EQ(0, tasks_settle("g", 0));
	expect_each_once(told, all);
	/* The waiters have taken nothing: the reader, too, gets each. */
	EXPECT_EQ(all + PAIRS + 1, EVENTS("type=exit", "guest.name=g"));
	EXPECT_EQ(0, EVENTS("type=lost"));
	EXPECT_EQ(all + PAIRS + 1, kept());
	printf("# %d of %ld came by the backstop\n", EVENTS("type=exit", "process.cgroup=null"),
	       all + PAIRS + 1);
}

TEST_TIMEOUT(eight_waiters, 600)
{
	waited_for(test_count(512, 10240), -1);
}

TEST_TIMEOUT(eight_waiters_of_eight_on_one_cpu, 600)
{
	waited_for(test_count(512, 10240), 1);
}

/* ---- a reader that is killed ---- */

/* Reads what comes, into @file, until it is killed. */
static pid_t reader_start(const char *file)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(open(file, O_CREAT | O_APPEND | O_WRONLY, 0644), STDOUT_FILENO);
		execlp("policyctl", "policyctl", "events", "--follow", "--format", "json", NULL);
		_exit(98);
	}
	return pid;
}

static off_t written(const char *file)
{
	struct stat st = {};

	(void)stat(file, &st); /* not there: it has not begun */
	return st.st_size;
}

/*
 * Once it has written more than @before, what was there when the payloads still waited: it is in the
 * middle of theirs, or done. Nobody else reads those, so that more follows always.
 */
static void reader_kill(pid_t reader, const char *file, off_t before)
{
	int status;

	do {
		ASSERT_EQ(0, waitpid(reader, &status, WNOHANG));
		usleep(1000);
	} while (written(file) == before);
	ASSERT_EQ(0, kill(reader, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, end_of(reader));
	/* What it was about to write is cut; the next one says it whole. */
	int fd = open(file, O_APPEND | O_WRONLY | O_CLOEXEC);

	ASSERT_EQ(1, write(fd, "\n", 1));
	close(fd);
}

/* Numbers of the guest's sequence that were delivered, each counted once; and those told as lost. */
struct account {
	unsigned char *seen;
	long size;
	long delivered;
	long exits;
	long lost;
};

static void account_line(struct account *account, const char *line)
{
	json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	long seq = event ? strtol(json_at(event, "guest.seq"), NULL, 10) : 0;
	bool lost = event && !strcmp(json_at(event, "type"), "lost");

	if (!event || strcmp(json_at(event, "guest.name"), "g"))
		return json_decref(event);
	if (lost) {
		account->lost += strtol(json_at(event, "count"), NULL, 10);
	} else if (seq > 0 && seq < account->size && !account->seen[seq]) {
		account->seen[seq] = 1;
		account->delivered++;
		account->exits += !strcmp(json_at(event, "type"), "exit");
	}
	json_decref(event);
}

static void account_file(struct account *account, const char *file)
{
	static char line[65536];
	FILE *f = fopen(file, "re");

	ASSERT_TRUE(f != NULL);
	while (fgets(line, sizeof(line), f))
		account_line(account, line);
	fclose(f);
}

/* Payloads that in each round wait to be told, then make @each exits. */
static void payloads_start(struct probe p[PAIRS], long rounds, long each)
{
	const char **steps = calloc((size_t)rounds * 4 + 1, sizeof(*steps)), **at = steps;

	for (long i = 0; i < rounds; i++) {
		*at++ = "pause";
		*at++ = "codes";
		*at++ = text("%ld", each);
		*at++ = text("%d", MODULUS);
	}
	for (int i = 0; i < PAIRS; i++)
		probe_start(&p[i], "g", steps);
}

/* What was read by nobody is delivered by the next one, what had no room is counted: nothing is missing. */
TEST_TIMEOUT(readers_that_are_killed, 600)
{
	long kills = test_count(3, 20), each = test_count(21, 63), before, emitted;
	const char *file = text("%s/events", scratch());
	struct account account = {};
	struct probe p[PAIRS];

	load_one();
	before = guest_number("g", "events.emitted");
	payloads_start(p, kills, each);
	for (long i = 0; i < kills; i++) {
		pid_t reader = reader_start(file);
		off_t before_go;

		for (int k = 0; k < PAIRS; k++)
			probe_until(&p[k], "paused");
		before_go = written(file);
		for (int k = 0; k < PAIRS; k++)
			probe_go(&p[k]);
		reader_kill(reader, file, before_go);
	}
	for (int i = 0; i < PAIRS; i++)
		EXPECT_EQ(0, probe_end(&p[i]));
	EXPECT_EQ(0, tasks_settle("g", 0));
	emitted = guest_number("g", "events.emitted");
	EXPECT_EQ(0, ctl("events --format json >>%s", file));
	account.size = emitted + 1;
	account.seen = calloc((size_t)account.size, 1);
	account_file(&account, file);
	EXPECT_EQ(emitted - before, account.delivered + account.lost);
	EXPECT_EQ(0, account.lost);
	EXPECT_EQ(kills * each * PAIRS + PAIRS, account.exits);
}

LEAVES_NO_GUEST()
