/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_ecs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event_facts.h"
#include "event_factw.h"
#include "version.h"
#include "words.h"

#define ECS_VERSION "9.4.0"
/* "ignore_above" of the schema's keywords: what is longer is stored, and not found. */
#define KEYWORD_MAX 1024

/* event.category and event.type: only pairs that the schema expects together. */
struct class
{
	const char *category[3];
	const char *type[3];
	bool alert;
};

static const char *op_type(uint32_t op)
{
	switch (op) {
	case POL_OP_CREATE:
	case POL_OP_MKDIR:
	case POL_OP_MKNOD:
	case POL_OP_SYMLINK:
	case POL_OP_LINK:
	case POL_OP_BIND:
		return "creation";
	case POL_OP_UNLINK:
	case POL_OP_RMDIR:
		return "deletion";
	case POL_OP_RENAME:
	case POL_OP_TRUNCATE:
	case POL_OP_CHMOD:
	case POL_OP_CHOWN:
	case POL_OP_UTIME:
	case POL_OP_XATTR:
	case POL_OP_ACL:
	case POL_OP_CHATTR:
		return "change";
	default:
		return "access";
	}
}

static struct class class_of_access(const struct pol_event_view *view)
{
	const bool exec = view->access.op == POL_OP_EXEC;
	struct class class = {
		.category = { exec ? "process" : "file" },
		.type = { exec ? "start" : op_type(view->access.op) },
	};

	if (view->type == POL_TYPE_ALLOW)
		return class;
	class.alert = true;
	class.category[1] = "intrusion_detection";
	class.type[1] = view->verdict == POL_VERDICT_WOULD_DENY ? "info" : "denied";
	return class;
}

static struct class class_of_note(const struct pol_event_view *view)
{
	static const struct {
		uint32_t action;
		const char *category;
		const char *type;
	} rows[] = {
		{ POL_ACTION_CREATED, "process", "start" },
		{ POL_ACTION_EMPTY, "process", "end" },
		{ POL_ACTION_STOPPED, "process", "end" },
		{ POL_ACTION_LOADED, "configuration", "creation" },
		{ POL_ACTION_UNLOADED, "configuration", "deletion" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].action == view->note.action)
			return (struct class){ { rows[i].category }, { rows[i].type }, false };
	if (view->type == POL_TYPE_POLICY)
		return (struct class){ { "configuration" }, { "change" }, false };
	return (struct class){ { "process" }, { "change" }, false };
}

static struct class class_of(const struct pol_event_view *view)
{
	switch (view->type) {
	case POL_TYPE_VIOLATION:
	case POL_TYPE_ALLOW:
		return class_of_access(view);
	case POL_TYPE_ESCAPE:
		return (struct class){
			{ "process", "intrusion_detection" },
			{ "access", view->verdict == POL_VERDICT_WOULD_DENY ? "info" : "denied" },
			true,
		};
	case POL_TYPE_CEILING:
		if (view->verdict == POL_VERDICT_DENIED)
			return (struct class){ { "process", "intrusion_detection" },
					       { "denied" },
					       true };
		return (struct class){ { "process" },
				       { view->verdict == POL_VERDICT_KILLED ? "end" : "info" },
				       view->verdict == POL_VERDICT_KILLED };
	case POL_TYPE_EXIT:
		return (struct class){ { "process" }, { "end" }, false };
	case POL_TYPE_EXEC:
	case POL_TYPE_FORK:
		return (struct class){ { "process" }, { "start" }, false };
	case POL_TYPE_GUEST:
	case POL_TYPE_POLICY:
		return class_of_note(view);
	case POL_TYPE_SHADOW:
		return (struct class){
			{ "file" },
			{ view->shadow.action == POL_SHADOW_STALE ? "change" : "info" },
			false,
		};
	default:
		return (struct class){ { "intrusion_detection" }, { "info" }, true };
	}
}

/* "file.open.denied" -> "file-open-denied" */
static void put_action(struct pol_factw *o)
{
	char action[sizeof(o->facts->code)];

	(void)snprintf(action, sizeof(action), "%s", o->facts->code);
	for (char *p = action; *p; p++)
		if (*p == '.')
			*p = '-';
	pol_factw_word(o, "action", action);
}

static void put_event(struct pol_factw *o)
{
	static const char *const outcomes[] = { "unknown", "success", "failure" };
	const struct pol_facts *facts = o->facts;
	const struct pol_event_view *view = facts->view;
	const struct class class = class_of(view);
	const char *why = pol_facts_why(facts);

	pol_factw_open(o, "event");
	pol_factw_word(o, "kind", class.alert ? "alert" : "event");
	pol_factw_words(o, "category", class.category);
	pol_factw_words(o, "type", class.type);
	put_action(o);
	pol_factw_word(o, "outcome", outcomes[facts->outcome]);
	pol_factw_word(o, "code", facts->code);
	pol_factw_word(o, "provider", POL_PRODUCT);
	pol_factw_word(o, "module", POL_PRODUCT);
	pol_factw_word(o, "dataset", POL_PRODUCT ".events");
	pol_factw_number(o, "severity", (uint64_t)facts->level + 1);
	pol_factw_word(o, "reason", why ? why : pol_errno_name(pol_event_err(view)));
	pol_factw_word(o, "id", facts->uid);
	if (!view->outside)
		pol_factw_number(o, "sequence", view->seq);
	if (view->type == POL_TYPE_EXIT && view->exit.duration_ns != POL_EXIT_UNKNOWN)
		pol_factw_number(o, "duration", view->exit.duration_ns);
	pol_factw_close(o);
}

