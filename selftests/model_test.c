/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against a reference model (lib/model.h), on random trees, mounts, rules, operations.
 *
 * A guest tries each operation. What the model allows may fail only as it does for nobody's guest,
 * what it refuses may not succeed, nor change anything; any errno of the policy's must be one that
 * the model gives. A case that fails is shrunk: its round is played again with ever fewer of them.
 */
#include "harness.h"

#include "guest.h"
#include "model_make.h"

#define ROUND_CALLS 400
#define PLAYS_MAX   60
#define DROP_EVERY  40

struct round {
	uint64_t seed;
	unsigned int lacks; /* rights left out of the model's copy of each rule */
	char **calls;
	int cnt;
	int room; /* calls are made up to here */
};

static struct model model;
static struct model_tree before;
static struct probe guest, nobody;
static char rules_text[1 << 18], mounts_text[1 << 17], wrong[1 << 16];
static bool untouched; /* since the last scan nothing should have changed */
static long allowed, refused, failed, unsure;

/* ---- one operation ---- */

static int ask(struct probe *p, const char *call)
{
	static char line[6 * MODEL_PATH];
	const char *said;
	int err = -1;
	size_t len;

	model_expand(&model, call, line, sizeof(line) - 1);
	len = strlen(line);
	line[len++] = '\n';
	if (write(p->in, line, len) != (ssize_t)len)
		return -1;
	said = probe_line(p);
	return said && sscanf(said, "did %d", &err) == 1 ? err : -1;
}

static bool note(const char *call, unsigned int verdict, int err, const char *what)
{
	snprintf(wrong, sizeof(wrong), "%s: the model says %s, the kernel %s (%d)\t%s", what,
		 model_verdict_text(verdict), err ? strerror(err) : "yes", err, call);
	return false;
}

/* As the filesystem has it: the same call without confinement fails in the same way. */
static bool fails_by_itself(const char *call, int err)
{
	return ask(&nobody, call) == err;
}

static bool judge(const char *call, unsigned int verdict, int err)
{
	if (err == -1)
		return note(call, verdict, err, "no answer");
	if (verdict & MODEL_UNSURE)
		return ++unsure;
	if (!err && verdict)
		return note(call, verdict, err, "not refused");
	if (!err)
		return ++allowed;
	if (model_expects(verdict, err))
		refused++;
	else if (fails_by_itself(call, err))
		failed++;
	else
		return note(call, verdict, err, verdict ? "other errno" : "refused");
	return true;
}

/*
 * Refused operations have changed nothing: looked at before the next that may, as a scan takes long
 * under emulation. Shrinking tells which it was.
 */
static bool settle(const char *call)
{
	if (!untouched)
		return true;
	untouched = false;
	before.cnt = model.now.cnt;
	memcpy(before.nodes, model.now.nodes, before.cnt * sizeof(*before.nodes));
	model_scan(&model);
	if (model_same(&before, &model.now))
		return true;
	return note(call, MODEL_REFUSED, EROFS, "something changed before this");
}

static bool only_reads(const char *call)
{
	return !strncmp(call, "open\tr\t", 7) || !strncmp(call, "list", 4);
}

/* Return: false: kernel and model disagree, and "wrong" says how. */
static bool try_call(const char *call)
{
	unsigned int verdict = model_judge(&model, call);
	int err;

	if (!verdict && !only_reads(call) && !settle(call))
		return false;
	err = ask(&guest, call);
	if (!judge(call, verdict, err))
		return false;
	if ((err && !(verdict & (MODEL_LEAVES | MODEL_UNSURE))) || only_reads(call))
		untouched = true;
	else
		model_scan(&model);
	return true;
}

/* ---- one round ---- */

/* "MOUNT-ID ... ROOT-IN-ITS-FILESYSTEM MOUNT-POINT ...": for whoever reads a failure. */
static void note_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[2 * MODEL_PATH];
	size_t len = 0;

	*mounts_text = 0;
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, model.root) && len < sizeof(mounts_text))
			len += (size_t)snprintf(mounts_text + len, sizeof(mounts_text) - len, "%s",
						line);
	if (f)
		fclose(f);
}

static void start(struct probe *p, const char *as)
{
	probe_start(p, as, STEPS("model"));
	ASSERT_STREQ("ready 0", probe_until(p, "ready"));
}

static void set_up(const struct round *round)
{
	model.lacks = 0;
	model_make(&model, round->seed);
	note_mounts();
	model_make_rules(&model, rules_text, sizeof(rules_text));
	ASSERT_LOAD(GUEST("m") "errno = \"EROFS\"\n" FILES "%s" END, rules_text);
	model.lacks = round->lacks;
	start(&guest, "m");
	start(&nobody, NULL);
}

static void tear_down(void)
{
	EXPECT_EQ(0, probe_end(&guest));
	EXPECT_EQ(0, probe_end(&nobody));
	model_unmake(&model);
}

/*
 * Play the round's calls, or make them. Return: how many it took until one went wrong, and then
 * there are no more; 0: none did.
 */
