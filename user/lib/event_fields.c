/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The flat list of an event's fields. What is not known is not in it; the names are those of the
 * native JSON, nested ones joined by "_".
 */
#include "event_facts.h"
#include "words.h"

static struct pol_field *add(struct pol_facts *facts, const char *name, enum pol_field_kind kind,
			     unsigned int places)
{
	struct pol_field *field = &facts->field[facts->field_cnt];

	/* The last one is never used: an overflow would be seen in the tests as a lost field. */
	if (facts->field_cnt + 1 < POL_FIELDS_MAX)
		facts->field_cnt++;
	*field = (struct pol_field){ .name = name, .kind = kind, .places = places };
	return field;
}

static void add_text(struct pol_facts *facts, enum pol_fact fact, unsigned int places)
{
	if (facts->text[fact].data)
		add(facts, pol_fact_name(fact), POL_FIELD_TEXT, places)->text = fact;
}

static void add_word(struct pol_facts *facts, const char *name, const char *word,
		     unsigned int places)
{
	if (word && word[0])
		add(facts, name, POL_FIELD_WORD, places)->word = word;
}

static void add_number(struct pol_facts *facts, const char *name, uint64_t number,
		       unsigned int places)
{
	add(facts, name, POL_FIELD_NUMBER, places)->number = number;
}

static void add_known(struct pol_facts *facts, const char *name, uint64_t number)
{
	if (number != POL_EXIT_UNKNOWN)
		add_number(facts, name, number, 0);
}

static void add_ns(struct pol_facts *facts, const char *name, uint64_t number)
{
	if (number != POL_EXIT_UNKNOWN)
		add(facts, name, POL_FIELD_DECIMAL, 0)->number = number;
}

static void add_rights(struct pol_facts *facts, const char *name, uint32_t mask,
		       unsigned int places)
{
	add(facts, name, POL_FIELD_RIGHTS, places)->number = mask & POL_RIGHTS_ALL;
}

static void add_yes(struct pol_facts *facts, const char *name, bool yes)
{
	if (yes)
		add(facts, name, POL_FIELD_YES, 0);
}

static void add_head(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;
	const unsigned int all = POL_IN_ECS | POL_IN_OCSF | POL_IN_CEF;

	add_word(facts, "verdict", pol_verdict_word(view->verdict), POL_IN_CEF);
	add_text(facts, POL_FACT_HOST, all);
	add_text(facts, POL_FACT_BOOT_ID, POL_IN_ECS | POL_IN_OCSF);
	add_ns(facts, "boot_ns", view->boot_ns);
	if (view->outside)
		return;
	add_text(facts, POL_FACT_GUEST, POL_IN_CEF);
	add_number(facts, "guest_id", view->guest, 0);
	add_number(facts, "seq", view->seq, all);
	add_number(facts, "generation", facts->generation, 0);
	add_text(facts, POL_FACT_SHA256, 0);
}

static void add_process(struct pol_facts *facts)
{
	const struct pol_event_process *process = &facts->view->process;
	const unsigned int both = POL_IN_ECS | POL_IN_OCSF, all = both | POL_IN_CEF;

	if (!facts->view->has_process)
		return;
	add_number(facts, "pid", process->tgid, all);
	add_number(facts, "tid", process->tid, both);
	add_word(facts, "process_uid", facts->process_uid, all);
	add_ns(facts, "start_ns", process->start_ns);
	add_number(facts, "uid", process->uid, all);
	add_number(facts, "gid", process->gid, both);
	add_text(facts, POL_FACT_COMM, all);
	add_text(facts, POL_FACT_EXE, all);
	add_text(facts, POL_FACT_CGROUP, 0);
	if (process->parent_tgid)
		add_number(facts, "parent_pid", process->parent_tgid, both);
	add_text(facts, POL_FACT_PARENT_COMM, both);
	add_text(facts, POL_FACT_PARENT_EXE, both);
}

static void add_access(struct pol_facts *facts)
{
	const struct pol_event_access *access = &facts->view->access;
	bool allowed = facts->view->type == POL_TYPE_ALLOW;

	add_word(facts, "op", pol_op_word(access->op), POL_IN_CEF);
	add_word(facts, "errno", pol_errno_name(access->err), 0);
	if (facts->view->type == POL_TYPE_ESCAPE)
		return;
	add_rights(facts, "access", access->access, 0);
	add_text(facts, POL_FACT_PATH, POL_IN_ECS | POL_IN_OCSF | POL_IN_CEF);
	add_word(facts, "dev", facts->dev, POL_IN_ECS | POL_IN_CEF);
	add_word(facts, "ino", facts->ino, POL_IN_ECS | POL_IN_CEF);
	if (!allowed)
		add_rights(facts, "missing", access->missing, POL_IN_CEF);
	add_word(facts, "hook", pol_hook_word(access->hook), 0);
	if (!allowed) {
		add_word(facts, "reason", pol_reason_word(access->reason), POL_IN_CEF);
		add_number(facts, "repeats", access->repeats, POL_IN_CEF);
	}
	if (!facts->has_rule)
		return;
	add_number(facts, "rule_id", access->rule, POL_IN_ECS | POL_IN_OCSF);
	add_text(facts, POL_FACT_RULE_NAME, POL_IN_ECS | POL_IN_OCSF);
	add_text(facts, POL_FACT_RULE_WHERE, POL_IN_ECS | POL_IN_CEF);
	add_text(facts, POL_FACT_RULE_PATH, 0);
	add_rights(facts, "rule_access", access->rule_access, 0);
}

