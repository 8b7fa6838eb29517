/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * explain's answer and what then happens, on random trees, mounts, rules and operations (lib/model.h);
 * and the model that `policyctl test` holds the kernel against.
 */
#include "harness.h"

#include <sys/stat.h>

#include "asker.h"
#include "guest.h"
#include "model_make.h"
#include "policy_model.h"

#define ROUND_CALLS 250

static struct model model;
static struct probe guest, nobody;
static char rules_text[1 << 18];
static long allowed, refused, failed, unsaid;

/* ---- an operation, and the question to it ---- */

struct question {
	uint32_t rights;
	char path[2 * MODEL_PATH];
	bool is_rename;   /* its other name is not asked about */
	bool unlinks_dir; /* explain tries rmdir(2), which asks for anchors first */
};

static uint32_t rights_of(const char *word, const char *flags)
{
	static const struct {
		const char *word;
		const char *flags; /* NULL: any */
		uint32_t rights;
	} known[] = {
		{ "open", "r", POL_RIGHT_READ },
		{ "open", "w", POL_RIGHT_WRITE },
		{ "open", "rw", POL_RIGHT_READ | POL_RIGHT_WRITE },
		{ "open", "wcx", POL_RIGHT_CREATE },
		{ "list", NULL, POL_RIGHT_LIST },
		{ "mkdir", NULL, POL_RIGHT_CREATE },
		{ "rmdir", NULL, POL_RIGHT_DELETE },
		{ "unlink", NULL, POL_RIGHT_DELETE },
		{ "rename", NULL, POL_RIGHT_RENAME },
		{ "truncate", NULL, POL_RIGHT_TRUNCATE },
		{ "chmod", NULL, POL_RIGHT_METADATA },
		{ "chown", NULL, POL_RIGHT_METADATA },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].word, word) &&
		    (!known[i].flags || !strcmp(known[i].flags, flags)))
			return known[i].rights;
	return 0;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode);
}

/* @call: "WORD FLAGS BASE PATH ..." with tabs between. Return: false: explain has no word for it. */
static bool question_of(const char *call, struct question *ret)
{
	char line[6 * MODEL_PATH], *rest = line, *field[4];

	snprintf(line, sizeof(line), "%s", call);
	for (int i = 0; i < 4; i++)
		field[i] = strsep(&rest, "\t");
	ret->rights = rights_of(field[0], field[1]);
	ret->is_rename = !strcmp(field[0], "rename");
	snprintf(ret->path, sizeof(ret->path), "%s%s%s%s", strcmp(field[2], "-") ? field[2] : "",
		 strcmp(field[2], "-") ? "/" : "", field[3], strcmp(field[0], "mkdir") ? "" : "/");
	ret->unlinks_dir = !strcmp(field[0], "unlink") && is_dir(ret->path);
	return ret->rights;
}

static int do_it(struct probe *p, const char *call)
{
	size_t len = strlen(call);
	const char *said;
	int err = -1;

	if (write(p->in, call, len) != (ssize_t)len || write(p->in, "\n", 1) != 1)
		return -1;
	said = probe_line(p);
	return said && sscanf(said, "did %d", &err) == 1 ? err : -1;
}

/* ---- the comparison ---- */

static bool is_policys(int err)
{
	return err == MODEL_ERRNO || err == EBUSY || err == EXDEV;
}

/* As the filesystem has it: the same call without confinement fails in the same way. */
static bool fails_by_itself(const char *call, int err)
{
	return do_it(&nobody, call) == err;
}

/* @said: as ask() returns it. Return: does what happened agree with it? */
static bool agrees(const struct question *question, const char *call, int said, int err)
{
	if (said < 0) { /* it leads nowhere */
		unsaid++;
		return err && fails_by_itself(call, err);
	}
	if (said) {
		refused += err == said;
		if (err == said ||
		    ((question->is_rename || question->unlinks_dir) && is_policys(err)))
			return true; /* refused, be it for the other name or without an anchor */
		return err && fails_by_itself(call, err);
	}
	if (!err) {
		allowed++;
		return true;
	}
	if (question->is_rename && is_policys(err))
		return true; /* of the other name */
	failed++;
	return fails_by_itself(call, err);
}

