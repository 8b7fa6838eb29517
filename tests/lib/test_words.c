/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <linux/types.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "abi.h"
#include "words.h"

#define DOC    "Documentation/events.rst"
#define SCHEMA "Documentation/schema/events.schema.json"
#define STATUS "Documentation/schema/status.schema.json"
#define HEALTH "Documentation/operations.rst"

Test(words, are_those_of_the_lists)
{
	cr_assert_str_eq(pol_type_word(POL_TYPE_VIOLATION), "violation");
	cr_assert_str_eq(pol_verdict_word(POL_VERDICT_WOULD_DENY), "would_deny");
	cr_assert_str_eq(pol_op_word(POL_OP_ABSTRACT_SOCKET), "abstract_socket");
	cr_assert_str_eq(pol_hook_word(POL_HOOK_FILE_OPEN), "file_open");
	cr_assert_str_eq(pol_reason_word(POL_REASON_NO_RULE), "no_rule");
	cr_assert_str_eq(pol_action_word(POL_ACTION_ROLLED_BACK), "rolled back");
	cr_assert_str_eq(pol_shadow_word(POL_SHADOW_FREED), "freed");
	cr_assert_str_eq(pol_right_word(0), "read");
	cr_assert_str_eq(pol_cause_word(POL_CAUSE_OOM), "oom");
	cr_assert_str_eq(pol_resource_word(POL_RESOURCE_PIDS), "pids");
	cr_assert_str_eq(pol_fail_word(POL_FAIL_PATH_RACE), "path_race");
	cr_assert_str_eq(pol_fail_word(POL_FAIL_FDS_RECONCILED), "fds_reconciled");
}

Test(words, are_null_for_none_and_for_what_is_not_listed)
{
	cr_assert_null(pol_type_word(0));
	cr_assert_null(pol_verdict_word(POL_VERDICT_NONE));
	cr_assert_null(pol_reason_word(POL_REASON_NONE));
	cr_assert_null(pol_op_word(63));
	cr_assert_null(pol_hook_word(0xffffffff));
	cr_assert_null(pol_right_word(POL_RIGHTS_CNT));
	cr_assert_null(pol_shadow_word(POL_SHADOW_NONE));
	cr_assert_null(pol_shadow_word(9));
	cr_assert_null(pol_cause_word(0));
	cr_assert_null(pol_resource_word(POL_RESOURCE_NONE));
	cr_assert_null(pol_resource_word(POL_RESOURCES_CNT));
	cr_assert_null(pol_fail_word(POL_FAILS_CNT));
}

Test(words, are_parsed_back)
{
	cr_assert_eq(pol_type_parse("fork"), POL_TYPE_FORK);
	cr_assert_eq(pol_type_parse("Fork"), -EINVAL);
	cr_assert_eq(pol_type_parse(""), -EINVAL);
	cr_assert_eq(pol_verdict_parse("would_deny"), POL_VERDICT_WOULD_DENY);
	cr_assert_eq(pol_verdict_parse("refused"), -EINVAL);
	cr_assert_eq(pol_verdict_parse(""), -EINVAL);
	for (unsigned int bit = 0; bit < POL_RIGHTS_CNT; bit++)
		cr_assert_eq(pol_right_parse(pol_right_word(bit)), 1 << bit);
	cr_assert_eq(pol_right_parse("rw"), -EINVAL);
}

Test(words, names_errnos)
{
	cr_assert_str_eq(pol_errno_name(EACCES), "EACCES");
	cr_assert_str_eq(pol_errno_name(EXDEV), "EXDEV");
	cr_assert_str_eq(pol_errno_name(EMFILE), "EMFILE");
	cr_assert_str_eq(pol_errno_name(ENFILE), "ENFILE");
	cr_assert_str_eq(pol_errno_name(EAGAIN), "EAGAIN");
	cr_assert_null(pol_errno_name(0));
	cr_assert_null(pol_errno_name(4095));
	cr_assert_null(pol_errno_name(0xffffffff));
}

