/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyctl check: parse, resolve, lint. Touches nothing and loads nothing. Diagnostics go to
 * stderr, the result to stdout.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "ctl.h"
#include "err.h"
#include "members_find.h"
#include "policy.h"
#include "resolve.h"

/* Enough for a guest's own tree; a whole /usr would make the command slow for no new insight. */
#define LINKS_BUDGET 10000

struct options {
	const char *file;
	bool strict;
	bool offline;
	bool json;
};

static const char help[] =
	"Usage: policyctl check POLICY [--strict] [--offline] [--json]\n"
	"\n"
	"Parse a policy, look up what its rules lead to, and warn about what looks wrong.\n"
	"Touches nothing. POLICY may be '-', standard input.\n"
	"\n"
	"  --strict    warnings are errors\n"
	"  --offline   do not look at the filesystem (for CI)\n"
	"  --json      the result as JSON, problems as JSON Lines on stderr\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 valid, 2 usage, 3 invalid (with --strict: also warnings).\n";

/* Return: 0: go on; 1: help was asked for; -EINVAL: wrong usage, said. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option options[] = {
		{ "strict", no_argument, NULL, 's' },
		{ "offline", no_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0; /* glibc: start anew, the caller has parsed its own options */
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 's':
			ret->strict = true;
			break;
		case 'o':
			ret->offline = true;
			break;
		case 'j':
			ret->json = true;
			break;
		case 'h':
			return 1;
		default:
			fputs("try 'policyctl check --help'\n", stderr);
			return -EINVAL;
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "policyctl check: %s\n",
			argc == optind ? "name a policy file, or '-' for standard input"
				       : "one policy file at a time");
		return -EINVAL;
	}
	ret->file = argv[optind];
	return 0;
}

/* "  web: /lib is /usr/lib" where a symlink lies between, "is also the mount" where one lies below */
static void print_place(const struct pol_policy *policy, const struct pol_place *place)
{
	const struct pol_guest *guest = &policy->guests[place->guest];
	const struct pol_rule *rule = &guest->rules[place->rule];
	_cleanup_free_ char *path = NULL;

	if (place->pending)
		return;
	if (asprintf(&path, "%s%s%s", place->name && !place->dir[1] ? "" : place->dir,
		     place->name ? "/" : "", place->name ? place->name : "") < 0) {
		path = NULL;
		return;
	}
	if (!place->derived && strcmp(path, rule->path) == 0 && !rule->glob)
		return;
	printf("  %s: ", guest->name);
	if (rule->glob) {
		ctl_print_escaped(rule->glob);
		fputs(" matches ", stdout);
	}
	ctl_print_escaped(rule->path);
	if (rule->glob && !place->derived && strcmp(path, rule->path) == 0) {
		putchar('\n');
		return;
	}
	if (rule->glob)
		putchar(',');
	fputs(place->derived ? " covers the mount " : " is ", stdout);
	ctl_print_escaped(path);
	putchar('\n');
}

static void print_places(const struct pol_policy *policy, const struct pol_places *places)
{
	for (size_t i = 0; i < places->cnt; i++)
		print_place(policy, &places->items[i]);
	for (size_t i = 0; i < places->twins_cnt; i++)
		print_place(policy, &places->twins[i]);
}

/* What an operator could take to be covered by a policy, and is not (policy-language.md, Rights). */
static void print_scope(const struct pol_policy *policy)
{
	if (!policy->guests_cnt)
		return;
	puts("  not mediated: network, capabilities, system calls");
}

/* Without a look at the filesystem nobody knows what these are rules on. */
static void print_patterns(const struct pol_policy *policy)
{
	for (size_t i = 0; i < policy->guests_cnt; i++)
		for (size_t k = 0; k < policy->guests[i].rules_cnt; k++) {
			const struct pol_rule *rule = &policy->guests[i].rules[k];

			if (!rule->pattern)
				continue;
			printf("  %s: ", policy->guests[i].name);
			ctl_print_escaped(rule->path);
			puts(" is a glob, which --offline does not look up");
		}
}

/* Below a root that is not there yet. */
static void print_waiting(const struct pol_policy *policy)
{
	for (size_t i = 0; i < policy->guests_cnt; i++)
		for (size_t k = 0; k < policy->guests[i].rules_cnt; k++) {
			const struct pol_rule *rule = &policy->guests[i].rules[k];

			if (!rule->in_guest)
				continue;
			printf("  %s: ", policy->guests[i].name);
			ctl_print_escaped(rule->path);
			puts(" in the guest is resolved when the guest starts");
		}
}

