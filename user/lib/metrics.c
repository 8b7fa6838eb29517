/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers of `status`, and the writing of all; metrics_daemon.c: those of policyd. */
#include "metrics.h"

#include <inttypes.h>

#include "base.h"
#include "file.h"
#include "metrics_int.h"
#include "version.h"
#include "words.h"

/* What may stand between quotes: all UTF-8; of it these three are escaped. */
static void put_value(FILE *out, const char *text)
{
	size_t len = strlen(text), n;
	uint32_t c;

	for (; len; text += n, len -= n) {
		int r = pol_utf8_next(text, len, &c);

		n = r < 0 ? 1 : (size_t)r;
		if (r < 0)
			(void)fputs("\xef\xbf\xbd", out);
		else if (c == '\n')
			(void)fputs("\\n", out);
		else if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", (char)c);
		else
			(void)fwrite(text, 1, n, out);
	}
}

void metric_family(struct metric *m, const char *name, const char *type, const char *help)
{
	m->name = name;
	m->type = type;
	m->help = help;
	m->said = false;
}

/* A family without a sample is not there. */
static void put_name(struct metric *m, const struct metric_label *labels)
{
	if (!m->said)
		(void)fprintf(m->out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
			      m->type);
	m->said = true;
	(void)fputs(m->name, m->out);
	for (const struct metric_label *label = labels; label && label->name; label++) {
		(void)fprintf(m->out, "%c%s=\"", label == labels ? '{' : ',', label->name);
		put_value(m->out, label->value);
		(void)fputc('"', m->out);
	}
	if (labels && labels->name)
		(void)fputc('}', m->out);
}

void metric_put(struct metric *m, const struct metric_label *labels, uint64_t value)
{
	if (value == POL_STATUS_NONE)
		return;
	put_name(m, labels);
	(void)fprintf(m->out, " %" PRIu64 "\n", value);
}

