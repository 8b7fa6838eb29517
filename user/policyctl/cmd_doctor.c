/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policyctl doctor: what this kernel and host can do, and what lacks, with the fix. */
#include <string.h>

#include "abi.h"
#include "base.h"
#include "ctl.h"
#include "host.h"

static const char doctor_help[] =
	"Usage: policyctl doctor [--json]\n"
	"\n"
	"Look at the kernel, its BPF LSM, BTF, BPF filesystem and cgroup v2, and tell per right of\n"
	"the policy language whether this version mediates it: exact, bounded or unavailable;\n"
	"likewise per knob; and per kind of descriptor, and for tasks, whether ceilings are exact or\n"
	"bounded here.\n"
	"\n"
	"  --json  as JSON\n"
	"  --help  this text\n"
	"\n"
	"Exit status: 0 can enforce, 4 cannot (what lacks is named, with the fix).\n";

/* What each right is worth in this version; the reason where it is not exact. */
static const struct {
	const char *right;
	const char *grade;
	const char *why;
} grades[] = {
	{ "read", "exact", "" },
	{ "write", "exact", "" },
	{ "execute", "exact", "" },
	{ "list", "exact", "" },
	{ "create", "exact", "" },
	{ "delete", "exact", "" },
	{ "rename", "exact", "" },
	{ "link", "exact", "" },
	{ "truncate", "exact", "" },
	{ "metadata", "exact", "" },
	{ "ioctl", "bounded", "of a device that a rule names, whoever opened it; others came with the guest" },
	{ "connect", "exact", "" },
};
_Static_assert(ARRAY_SIZE(grades) == POL_RIGHTS_CNT, "every right has a grade");

/* The same of the knobs that this version has beyond their defaults. */
static const struct {
	const char *knob;
	const char *grade;
	const char *why;
} knobs[] = {
	{ "stat", "bounded", "existence shows through access, chdir, O_PATH and ENOENT" },
	{ "shadow", "bounded",
	  "stale is told of every change, but on overlayfs not of one made to a layer by its own path" },
};

/*
 * Kinds of descriptor; @walled: a hook that is never skipped charges it on every kernel. The others
 * are exact where the allocation itself has such a hook.
 */
static const struct {
	const char *kind;
	bool walled;
} kinds[] = {
	{ "open", true },	{ "exec", true },     { "accept", true },   { "pidfd", true },
	{ "received", true },	{ "pipe", false },    { "socket", false },  { "socketpair", false },
	{ "epoll", false },	{ "eventfd", false }, { "timerfd", false }, { "signalfd", false },
	{ "inotify", false },	{ "memfd", false },   { "other", false },
};

static const char skippable[] =
	"this kernel (6.19 on) closes the hook of LSM type where files are allocated; what is "
	"attached there instead can be skipped when tasks preempt each other inside it. Found by "
	"the next policyctl command; RLIMIT_NOFILE times tasks is the hard bound";

static const char *grade_of(const struct pol_host *host, size_t kind)
{
	if (!host->root)
		return "unknown"; /* the kernel did not let us try */
	return host->allocation_hook || kinds[kind].walled ? "exact" : "bounded";
}

static json_t *descriptors_json(const struct pol_host *host)
{
	json_t *kind = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		json_object_set_new(kind, kinds[i].kind, json_string(grade_of(host, i)));
	return kind;
}

static void print_ceilings(const struct pol_host *host)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		printf("%s %-10s %s\n", i ? "    " : "fds ", kinds[i].kind, grade_of(host, i));
	if (!host->allocation_hook)
		printf("     bounded: %s\n", skippable);
	puts("tasks           exact");
}

static void print_json(const struct pol_host *host)
{
	json_t *rights = json_object(), *of_knobs = json_object(), *problems = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(grades); i++)
		json_object_set_new(rights, grades[i].right, json_string(grades[i].grade));
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++)
		json_object_set_new(of_knobs, knobs[i].knob, json_string(knobs[i].grade));
	for (int i = 0; i < host->problems_cnt; i++)
		json_array_append_new(problems,
				      json_pack("{s:s,s:s,s:s}", "code", host->problems[i].code,
						"message", host->problems[i].message, "fix",
						host->problems[i].fix));
	ctl_print_json(json_pack("{s:s,s:b,s:s,s:o,s:o,s:{s:o,s:s},s:o}", "schema", CTL_SCHEMA,
				 "enforcing", !host->problems_cnt, "kernel", host->kernel, "rights",
				 rights, "knobs", of_knobs, "ceilings", "fds", descriptors_json(host), "tasks",
				 "exact", "problems", problems));
}

static void print_text(const struct pol_host *host)
{
	printf("kernel       %s\n", host->kernel);
	printf("LSMs         %s\n", host->lsm[0] ? host->lsm : "?");
	printf("cgroup v2    %s\n", host->cgroup_mount[0] ? host->cgroup_mount : "not mounted");
	printf("controllers  %s\n\n", host->controllers[0] ? host->controllers : "-");
	for (size_t i = 0; i < ARRAY_SIZE(grades); i++)
		printf("%-10s   %s%s%s\n", grades[i].right, grades[i].grade,
		       grades[i].why[0] ? ": " : "", grades[i].why);
	putchar('\n');
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++)
		printf("%-10s   %s: %s\n", knobs[i].knob, knobs[i].grade, knobs[i].why);
	putchar('\n');
	if (host->root)
		print_ceilings(host);
	putchar('\n');
	for (int i = 0; i < host->problems_cnt; i++)
		printf("problem: %s\n    fix: %s\n", host->problems[i].message,
		       host->problems[i].fix);
	puts(host->problems_cnt ? "cannot enforce here" : "can enforce here");
}

int cmd_doctor(int argc, char **argv)
{
	bool json = false, help = false;
	struct pol_host host;
	int r = ctl_json_option("doctor", argc, argv, &json, &help);

	if (r)
		return r;
	if (help) {
		fputs(doctor_help, stdout);
		return 0;
	}
	if (optind != argc)
		return ctl_usage("doctor", "it takes no argument");
	pol_host_probe(&host);
	if (json)
		print_json(&host);
	else
		print_text(&host);
	return host.problems_cnt ? POL_ERR_HOST : 0;
}
