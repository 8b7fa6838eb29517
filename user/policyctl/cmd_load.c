/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl load, unload. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "ctl.h"
#include "load.h"
#include "unload.h"

static const char load_help[] =
	"Usage: policyctl load POLICY [--dry-run] [--reanchor] [--force] [--settle]\n"
	"                      [--json]\n"
	"\n"
	"Install a policy, or replace the running one atomically while guests run. If anything\n"
	"fails, what was there stays. POLICY may be '-', standard input.\n"
	"\n"
	"  --dry-run   everything but making it so\n"
	"  --reanchor  accept directories that a guest could have put in place of anchored ones\n"
	"  --force     guests that the policy lacks keep their tasks, which may open nothing\n"
	"  --settle    load again if POLICY was changed meanwhile\n"
	"  --json      the result as JSON, problems as JSON Lines on stderr\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 usage, 3 invalid policy, 4 this kernel, host or user\n"
	"lacks something, 5 another load holds the lock.\n";

struct load_command {
	struct pol_load_options options;
	const char *file;
	bool settle;
	bool json;
	bool help;
};

static int parse_load(int argc, char **argv, struct load_command *ret)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'd' },
		{ "reanchor", no_argument, NULL, 'r' },
		{ "force", no_argument, NULL, 'f' },
		{ "settle", no_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'd')
			ret->options.dry_run = true;
		else if (c == 'r')
			ret->options.reanchor = true;
		else if (c == 'f')
			ret->options.force = true;
		else if (c == 's')
			ret->settle = true;
		else if (c == 'j')
			ret->json = true;
		else if (c == 'h')
			ret->help = true;
		else
			return ctl_usage("load", "that option is not known");
	}
	if (ret->help)
		return 0;
	if (argc - optind != 1)
		return ctl_usage("load", "name one policy file, or '-' for standard input");
	ret->file = argv[optind];
	if (ret->settle && strcmp(ret->file, "-") == 0)
		return ctl_usage("load", "--settle is for a file, not for '-'");
	return 0;
}

static void report_load(const struct load_command *command, const struct pol_diags *diags,
			const struct pol_load_result *result, bool ok)
{
	const char *done = command->options.dry_run ? "would load"
			   : result->replaced	    ? "replaced"
						    : "loaded";

	ctl_print_diags(diags, command->json);
	if (command->json) {
		ctl_print_json(json_pack("{s:s,s:b,s:I,s:I,s:o}", "schema", CTL_SCHEMA, "ok", ok,
					 "errors", (json_int_t)diags->errors, "warnings",
					 (json_int_t)diags->warnings, "generation",
					 ok ? json_integer((json_int_t)result->generation)
					    : json_null()));
		return;
	}
	if (!ok)
		return;
	if (result->swept)
		fputs("policyctl load: removed what a command that died had left\n", stderr);
	printf("%s: generation %llu, %zu guest%s, %zu rule%s\n", done,
	       (unsigned long long)result->generation, result->guests,
	       result->guests == 1 ? "" : "s", result->rules, result->rules == 1 ? "" : "s");
}

static int load_once(const struct load_command *command)
{
	_cleanup_(pol_diags_done) struct pol_diags diags = {};
	struct pol_load_result result = {};
	struct pol_policy *policy = NULL;
	struct pol_err err = {};
	int r;

	r = pol_policy_read(command->file, &diags, &policy);
	if (r == -EINVAL) {
		report_load(command, &diags, &result, false);
		return POL_ERR_POLICY;
	}
	if (r < 0) {
		pol_err_set(&err, POL_ERR_FAILED, r, "cannot read '%s'", command->file);
		return ctl_fail("load", &err);
	}
	r = pol_load(policy, &command->options, &diags, &result, &err);
	pol_policy_free(policy);
	report_load(command, &diags, &result, r == 0);
	if (r < 0 && err.kind == POL_ERR_POLICY && diags.errors)
		return POL_ERR_POLICY;
	return r < 0 ? ctl_fail("load", &err) : 0;
}

/* All zero: it is not there. */
static struct stat look(const char *file)
{
	struct stat st = {};

	return stat(file, &st) < 0 ? (struct stat){} : st;
}

/* Another file in its place, or written to. */
static bool is_changed(const struct stat *a, const struct stat *b)
{
	return a->st_dev != b->st_dev || a->st_ino != b->st_ino || a->st_size != b->st_size ||
	       a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

/* Also after a failure: what was saved meanwhile may be what mends it. */
static int load_settled(const struct load_command *command)
{
	struct stat before, after = look(command->file);
	int r;

	do {
		before = after;
		r = load_once(command);
		after = look(command->file);
	} while (is_changed(&before, &after));
	return r;
}

int cmd_load(int argc, char **argv)
{
	struct load_command command = {};
	int r = parse_load(argc, argv, &command);

	if (r)
		return r;
	if (command.help) {
		fputs(load_help, stdout);
		return 0;
	}
	return command.settle ? load_settled(&command) : load_once(&command);
}

static const char unload_help[] =
	"Usage: policyctl unload [--force]\n"
	"\n"
	"Remove programs, rules and the guests' cgroups. Nothing is confined any more.\n"
	"\n"
	"  --force  also while guests run: their processes go on, unconfined\n"
	"  --help   this text\n";

static void report_unload(const struct pol_unload_result *result)
{
	size_t running = result->running;

	if (result->swept)
		fputs("policyctl unload: removed what a command that died had left\n", stderr);
	if (result->loaded)
		puts("unloaded: nothing is confined any more");
	else
		puts(result->swept ? "nothing was confined any more" : "nothing was loaded");
	if (running)
		printf("%zu task%s of guests go%s on unconfined\n", running,
		       running == 1 ? "" : "s", running == 1 ? "es" : "");
}

int cmd_unload(int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct pol_unload_result result;
	struct pol_err err = {};
	bool force = false;
	int c, r;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'h') {
			fputs(unload_help, stdout);
			return 0;
		}
		if (c != 'f')
			return ctl_usage("unload", "that option is not known");
		force = true;
	}
	if (optind != argc)
		return ctl_usage("unload", "it takes no argument");
	if (geteuid()) {
		pol_err_say(&err, POL_ERR_HOST, -EPERM, "not root");
		(void)pol_err_fix(&err, "run it as root");
		return ctl_fail("unload", &err);
	}
	r = pol_unload(force, &result, &err);
	if (r < 0)
		return ctl_fail("unload", &err);
	report_unload(&result);
	return 0;
}
