/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "words.h"

struct kind {
	uint32_t type;
	uint32_t which; /* its verdict, of shadow its action; 0: any other */
	const char *name;
	enum pol_level level;
	enum pol_outcome outcome;
};

/* The first row that fits. */
static const struct kind kinds[] = {
	{ POL_TYPE_VIOLATION, POL_VERDICT_WOULD_DENY, "File access would be denied",
	  POL_LEVEL_NOTICE, POL_OUTCOME_SUCCESS },
	{ POL_TYPE_VIOLATION, 0, "File access denied", POL_LEVEL_WARNING, POL_OUTCOME_FAILURE },
	{ POL_TYPE_ESCAPE, POL_VERDICT_WOULD_DENY, "Escape would be denied", POL_LEVEL_NOTICE,
	  POL_OUTCOME_SUCCESS },
	{ POL_TYPE_ESCAPE, 0, "Escape denied", POL_LEVEL_WARNING, POL_OUTCOME_FAILURE },
	{ POL_TYPE_CEILING, POL_VERDICT_PRESSURE, "Ceiling near", POL_LEVEL_NOTICE,
	  POL_OUTCOME_SUCCESS },
	{ POL_TYPE_CEILING, POL_VERDICT_KILLED, "Ended by a ceiling", POL_LEVEL_ERROR,
	  POL_OUTCOME_FAILURE },
	{ POL_TYPE_CEILING, 0, "Ceiling reached", POL_LEVEL_WARNING, POL_OUTCOME_FAILURE },
	{ POL_TYPE_EXIT, 0, "Process ended", POL_LEVEL_INFO, POL_OUTCOME_UNKNOWN },
	{ POL_TYPE_LOST, 0, "Events lost", POL_LEVEL_ERROR, POL_OUTCOME_FAILURE },
	{ POL_TYPE_GUEST, 0, "Guest changed", POL_LEVEL_INFO, POL_OUTCOME_SUCCESS },
	{ POL_TYPE_POLICY, 0, "Policy changed", POL_LEVEL_NOTICE, POL_OUTCOME_SUCCESS },
	{ POL_TYPE_ALLOW, 0, "File access allowed", POL_LEVEL_INFO, POL_OUTCOME_SUCCESS },
	{ POL_TYPE_SHADOW, POL_SHADOW_CREATED, "Shadow file created", POL_LEVEL_INFO,
	  POL_OUTCOME_SUCCESS },
	{ POL_TYPE_SHADOW, POL_SHADOW_STALE, "Shadow file stale", POL_LEVEL_NOTICE,
	  POL_OUTCOME_SUCCESS },
	{ POL_TYPE_SHADOW, POL_SHADOW_REFUSED, "Shadow file refused", POL_LEVEL_WARNING,
	  POL_OUTCOME_FAILURE },
	{ POL_TYPE_SHADOW, POL_SHADOW_FREED, "Shadow file freed", POL_LEVEL_INFO,
	  POL_OUTCOME_SUCCESS },
	{ POL_TYPE_SHADOW, 0, "Shadow file changed", POL_LEVEL_INFO, POL_OUTCOME_UNKNOWN },
	{ POL_TYPE_EXEC, 0, "Program executed", POL_LEVEL_INFO, POL_OUTCOME_SUCCESS },
	{ POL_TYPE_FORK, 0, "Task created", POL_LEVEL_INFO, POL_OUTCOME_SUCCESS },
};

static const struct {
	const char *name;
	uint16_t max[POL_FACT_LEVELS];
} texts[] = {
#define X(id, name, plain, tight, tightest) [POL_FACT_##id] = { name, { plain, tight, tightest } },
	POL_FACT_TEXTS(X)
#undef X
};

const char *pol_fact_name(enum pol_fact fact)
{
	return texts[fact].name;
}

size_t pol_fact_max(enum pol_fact fact, unsigned int level)
{
	return texts[fact].max[level];
}

struct pol_event_text pol_fact_text(const struct pol_facts *facts, enum pol_fact fact, size_t max)
{
	return pol_event_tail(&facts->text[fact], max);
}

const char *pol_facts_why(const struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;

	if (view->type == POL_TYPE_EXIT)
		return pol_cause_word(view->exit.cause);
	if (view->type == POL_TYPE_SHADOW)
		return pol_op_word(pol_event_shadow_op(&view->shadow));
	return pol_event_has_access(view->type) ? pol_reason_word(view->access.reason) : NULL;
}

void pol_rights_text(uint64_t mask, char *buf)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int bit = 0; bit < POL_RIGHTS_CNT; bit++)
		if (mask & UINT64_C(1) << bit)
			len += (size_t)snprintf(buf + len, POL_RIGHTS_TEXT_SIZE - len, "%s%s",
						len ? "," : "", pol_right_word(bit));
}

