/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl status: the engine and every guest's numbers. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "base.h"
#include "ctl.h"
#include "metrics.h"
#include "status.h"
#include "status_table.h"
#include "str.h"
#include "words.h"

static const char status_help[] =
	"Usage: policyctl status [--json | --metrics] [-v]\n"
	"\n"
	"What is loaded, and for each guest its tasks, open files, memory, ceilings, refusals and\n"
	"events.\n"
	"\n"
	"  --json     as JSON\n"
	"  --metrics  as Prometheus text, for node_exporter's textfile collector\n"
	"  -v         also what went wrong inside the engine, by cause, and each shadow\n"
	"  --help     this text\n";

static json_t *number(uint64_t value)
{
	return value == POL_STATUS_NONE ? json_null() : json_integer((json_int_t)value);
}

static json_t *usage(uint64_t now, uint64_t peak, uint64_t ceiling)
{
	return json_pack("{s:o,s:o,s:o}", "now", number(now), "peak", number(peak), "ceiling",
			 number(ceiling));
}

/* null: not counted */
static json_t *fds_json(const struct pol_guest_status *guest)
{
	json_t *fds;

	if (guest->fds_ceiling == POL_STATUS_NONE)
		return json_null();
	fds = usage(guest->fds_now, guest->fds_peak, guest->fds_ceiling);
	json_object_set_new(fds, "orphaned", number(guest->orphaned));
	json_object_set_new(fds, "refused", number(guest->fds_refused));
	return fds;
}

static json_t *pids_json(const struct pol_guest_status *guest)
{
	json_t *pids = usage(guest->pids_now, guest->pids_peak, guest->pids_ceiling);

	json_object_set_new(pids, "refused", number(guest->pids_refused));
	return pids;
}

static json_t *shadow_json(const struct pol_shadow_item *item)
{
	_cleanup_free_ char *path = pol_str_escape(item->path, strlen(item->path));
	uint32_t flags = item->value.flags;

	return json_pack("{s:s,s:I,s:b,s:b,s:b,s:o,s:o}", "path", path ? path : "", "bytes",
			 (json_int_t)item->value.size, "stale", !!(flags & POL_SHADOW_OLD), "exec",
			 !!(flags & POL_SHADOW_EXEC), "lazy", !!(flags & POL_SHADOW_LAZY), "inode",
			 json_sprintf("%" PRIu64, (uint64_t)item->key.ino), "made_boot_ns",
			 json_sprintf("%" PRIu64, (uint64_t)item->value.boot_ns));
}

/* @all: NULL: without the list. */
static json_t *shadows_json(const struct pol_guest_status *guest, const struct pol_status *all)
{
	json_t *shadows = json_pack("{s:I,s:I,s:I,s:o}", "count", (json_int_t)guest->shadows.cnt,
				    "stale", (json_int_t)guest->shadows.stale, "bytes",
				    (json_int_t)guest->shadows.bytes, "budget",
				    number(guest->shadow_budget));
	json_t *list = all ? json_array() : NULL;

	for (size_t i = 0; list && i < all->shadows_cnt; i++)
		if (all->shadows[i].key.guest == guest->guest->id)
			json_array_append_new(list, shadow_json(&all->shadows[i]));
	if (list)
		json_object_set_new(shadows, "list", list);
	return shadows;
}

static json_t *guest_json(const struct pol_guest_status *guest, const struct pol_status *all)
{
	return json_pack(
		"{s:s,s:s,s:I,s:o,s:o,s:o,s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I,s:I},s:I,s:o}", "name",
		guest->guest->name, "mode", guest->guest->audit ? "audit" : "enforce", "tasks",
		(json_int_t)guest->tasks, "fds", fds_json(guest), "pids", pids_json(guest),
		"memory", usage(guest->memory_now, guest->memory_peak, guest->memory_ceiling),
		"denials", (json_int_t)guest->denials, "would_deny", (json_int_t)guest->would_deny,
		"escapes", (json_int_t)guest->escapes, "events", "emitted",
		(json_int_t)guest->emitted, "lost", (json_int_t)guest->lost, "folded",
		(json_int_t)guest->folded, "folded_would", (json_int_t)guest->folded_would,
		"lost_repeats", (json_int_t)guest->lost_repeats, "folded_lost",
		(json_int_t)guest->folded_lost, "stale", (json_int_t)guest->stale, "shadows",
		shadows_json(guest, all));
}

static json_t *health_json(const struct pol_status *status)
{
	json_t *health = json_object();

	for (uint32_t i = 0; i < POL_FAILS_CNT; i++)
		json_object_set_new(health, pol_fail_word(i), number(status->fails[i]));
	json_object_set_new(health, "recursion_misses", number(status->recursion_misses));
	return health;
}

static const char *kernel_release(void)
{
	static struct utsname uts;

	return uname(&uts) < 0 ? "" : uts.release;
}

static void print_json(const struct pol_status *status, bool verbose)
{
	json_t *guests = json_array();

	for (size_t i = 0; i < status->guests_cnt; i++)
		json_array_append_new(guests, guest_json(&status->guests[i], verbose ? status : NULL));
	ctl_print_json(json_pack("{s:s,s:{s:b,s:I,s:s,s:s,s:s,s:o},s:o}", "schema", CTL_SCHEMA,
				 "engine", "loaded", 1, "generation",
				 (json_int_t)status->generation, "policy_sha256",
				 status->meta->sha256, "kernel", kernel_release(), "mode",
				 status->mode, "health", health_json(status), "guests", guests));
}

