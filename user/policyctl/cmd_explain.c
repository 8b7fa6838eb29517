/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl explain: what the kernel's own decision code says of an access, and why. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "ctl.h"
#include "explain_say.h"
#include "generation.h"
#include "names.h"
#include "policy.h"
#include "probe.h"

static const char explain_help[] =
	"Usage: policyctl explain GUEST ACCESS PATH [--json]\n"
	"\n"
	"Ask the kernel whether a guest may do something to what is at PATH now, and why: the verdict,\n"
	"the rule with its line, the rights that lack, the line that would give them. A process of\n"
	"policyctl's own tries it, is judged as the guest is, and is refused in any case: nothing is\n"
	"changed, counted or reported. Needs root.\n"
	"\n"
	"ACCESS is one or more of the policy's words, with commas between: read write execute list\n"
	"create delete rename link truncate metadata ioctl connect, ro rx rw rwx. A PATH that ends in\n"
	"'/' is created as a directory.\n"
	"\n"
	"  --json  as JSON\n"
	"  --help  this text\n"
	"\n"
	"Exit status: 0 allowed; 1 denied, also if audit would let it pass, or failed, or no such\n"
	"guest; 2 usage; 4 not root, no policy is loaded, or the kernel lacks something.\n";

struct explain_command {
	const char *guest;
	const char *path;
	uint32_t access;
	bool json;
	bool help;
};

static int parse(int argc, char **argv, struct explain_command *ret)
{
	int r = ctl_json_option("explain", argc, argv, &ret->json, &ret->help);

	if (r)
		return r;
	if (ret->help)
		return 0;
	if (argc - optind != 3)
		return ctl_usage("explain", "name a guest, what it wants, and a path");
	ret->guest = argv[optind];
	ret->path = argv[optind + 2];
	if (pol_access_parse(argv[optind + 1], &ret->access) < 0)
		return ctl_usage("explain", "'%s' is no access", argv[optind + 1]);
	if (ret->path[0] != '/')
		return ctl_usage("explain", "'%s' is no absolute path", ret->path);
	return 0;
}

static int say(const struct explain_command *command, struct pol_names *names,
	       struct pol_probe_answer *answer, struct pol_err *err)
{
	int status = pol_probe_allows(answer) ? 0 : POL_ERR_FAILED;
	struct pol_event_ctx ctx = {};
	json_t *explained;

	pol_names_context(names, &ctx);
	explained = explain_json(command->guest, answer, &ctx);
	if (!explained)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot print the answer");
	if (command->json) {
		ctl_print_json(explained);
		return status;
	}
	explain_print(explained);
	json_decref(explained);
	return status;
}

static int explain(struct pol_engine *engine, const struct explain_command *command,
		   struct pol_err *err)
{
	_cleanup_(pol_names_done) struct pol_names names = { .control = engine->control };
	_cleanup_(pol_prober_freep) struct pol_prober *prober = NULL;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	static struct pol_probe_answer answer;
	const struct pol_meta_guest *guest;
	int r = pol_meta_load(engine->control->active, &meta, err);

	if (r < 0)
		return r;
	guest = pol_meta_guest(meta, command->guest);
	if (!guest)
		return pol_err_say(err, POL_ERR_FAILED, -ENOENT,
				   "the loaded policy has no guest '%s'", command->guest);
	r = pol_prober_open(engine, &prober, err);
	if (!r)
		r = pol_prober_ask(prober, guest->id, command->access, command->path, &answer, err);
	return r ? r : say(command, &names, &answer, err);
}

int cmd_explain(int argc, char **argv)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct explain_command command = {};
	struct pol_err err = {};
	int r = parse(argc, argv, &command);

	if (r)
		return r;
	if (command.help) {
		fputs(explain_help, stdout);
		return 0;
	}
	r = pol_engine_open(&engine, &err);
	if (r == -ENOENT)
		err.kind = POL_ERR_HOST; /* 1 would say "denied" */
	if (!r)
		r = explain(engine, &command, &err);
	return r < 0 ? ctl_fail("explain", &err) : r;
}