Test(words, names_signals)
{
	char name[32];

	for (int sig = 1; sig < 32; sig++) {
		(void)snprintf(name, sizeof(name), "SIG%s",
			       sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
		/* glibc calls 29 "POLL", its other name. */
		if (sig != SIGIO)
			cr_assert_str_eq(pol_signal_name((uint32_t)sig), name);
	}
	cr_assert_null(pol_signal_name(0));
	cr_assert_null(pol_signal_name(64));
}

/* ------------------------------------------------------------------------------------------- */
/* The documentation lists the same words: each list is a table after ".. list: NAME".         */

#define WORD(name, nr, word) word,
static const char *const rights[] = { POL_RIGHTS(WORD) NULL };
static const char *const types[] = { POL_TYPES(WORD) NULL };
static const char *const verdicts[] = { POL_VERDICTS(WORD) NULL };
static const char *const ops[] = { POL_OPS(WORD) NULL };
static const char *const hooks[] = { POL_HOOKS(WORD) NULL };
static const char *const reasons[] = { POL_REASONS(WORD) NULL };
static const char *const actions[] = { POL_ACTIONS(WORD) NULL };
static const char *const shadows[] = { POL_SHADOW_ACTIONS(WORD) NULL };
static const char *const resources[] = { POL_RESOURCES(WORD) NULL };
static const char *const fails[] = { POL_FAILS(WORD) "recursion_misses", NULL };
static const char *const causes[] = {
	"exit", "signal", "oom", "ceiling", "policy", "unknown", NULL
};

/* The first column's ``word`` of a table row; NULL: the line is no such row. */
static char *row_word(char *line)
{
	char *end;

	if (strncmp(line, "``", 2) != 0)
		return NULL;
	end = strstr(line + 2, "``");
	if (!end)
		return NULL;
	*end = '\0';
	return line + 2;
}

/* The list's table in the document has exactly @words, in their order. */
static void check_list_in(const char *doc, const char *name, const char *const *words)
{
	char line[512], marker[64];
	bool inside = false;
	FILE *file = fopen(doc, "re");
	int rulers = 0;

	cr_assert_not_null(file, "cannot open %s", doc);
	(void)snprintf(marker, sizeof(marker), ".. list: %s\n", name);
	while (*words && !**words)
		words++;
	while (fgets(line, sizeof(line), file)) {
		char *word = inside ? row_word(line) : NULL;

		if (strcmp(line, marker) == 0)
			inside = true;
		else if (inside && strncmp(line, "==", 2) == 0 && ++rulers == 3)
			break;
		if (!word)
			continue;
		cr_assert_not_null(*words, "%s: '%s' is not in abi.h", name, word);
		cr_assert_str_eq(word, *words, "%s: '%s' where abi.h has '%s'", name, word, *words);
		words++;
	}
	(void)fclose(file);
	cr_assert(inside, "no table '%s'", name);
	cr_assert_null(*words, "%s: '%s' is not documented", name, *words);
}

static void check_list(const char *name, const char *const *words)
{
	check_list_in(DOC, name, words);
}

Test(words, documented_rights)
{
	check_list("rights", rights);
}

Test(words, documented_types)
{
	check_list("types", types);
}

Test(words, documented_verdicts)
{
	check_list("verdicts", verdicts);
}

Test(words, documented_ops)
{
	check_list("ops", ops);
}

Test(words, documented_hooks)
{
	check_list("hooks", hooks);
}

Test(words, documented_reasons)
{
	check_list("reasons", reasons);
}

Test(words, documented_actions)
{
	check_list("actions", actions);
}

Test(words, documented_shadow_actions)
{
	check_list("shadow actions", shadows);
}

Test(words, documented_resources)
{
	check_list("resources", resources);
}

Test(words, documented_health)
{
	check_list_in(HEALTH, "health", fails);
}

Test(words, documented_causes)
{
	check_list("causes", causes);
}

/* ------------------------------------------------------------------------------------------- */
/* The schema has the same words.                                                              */

static json_t *schema_enum(json_t *schema, const char *event, const char *field)
{
	json_t *def = json_object_get(json_object_get(schema, "$defs"), event);

	if (field)
		def = json_object_get(json_object_get(def, "properties"), field);
	else
		def = json_object_get(def, "items");
	def = json_object_get(def, "enum");
	cr_assert(json_is_array(def), "no enum for %s.%s", event, field ? field : "items");
	return def;
}

/* One after the other: the enums of @fields, empty words of @words left out. */
static void check_schema(const char *const *words, const char *const fields[][2], size_t cnt)
{
	json_t *schema = json_load_file(SCHEMA, 0, NULL);

	cr_assert_not_null(schema, "cannot read " SCHEMA);
	for (size_t i = 0; i < cnt; i++) {
		json_t *list = schema_enum(schema, fields[i][0], fields[i][1]), *item;
		size_t at;

		json_array_foreach(list, at, item) {
			while (*words && !**words)
				words++;
			cr_assert_not_null(*words, "'%s' is not in abi.h", json_string_value(item));
			cr_assert_str_eq(json_string_value(item), *words);
			words++;
		}
	}
	cr_assert_null(*words, "'%s' is not in the schema", *words);
	json_decref(schema);
}

#define CHECK_SCHEMA(words, ...)                                                 \
	do {                                                                     \
		static const char *const fields[][2] = { __VA_ARGS__ };          \
                                                                                 \
		check_schema(words, fields, sizeof(fields) / sizeof(fields[0])); \
	} while (0)

Test(words, schema_lists)
{
	CHECK_SCHEMA(rights, { "rights", NULL });
	CHECK_SCHEMA(ops, { "violation", "op" }, { "escape", "op" });
	CHECK_SCHEMA(hooks, { "violation", "hook" });
	CHECK_SCHEMA(reasons, { "violation", "reason" });
	CHECK_SCHEMA(resources, { "ceiling", "resource" });
	CHECK_SCHEMA(shadows, { "shadow", "action" });
	CHECK_SCHEMA(actions, { "guest_event", "action" }, { "policy_event", "action" });
}

/* A field for each word, all of them required. */
Test(words, schema_health)
{
	json_t *schema = json_load_file(STATUS, 0, NULL), *health, *field;
	const char *const *word = fails;
	const char *key;

	cr_assert_not_null(schema, "cannot read " STATUS);
	health = json_object_get(json_object_get(schema, "$defs"), "health");
	json_object_foreach(json_object_get(health, "properties"), key, field) {
		cr_assert_not_null(*word, "'%s' is not in abi.h", key);
		cr_assert_str_eq(key, *word++);
	}
	cr_assert_null(*word, "'%s' is not in the schema", *word);
	cr_assert_eq(json_array_size(json_object_get(health, "required")),
		     sizeof(fails) / sizeof(fails[0]) - 1);
	json_decref(schema);
}

/* ------------------------------------------------------------------------------------------- */
/* The samples in the documentation are the golden lines.                                      */

static void check_sample(FILE *doc, const char *name)
{
	static char sample[16384], golden[16384];
	char path[600];
	FILE *file;

	(void)snprintf(path, sizeof(path), "tests/golden/%s", name);
	file = fopen(path, "re");
	cr_assert_not_null(file, "no %s", path);
	cr_assert_not_null(fgets(golden, sizeof(golden), file));
	(void)fclose(file);
	do
		cr_assert_not_null(fgets(sample, sizeof(sample), doc));
	while (sample[0] == '\n');
	cr_assert_str_eq(sample + strspn(sample, " "), golden, "the sample is not %s", path);
}

static int check_samples(const char *name)
{
	static const char marker[] = "   :class: golden ";
	char line[512];
	int cnt = 0;
	FILE *doc = fopen(name, "re");

	cr_assert_not_null(doc);
	while (fgets(line, sizeof(line), doc)) {
		if (strncmp(line, marker, strlen(marker)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		check_sample(doc, line + strlen(marker));
		cnt++;
	}
	(void)fclose(doc);
	return cnt;
}

Test(words, documented_samples)
{
	cr_assert_geq(check_samples(DOC), 8);
	cr_assert_geq(check_samples("Documentation/formats.rst"), 8);
}
