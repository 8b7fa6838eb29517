/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_ocsf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "event_facts.h"
#include "event_factw.h"
#include "ocsf_class.h"
#include "version.h"
#include "words.h"

#define OCSF_VERSION "1.8.0"
/* An object of the file class needs a name; a pipe has none. */
#define UNNAMED	  "(unnamed)"
#define COUNT_MAX INT32_MAX /* the schema's integer_t */

static int64_t milliseconds(int64_t ns)
{
	return ns / 1000000 - (ns % 1000000 < 0);
}

/* What the verdict is called by the profile security_control. */
static const struct control {
	uint32_t action;
	uint32_t disposition;
	bool alert;
} controls[] = {
	[POL_VERDICT_DENIED] = { 2, 2, true },	    /* Denied, Blocked */
	[POL_VERDICT_WOULD_DENY] = { 3, 15, true }, /* Observed, Detected */
	[POL_VERDICT_ALLOWED] = { 1, 1, false },
	[POL_VERDICT_PRESSURE] = { 3, 17, false }, /* Observed, Logged */
	[POL_VERDICT_KILLED] = { 2, 2, true },
};

static const struct control *control_of(const struct pol_event_view *view)
{
	uint32_t verdict = view->verdict;

	return verdict && verdict < ARRAY_SIZE(controls) ? &controls[verdict] : NULL;
}

/* "key": { "uid": "0" } */
static void put_uid(struct pol_factw *o, const char *key, uint32_t uid)
{
	pol_factw_open(o, key);
	pol_factw_decimal(o, "uid", uid);
	pol_factw_close(o);
}

static void put_parent(struct pol_factw *o, const char *key)
{
	pol_factw_open(o, key);
	pol_factw_number(o, "pid", o->facts->view->process.parent_tgid);
	pol_factw_text(o, "name", POL_FACT_PARENT_COMM);
	pol_factw_text(o, "path", POL_FACT_PARENT_EXE);
	pol_factw_close(o);
}

/* The inside of the process that the event is about. */
static void put_process_fields(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;
	const struct pol_event_process *process = &facts->view->process;

	pol_factw_number(o, "pid", process->tgid);
	pol_factw_number(o, "tid", process->tid);
	pol_factw_word(o, "uid", facts->process_uid);
	pol_factw_text(o, "name", POL_FACT_COMM);
	pol_factw_text(o, "path", POL_FACT_EXE);
	if (facts->start[0])
		pol_factw_signed(o, "created_time", milliseconds(facts->start_real_ns));
	if (facts->view->type == POL_TYPE_EXIT)
		pol_factw_signed(o, "terminated_time", milliseconds(facts->real_ns));
	if (facts->view->type != POL_TYPE_SHADOW) /* whoever did it is anybody's */
		pol_factw_text(o, "sandbox", POL_FACT_GUEST);
	put_uid(o, "user", process->uid);
	put_uid(o, "group", process->gid);
	if (process->parent_tgid)
		put_parent(o, "parent_process");
}

static void put_process(struct pol_factw *o)
{
	pol_factw_open(o, "process");
	put_process_fields(o);
	pol_factw_close(o);
}

/* Who did it: the process itself; where nobody is known, we say that we saw it. */
static void put_actor(struct pol_factw *o)
{
	pol_factw_open(o, "actor");
	if (o->facts->view->has_process)
		put_process(o);
	else
		pol_factw_word(o, "app_name", POL_PRODUCT);
	pol_factw_close(o);
}

static void put_file(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;
	const uint32_t op = pol_event_has_access(facts->view->type) ? facts->view->access.op : 0;
	char uid[64];

	pol_factw_open(o, "file");
	if (facts->text[POL_FACT_NAME].data)
		pol_factw_text(o, "name", POL_FACT_NAME);
	else
		pol_factw_word(o, "name", UNNAMED);
	pol_factw_text(o, "path", POL_FACT_PATH);
	if (facts->view->type == POL_TYPE_SHADOW)
		pol_factw_number(o, "size", facts->view->shadow.size);
	pol_factw_number(o, "type_id", pol_ocsf_file_type(op));
	if (facts->ino[0]) {
		(void)snprintf(uid, sizeof(uid), "%s:%s", facts->dev, facts->ino);
		pol_factw_word(o, "uid", uid);
	}
	pol_factw_close(o);
}

static void put_file_class(struct pol_factw *o)
{
	put_actor(o);
	put_file(o);
}

/* Of a refused exec: the process that would have been. */
static void put_launched(struct pol_factw *o)
{
	pol_factw_open(o, "process");
	pol_factw_number(o, "pid", o->facts->view->process.tgid);
	put_file(o);
	pol_factw_close(o);
	pol_factw_number(o, "launch_type_id", 3); /* Exec */
}