static void print_json_not_loaded(void)
{
	ctl_print_json(json_pack("{s:s,s:{s:b,s:n,s:n,s:s,s:n},s:[]}", "schema", CTL_SCHEMA,
				 "engine", "loaded", 0, "generation", "policy_sha256", "kernel",
				 kernel_release(), "mode", "guests"));
}

static void print_health(const struct pol_status *status)
{
	putchar('\n');
	for (uint32_t i = 0; i < POL_FAILS_CNT; i++)
		printf("%s %" PRIu64 "\n", pol_fail_word(i), status->fails[i]);
	if (status->recursion_misses == POL_STATUS_NONE)
		puts("recursion_misses -");
	else
		printf("recursion_misses %" PRIu64 "\n", status->recursion_misses);
}

/* Of guests that have some, or may. */
static void print_shadows(const struct pol_guest_status *guest)
{
	if (!guest->shadows.cnt && guest->shadow_budget == POL_STATUS_NONE)
		return;
	printf("shadows of %s: %" PRIu64 ", %" PRIu64 " stale, %" PRIu64 " bytes", guest->guest->name,
	       guest->shadows.cnt, guest->shadows.stale, guest->shadows.bytes);
	if (guest->shadow_budget != POL_STATUS_NONE)
		printf(" of %" PRIu64, guest->shadow_budget);
	putchar('\n');
}

static void print_each_shadow(const struct pol_status *status)
{
	for (size_t i = 0; i < status->shadows_cnt; i++) {
		const struct pol_shadow_item *item = &status->shadows[i];
		const struct pol_meta_guest *guest = pol_meta_guest_by_id(status->meta, item->key.guest);
		_cleanup_free_ char *path = pol_str_escape(item->path, strlen(item->path));
		uint32_t flags = item->value.flags;

		printf("shadow %s: %s, %" PRIu64 " bytes%s%s%s\n", guest ? guest->name : "-",
		       path ? path : "-", (uint64_t)item->value.size,
		       flags & POL_SHADOW_EXEC ? ", exec" : "", flags & POL_SHADOW_LAZY ? ", lazy" : "",
		       flags & POL_SHADOW_OLD ? ", stale" : "");
	}
}

static void print_text(const struct pol_status *status, bool verbose)
{
	char line[STATUS_LINE_SIZE];

	printf("engine    loaded, mode %s, generation %" PRIu64 "\n", status->mode,
	       status->generation);
	printf("policy    %s, sha256 %s\n", status->meta->file, status->meta->sha256);
	printf("kernel    %s\n\n", kernel_release());
	status_table_head(line);
	puts(line);
	for (size_t i = 0; i < status->guests_cnt; i++) {
		status_table_row(&status->guests[i], line);
		puts(line);
	}
	for (size_t i = 0; i < status->guests_cnt; i++)
		print_shadows(&status->guests[i]);
	if (verbose) {
		print_each_shadow(status);
		print_health(status);
	}
}

/* @status: NULL: nothing is loaded. */
static int print_metrics(const struct pol_status *status)
{
	const struct pol_metrics metrics = {
		.engine = status ? POL_METRICS_LOADED : POL_METRICS_ABSENT,
		.status = status,
	};
	_cleanup_free_ char *text = NULL;
	struct pol_err err = {};
	size_t len;
	int r = pol_metrics_text(&metrics, &text, &len);

	if (r < 0) {
		pol_err_set(&err, POL_ERR_FAILED, r, "cannot write the metrics");
		return ctl_fail("status", &err);
	}
	(void)fwrite(text, 1, len, stdout);
	return 0;
}

enum form { TEXT, JSON, METRICS };

static int print_not_loaded(enum form form)
{
	if (form == METRICS)
		return print_metrics(NULL);
	if (form == JSON)
		print_json_not_loaded();
	else
		puts("no policy is loaded; nothing is confined");
	return 0;
}

static int print(enum form form, bool verbose)
{
	_cleanup_(pol_status_done) struct pol_status status = {};
	struct pol_err err = {};
	int r = pol_status_take(&status, &err);

	if (r == -ENOENT)
		return print_not_loaded(form);
	if (r < 0)
		return ctl_fail("status", &err);
	if (form == METRICS)
		return print_metrics(&status);
	if (form == JSON)
		print_json(&status, verbose);
	else
		print_text(&status, verbose);
	return 0;
}

int cmd_status(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "metrics", no_argument, NULL, 'm' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, metrics = false, verbose = false;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "hv", options, NULL)) >= 0) {
		if (c == 'h') {
			fputs(status_help, stdout);
			return 0;
		}
		if (c == '?')
			return ctl_usage("status", "that option is not known");
		json = json || c == 'j';
		metrics = metrics || c == 'm';
		verbose = verbose || c == 'v';
	}
	if (optind != argc)
		return ctl_usage("status", "it takes no argument");
	if (json && metrics)
		return ctl_usage("status", "--json and --metrics exclude each other");
	return print(json ? JSON : metrics ? METRICS : TEXT, verbose);
}