static bool try_call(uint32_t m, const char *call)
{
	struct question question;
	int said, err;

	if (!question_of(call, &question))
		return true;
	said = ask(m, question.rights, question.path);
	err = do_it(&guest, call);
	if (!agrees(&question, call, said, err)) {
		FAIL("explain says %d (%s; the kernel %d), it was %d: %.700s", said,
		     said < 0 ? ask_err.message : "", answer.kernel, err, call);
		return false;
	}
	if (!err)
		model_scan(&model);
	return true;
}

/* ---- the model of `policyctl test` ---- */

static struct pol_policy *policy;
static struct pol_places places;
static struct pol_model *words;
static long modelled, beyond;

static void read_model(void)
{
	struct pol_diags diags = {};

	ASSERT_EQ(0, pol_policy_read(POLICY_FILE, &diags, &policy));
	ASSERT_EQ(0, pol_resolve(policy, NULL, 0, NULL, 0, &diags, &places));
	ASSERT_EQ(0, pol_model_new(policy, &places, &words));
	pol_diags_done(&diags);
}

static void forget_model(void)
{
	pol_model_free(words);
	pol_places_done(&places);
	pol_policy_free(policy);
	places = (struct pol_places){};
}

/* Of a clean path, as a [[test]] has; each right by itself. */
static bool try_model(uint32_t m, const char *path)
{
	for (uint32_t right = 1; right < POL_RIGHT_IOCTL; right <<= 1) {
		enum pol_model_answer says;
		int said = ask(m, right, path);

		ASSERT_EQ(0, pol_model_ask(words, 0, right, path, &says));
		if (said < 0 || says == POL_MODEL_UNKNOWN) {
			beyond++;
			continue;
		}
		modelled++;
		if ((says == POL_MODEL_ALLOW) == !said)
			continue;
		FAIL("right %#x: the model says %d, the kernel %d: %.700s", right, says, said, path);
		return false;
	}
	return true;
}

static bool try_any_path(uint32_t m)
{
	char path[MODEL_PATH], full[MODEL_PATH];
	size_t len;

	if (!model_path(&model, model_any_node(&model, 0), -1, path, sizeof(path)))
		return true;
	len = strlen(path);
	if (model_chance(30))
		snprintf(path + len, sizeof(path) - len, "/%s", model_any_name());
	model_expand(&model, path, full, sizeof(full));
	return try_model(m, full);
}

/* ---- rounds ---- */

static void start(struct probe *p, const char *as)
{
	probe_start(p, as, STEPS("model"));
	ASSERT_STREQ("ready 0", probe_until(p, "ready"));
}

static void set_up(uint64_t seed)
{
	model_make(&model, seed);
	model_make_rules(&model, rules_text, sizeof(rules_text));
	ASSERT_LOAD(GUEST("m") "errno = \"EROFS\"\n" FILES "%s" END, rules_text);
	asker_open(); /* of this round: its mounts are those of when it starts */
	start(&guest, "m");
	start(&nobody, NULL);
	read_model();
}

static void tear_down(void)
{
	asker_close();
	forget_model();
	EXPECT_EQ(0, probe_end(&guest));
	EXPECT_EQ(0, probe_end(&nobody));
	model_unmake(&model);
}

static long run_round(uint64_t seed, long want)
{
	uint32_t m;
	long i;

	set_up(seed);
	m = guest_id("m");
	for (i = 0; i < ROUND_CALLS && i < want && !harness_now->failures; i++) {
		static char expanded[6 * MODEL_PATH];
		char *call = model_make_call(&model);

		model_expand(&model, call, expanded, sizeof(expanded));
		if (try_any_path(m))
			(void)try_call(m, expanded);
		free(call);
	}
	if (harness_now->failures)
		printf("# round %llu\n%.2000s\n", (unsigned long long)seed, rules_text);
	tear_down();
	return i;
}

TEST_TIMEOUT(explain_agrees_with_what_happens, 600)
{
	long want = test_count(500, 10000), done = 0;
	uint64_t seed = test_seed();

	for (int i = 0; done < want && !harness_now->failures; i++)
		done += run_round(seed + i, want - done);
	printf("# seed %llu, %ld operations: %ld allowed, %ld refused, %ld failed by themselves, %ld "
	       "not said; model: %ld rights, %ld beyond it\n",
	       (unsigned long long)seed, done, allowed, refused, failed, unsaid, modelled, beyond);
	if (harness_now->failures)
		return;
	EXPECT_LE(done / 20, allowed);
	EXPECT_LE(done / 20, refused);
	EXPECT_LE(beyond, modelled);
}

LEAVES_NO_GUEST()