static int play(struct round *round)
{
	int bad = 0;

	untouched = false;
	set_up(round);
	for (int i = 0; i < round->room && !bad; i++) {
		char expanded[6 * MODEL_PATH];

		if (i == round->cnt)
			round->calls[round->cnt++] = model_make_call(&model);
		model_expand(&model, round->calls[i], expanded, sizeof(expanded));
		if (i % DROP_EVERY == DROP_EVERY - 1)
			EXPECT_EQ(0, write_file("/proc/sys/vm/drop_caches", "3"));
		if (!try_call(expanded))
			bad = i + 1;
	}
	if (!bad && !settle("-"))
		bad = round->cnt;
	tear_down();
	return bad;
}

/* ---- shrinking ---- */

/* Without @cnt calls from @at on: does it still go wrong? Then that is the round. */
static bool shrunk(struct round *round, int at, int cnt)
{
	char **kept = calloc(round->cnt, sizeof(*kept));
	struct round less = { round->seed, round->lacks, kept, 0, 0 };

	for (int i = 0; i < round->cnt; i++)
		if (i < at || i >= at + cnt)
			kept[less.cnt++] = round->calls[i];
	less.room = less.cnt;
	less.cnt = play(&less);
	if (less.cnt) {
		memcpy(round->calls, kept, less.cnt * sizeof(*kept));
		round->cnt = round->room = less.cnt;
	}
	free(kept);
	return less.cnt;
}

static void shrink(struct round *round, int bad)
{
	int plays = PLAYS_MAX, chunk;

	round->cnt = round->room = bad;
	if (bad > 1)
		plays -= shrunk(round, 0, bad - 1);
	for (chunk = round->cnt / 2; chunk > 0 && plays > 0; chunk /= 2)
		for (int at = 0; at + chunk < round->cnt && plays-- > 0;)
			if (!shrunk(round, at, chunk))
				at += chunk;
}

/* In pieces: a line of the report is cut at 1 KiB. */
static void print_long(const char *what, const char *line)
{
	for (; *line; line += strnlen(line, 800))
		printf("# %s %.800s\n", what, line);
}

static void print_lines(char *text)
{
	char *save = NULL;

	for (char *w = strtok_r(text, "\n", &save); w; w = strtok_r(NULL, "\n", &save))
		print_long("   ", w);
}

static void print_round(const struct round *round)
{
	printf("# round %llu, the mounts:\n", (unsigned long long)round->seed);
	print_lines(mounts_text);
	printf("# the policy:\n");
	print_lines(rules_text);
	printf("# operations (WORD FLAGS BASE PATH BASE2 PATH2):\n");
	for (int i = 0; i < round->cnt; i++)
		print_long("   ", round->calls[i]);
	print_long("=>", wrong);
}

static int play_new(struct round *round)
{
	round->calls = calloc(round->room, sizeof(*round->calls));
	return play(round);
}

static void end_round(struct round *round, char **made, int cnt)
{
	for (int i = 0; i < cnt; i++)
		free(made[i]);
	free(made);
	free(round->calls);
}

/* Return: how many operations were played. */
static int run_round(uint64_t seed)
{
	struct round round = { .seed = seed, .room = ROUND_CALLS };
	int bad = play_new(&round), made_cnt = round.cnt;
	char **made = calloc(round.room, sizeof(*made));

	memcpy(made, round.calls, made_cnt * sizeof(*made));
	if (bad) {
		print_long("first:", wrong);
		shrink(&round, bad);
		print_round(&round);
		FAIL("round %llu: %.300s", (unsigned long long)seed, wrong);
	}
	end_round(&round, made, made_cnt);
	return made_cnt;
}

TEST_TIMEOUT(kernel_and_model_agree, 600)
{
	long want = test_count(5000, 100000), calls = 0;
	uint64_t seed = test_seed();

	for (int i = 0; calls < want && !harness_now->failures; i++) {
		calls += run_round(seed + i);
		if (i % 50 == 49)
			printf("# %ld operations so far\n", calls);
	}
	printf("# seed %llu, %ld operations: %ld allowed, %ld refused, %ld failed by themselves, "
	       "%ld not decided\n",
	       (unsigned long long)seed, calls, allowed, refused, failed, unsure);
	if (harness_now->failures)
		return;
	EXPECT_LE(calls / 5, allowed);
	EXPECT_LE(calls / 5, refused);
	EXPECT_LE(unsure, calls / 50);
}

/* A model whose rules all lack one right must be found out, by one operation that needs it. */
TEST_TIMEOUT(a_model_that_is_wrong_is_found_out, 300)
{
	struct round round = { .seed = 7, .lacks = MODEL_READ, .room = ROUND_CALLS };
	int bad = play_new(&round);

	ASSERT_LE(1, bad);
	shrink(&round, bad);
	print_long("found:", wrong);
	EXPECT_EQ(1, round.cnt);
	EXPECT_STRSTR("not refused: the model says EROFS", wrong);
}

LEAVES_NO_GUEST()