void metric_put_seconds(struct metric *m, const struct metric_label *labels, uint64_t ns)
{
	if (ns == POL_STATUS_NONE)
		return;
	put_name(m, labels);
	(void)fprintf(m->out, " %" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

/* ------------------------------------------------------------------ the engine */

static void put_engine(struct metric *m, const struct pol_metrics *metrics)
{
	metric_family(m, "policyctl_build_info", METRIC_GAUGE, "Who says this; always 1.");
	metric_put(m, LABELS({ "version", POL_VERSION }), 1);
	metric_family(m, "policyctl_up", METRIC_GAUGE,
		      "1: an engine is loaded and its numbers follow; else 0.");
	metric_put(m, NULL, metrics->engine == POL_METRICS_LOADED);
	metric_family(m, "policyctl_engine_loaded", METRIC_GAUGE,
		      "Whether an engine is loaded; left out where it could not be asked.");
	if (metrics->engine != POL_METRICS_UNKNOWN)
		metric_put(m, NULL, metrics->engine == POL_METRICS_LOADED);
}

static void put_policy(struct metric *m, const struct pol_status *status)
{
	metric_family(m, "policyctl_policy_info", METRIC_GAUGE, "The loaded policy; always 1.");
	metric_put(m, LABELS({ "mode", status->mode }, { "sha256", status->meta->sha256 }), 1);
	metric_family(m, "policyctl_generation", METRIC_GAUGE,
		      "Number of the generation that decides.");
	metric_put(m, NULL, status->generation);
	metric_family(m, "policyctl_generation_timestamp_seconds", METRIC_GAUGE,
		      "When that generation was made, since 1970.");
	metric_put_seconds(m, NULL, status->made_ns);
	metric_family(m, "policyctl_guests", METRIC_GAUGE, "Guests of the policy.");
	metric_put(m, NULL, status->guests_cnt);
	metric_family(m, "policyctl_engine_failures_total", METRIC_COUNTER,
		      "What went wrong inside the engine, by cause.");
	for (uint32_t i = 0; i < POL_FAILS_CNT; i++)
		metric_put(m, LABELS({ "cause", pol_fail_word(i) }), status->fails[i]);
}

/* Runs are counted only on demand, and the kernel does not say whether: of 0 nothing is said. */
static void put_programs(struct metric *m, const struct pol_status *status)
{
	const struct pol_program_stats *programs = status->programs;

	metric_family(m, "policyctl_program_runs_total", METRIC_COUNTER,
		      "Runs of a program in the kernel; needs kernel.bpf_stats_enabled.");
	for (size_t i = 0; i < status->programs_cnt; i++)
		if (programs[i].runs)
			metric_put(m, LABELS({ "program", programs[i].name }), programs[i].runs);
	metric_family(m, "policyctl_program_run_seconds_total", METRIC_COUNTER,
		      "Time in a program in the kernel; needs kernel.bpf_stats_enabled.");
	for (size_t i = 0; i < status->programs_cnt; i++)
		if (programs[i].runs)
			metric_put_seconds(m, LABELS({ "program", programs[i].name }),
					   programs[i].run_ns);
	metric_family(m, "policyctl_program_skipped_runs_total", METRIC_COUNTER,
		      "Runs that the kernel skipped, as the program was running on that CPU.");
	for (size_t i = 0; i < status->programs_cnt; i++)
		metric_put(m, LABELS({ "program", programs[i].name }), programs[i].skipped);
}

/* ------------------------------------------------------------------ guests */

/* When a number of struct pol_guest_status is known; all others: always. */
enum known { ALWAYS, COUNTED_FDS, SAME_MOUNTS };

static const struct guest_family {
	const char *name;
	const char *type;
	const char *help;
	size_t offset;
	enum known known;
} guest_families[] = {
#define ROW(name, type, field, known, help)                                                    \
	{                                                                                      \
		"policyctl_guest_" name, type, help, offsetof(struct pol_guest_status, field), \
			known                                                                  \
	}
	ROW("tasks", METRIC_GAUGE, tasks, ALWAYS, "Tasks found to be the guest's now."),
	ROW("pids", METRIC_GAUGE, pids_now, ALWAYS, "Tasks counted against their ceiling."),
	ROW("pids_peak", METRIC_GAUGE, pids_peak, ALWAYS, "The most tasks counted so."),
	ROW("pids_ceiling", METRIC_GAUGE, pids_ceiling, ALWAYS, "Ceiling of tasks."),
	ROW("pids_refused_total", METRIC_COUNTER, pids_refused, ALWAYS,
	    "Tasks refused at the ceiling."),
	ROW("fds", METRIC_GAUGE, fds_now, ALWAYS, "Open files counted against their ceiling."),
	ROW("fds_peak", METRIC_GAUGE, fds_peak, ALWAYS, "The most open files counted so."),
	ROW("fds_ceiling", METRIC_GAUGE, fds_ceiling, ALWAYS, "Ceiling of open files."),
	ROW("fds_refused_total", METRIC_COUNTER, fds_refused, COUNTED_FDS,
	    "Open files refused at the ceiling."),
	ROW("fds_orphaned", METRIC_GAUGE, orphaned, COUNTED_FDS,
	    "Open files of an earlier instance of the guest that somebody holds."),
	ROW("memory_bytes", METRIC_GAUGE, memory_now, ALWAYS, "Memory in use."),
	ROW("memory_peak_bytes", METRIC_GAUGE, memory_peak, ALWAYS, "The most memory in use."),
	ROW("memory_ceiling_bytes", METRIC_GAUGE, memory_ceiling, ALWAYS, "Ceiling of memory."),
	ROW("denials_total", METRIC_COUNTER, denials, ALWAYS, "Accesses refused."),
	ROW("would_deny_total", METRIC_COUNTER, would_deny, ALWAYS,
	    "Accesses that enforce would have refused."),
	ROW("escapes_total", METRIC_COUNTER, escapes, ALWAYS, "Attempts to get out, refused."),
	ROW("events_emitted_total", METRIC_COUNTER, emitted, ALWAYS,
	    "Events that were given a number."),
	ROW("events_lost_total", METRIC_COUNTER, lost, ALWAYS,
	    "Events that were given a number and are not in a ring."),
	ROW("events_folded_total", METRIC_COUNTER, folded, ALWAYS,
	    "Accesses refused that are in an event of repeats."),
	ROW("events_folded_would_total", METRIC_COUNTER, folded_would, ALWAYS,
	    "Accesses that enforce would have refused, in an event of repeats."),
	ROW("events_lost_repeats_total", METRIC_COUNTER, lost_repeats, ALWAYS,
	    "Events of repeats that are not in a ring."),
	ROW("events_folded_lost_total", METRIC_COUNTER, folded_lost, ALWAYS,
	    "Accesses that events of repeats would have told that are not in a ring."),
	ROW("stale_rules", METRIC_GAUGE, stale, SAME_MOUNTS,
	    "Rules whose directory is gone or another one."),
	ROW("shadows", METRIC_GAUGE, shadows.cnt, ALWAYS, "Snapshots of files that it was given."),
	ROW("shadows_stale", METRIC_GAUGE, shadows.stale, ALWAYS,
	    "Of them: the file may have changed since."),
	ROW("shadow_bytes", METRIC_GAUGE, shadows.bytes, ALWAYS, "Their bytes, without lazy ones."),
#undef ROW
};

static bool is_known(const struct pol_status *status, const struct pol_guest_status *guest,
		     enum known known)
{
	if (known == COUNTED_FDS)
		return guest->fds_ceiling != POL_STATUS_NONE;
	return known == ALWAYS || !status->elsewhere;
}

static void put_guest_family(struct metric *m, const struct pol_status *status,
			     const struct guest_family *family)
{
	metric_family(m, family->name, family->type, family->help);
	for (size_t i = 0; i < status->guests_cnt; i++) {
		const struct pol_guest_status *guest = &status->guests[i];
		uint64_t value;

		if (!is_known(status, guest, family->known))
			continue;
		memcpy(&value, (const char *)guest + family->offset, sizeof(value));
		metric_put(m, LABELS({ "guest", guest->guest->name }), value);
	}
}

/* A type is left out until one is lost: there are many guests, and few lose anything. */
static void put_lost(struct metric *m, const struct pol_status *status)
{
	metric_family(m, "policyctl_guest_events_lost_by_type_total", METRIC_COUNTER,
		      "Of the lost events those of one type, if there are any.");
	for (size_t i = 0; i < status->guests_cnt; i++) {
		const struct pol_guest_status *guest = &status->guests[i];

		for (uint32_t type = 0; type < POL_TYPES_CNT; type++)
			if (guest->lost_of[type])
				metric_put(m,
					   LABELS({ "guest", guest->guest->name },
						  { "type", pol_type_word(type) }),
					   guest->lost_of[type]);
	}
}

static void put_guests(struct metric *m, const struct pol_status *status)
{
	metric_family(m, "policyctl_guest_info", METRIC_GAUGE, "A guest of the policy; always 1.");
	for (size_t i = 0; i < status->guests_cnt; i++) {
		const struct pol_meta_guest *guest = status->guests[i].guest;

		metric_put(m,
			   LABELS({ "guest", guest->name },
				  { "mode", guest->audit ? "audit" : "enforce" }),
			   1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(guest_families); i++)
		put_guest_family(m, status, &guest_families[i]);
	put_lost(m, status);
}

int pol_metrics_text(const struct pol_metrics *metrics, char **ret, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	struct metric m = { .out = open_memstream(&text, &len) };

	if (!m.out)
		return -ENOMEM;
	put_engine(&m, metrics);
	if (metrics->status) {
		put_policy(&m, metrics->status);
		put_programs(&m, metrics->status);
		put_guests(&m, metrics->status);
	}
	if (metrics->daemon)
		metrics_put_daemon(&m, metrics);
	if (pol_memstream_end(m.out, &text) < 0)
		return -ENOMEM;
	*ret = text;
	*ret_len = len;
	return 0;
}
