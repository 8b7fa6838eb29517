/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl attach, detach. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "adopt.h"
#include "base.h"
#include "ceilings_only.h"
#include "ctl.h"
#include "enter.h"
#include "policy.h"
#include "str.h"
#include "tmpdir.h"

static const char attach_help[] =
	"Usage: policyctl attach GUEST PID... [--tid]\n"
	"       policyctl attach --ceilings-only --policy FILE GUEST PID...\n"
	"\n"
	"Make running processes a guest's, with all their threads and children. What they hold\n"
	"open stays open; descriptors that the policy would not give are listed.\n"
	"\n"
	"  --tid            PID is a single thread: the others of its process stay what they are. It\n"
	"                   has no cgroup and no RLIMIT_NOFILE of its own: ceilings of memory, swap,\n"
	"                   cpu and io are an error, unless best_effort is set\n"
	"  --ceilings-only  for who can't load programs: only the guest's limits, by a systemd scope;\n"
	"                   files are not confined\n"
	"  --policy FILE    with --ceilings-only: the policy\n"
	"  --help           this text\n";

static const char detach_help[] =
	"Usage: policyctl detach PID...\n"
	"\n"
	"Free processes, with their threads and children: back to the cgroup they came from, else\n"
	"the root's, RLIMIT_NOFILE as it was. A thread that was attached with --tid is freed alone.\n"
	"\n"
	"  --help  this text\n";

/* All of them before anything is done. Return: 0, or the exit status. */
static int check_pids(const char *verb, char **texts)
{
	for (; *texts; texts++)
		if (ctl_pid(*texts) < 0)
			return ctl_usage(verb, "'%s' is no process id", *texts);
	return 0;
}

struct attach_command {
	const char *policy;
	bool ceilings_only;
	bool tid;
};

/* Return: -1: go on with the arguments from optind; else the exit status. */
static int parse_attach(int argc, char **argv, struct attach_command *ret)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "tid", no_argument, NULL, 't' },
		{ "ceilings-only", no_argument, NULL, 'c' },
		{ "policy", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'h') {
			fputs(attach_help, stdout);
			return 0;
		}
		if (c == 't')
			ret->tid = true;
		else if (c == 'c')
			ret->ceilings_only = true;
		else if (c == 'p')
			ret->policy = optarg;
		else
			return ctl_usage("attach", "that option is not known");
	}
	if (ret->ceilings_only != !!ret->policy)
		return ctl_usage("attach", "--ceilings-only and --policy FILE go together");
	if (ret->ceilings_only && ret->tid)
		return ctl_usage("attach", "a thread has no scope of its own: not --tid");
	if (argc - optind < 2)
		return ctl_usage("attach", "name a guest and the processes");
	return check_pids("attach", argv + optind + 1) ? POL_ERR_USAGE : -1;
}

/* What no right helps against. */
static const char *why(uint32_t reason)
{
	switch (reason) {
	case POL_REASON_BUILTIN:
		return "; no rule gives it";
	case POL_REASON_DEVICE:
		return "; a device that no rule names";
	}
	return "";
}

static int print_held(const void *data, void *arg)
{
	const struct pol_fd_record *record = data;
	char link[64], target[PATH_MAX + 1], words[256];
	_cleanup_free_ char *shown = NULL;
	ssize_t len;

	(void)arg;
	(void)snprintf(link, sizeof(link), "/proc/%u/fd/%u", record->tgid, record->fd);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return 0; /* closed meanwhile */
	shown = pol_str_escape(target, (size_t)len);
	(void)pol_access_format(record->missing, words, sizeof(words));
	printf("  process %u holds descriptor %u open: %s, outside the policy (%s%s)\n",
	       record->tgid, record->fd, shown ? shown : "?", words, why(record->reason));
	return 0;
}

static void print_adopted(pid_t pid, size_t cnt, const char *guest)
{
	printf("%d: %zu process%s adopted by '%s'\n", pid, cnt, cnt == 1 ? "" : "es", guest);
}

/* They are adopted, listed or not: that they cannot be listed is said. */
static int list_held(const struct pol_engine *engine, const struct pol_meta_guest *guest,
		     pid_t pid, bool thread)
{
	struct pol_err err = {};
	int r = pol_held_outside(engine, guest, pid, thread, print_held, NULL);

	if (r >= 0)
		return 0;
	pol_err_set(&err, POL_ERR_FAILED, r, "%d is adopted, but what it holds cannot be listed",
		    pid);
	return ctl_fail("attach", &err);
}

static int attach_process(struct pol_engine *engine, const struct pol_meta_guest *guest,
			  int cgroup, pid_t pid)
{
	struct pol_err err = {};
	size_t cnt;

	if (pol_attach(engine, guest, cgroup, pid, &cnt, &err) < 0)
		return ctl_fail("attach", &err);
	print_adopted(pid, cnt, guest->name);
	return list_held(engine, guest, pid, false);
}