static void set_text(struct pol_facts *facts, enum pol_fact fact, const char *data, size_t len)
{
	facts->text[fact] = (struct pol_event_text){ .data = data, .len = data ? len : 0 };
}

static void set_string(struct pol_facts *facts, enum pol_fact fact, const char *text)
{
	set_text(facts, fact, text, text ? strlen(text) : 0);
}

/* comm: no text where it is empty. */
static void set_comm(struct pol_facts *facts, enum pol_fact fact, const char comm[POL_COMM_SIZE])
{
	size_t len = strnlen(comm, POL_COMM_SIZE);

	set_text(facts, fact, len ? comm : NULL, len);
}

/* Kept: the callback lends one string at a time. */
static void set_guest(struct pol_facts *facts, enum pol_fact fact, uint32_t guest, char *buf)
{
	const struct pol_event_ctx *ctx = facts->ctx;
	const char *name = NULL;

	if (ctx->guest_name && guest != POL_GUEST_ENGINE && !facts->view->outside)
		name = ctx->guest_name(ctx->arg, facts->generation, guest);
	if (!name)
		return;
	(void)snprintf(buf, POL_GUEST_NAME_SIZE, "%s", name);
	set_string(facts, fact, buf);
}

static void set_name(struct pol_facts *facts)
{
	const struct pol_event_text *path = &facts->text[POL_FACT_PATH];
	const char *slash;

	if (!path->data)
		return;
	slash = memrchr(path->data, '/', path->len);
	if (slash && path->len > 1)
		set_text(facts, POL_FACT_NAME, slash + 1,
			 path->len - (size_t)(slash + 1 - path->data));
	else
		facts->text[POL_FACT_NAME] = *path;
}

static void set_process_texts(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;
	const struct pol_event_ctx *ctx = facts->ctx;

	if (!view->has_process)
		return;
	set_comm(facts, POL_FACT_COMM, view->process.comm);
	facts->text[POL_FACT_EXE] = view->exe;
	if (ctx->cgroup)
		set_string(facts, POL_FACT_CGROUP, ctx->cgroup(ctx->arg, view->process.cgroup));
	if (!view->process.parent_tgid)
		return;
	set_comm(facts, POL_FACT_PARENT_COMM, view->process.parent_comm);
	facts->text[POL_FACT_PARENT_EXE] = view->parent_exe;
}

static void set_rule_texts(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;
	const struct pol_event_ctx *ctx = facts->ctx;
	struct pol_event_rule rule = { 0 };

	facts->has_rule = pol_event_has_rule(view);
	if (!facts->has_rule || !ctx->rule ||
	    ctx->rule(ctx->arg, view->generation, view->access.rule, &rule) < 0)
		return;
	set_text(facts, POL_FACT_RULE_PATH, rule.path, rule.path_len);
	set_string(facts, POL_FACT_RULE_NAME, rule.name);
	set_string(facts, POL_FACT_RULE_WHERE, rule.where);
}

/* As in the native JSON: an escape is an operation, not an access to an object. */
static bool has_object(const struct pol_event_view *view)
{
	return view->type == POL_TYPE_VIOLATION || view->type == POL_TYPE_ALLOW;
}

static bool has_path(const struct pol_event_view *view)
{
	return has_object(view) || view->type == POL_TYPE_SHADOW;
}

static void set_texts(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;
	const struct pol_event_ctx *ctx = facts->ctx;

	set_string(facts, POL_FACT_HOST, ctx->host);
	set_string(facts, POL_FACT_BOOT_ID, ctx->boot_id);
	set_guest(facts, POL_FACT_GUEST, view->guest, facts->guest);
	if (ctx->sha256 && !view->outside)
		set_string(facts, POL_FACT_SHA256, ctx->sha256(ctx->arg, facts->generation));
	if (has_path(view)) {
		facts->text[POL_FACT_PATH] = view->path;
		set_name(facts);
	}
	set_process_texts(facts);
	if (has_object(view))
		set_rule_texts(facts);
	if (view->type != POL_TYPE_EXIT || !view->exit.sender.tgid)
		return;
	set_comm(facts, POL_FACT_SENDER_COMM, view->exit.sender.comm);
	set_guest(facts, POL_FACT_SENDER_GUEST, view->exit.sender.guest, facts->sender_guest);
}

static void set_kind(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;
	uint32_t which = view->type == POL_TYPE_SHADOW ? view->shadow.action : view->verdict;

	facts->name = "Event";
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct kind *kind = &kinds[i];

		if (kind->type != view->type || (kind->which && kind->which != which))
			continue;
		facts->name = kind->name;
		facts->level = kind->level;
		facts->outcome = kind->outcome;
		break;
	}
	if (view->type == POL_TYPE_POLICY &&
	    (view->note.action == POL_ACTION_UNLOADED || view->note.action == POL_ACTION_DISABLED))
		facts->level = POL_LEVEL_WARNING;
}

