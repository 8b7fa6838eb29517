/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An event in a sentence: "guest web: denied open of /srv/web/key by sh[71]: lacks write (rule,
 * policy.toml:37)".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "event_facts.h"
#include "textw.h"
#include "words.h"

/* Most bytes of a path in it: the whole one is in a field. */
#define PATH_MAX_SHOWN 256
#define TEXT_MAX_SHOWN 128

static void put_text(struct pol_textw *w, const struct pol_event_text *text, size_t max)
{
	const struct pol_event_text kept = pol_event_tail(text, max);

	if (text->truncated)
		pol_textw_put(w, ".../");
	if (pol_textw_bytes(w, kept.data, kept.len, max, pol_textw_shown) & POL_TEXTW_CUT)
		pol_textw_put(w, "...");
}

static void put_fact(struct pol_textw *w, const struct pol_facts *facts, enum pol_fact fact)
{
	put_text(w, &facts->text[fact], TEXT_MAX_SHOWN);
}

/* "guest web: ", "guest 3: " or nothing. */
static void put_guest(struct pol_textw *w, const struct pol_facts *facts)
{
	if (facts->view->outside || facts->view->guest == POL_GUEST_ENGINE)
		return;
	pol_textw_put(w, "guest ");
	if (facts->text[POL_FACT_GUEST].data)
		put_fact(w, facts, POL_FACT_GUEST);
	else
		pol_textw_fmt(w, "%u", facts->view->guest);
	pol_textw_put(w, ": ");
}

static void put_process(struct pol_textw *w, const struct pol_facts *facts, const char *before)
{
	if (!facts->view->has_process)
		return;
	pol_textw_put(w, before);
	put_fact(w, facts, POL_FACT_COMM);
	pol_textw_fmt(w, "[%u]", facts->view->process.tgid);
}

static const char *verdict_phrase(uint32_t verdict)
{
	switch (verdict) {
	case POL_VERDICT_WOULD_DENY:
		return "would have denied";
	case POL_VERDICT_ALLOWED:
		return "allowed";
	default:
		return "denied";
	}
}

static void put_why(struct pol_textw *w, const struct pol_facts *facts)
{
	const struct pol_event_access *access = &facts->view->access;
	const char *reason = pol_reason_word(access->reason);
	char missing[POL_RIGHTS_TEXT_SIZE];

	pol_rights_text(access->missing, missing);
	if (missing[0])
		pol_textw_fmt(w, ": lacks %s", missing);
	if (reason)
		pol_textw_fmt(w, " (%s", reason);
	if (reason && facts->text[POL_FACT_RULE_WHERE].data) {
		pol_textw_put(w, ", ");
		put_fact(w, facts, POL_FACT_RULE_WHERE);
	}
	if (reason)
		pol_textw_put(w, ")");
	if (access->repeats)
		pol_textw_fmt(w, ", %u times more", access->repeats);
}

static void put_access(struct pol_textw *w, const struct pol_facts *facts)
{
	const char *op = pol_op_word(facts->view->access.op);

	pol_textw_fmt(w, "%s %s", verdict_phrase(facts->view->verdict), op ? op : "an access");
	if (facts->text[POL_FACT_PATH].data && facts->view->type != POL_TYPE_ESCAPE) {
		pol_textw_put(w, " of ");
		put_text(w, &facts->text[POL_FACT_PATH], PATH_MAX_SHOWN);
	}
	put_process(w, facts, " by ");
	if (facts->view->type == POL_TYPE_VIOLATION)
		put_why(w, facts);
}

static void put_ceiling(struct pol_textw *w, const struct pol_facts *facts)
{
	const struct pol_event_ceiling *ceiling = &facts->view->ceiling;
	const char *resource = pol_resource_word(ceiling->resource);
	const char *verdict = pol_verdict_word(facts->view->verdict);

	pol_textw_fmt(w, "%s at %" PRIu64 " of %" PRIu64, resource ? resource : "a resource",
		      (uint64_t)ceiling->now, (uint64_t)ceiling->ceiling);
	if (verdict)
		pol_textw_fmt(w, ": %s", verdict);
	put_process(w, facts, ", by ");
}