static int attach_thread(struct pol_engine *engine, const struct pol_meta_guest *guest, pid_t tid)
{
	struct pol_err err = {};

	if (pol_attach_thread(engine, guest, tid, &err) < 0)
		return ctl_fail("attach", &err);
	printf("%d: thread adopted by '%s'\n", tid, guest->name);
	return list_held(engine, guest, tid, true);
}

/* Mounts of a running process are its own business. */
static void warn_of_root(const struct pol_meta *meta, const struct pol_meta_guest *guest)
{
	if (pol_meta_is_mapped(meta, guest))
		fprintf(stderr,
			"policyctl attach: warning: guest '%s' has guest_path in its rules, but a running "
			"process keeps\n        the root that it has\n",
			guest->name);
}

static void warn_of_tmp(const struct pol_meta_guest *guest)
{
	if (pol_tmp_has(guest))
		fprintf(stderr,
			"policyctl attach: warning: guest '%s' has tmp = \"private\", but a running "
			"process keeps the /tmp\n"
			"   that it has, where it may make nothing: only 'policyctl run' gives the "
			"private one\n",
			guest->name);
}

static int attach_all(struct pol_engine *engine, const struct pol_meta_guest *guest, int cgroup,
		      char **pids, bool tid)
{
	int status = 0;

	for (; *pids; pids++) {
		int r = tid ? attach_thread(engine, guest, ctl_pid(*pids))
			    : attach_process(engine, guest, cgroup, ctl_pid(*pids));

		status = r ? r : status;
	}
	return status;
}

static int attach_under_ceilings(const char *policy, const char *guest, char **pids)
{
	_cleanup_(ctl_ceilings_done) struct ctl_ceilings ceilings = {};
	struct pol_err err = {};
	int status = ctl_ceilings_open("attach", policy, guest, &ceilings);
	bool placed = false;
	size_t cnt;

	if (status)
		return status;
	for (; *pids; pids++) {
		pid_t pid = ctl_pid(*pids);

		if (pol_scope_put_tree(ceilings.scope, pid, &cnt, &err) < 0)
			status = ctl_fail("attach", &err);
		else {
			print_adopted(pid, cnt, guest);
			placed = true;
		}
	}
	if (placed)
		ctl_ceilings_say_lacks("attach", &ceilings);
	return status;
}

int cmd_attach(int argc, char **argv)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	_cleanup_close_ int cgroup = -EBADF;
	const struct pol_meta_guest *guest;
	struct attach_command command = {};
	struct pol_diags diags = {};
	struct pol_err err = {};
	int r = parse_attach(argc, argv, &command);

	if (r >= 0)
		return r;
	if (command.ceilings_only)
		return attach_under_ceilings(command.policy, argv[optind], argv + optind + 1);
	r = pol_engine_open(&engine, &err);
	if (!r)
		r = pol_enter(engine, argv[optind], ctl_pid(argv[optind + 1]), &diags, &meta,
			      &guest, &cgroup, &err);
	ctl_print_diags(&diags, false);
	pol_diags_done(&diags);
	for (char **pid = argv + optind + 2; !r && *pid; pid++)
		r = pol_enter_too(meta, guest, ctl_pid(*pid), &err);
	if (r < 0)
		return ctl_fail("attach", &err);
	warn_of_tmp(guest);
	warn_of_root(meta, guest);
	return attach_all(engine, guest, cgroup, argv + optind + 1, command.tid);
}

/* Return: as parse_attach(). */
static int parse_detach(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c != 'h')
			return ctl_usage("detach", "that option is not known");
		fputs(detach_help, stdout);
		return 0;
	}
	if (optind >= argc)
		return ctl_usage("detach", "name the processes");
	return check_pids("detach", argv + optind) ? POL_ERR_USAGE : -1;
}

int cmd_detach(int argc, char **argv)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct pol_err err = {};
	int status = 0, r = parse_detach(argc, argv);

	if (r >= 0)
		return r;
	r = pol_engine_open(&engine, &err);
	if (!r)
		r = pol_engine_use(engine, false, &err);
	if (r < 0)
		return ctl_fail("detach", &err);
	for (int i = optind; i < argc; i++) {
		pid_t pid = ctl_pid(argv[i]);
		uint32_t guest;
		size_t cnt;

		if (pol_detach(engine, pid, &cnt, &guest, &err) < 0)
			status = ctl_fail("detach", &err);
		else
			printf("%d: %zu process%s freed\n", pid, cnt, cnt == 1 ? "" : "es");
	}
	return status;
}
