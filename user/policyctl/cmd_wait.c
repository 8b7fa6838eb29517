/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl wait: block until a process or a guest has ended, print the record of its exit. */
#include <string.h>

#include "base.h"
#include "cgroup.h"
#include "ctl.h"
#include "event_text.h"
#include "guest_wait.h"
#include "here.h"
#include "names.h"
#include "pidwait.h"
#include "proc.h"

static const char wait_help[] =
	"Usage: policyctl wait GUEST|PID [--json]\n"
	"\n"
	"Block until a guest is empty, and print the record of its first process's exit; of a guest\n"
	"that is empty, the last one's at once. Needs root.\n"
	"\n"
	"Or until a process has ended, whosever child it is and whether it is a guest's or not. For\n"
	"root a guest's is the engine's record, with cause and sender, also after its end. Else the\n"
	"status is unknown where the kernel does not tell it: another's child, before Linux 6.15.\n"
	"\n"
	"  --json  the record as JSON, in the form of an exit event\n"
	"  --help  this text\n"
	"\n"
	"Digits alone are a process. Exit status: 0 it has ended, however; 1 no such process or\n"
	"guest, or it never ran, or failed; 2 usage; 4 not root, for a guest.\n";

struct wait_command {
	const char *target;
	bool json;
	bool help;
};

static int parse(int argc, char **argv, struct wait_command *ret)
{
	int r = ctl_json_option("wait", argc, argv, &ret->json, &ret->help);

	if (r)
		return r;
	if (!ret->help && argc - optind != 1)
		return ctl_usage("wait", "name one process or guest");
	ret->target = argv[optind];
	return 0;
}

/* ------------------------------------------------------------------ the record */

static const char *cgroup_path(void *arg, uint64_t id)
{
	static char path[1024];

	(void)arg;
	return id && !pol_cgroup_path_of(id, path, sizeof(path)) ? path : NULL;
}

/* @ctx: names of guests and policies, if the record has some. */
static int print_record(const struct pol_event_view *view, struct pol_event_ctx *ctx, bool json)
{
	static char line[POL_EVENT_LINE_SIZE];
	struct pol_here here;
	struct pol_err err = {};
	int r;

	pol_here_read(&here, ctx);
	(void)pol_here_clocks(ctx);
	r = json ? pol_event_json(view, ctx, line, sizeof(line))
		 : pol_event_text(view, ctx, ctl_colour(stdout), line, sizeof(line));
	if (r > 0 && (fputs(line, stdout) == EOF || fflush(stdout) == EOF))
		r = errno ? -errno : -EIO;
	if (r > 0)
		return 0;
	(void)pol_err_set(&err, POL_ERR_FAILED, r, "cannot print the record");
	return ctl_fail("wait", &err);
}

/* ------------------------------------------------------------------ a process */

static int explain(pid_t pid, int code)
{
	struct pol_proc_ids ids;
	struct pol_err err = {};

	if (code == -EINVAL && !pol_proc_ids(pid, &ids)) {
		pol_err_say(&err, POL_ERR_FAILED, code, "%d is a thread", pid);
		(void)pol_err_fix(&err, "wait for its process, %d", ids.tgid);
	} else if (code == -EACCES) {
		pol_err_say(&err, POL_ERR_FAILED, code, "process %d cannot be seen", pid);
		(void)pol_err_fix(
			&err, "pidfd_open(2), which is refused here, or /proc/%d is needed", pid);
	} else {
		pol_err_set(&err, POL_ERR_FAILED, code, "cannot wait for process %d", pid);
	}
	return ctl_fail("wait", &err);
}

/* Names of guests and policies are the engine's. */
static int print_engines(const struct pol_event_view *view, bool json)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_names_done) struct pol_names names = {};
	struct pol_event_ctx ctx = { .cgroup = cgroup_path };

	if (!pol_engine_open(&engine, NULL)) {
		names.control = engine->control;
		pol_names_context(&names, &ctx);
	}
	return print_record(view, &ctx, json);
}

static int wait_process(const struct wait_command *command, pid_t pid)
{
	struct pol_event_ctx ctx = { .cgroup = cgroup_path };
	struct pol_event_view view;
	enum pol_pidwait_step step;
	struct pol_err err = {};
	int r = pol_pidwait(pid, 0, &view, &step);

	if (r < 0)
		return explain(pid, r);
	if (step == POL_PIDWAIT_ENGINE)
		return print_engines(&view, command->json);
	if (step != POL_PIDWAIT_NOBODY)
		return print_record(&view, &ctx, command->json);
	pol_err_say(&err, POL_ERR_FAILED, -ESRCH, "no process %d", pid);
	return ctl_fail("wait", &err);
}

/* ------------------------------------------------------------------ a guest */

static int wait_engine(struct pol_engine *engine, const struct wait_command *command,
		       struct pol_err *err)
{
	_cleanup_(pol_names_done) struct pol_names names = { .control = engine->control };
	struct pol_event_ctx ctx = {};
	struct pol_event_view view;
	uint32_t guest;
	int r = pol_names_guest_id(&names, command->target, &guest);

	if (r < 0)
		return pol_err_say(err, POL_ERR_FAILED, r, "the loaded policy has no guest '%s'",
				   command->target);
	r = pol_guest_await(engine, command->target, guest, &view, err);
	if (r < 0)
		return r;
	pol_names_context(&names, &ctx);
	return print_record(&view, &ctx, command->json);
}

static int wait_guest(const struct wait_command *command)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct pol_err err = {};
	int r = pol_engine_open(&engine, &err);

	if (!r)
		r = wait_engine(engine, command, &err);
	return r < 0 ? ctl_fail("wait", &err) : r;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

int cmd_wait(int argc, char **argv)
{
	struct wait_command command = {};
	int r = parse(argc, argv, &command);
	pid_t pid;

	if (r)
		return r;
	if (command.help) {
		fputs(wait_help, stdout);
		return 0;
	}
	if (!is_number(command.target))
		return wait_guest(&command);
	pid = ctl_pid(command.target);
	if (pid < 0)
		return ctl_usage("wait", "'%s' is no process id", command.target);
	return wait_process(&command, pid);
}
