/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "event_facts.h"
#include "evil.h"
#include "jsonw.h"
#include "records.h"
#include "samples.h"

static struct pol_event_view view;
static struct pol_facts facts;

/* Lower case, digits and the separators given. */
static void assert_plain(const char *text, const char *separators)
{
	for (const char *p = text; *p; p++)
		cr_assert((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
				  strchr(separators, *p),
			  "%s", text);
}

Test(event_facts, every_kind_has_a_code_a_name_and_a_message)
{
	for (size_t i = 0; test_sample(i, &view); i++) {
		pol_facts_init(&facts, &view, &test_record_ctx);
		cr_assert(facts.code[0]);
		assert_plain(facts.code, "._");
		assert_plain(facts.uid, "-");
		assert_plain(facts.process_uid, "-");
		cr_assert_str_neq(facts.name, "Event", "%s", facts.code);
		cr_assert_not_null(facts.text[POL_FACT_MESSAGE].data);
		cr_assert_eq(facts.uid[0] == '\0', view.outside);
	}
}

Test(event_facts, the_list_of_fields_has_room)
{
	for (size_t i = 0; test_sample(i, &view); i++) {
		pol_facts_init(&facts, &view, &test_record_ctx);
		cr_assert_lt(facts.field_cnt, POL_FIELDS_MAX - 1);
		for (size_t j = 0; j < facts.field_cnt; j++) {
			assert_plain(facts.field[j].name, "_");
			for (size_t k = 0; k < j; k++)
				cr_assert_str_neq(facts.field[j].name, facts.field[k].name);
		}
	}
}

/* The columns of the table fall: each level makes a line shorter. */
Test(event_facts, limits_fall)
{
	for (enum pol_fact fact = 0; fact < POL_FACTS_CNT; fact++)
		for (unsigned int level = 1; level < POL_FACT_LEVELS; level++)
			cr_assert_leq(pol_fact_max(fact, level), pol_fact_max(fact, level - 1));
}

static const char *message(void)
{
	pol_facts_init(&facts, &view, &test_record_ctx);
	return facts.message;
}

static void make(const char *what)
{
	const char *name;

	for (size_t i = 0; (name = test_sample(i, &view)); i++)
		if (strcmp(name, what) == 0)
			return;
	cr_assert_fail("no sample %s", what);
}

Test(event_facts, messages)
{
	make("violation, would deny");
	cr_assert_str_eq(
		message(),
		"guest web: would have denied open of /srv/web/secrets/key by sh[71]: "
		"lacks read,write,execute,list,create,delete,rename,link,truncate,metadata,"
		"ioctl,connect (no_rule), 12 times more");
	make("violation of a gone generation");
	cr_assert_str_eq(message(), "guest 9: denied open of /srv/web/secrets/key by sh[71]: lacks "
				    "write (rule)");
	make("violation on a cut path");
	cr_assert_not_null(strstr(message(), "open of .../web/key by"));
	make("escape");
	cr_assert_str_eq(message(), "guest web: denied ptrace by sh[71]");
	make("ceiling killed");
	cr_assert_str_eq(message(), "guest web: memory at 1099511627776 of 1099511627776: killed");
	make("exit by a code");
	cr_assert_str_eq(message(), "guest web: sh[71] exited with 3 (cause exit)");
	make("exit by a real-time signal");
	cr_assert_str_eq(message(),
			 "guest web: sh[71] ended by signal 40 (cause signal) from x[1]");
	make("exit outside the engine");
	cr_assert_str_eq(message(), "sh[71] ended by SIGKILL (cause signal)");
	make("rolled back");
	cr_assert_str_eq(message(), "policy rolled back, generation 3, by uid 0 pid 9");
	make("shadow stale");
	cr_assert_str_eq(message(), "guest web: shadow of /srv/web/lib/libweb.so.1 stale (open) by "
				    "install[812]");
	make("shadow never fresh");
	cr_assert_str_eq(message(), "guest web: shadow of /srv/web/lib/libweb.so.1 stale from the "
				    "start by install[812]");
	make("shadow created");
	cr_assert_str_eq(message(),
			 "guest web: shadow of /srv/web/lib/libweb.so.1 created by install[812]");
	make("shadow refused");
	cr_assert_str_eq(message(), "guest web: shadow of /srv/web/lib/libweb.so.1 refused (EFBIG) "
				    "by install[812]");
	make("shadow freed");
	cr_assert_str_eq(message(), "guest web: shadow of .../srv/web/lib/libweb.so.1 freed");
	make("lost");
	cr_assert_str_eq(message(), "guest web: 12 violation events lost, numbers 41 to 60");
}

static void assert_kind(const char *code, const char *name, enum pol_level level,
			enum pol_outcome outcome)
{
	pol_facts_init(&facts, &view, &test_record_ctx);
	cr_assert_str_eq(facts.code, code);
	cr_assert_str_eq(facts.name, name);
	cr_assert_eq(facts.level, level, "%s", code);
	cr_assert_eq(facts.outcome, outcome, "%s", code);
}

Test(event_facts, a_shadow_is_as_grave_as_its_action)
{
	make("shadow created");
	assert_kind("shadow.created", "Shadow file created", POL_LEVEL_INFO, POL_OUTCOME_SUCCESS);
	make("shadow stale");
	assert_kind("shadow.stale", "Shadow file stale", POL_LEVEL_NOTICE, POL_OUTCOME_SUCCESS);
	make("shadow refused");
	assert_kind("shadow.refused", "Shadow file refused", POL_LEVEL_WARNING,
		    POL_OUTCOME_FAILURE);
	make("shadow freed");
	assert_kind("shadow.freed", "Shadow file freed", POL_LEVEL_INFO, POL_OUTCOME_SUCCESS);
	view.shadow.action = 9;
	assert_kind("shadow", "Shadow file changed", POL_LEVEL_INFO, POL_OUTCOME_UNKNOWN);
	cr_assert_str_eq(facts.message, "guest web: shadow of .../srv/web/lib/libweb.so.1 changed");
}

Test(event_facts, messages_are_one_line_of_plain_text)
{
	struct pol_event_ctx ctx;

	for (enum test_text text = 0; text < TEST_TEXTS_CNT; text++)
		for (size_t i = 0; i < sizeof(test_evil) / sizeof(test_evil[0]); i++) {
			test_sample_evil(text, test_evil[i].data, test_evil[i].len, &view, &ctx);
			pol_facts_init(&facts, &view, &ctx);
			cr_assert(pol_char_valid(facts.message, strlen(facts.message)));
			for (const char *p = facts.message; *p; p++)
				cr_assert_geq((unsigned char)*p, 0x20, "%s", test_evil[i].what);
		}
}

Test(event_facts, a_message_has_room_whatever_the_names)
{
	static char name[8192];
	struct pol_event_ctx ctx;

	memset(name, '\xff', sizeof(name) - 1);
	for (enum test_text text = 0; text < TEST_TEXTS_CNT; text++) {
		test_sample_evil(text, name, sizeof(name) - 1, &view, &ctx);
		pol_facts_init(&facts, &view, &ctx);
		cr_assert_lt(strlen(facts.message), 1024);
		cr_assert_geq(strlen(facts.message), 30);
	}
}

Test(event_facts, a_strange_boot_id_is_not_part_of_an_id)
{
	struct pol_event_ctx ctx = test_record_ctx;

	make("violation");
	ctx.boot_id = "x\n|=";
	pol_facts_init(&facts, &view, &ctx);
	cr_assert_str_eq(facts.uid, "0-3-41");
	cr_assert_str_eq(facts.process_uid, "0-71-0");
}