static void set_exit(struct pol_facts *facts)
{
	const struct pol_event_exit *exit = &facts->view->exit;

	facts->exit_code = facts->signal = facts->status = -1;
	if (facts->view->type != POL_TYPE_EXIT)
		return;
	facts->status = pol_event_status(exit, &facts->exit_code, &facts->signal);
	if (facts->status >= 0)
		facts->outcome = facts->status == 0 ? POL_OUTCOME_SUCCESS : POL_OUTCOME_FAILURE;
	if (exit->cause == POL_CAUSE_OOM || exit->cause == POL_CAUSE_CEILING ||
	    exit->cause == POL_CAUSE_POLICY)
		facts->level = POL_LEVEL_NOTICE;
}

/* "rolled back" -> "rolled_back": a code has no spaces. */
static void set_code(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;
	const char *type = pol_type_word(view->type), *what = NULL;
	const char *verdict = pol_verdict_word(view->verdict);

	if (pol_event_has_access(view->type))
		what = pol_op_word(view->access.op);
	else if (view->type == POL_TYPE_CEILING)
		what = pol_resource_word(view->ceiling.resource);
	else if (view->type == POL_TYPE_GUEST || view->type == POL_TYPE_POLICY)
		what = pol_action_word(view->note.action);
	else if (view->type == POL_TYPE_SHADOW)
		what = pol_shadow_word(view->shadow.action);
	if (view->type == POL_TYPE_VIOLATION || view->type == POL_TYPE_ALLOW)
		type = "file";
	(void)snprintf(facts->code, sizeof(facts->code), "%s%s%s%s%s", type ? type : "event",
		       what ? "." : "", what ? what : "", verdict ? "." : "",
		       verdict ? verdict : "");
	for (char *p = facts->code; *p; p++)
		if (*p == ' ')
			*p = '_';
}

/* The first eight digits of the boot id tell boots apart well enough, beside a sequence. */
static void set_ids(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;
	const char *id = facts->ctx->boot_id;
	char boot[9] = "0";
	int len;

	if (id && strspn(id, "0123456789abcdef") >= 8)
		(void)snprintf(boot, sizeof(boot), "%.8s", id);
	if (view->has_process)
		(void)snprintf(facts->process_uid, sizeof(facts->process_uid), "%s-%u-%" PRIu64,
			       boot, view->process.tgid,
			       (uint64_t)view->process.start_ns / 1000000);
	if (view->outside)
		return;
	len = snprintf(facts->uid, sizeof(facts->uid), "%s-%u-%" PRIu64, boot, view->guest,
		       view->seq);
	/* Its number is that of a record which may come later all the same. */
	if (view->type == POL_TYPE_LOST)
		(void)snprintf(facts->uid + len, sizeof(facts->uid) - (size_t)len, "-l%u",
			       view->lost.of);
}

static void set_object(struct pol_facts *facts)
{
	const struct pol_inode_key *inode = &facts->view->access.inode;

	if (!has_object(facts->view) || (!inode->ino && !inode->dev))
		return;
	(void)snprintf(facts->dev, sizeof(facts->dev), "%u:%u", inode->dev >> 20,
		       inode->dev & 0xfffff);
	(void)snprintf(facts->ino, sizeof(facts->ino), "%" PRIu64, (uint64_t)inode->ino);
}

static void set_times(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;

	facts->real_ns = pol_event_real_ns(view->boot_ns, facts->ctx);
	pol_event_time(view, facts->ctx, facts->time);
	if (!view->has_process || !view->process.start_ns)
		return;
	facts->start_real_ns = pol_event_real_ns(view->process.start_ns, facts->ctx);
	pol_real_time(facts->start_real_ns, facts->start);
}

void pol_facts_init(struct pol_facts *facts, const struct pol_event_view *view,
		    const struct pol_event_ctx *ctx)
{
	memset(facts, 0, sizeof(*facts));
	facts->view = view;
	facts->ctx = ctx;
	facts->generation =
		view->type == POL_TYPE_POLICY ? view->note.generation : view->generation;
	set_kind(facts);
	set_exit(facts);
	set_code(facts);
	set_ids(facts);
	set_object(facts);
	set_times(facts);
	set_texts(facts);
	if (pol_event_message(facts, facts->message, sizeof(facts->message)) > 0)
		set_string(facts, POL_FACT_MESSAGE, facts->message);
	pol_facts_list(facts);
}