static void put_exit(struct pol_textw *w, const struct pol_facts *facts)
{
	const struct pol_event_exit *exit = &facts->view->exit;
	const char *name = facts->signal > 0 ? pol_signal_name((uint32_t)facts->signal) : NULL;
	const char *cause = pol_cause_word(exit->cause);

	put_process(w, facts, "");
	if (name)
		pol_textw_fmt(w, " ended by %s", name);
	else if (facts->signal > 0)
		pol_textw_fmt(w, " ended by signal %d", facts->signal);
	else if (facts->exit_code >= 0)
		pol_textw_fmt(w, " exited with %d", facts->exit_code);
	else
		pol_textw_put(w, " ended");
	pol_textw_fmt(w, " (cause %s)", cause ? cause : "unknown");
	if (!exit->sender.tgid)
		return;
	pol_textw_put(w, " from ");
	put_fact(w, facts, POL_FACT_SENDER_COMM);
	pol_textw_fmt(w, "[%u]", exit->sender.tgid);
}

static void put_note(struct pol_textw *w, const struct pol_facts *facts)
{
	const struct pol_event_note *note = &facts->view->note;
	const char *action = pol_action_word(note->action);

	if (facts->view->type == POL_TYPE_POLICY)
		pol_textw_put(w, "policy ");
	pol_textw_fmt(w, "%s, generation %" PRIu64, action ? action : "changed", facts->generation);
	if (note->by_tgid)
		pol_textw_fmt(w, ", by uid %u pid %u", note->by_uid, note->by_tgid);
}

/* "shadow of /srv/web/lib/libweb.so.1 stale (open) by install[812]" */
static void put_shadow(struct pol_textw *w, const struct pol_facts *facts)
{
	const struct pol_event_shadow *event = &facts->view->shadow;
	const char *action = pol_shadow_word(event->action);
	const char *op = pol_op_word(pol_event_shadow_op(event));
	const char *err = pol_errno_name(pol_event_err(facts->view));

	pol_textw_put(w, "shadow");
	if (facts->text[POL_FACT_PATH].data) {
		pol_textw_put(w, " of ");
		put_text(w, &facts->text[POL_FACT_PATH], PATH_MAX_SHOWN);
	}
	pol_textw_fmt(w, " %s", action ? action : "changed");
	if (op || err)
		pol_textw_fmt(w, " (%s)", op ? op : err);
	else if (event->action == POL_SHADOW_STALE)
		pol_textw_put(w, " from the start");
	put_process(w, facts, " by ");
}

static void put_lost(struct pol_textw *w, const struct pol_facts *facts)
{
	const char *of = pol_type_word(facts->view->lost.of);

	pol_textw_fmt(w, "%" PRIu64 " %s events lost, numbers %" PRIu64 " to %" PRIu64,
		      facts->view->lost.count, of ? of : "unknown", facts->view->lost.first,
		      facts->view->lost.last);
}

static void put_plain(struct pol_textw *w, const struct pol_facts *facts)
{
	const char *type = pol_type_word(facts->view->type);

	pol_textw_put(w, type ? type : "event");
	put_process(w, facts, " by ");
}

static void put_what(struct pol_textw *w, const struct pol_facts *facts)
{
	switch (facts->view->type) {
	case POL_TYPE_VIOLATION:
	case POL_TYPE_ESCAPE:
	case POL_TYPE_ALLOW:
		return put_access(w, facts);
	case POL_TYPE_CEILING:
		return put_ceiling(w, facts);
	case POL_TYPE_EXIT:
		return put_exit(w, facts);
	case POL_TYPE_LOST:
		return put_lost(w, facts);
	case POL_TYPE_GUEST:
	case POL_TYPE_POLICY:
		return put_note(w, facts);
	case POL_TYPE_SHADOW:
		return put_shadow(w, facts);
	default:
		return put_plain(w, facts);
	}
}

int pol_event_message(const struct pol_facts *facts, char *buf, size_t size)
{
	struct pol_textw w;

	pol_textw_init(&w, buf, size);
	put_guest(&w, facts);
	put_what(&w, facts);
	return pol_textw_finish(&w);
}