static void put_rule(struct pol_factw *o)
{
	char version[24], id[24];

	if (!o->facts->has_rule)
		return;
	(void)snprintf(id, sizeof(id), "%u", o->facts->view->access.rule);
	(void)snprintf(version, sizeof(version), "%" PRIu64, o->facts->generation);
	pol_factw_open(o, "rule");
	pol_factw_word(o, "id", id);
	pol_factw_text(o, "name", POL_FACT_RULE_NAME);
	pol_factw_text(o, "description", POL_FACT_RULE_WHERE);
	pol_factw_word(o, "version", version);
	pol_factw_close(o);
}

/* "key": { "id": "0" } */
static void put_id(struct pol_factw *o, const char *key, uint32_t id)
{
	pol_factw_open(o, key);
	pol_factw_decimal(o, "id", id);
	pol_factw_close(o);
}

static void put_parent(struct pol_factw *o)
{
	if (!o->facts->view->process.parent_tgid)
		return;
	pol_factw_open(o, "parent");
	pol_factw_number(o, "pid", o->facts->view->process.parent_tgid);
	pol_factw_text(o, "name", POL_FACT_PARENT_COMM);
	pol_factw_text(o, "executable", POL_FACT_PARENT_EXE);
	pol_factw_close(o);
}

static void put_process(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;
	const struct pol_event_process *process = &facts->view->process;

	if (!facts->view->has_process)
		return;
	pol_factw_open(o, "process");
	pol_factw_number(o, "pid", process->tgid);
	pol_factw_word(o, "entity_id", facts->process_uid);
	pol_factw_text(o, "name", POL_FACT_COMM);
	pol_factw_text(o, "executable", POL_FACT_EXE);
	pol_factw_word(o, "start", facts->start);
	if (facts->view->type == POL_TYPE_EXIT) {
		pol_factw_word(o, "end", facts->time);
		if (facts->status >= 0)
			pol_factw_number(o, "exit_code", (uint64_t)facts->status);
	}
	pol_factw_open(o, "thread");
	pol_factw_number(o, "id", process->tid);
	pol_factw_close(o);
	put_id(o, "real_user", process->uid);
	put_id(o, "real_group", process->gid);
	put_parent(o);
	pol_factw_close(o);
	put_id(o, "user", process->uid);
}

static void put_file(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;

	if (!facts->text[POL_FACT_PATH].data && !facts->ino[0])
		return;
	pol_factw_open(o, "file");
	pol_factw_text(o, "path", POL_FACT_PATH);
	pol_factw_text(o, "name", POL_FACT_NAME);
	if (facts->view->type == POL_TYPE_SHADOW)
		pol_factw_number(o, "size", facts->view->shadow.size);
	pol_factw_word(o, "device", facts->dev);
	pol_factw_word(o, "inode", facts->ino);
	pol_factw_close(o);
}

static void put_host(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;

	if (!facts->text[POL_FACT_HOST].data && !facts->text[POL_FACT_BOOT_ID].data)
		return;
	pol_factw_open(o, "host");
	pol_factw_text(o, "hostname", POL_FACT_HOST);
	if (facts->text[POL_FACT_BOOT_ID].data) {
		pol_factw_open(o, "boot");
		pol_factw_text(o, "id", POL_FACT_BOOT_ID);
		pol_factw_close(o);
	}
	pol_factw_close(o);
}

static void put_line(struct pol_factw *o)
{
	pol_factw_word(o, "@timestamp", o->facts->time);
	pol_factw_open(o, "ecs");
	pol_factw_word(o, "version", ECS_VERSION);
	pol_factw_close(o);
	pol_factw_text(o, "message", POL_FACT_MESSAGE);
	put_event(o);
	put_rule(o);
	put_process(o);
	put_file(o);
	put_host(o);
	pol_factw_open(o, "observer");
	pol_factw_word(o, "vendor", POL_VENDOR);
	pol_factw_word(o, "product", POL_PRODUCT);
	pol_factw_word(o, "version", POL_VERSION);
	pol_factw_close(o);
	pol_factw_open(o, POL_PRODUCT);
	pol_factw_rest(o, POL_IN_ECS);
	pol_factw_close(o);
}

int pol_event_ecs(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		  size_t size)
{
	struct pol_facts facts;

	pol_facts_init(&facts, view, ctx);
	return pol_factw_line(&facts, KEYWORD_MAX, put_line, buf, size);
}