static void add_ceiling(struct pol_facts *facts)
{
	const struct pol_event_ceiling *ceiling = &facts->view->ceiling;

	add_word(facts, "resource", pol_resource_word(ceiling->resource), POL_IN_CEF);
	add_number(facts, "now", ceiling->now, POL_IN_CEF);
	add_number(facts, "ceiling", ceiling->ceiling, POL_IN_CEF);
	if (ceiling->resource != POL_RESOURCE_MEMORY)
		add_number(facts, "percent", ceiling->percent, 0);
	add_word(facts, "errno", pol_errno_name(ceiling->err), 0);
}

static void add_exit(struct pol_facts *facts)
{
	const struct pol_event_exit *exit = &facts->view->exit;
	const char *cause = pol_cause_word(exit->cause);

	if (facts->exit_code >= 0)
		add_number(facts, "exit_code", (uint64_t)facts->exit_code, 0);
	if (facts->signal >= 0)
		add_number(facts, "signal", (uint64_t)facts->signal, POL_IN_CEF);
	add_yes(facts, "core", facts->signal > 0 && exit->code & 0x80);
	if (facts->status >= 0)
		add_number(facts, "status", (uint64_t)facts->status,
			   POL_IN_ECS | POL_IN_OCSF | POL_IN_CEF);
	add_word(facts, "cause", cause ? cause : "unknown", POL_IN_CEF);
	add_ns(facts, "duration_ns", exit->duration_ns);
	if (exit->sender.tgid)
		add_number(facts, "sender_pid", exit->sender.tgid, POL_IN_OCSF);
	add_text(facts, POL_FACT_SENDER_COMM, POL_IN_OCSF);
	add_text(facts, POL_FACT_SENDER_GUEST, POL_IN_OCSF);
	add_ns(facts, "utime_ns", exit->utime_ns);
	add_ns(facts, "stime_ns", exit->stime_ns);
	add_known(facts, "maxrss_bytes", exit->maxrss_bytes);
	add_known(facts, "minflt", exit->minflt);
	add_known(facts, "majflt", exit->majflt);
	add_known(facts, "read_bytes", exit->read_bytes);
	add_known(facts, "write_bytes", exit->write_bytes);
	if (exit->fds_peak != POL_NO_CEILING)
		add_number(facts, "fds_peak", exit->fds_peak, 0);
}

static void add_lost(struct pol_facts *facts)
{
	const struct pol_event_view *view = facts->view;

	add_word(facts, "of", pol_type_word(view->lost.of), POL_IN_CEF);
	add_number(facts, "count", view->lost.count, POL_IN_CEF);
	add_number(facts, "first", view->lost.first, 0);
	add_number(facts, "last", view->lost.last, 0);
}

static void add_note(struct pol_facts *facts)
{
	const struct pol_event_note *note = &facts->view->note;

	add_word(facts, "action", pol_action_word(note->action), POL_IN_CEF);
	if (facts->view->type != POL_TYPE_POLICY)
		return;
	add_number(facts, "by_uid", note->by_uid, 0);
	add_number(facts, "by_pid", note->by_tgid, 0);
}

static void add_shadow(struct pol_facts *facts)
{
	const struct pol_event_shadow *event = &facts->view->shadow;
	const unsigned int all = POL_IN_ECS | POL_IN_OCSF | POL_IN_CEF;

	add_word(facts, "action", pol_shadow_word(event->action), POL_IN_CEF);
	add_text(facts, POL_FACT_PATH, all);
	add_number(facts, "size", event->size, all);
	add_yes(facts, "exec", event->flags & POL_SHADOW_EXEC);
	add_yes(facts, "lazy", event->flags & POL_SHADOW_LAZY);
	add_word(facts, "op", pol_facts_why(facts), POL_IN_CEF);
	add_word(facts, "errno", pol_errno_name(pol_event_err(facts->view)), 0);
}

void pol_facts_list(struct pol_facts *facts)
{
	facts->field_cnt = 0;
	add_head(facts);
	switch (facts->view->type) {
	case POL_TYPE_VIOLATION:
	case POL_TYPE_ESCAPE:
	case POL_TYPE_ALLOW:
		add_access(facts);
		break;
	case POL_TYPE_CEILING:
		add_ceiling(facts);
		break;
	case POL_TYPE_EXIT:
		add_exit(facts);
		break;
	case POL_TYPE_LOST:
		add_lost(facts);
		break;
	case POL_TYPE_GUEST:
	case POL_TYPE_POLICY:
		add_note(facts);
		break;
	case POL_TYPE_SHADOW:
		add_shadow(facts);
		break;
	default:
		break;
	}
	add_process(facts);
}
