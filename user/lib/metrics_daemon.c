/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What policyd itself counts: of its guests only what is not 0, so that series stay few. */
#include "base.h"
#include "metrics_int.h"
#include "words.h"

static const char *const verdict_words[] = {
	[POL_COUNTS_DENIED] = "denied",
	[POL_COUNTS_WOULD_DENY] = "would_deny",
};
static const char *const kind_words[] = {
	[POL_COUNTS_VIOLATION] = "violation",
	[POL_COUNTS_ESCAPE] = "escape",
};

static void put_types(struct metric *m, const struct pol_counts *counts)
{
	metric_family(m, "policyd_events_total", METRIC_COUNTER, "Events read, by type.");
	for (uint32_t type = 0; type < POL_TYPES_CNT; type++)
		if (pol_type_word(type))
			metric_put(m, LABELS({ "type", pol_type_word(type) }), counts->types[type]);
}

static void put_rings(struct metric *m, const struct pol_metrics_daemon *daemon)
{
	char number[24];

	metric_family(m, "policyd_ring_bytes", METRIC_GAUGE,
		      "Bytes of the kernel's ring that are taken.");
	for (size_t i = 0; i < daemon->rings_cnt; i++) {
		(void)snprintf(number, sizeof(number), "%zu", i);
		metric_put(m, LABELS({ "ring", number }), daemon->rings[i].used);
	}
	metric_family(m, "policyd_ring_size_bytes", METRIC_GAUGE, "Bytes the kernel's ring holds.");
	for (size_t i = 0; i < daemon->rings_cnt; i++) {
		(void)snprintf(number, sizeof(number), "%zu", i);
		metric_put(m, LABELS({ "ring", number }), daemon->rings[i].size);
	}
}

static void put_sinks(struct metric *m, const struct pol_metrics_daemon *daemon)
{
	const struct pol_metrics_sink *sinks = daemon->sinks;

	metric_family(m, "policyd_sink_events_total", METRIC_COUNTER,
		      "Events written to a sink, or that wait for it.");
	for (size_t i = 0; i < daemon->sinks_cnt; i++)
		metric_put(m, LABELS({ "sink", sinks[i].name }), sinks[i].taken);
	metric_family(m, "policyd_sink_waiting_events", METRIC_GAUGE,
		      "Events that wait for a sink.");
	for (size_t i = 0; i < daemon->sinks_cnt; i++)
		metric_put(m, LABELS({ "sink", sinks[i].name }), sinks[i].waiting);
	metric_family(m, "policyd_sink_lost_events_total", METRIC_COUNTER,
		      "Events that a sink had no room for.");
	for (size_t i = 0; i < daemon->sinks_cnt; i++)
		metric_put(m, LABELS({ "sink", sinks[i].name }), sinks[i].lost);
}

/* ------------------------------------------------------------------ guests */

static void put_hooks(struct metric *m, const char *name, const struct pol_counts_guest *guest)
{
	for (size_t kind = 0; kind < POL_COUNTS_KINDS; kind++)
		for (size_t verdict = 0; verdict < POL_COUNTS_VERDICTS; verdict++)
			for (uint32_t hook = 0; hook < POL_COUNTS_HOOKS; hook++)
				if (guest->hooks[kind][verdict][hook] && pol_hook_word(hook))
					metric_put(m,
						   LABELS({ "guest", name },
							  { "type", kind_words[kind] },
							  { "verdict", verdict_words[verdict] },
							  { "hook", pol_hook_word(hook) }),
						   guest->hooks[kind][verdict][hook]);
}

static void put_rights(struct metric *m, const char *name, const struct pol_counts_guest *guest)
{
	for (size_t verdict = 0; verdict < POL_COUNTS_VERDICTS; verdict++)
		for (unsigned int right = 0; right < POL_RIGHTS_CNT; right++)
			if (guest->rights[verdict][right])
				metric_put(m,
					   LABELS({ "guest", name },
						  { "verdict", verdict_words[verdict] },
						  { "right", pol_right_word(right) }),
					   guest->rights[verdict][right]);
}

static void put_reasons(struct metric *m, const char *name, const struct pol_counts_guest *guest)
{
	for (size_t verdict = 0; verdict < POL_COUNTS_VERDICTS; verdict++)
		for (uint32_t reason = 0; reason < POL_COUNTS_REASONS; reason++)
			if (guest->reasons[verdict][reason] && pol_reason_word(reason))
				metric_put(m,
					   LABELS({ "guest", name },
						  { "verdict", verdict_words[verdict] },
						  { "reason", pol_reason_word(reason) }),
					   guest->reasons[verdict][reason]);
}

static void put_exits(struct metric *m, const char *name, const struct pol_counts_guest *guest)
{
	for (uint32_t cause = 0; cause < POL_COUNTS_CAUSES; cause++)
		if (guest->exits[cause] && pol_cause_word(cause))
			metric_put(m, LABELS({ "guest", name }, { "cause", pol_cause_word(cause) }),
				   guest->exits[cause]);
}

static const struct counts_family {
	const char *name;
	const char *help;
	void (*put)(struct metric *m, const char *name, const struct pol_counts_guest *guest);
} counts_families[] = {
	{ "policyd_guest_refusals_total", "Refusals read, by hook.", put_hooks },
	{ "policyd_guest_refused_rights_total", "Rights that refused accesses lacked.",
	  put_rights },
	{ "policyd_guest_refusal_reasons_total", "Refused accesses read, by reason.", put_reasons },
	{ "policyd_guest_exits_total", "Ends of processes read, by cause.", put_exits },
};

/* By the names of the policy that is loaded: who is no guest of it any more goes. */
static void put_guests(struct metric *m, const struct pol_status *status,
		       const struct pol_counts *counts)
{
	for (size_t f = 0; f < ARRAY_SIZE(counts_families); f++) {
		metric_family(m, counts_families[f].name, METRIC_COUNTER, counts_families[f].help);
		for (size_t i = 0; i < status->guests_cnt; i++) {
			const struct pol_meta_guest *meta = status->guests[i].guest;
			const struct pol_counts_guest *guest = pol_counts_find(counts, meta->id);

			if (guest)
				counts_families[f].put(m, meta->name, guest);
		}
	}
}

void metrics_put_daemon(struct metric *m, const struct pol_metrics *metrics)
{
	const struct pol_metrics_daemon *daemon = metrics->daemon;

	metric_family(m, "policyd_start_timestamp_seconds", METRIC_GAUGE,
		      "When this policyd started, since 1970.");
	metric_put_seconds(m, NULL, daemon->start_ns);
	put_types(m, daemon->counts);
	metric_family(m, "policyd_undecodable_records_total", METRIC_COUNTER,
		      "Records that another version wrote, passed over.");
	metric_put(m, NULL, daemon->undecodable);
	put_rings(m, daemon);
	put_sinks(m, daemon);
	metric_family(m, "policyd_subscribers", METRIC_GAUGE, "Connected to its socket now.");
	metric_put(m, NULL, daemon->subscribers);
	if (metrics->status)
		put_guests(m, metrics->status, daemon->counts);
}
