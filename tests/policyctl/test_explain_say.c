/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <string.h>

#include "explain_say.h"

static struct pol_probe_answer answer;

static int rule_of(void *arg, uint64_t generation, uint32_t rule, struct pol_event_rule *ret)
{
	(void)arg;
	(void)generation;
	(void)rule;
	*ret = (struct pol_event_rule){ .where = "p.toml:7", .path = "/srv", .path_len = 4 };
	return 0;
}

static const struct pol_event_ctx ctx = { .rule = rule_of };

static void set_up(void)
{
	struct pol_event_view *view = &answer.view;

	view->type = POL_TYPE_VIOLATION;
	view->verdict = POL_VERDICT_DENIED;
	view->flags = POL_EVENT_HAS_RULE;
	view->access = (struct pol_event_access){
		.access = POL_RIGHT_WRITE,
		.missing = POL_RIGHT_WRITE,
		.rule = 3,
		.rule_access = POL_RIGHT_READ,
		.op = POL_OP_OPEN,
		.hook = POL_HOOK_FILE_OPEN,
		.reason = POL_REASON_RULE,
		.err = EACCES,
	};
	view->path = (struct pol_event_text){ .data = "/srv/\xff", .len = 6 };
	answer.wanted = POL_RIGHT_WRITE;
}

TestSuite(explain_say, .init = set_up);

static char *dump(void)
{
	json_t *said = explain_json("web", &answer, &ctx);
	char *text = json_dumps(said, JSON_COMPACT);

	json_decref(said);
	return text;
}

/* The published schema takes it: tests/receivers/schema.py. */
Test(explain_say, a_refusal)
{
	json_t *golden = json_load_file("tests/golden/explain.json", 0, NULL);
	char *text = dump(), *want = json_dumps(golden, JSON_COMPACT);

	cr_assert(golden);
	cr_assert_str_eq(text, want);
	json_decref(golden);
	free(text);
	free(want);
}

Test(explain_say, what_is_allowed_needs_nothing)
{
	char *text;

	answer.view.type = POL_TYPE_ALLOW;
	answer.view.verdict = POL_VERDICT_ALLOWED;
	answer.view.access.missing = 0;
	answer.view.access.err = 0;
	answer.view.access.access = 0;
	answer.kernel = EISDIR;
	cr_assert(pol_probe_allows(&answer));
	text = dump();
	cr_assert(strstr(text, "\"verdict\":\"allowed\",\"errno\":null,\"access\":[\"write\"],\"missing\":[]"));
	cr_assert(strstr(text, "\"reason\":null,\"suggest\":null,\"kernel\":\"EISDIR\"}"));
	free(text);
}

Test(explain_say, for_a_person, .init = cr_redirect_stdout)
{
	char buf[2048];
	json_t *said;
	size_t n;

	set_up();
	said = explain_json("web", &answer, &ctx);
	explain_print(said);
	json_decref(said);
	fflush(stdout);
	n = fread(buf, 1, sizeof(buf) - 1, cr_get_redirected_stdout());
	buf[n] = '\0';
	cr_assert_str_eq(buf,
			 "denied (EACCES): guest web, write of /srv/\xef\xbf\xbd\n"
			 "  rule     p.toml:7  /srv: read\n"
			 "  missing  write\n"
			 "  reason   rule\n"
			 "  add      { path_hex = \"2f7372762fff\", access = [\"read\", \"write\"] }\n");
}