/* Who ended it: the sender of the signal if there is one, else itself. */
static void put_ender(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;
	const struct pol_sender *sender = &facts->view->exit.sender;

	pol_factw_open(o, "actor");
	pol_factw_open(o, "process");
	if (sender->tgid) {
		pol_factw_number(o, "pid", sender->tgid);
		pol_factw_text(o, "name", POL_FACT_SENDER_COMM);
		pol_factw_text(o, "sandbox", POL_FACT_SENDER_GUEST);
	} else {
		pol_factw_number(o, "pid", facts->view->process.tgid);
		pol_factw_word(o, "uid", facts->process_uid);
	}
	pol_factw_close(o);
	pol_factw_close(o);
}

static void put_launcher(struct pol_factw *o)
{
	pol_factw_open(o, "actor");
	if (o->facts->view->process.parent_tgid)
		put_parent(o, "process");
	else
		put_process(o);
	pol_factw_close(o);
}

static void put_process_class(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;

	if (pol_event_has_access(facts->view->type)) {
		put_actor(o);
		return put_launched(o);
	}
	put_process(o);
	if (facts->view->type != POL_TYPE_EXIT) {
		put_launcher(o);
		/* Fork, Exec */
		return pol_factw_number(o, "launch_type_id",
					facts->view->type == POL_TYPE_FORK ? 2 : 3);
	}
	put_ender(o);
	if (facts->status >= 0)
		pol_factw_number(o, "exit_code", (uint64_t)facts->status);
	if (facts->view->exit.duration_ns != POL_EXIT_UNKNOWN)
		pol_factw_number(o, "duration", facts->view->exit.duration_ns / 1000000);
}

static void put_finding(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;
	const bool escape = facts->view->type == POL_TYPE_ESCAPE;
	const char *const types[] = { escape ? "escape" : "resource-limit", NULL };

	pol_factw_open(o, "finding_info");
	pol_factw_word(o, "uid", facts->uid);
	pol_factw_word(o, "title", facts->name);
	pol_factw_words(o, "types", types);
	pol_factw_open(o, "analytic");
	pol_factw_number(o, "type_id", 1); /* Rule */
	pol_factw_word(o, "name", facts->code);
	pol_factw_close(o);
	pol_factw_close(o);
	if (!facts->view->has_process)
		return;
	pol_jsonw_key(&o->w, "evidences");
	pol_jsonw_open(&o->w, '[');
	pol_jsonw_open(&o->w, '{');
	put_process(o);
	pol_jsonw_close(&o->w, '}');
	pol_jsonw_close(&o->w, ']');
}

static void put_generation(struct pol_factw *o)
{
	char version[24];

	(void)snprintf(version, sizeof(version), "%" PRIu64, o->facts->generation);
	pol_factw_word(o, "name", "policy");
	pol_factw_text(o, "uid", POL_FACT_SHA256);
	pol_factw_word(o, "version", version);
}

static void put_entity(struct pol_factw *o)
{
	const struct pol_event_note *note = &o->facts->view->note;

	pol_factw_open(o, "entity");
	pol_factw_number(o, "type_id", 5); /* Policy */
	put_generation(o);
	pol_factw_close(o);
	if (!note->by_tgid)
		return;
	pol_factw_open(o, "actor");
	pol_factw_open(o, "process");
	pol_factw_number(o, "pid", note->by_tgid);
	pol_factw_close(o);
	put_uid(o, "user", note->by_uid);
	pol_factw_close(o);
}

static void put_app(struct pol_factw *o)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "guest %u", o->facts->view->guest);
	pol_factw_open(o, "app");
	if (o->facts->text[POL_FACT_GUEST].data)
		pol_factw_text(o, "name", POL_FACT_GUEST);
	else
		pol_factw_word(o, "name", name);
	pol_factw_decimal(o, "uid", o->facts->view->guest);
	pol_factw_close(o);
}

static void put_error(struct pol_factw *o)
{
	const struct pol_event_view *view = o->facts->view;

	if (view->type == POL_TYPE_LOST && view->lost.count <= COUNT_MAX)
		pol_factw_number(o, "count", view->lost.count);
}

static void put_class(struct pol_factw *o, enum pol_ocsf_uid uid)
{
	switch (uid) {
	case POL_OCSF_FILE:
		return put_file_class(o);
	case POL_OCSF_PROCESS:
		return put_process_class(o);
	case POL_OCSF_FINDING:
		return put_finding(o);
	case POL_OCSF_ENTITY:
		return put_entity(o);
	case POL_OCSF_LIFECYCLE:
		return put_app(o);
	case POL_OCSF_ERROR:
		return put_error(o);
	}
}

