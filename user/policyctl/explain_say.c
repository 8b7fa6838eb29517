/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "explain_say.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "ctl.h"
#include "words.h"

/* Written as an event and read again: one form of each field, wherever it is. */
static json_t *as_event(const struct pol_event_view *view, const struct pol_event_ctx *ctx)
{
	_cleanup_free_ char *line = malloc(POL_EVENT_LINE_SIZE);

	if (!line || pol_event_json(view, ctx, line, POL_EVENT_LINE_SIZE) < 0)
		return NULL;
	return json_loads(line, 0, NULL);
}

static void copy(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value)
		(void)json_object_set(to, key, value);
}

json_t *explain_json(const char *guest, struct pol_probe_answer *answer,
		     const struct pol_event_ctx *ctx)
{
	static const char *const keys[] = { "verdict",	      "errno",	  "access", "missing", "op",
					    "hook",	      "path",	  "path_truncated",
					    "path_hex",	      "rule",	  "reason", "suggest",
					    "path_hex_truncated" };
	struct pol_event_view *view = &answer->view;
	bool allowed = pol_probe_allows(answer);
	json_t *event, *ret;

	view->type = POL_TYPE_VIOLATION;
	if (allowed)
		view->access.access = answer->wanted;
	event = as_event(view, ctx);
	ret = event ? json_pack("{s:s,s:s}", "schema", CTL_SCHEMA, "guest", guest) : NULL;
	for (size_t i = 0; ret && i < ARRAY_SIZE(keys); i++)
		copy(ret, event, keys[i]);
	json_decref(event);
	if (!ret)
		return NULL;
	if (allowed) {
		(void)json_object_set_new(ret, "reason", json_null());
		(void)json_object_set_new(ret, "suggest", json_null());
	}
	(void)json_object_set_new(ret, "kernel",
				  answer->kernel ? json_string(pol_errno_name((uint32_t)answer->kernel))
						 : json_null());
	return ret;
}

/* ------------------------------------------------------------------ for a person */

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void print_rights(const json_t *object, const char *key)
{
	const json_t *rights = json_object_get(object, key);

	for (size_t i = 0; i < json_array_size(rights); i++)
		printf("%s%s", i ? " " : "", json_string_value(json_array_get(rights, i)));
	if (!json_array_size(rights))
		fputs("none", stdout);
}

static void print_rule(const json_t *rule)
{
	if (!json_is_object(rule))
		return;
	fputs("  rule     ", stdout);
	ctl_print_escaped(text_of(rule, "where"));
	fputs("  ", stdout);
	ctl_print_escaped(text_of(rule, "path"));
	fputs(": ", stdout);
	print_rights(rule, "access");
	putchar('\n');
}

void explain_print(const json_t *explained)
{
	const char *err = text_of(explained, "errno"), *kernel = text_of(explained, "kernel");
	const char *reason = text_of(explained, "reason"), *suggest = text_of(explained, "suggest");

	printf("%s", text_of(explained, "verdict"));
	if (err)
		printf(" (%s)", err);
	printf(": guest %s, ", text_of(explained, "guest"));
	print_rights(explained, "access");
	fputs(" of ", stdout);
	ctl_print_escaped(text_of(explained, "path"));
	putchar('\n');
	print_rule(json_object_get(explained, "rule"));
	if (reason) {
		fputs("  missing  ", stdout);
		print_rights(explained, "missing");
		printf("\n  reason   %s\n", reason);
	}
	if (suggest) {
		fputs("  add      ", stdout);
		ctl_print_escaped(suggest);
		putchar('\n');
	}
	if (kernel)
		printf("  kernel   refuses the operation itself: %s; this is what the policy says\n",
		       kernel);
}
