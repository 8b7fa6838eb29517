/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/receivers/metrics.sh gives the golden texts to promtool. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "golden.h"
#include "metrics.h"
#include "status_sample.h"

static char *text;
static struct pol_status status;
static struct pol_counts counts;
static struct pol_metrics metrics;

static const struct pol_metrics_sink sinks[] = { { "file", 41, 3, 10 } };
static const struct pol_metrics_ring rings[] = { { 4096, 16 << 20 }, { 0, 4 << 20 } };
static struct pol_metrics_daemon daemon_sample = {
	.start_ns = 1790000001000000000,
	.undecodable = 4,
	.subscribers = 2,
	.counts = &counts,
	.sinks = sinks,
	.sinks_cnt = ARRAY_SIZE(sinks),
	.rings = rings,
	.rings_cnt = ARRAY_SIZE(rings),
};

static void loaded(void)
{
	test_status(&status);
	metrics.engine = POL_METRICS_LOADED;
	metrics.status = &status;
}

static void done(void)
{
	pol_counts_done(&counts);
	free(text);
}

TestSuite(metrics, .init = loaded, .fini = done);

static const char *write_text(void)
{
	size_t len;

	free(text);
	cr_assert_eq(pol_metrics_text(&metrics, &text, &len), 0);
	cr_assert_eq(strlen(text), len);
	return text;
}

static bool has(const char *line)
{
	return strstr(text, line) != NULL;
}

static void add_refusal(uint32_t guest, uint32_t type, uint32_t hook)
{
	struct pol_event_view view = {
		.type = type,
		.verdict = POL_VERDICT_DENIED,
		.guest = guest,
		.access = { .hook = hook, .reason = POL_REASON_RULE, .missing = 3 },
	};

	cr_assert_eq(pol_counts_view(&counts, &view), 0);
}

static void add_exit(uint32_t guest, uint32_t cause)
{
	struct pol_event_view view = { .type = POL_TYPE_EXIT, .guest = guest, .exit.cause = cause };

	cr_assert_eq(pol_counts_view(&counts, &view), 0);
}

Test(metrics, of_status)
{
	test_golden("metrics_status.prom", write_text());
}

Test(metrics, of_policyd)
{
	metrics.daemon = &daemon_sample;
	add_refusal(2, POL_TYPE_VIOLATION, POL_HOOK_FILE_OPEN);
	add_refusal(2, POL_TYPE_VIOLATION, POL_HOOK_FILE_OPEN);
	add_refusal(5, POL_TYPE_ESCAPE, POL_HOOK_BPF);
	add_refusal(9, POL_TYPE_ESCAPE, POL_HOOK_BPF); /* no guest of the policy any more */
	add_exit(2, POL_CAUSE_EXIT);
	add_exit(2, POL_CAUSE_SIGNAL);
	test_golden("metrics_policyd.prom", write_text());
}

Test(metrics, with_no_engine)
{
	metrics = (struct pol_metrics){ .engine = POL_METRICS_ABSENT, .daemon = &daemon_sample };
	daemon_sample.rings_cnt = 0;
	add_refusal(2, POL_TYPE_VIOLATION, POL_HOOK_FILE_OPEN);
	test_golden("metrics_no_engine.prom", write_text());
}

/* No word of whether it is loaded; and of what follows from that, nothing. */
Test(metrics, with_an_engine_that_cannot_be_asked)
{
	metrics = (struct pol_metrics){ .engine = POL_METRICS_UNKNOWN };
	write_text();
	cr_assert(has("\npolicyctl_up 0\n"));
	cr_assert_not(has("policyctl_engine_loaded"));
	cr_assert_not(has("guest"));
}

Test(metrics, leave_out_what_is_not_known)
{
	write_text();
	cr_assert(has("policyctl_guest_fds_refused_total{guest=\"web\"} 6\n"));
	cr_assert_not(has("policyctl_guest_fds_refused_total{guest=\"db\"}"));
	cr_assert_not(has("policyctl_guest_memory_bytes{guest=\"db\"}"));
	cr_assert(has("policyctl_guest_stale_rules{guest=\"db\"} 0\n"));
	cr_assert_not(has("policyctl_program_runs_total{program=\"pol_fd_opened\"}"));
	cr_assert(has(
		"policyctl_program_run_seconds_total{program=\"pol_file_open\"} 2.500000042\n"));
	status.elsewhere = true;
	status.made_ns = POL_STATUS_NONE;
	status.programs_cnt = 0;
	write_text();
	cr_assert_not(has("stale_rules"), "a head without a sample, or a sample");
	cr_assert_not(has("policyctl_generation_timestamp_seconds"));
	cr_assert_not(has("policyctl_program"));
	cr_assert_not(has("18446744073709551615"));
}

Test(metrics, escape_what_a_label_may_not_have)
{
	char name[] = "a\"b\\c\nd\xff"
		      "e\xc3\xa9\t";
	const struct pol_meta_guest meta = { .name = name };

	status.guests_cnt = 1;
	status.guests[0].guest = &meta;
	write_text();
	cr_assert(has("policyctl_guest_tasks{guest=\"a\\\"b\\\\c\\nd\xef\xbf\xbd"
		      "e\xc3\xa9\t\"} 3\n"));
}