/* errno or signal, and why. A finding's status is how far somebody has got with it: new. */
static void put_status(struct pol_factw *o, enum pol_ocsf_uid class)
{
	static const uint32_t ids[] = { 0, 1, 2 }; /* Unknown, Success, Failure */
	const struct pol_facts *facts = o->facts;

	pol_factw_number(o, "status_id", class == POL_OCSF_FINDING ? 1 : ids[facts->outcome]);
	pol_factw_word(o, "status_code",
		       facts->signal > 0 ? pol_signal_name((uint32_t)facts->signal)
					 : pol_errno_name(pol_event_err(facts->view)));
	pol_factw_word(o, "status_detail", pol_facts_why(facts));
}

static void put_control(struct pol_factw *o)
{
	const struct control *control = control_of(o->facts->view);

	if (!control)
		return;
	pol_factw_number(o, "action_id", control->action);
	pol_factw_number(o, "disposition_id", control->disposition);
	pol_jsonw_key(&o->w, "is_alert");
	pol_jsonw_bool(&o->w, control->alert);
	pol_factw_open(o, "policy");
	put_generation(o);
	pol_factw_close(o);
	if (!o->facts->has_rule)
		return;
	pol_factw_open(o, "firewall_rule");
	pol_factw_decimal(o, "uid", o->facts->view->access.rule);
	pol_factw_text(o, "name", POL_FACT_RULE_NAME);
	pol_factw_close(o);
}

static void put_device(struct pol_factw *o)
{
	pol_factw_open(o, "device");
	pol_factw_number(o, "type_id", 0); /* Unknown: a server or a machine of any kind */
	if (o->facts->text[POL_FACT_HOST].data)
		pol_factw_text(o, "hostname", POL_FACT_HOST);
	else
		pol_factw_word(o, "name", "unknown");
	pol_factw_text(o, "boot_uid", POL_FACT_BOOT_ID);
	pol_factw_close(o);
}

/* Last: only now is known whether anything was cut. */
static void put_metadata(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;
	const char *const profiles[] = { "datetime", "host",
					 control_of(facts->view) ? "security_control" : NULL,
					 NULL };
	unsigned char marks = 0;

	for (size_t i = 0; i < POL_FACTS_CNT; i++)
		marks |= o->marks[i];
	pol_factw_open(o, "metadata");
	pol_factw_word(o, "version", OCSF_VERSION);
	pol_factw_word(o, "uid", facts->uid);
	if (!facts->view->outside)
		pol_factw_number(o, "sequence", facts->view->seq);
	pol_factw_word(o, "event_code", facts->code);
	pol_factw_words(o, "profiles", profiles);
	if (marks & POL_JSONW_CUT) {
		pol_jsonw_key(&o->w, "is_truncated");
		pol_jsonw_bool(&o->w, true);
	}
	pol_factw_open(o, "product");
	pol_factw_word(o, "name", POL_PRODUCT);
	pol_factw_word(o, "vendor_name", POL_VENDOR);
	pol_factw_word(o, "version", POL_VERSION);
	pol_factw_close(o);
	pol_factw_close(o);
}

static void put_line(struct pol_factw *o)
{
	const struct pol_facts *facts = o->facts;
	const struct pol_ocsf_class class = pol_ocsf_class(facts->view);

	pol_factw_number(o, "category_uid", class.uid / 1000);
	pol_factw_number(o, "class_uid", class.uid);
	pol_factw_number(o, "activity_id", class.activity);
	pol_factw_word(o, "activity_name", class.activity_name);
	pol_factw_number(o, "type_uid", class.uid * UINT64_C(100) + class.activity);
	pol_factw_signed(o, "time", milliseconds(facts->real_ns));
	pol_factw_word(o, "time_dt", facts->time);
	pol_factw_number(o, "severity_id", (uint64_t)facts->level + 1);
	put_status(o, class.uid);
	put_control(o);
	pol_factw_text(o, "message", POL_FACT_MESSAGE);
	put_class(o, class.uid);
	put_device(o);
	pol_factw_open(o, "unmapped");
	pol_factw_rest(o, POL_IN_OCSF);
	pol_factw_close(o);
	put_metadata(o);
}

int pol_event_ocsf(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		   size_t size)
{
	struct pol_facts facts;

	pol_facts_init(&facts, view, ctx);
	return pol_factw_line(&facts, 0, put_line, buf, size);
}
