/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl status: the engine and every guest's numbers. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "base.h"
#include "ctl.h"
#include "status.h"
#include "words.h"

static const char status_help[] =
	"Usage: policyctl status [--json] [-v]\n"
	"\n"
	"What is loaded, and for each guest its tasks, open files, memory, ceilings, refusals and\n"
	"events.\n"
	"\n"
	"  --json  as JSON\n"
	"  -v      also what went wrong inside the engine, by cause\n"
	"  --help  this text\n";

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

static json_t *guest_json(const struct pol_guest_status *guest)
{
	return json_pack(
		"{s:s,s:s,s:I,s:o,s:o,s:o,s:I,s:I,s:I,s:{s:I,s:I,s:I},s:I}", "name",
		guest->guest->name, "mode", guest->guest->audit ? "audit" : "enforce", "tasks",
		(json_int_t)guest->tasks, "fds", fds_json(guest), "pids", pids_json(guest),
		"memory", usage(guest->memory_now, guest->memory_peak, guest->memory_ceiling),
		"denials", (json_int_t)guest->denials, "would_deny", (json_int_t)guest->would_deny,
		"escapes", (json_int_t)guest->escapes, "events", "emitted",
		(json_int_t)guest->emitted, "lost", (json_int_t)guest->lost, "folded",
		(json_int_t)0, "stale", (json_int_t)guest->stale);
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

static void print_json(const struct pol_status *status)
{
	json_t *guests = json_array();

	for (size_t i = 0; i < status->guests_cnt; i++)
		json_array_append_new(guests, guest_json(&status->guests[i]));
	ctl_print_json(json_pack("{s:s,s:{s:b,s:I,s:s,s:s,s:s,s:o},s:o}", "schema", CTL_SCHEMA,
				 "engine", "loaded", 1, "generation",
				 (json_int_t)status->generation, "policy_sha256",
				 status->meta->sha256, "kernel", kernel_release(), "mode",
				 status->mode, "health", health_json(status), "guests", guests));
}

static void print_not_loaded(bool json)
{
	if (!json) {
		puts("no policy is loaded; nothing is confined");
		return;
	}
	ctl_print_json(json_pack("{s:s,s:{s:b,s:n,s:n,s:s,s:n},s:[]}", "schema", CTL_SCHEMA,
				 "engine", "loaded", 0, "generation", "policy_sha256", "kernel",
				 kernel_release(), "mode", "guests"));
}

static const char *cell(uint64_t value, char *buf, size_t size)
{
	if (value == POL_STATUS_NONE)
		return "-";
	(void)snprintf(buf, size, "%" PRIu64, value);
	return buf;
}

static void print_guest(const struct pol_guest_status *guest)
{
	const uint64_t ceilings[] = {
		guest->pids_now,    guest->pids_ceiling, guest->fds_now,
		guest->fds_ceiling, guest->memory_now,	 guest->memory_ceiling,
	};
	static const int widths[] = { 6, 8, 6, 8, 12, 12 };
	char buf[24];

	printf("%-16s %-8s %6" PRIu64, guest->guest->name,
	       guest->guest->audit ? "audit" : "enforce", guest->tasks);
	for (size_t i = 0; i < ARRAY_SIZE(ceilings); i++)
		printf(" %*s", widths[i], cell(ceilings[i], buf, sizeof(buf)));
	printf(" %8" PRIu64 " %8" PRIu64 " %6" PRIu64 " %6" PRIu64 "\n",
	       guest->guest->audit ? guest->would_deny : guest->denials, guest->escapes,
	       guest->lost, guest->stale);
}

static void print_health(const struct pol_status *status)
{
	char buf[24];

	putchar('\n');
	for (uint32_t i = 0; i < POL_FAILS_CNT; i++)
		printf("%s %" PRIu64 "\n", pol_fail_word(i), status->fails[i]);
	printf("recursion_misses %s\n", cell(status->recursion_misses, buf, sizeof(buf)));
}

static void print_text(const struct pol_status *status, bool verbose)
{
	printf("engine    loaded, mode %s, generation %" PRIu64 "\n", status->mode,
	       status->generation);
	printf("policy    %s, sha256 %s\n", status->meta->file, status->meta->sha256);
	printf("kernel    %s\n\n", kernel_release());
	printf("%-16s %-8s %6s %6s %8s %6s %8s %12s %12s %8s %8s %6s %6s\n", "GUEST", "MODE",
	       "TASKS", "PIDS", "PIDS-MAX", "FDS", "FDS-MAX", "MEMORY", "MEMORY-MAX", "REFUSED",
	       "ESCAPES", "LOST", "STALE");
	for (size_t i = 0; i < status->guests_cnt; i++)
		print_guest(&status->guests[i]);
	if (verbose)
		print_health(status);
}

int cmd_status(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false, verbose = false;
	_cleanup_(pol_status_done) struct pol_status status = {};
	struct pol_err err = {};
	int c, r;

	optind = 0;
	while ((c = getopt_long(argc, argv, "hv", options, NULL)) >= 0) {
		if (c == 'h') {
			fputs(status_help, stdout);
			return 0;
		}
		if (c != 'j' && c != 'v')
			return ctl_usage("status", "that option is not known");
		json = json || c == 'j';
		verbose = verbose || c == 'v';
	}
	if (optind != argc)
		return ctl_usage("status", "it takes no argument");
	r = pol_status_take(&status, &err);
	if (r == -ENOENT) {
		print_not_loaded(json);
		return 0;
	}
	if (r < 0)
		return ctl_fail("status", &err);
	if (json)
		print_json(&status);
	else
		print_text(&status, verbose);
	return 0;
}