/* By its text, as far as it is not where it is on the host. */
static void print_seen(const struct pol_policy *policy)
{
	for (size_t i = 0; i < policy->guests_cnt; i++)
		for (size_t k = 0; k < policy->guests[i].rules_cnt; k++) {
			const struct pol_rule *rule = &policy->guests[i].rules[k];

			if (!rule->guest_path)
				continue;
			printf("  %s: ", policy->guests[i].name);
			ctl_print_escaped(rule->path);
			fputs(" is seen at ", stdout);
			ctl_print_escaped(rule->guest_path);
			putchar('\n');
		}
}

static const char *plural(size_t cnt)
{
	return cnt == 1 ? "" : "s";
}

static void print_counts(const struct options *options, const struct pol_policy *policy,
			 const struct pol_diags *diags)
{
	size_t rules = 0;

	ctl_print_escaped(diags->file ? diags->file : options->file);
	if (policy && !diags->errors) {
		for (size_t i = 0; i < policy->guests_cnt; i++)
			rules += policy->guests[i].rules_cnt;
		printf(": ok, %zu guest%s, %zu rule%s", policy->guests_cnt,
		       plural(policy->guests_cnt), rules, plural(rules));
	} else {
		printf(": invalid, %zu error%s", diags->errors, plural(diags->errors));
	}
	if (diags->warnings)
		printf(", %zu warning%s", diags->warnings, plural(diags->warnings));
	putchar('\n');
}

static void print_json(const struct pol_diags *diags)
{
	json_t *root = json_pack("{s:s, s:b, s:I, s:I}", "schema", "policyctl/v1", "ok",
				 diags->errors == 0, "errors", (json_int_t)diags->errors,
				 "warnings", (json_int_t)diags->warnings);

	(void)json_dumpf(root, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(root);
}

/* Return: 0, also if the policy is invalid: that is in @diags; -ENOMEM. */
static int look_up(const struct options *options, struct pol_policy *policy,
		   struct pol_diags *diags, struct pol_places *places, bool *ret_complete)
{
	struct pol_finds finds = { 0 };
	int r;

	if (options->offline) {
		pol_policy_lint_offline(policy, diags);
		return 0;
	}
	r = pol_members_find(policy, diags, &finds);
	pol_finds_done(&finds);
	if (r == -ENOMEM)
		return r;
	r = pol_resolve(policy, NULL, 0, NULL, 0, diags, places);
	if (r == 0)
		r = pol_lint_links(policy, places, LINKS_BUDGET, diags, ret_complete);
	return r == -EINVAL ? 0 : r;
}

static void report(const struct options *options, const struct pol_policy *policy,
		   const struct pol_places *places, const struct pol_diags *diags, bool complete)
{
	const char *no_color = getenv("NO_COLOR");

	if (options->json) {
		pol_diags_print_json(diags, stderr);
		print_json(diags);
		return;
	}
	pol_diags_print_text(diags, stderr, isatty(STDERR_FILENO) && !(no_color && *no_color));
	if (policy) {
		print_places(policy, places);
		if (options->offline)
			print_patterns(policy);
		print_waiting(policy);
		print_seen(policy);
		if (!complete)
			printf("  files with several names were looked for among the first %d entries only\n",
			       LINKS_BUDGET);
		if (!diags->errors)
			print_scope(policy);
	}
	print_counts(options, policy, diags);
}

int cmd_check(int argc, char **argv)
{
	struct options options = { 0 };
	struct pol_diags diags = { 0 };
	struct pol_places places = { 0 };
	struct pol_policy *policy = NULL;
	bool complete = true;
	int r = parse_options(argc, argv, &options);

	if (r > 0) {
		fputs(help, stdout);
		return 0;
	}
	if (r < 0)
		return POL_ERR_USAGE;
	r = pol_policy_read(options.file, &diags, &policy);
	if (r == 0)
		r = look_up(&options, policy, &diags, &places, &complete);
	if (options.strict)
		pol_diags_strict(&diags);
	if (r == -ENOMEM)
		fputs("policyctl check: out of memory\n", stderr);
	else
		report(&options, policy, &places, &diags, complete);
	r = r == -ENOMEM ? POL_ERR_FAILED : diags.errors ? POL_ERR_POLICY : 0;
	pol_places_done(&places);
	pol_policy_free(policy);
	pol_diags_done(&diags);
	return r;
}
