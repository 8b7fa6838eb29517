/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl stop. */
#include "base.h"
#include "ctl.h"
#include "stop.h"
#include "when.h"

#define GRACE_NS (10ll * 1000 * 1000 * 1000)

static const char stop_help[] =
	"Usage: policyctl stop GUEST [--timeout TIME] [--json]\n"
	"\n"
	"End a guest: SIGTERM to its processes, SIGKILL to those that are left when the time is\n"
	"over, and its cgroup is removed. 'run' and 'attach' make it again. Units among its members\n"
	"are stopped by systemd first; a cgroup of somebody else's is emptied, not removed. Nothing\n"
	"to stop is no error.\n"
	"\n"
	"  --timeout TIME  how long they may take (default 10 s; 0: SIGKILL at once; units\n"
	"                  ms, s, m, h)\n"
	"  --json          the result as JSON\n"
	"  --help          this text\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 usage, 4 this kernel, host or user lacks something, 5\n"
	"another command holds the engine.\n";

struct stop_command {
	const char *guest;
	int64_t grace_ns;
	bool json;
	bool help;
};

static int parse(int argc, char **argv, struct stop_command *ret)
{
	static const struct option options[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'j')
			ret->json = true;
		else if (c == 'h')
			ret->help = true;
		else if (c != 't')
			return ctl_usage("stop", "that option is not known");
		else if (pol_span_parse(optarg, &ret->grace_ns) < 0)
			return ctl_usage("stop", "'%s' is no time: 10, 500ms, 2m", optarg);
	}
	if (!ret->help && argc - optind != 1)
		return ctl_usage("stop", "name a guest");
	ret->guest = argv[optind];
	return 0;
}

static void print_result(const struct stop_command *command, const struct pol_stop_result *result)
{
	if (command->json)
		ctl_print_json(json_pack("{s:s,s:s,s:I,s:b,s:b}", "schema", CTL_SCHEMA, "guest",
					 command->guest, "tasks", (json_int_t)result->running,
					 "killed", result->killed, "removed", result->removed));
	else if (!result->loaded)
		printf("nothing is loaded\n");
	else if (!result->running)
		printf("'%s' had no tasks\n", command->guest);
	else
		printf("stopped: '%s', %zu task%s%s\n", command->guest, result->running,
		       result->running == 1 ? "" : "s",
		       result->killed ? ", killed: SIGTERM was not enough" : "");
}

int cmd_stop(int argc, char **argv)
{
	struct stop_command command = { .grace_ns = GRACE_NS };
	struct pol_stop_result result;
	struct pol_err err = {};
	int r = parse(argc, argv, &command);

	if (r)
		return r;
	if (command.help) {
		fputs(stop_help, stdout);
		return 0;
	}
	if (pol_stop(command.guest, command.grace_ns, &result, &err) < 0)
		return ctl_fail("stop", &err);
	print_result(&command, &result);
	return 0;
}
