/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Warnings (policy-language.md, semantics 15) that the text alone gives. Those that need the
 * filesystem are made by resolve.c and links.c. Pure.
 */
#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "policy_parse.h"

void pol_lint_rule(struct pol_parser *p, const struct pol_rule *rule)
{
	if (strcmp(rule->path, "/") == 0 && !rule->in_guest)
		POL_WARN(p, POL_P_ROOT, rule, "name the directories that the guest needs",
			 "a rule on '/' covers the whole root filesystem");
	if ((rule->access & POL_RIGHT_WRITE) && (rule->access & POL_RIGHT_EXECUTE))
		POL_WARN(p, POL_P_WRITE_EXECUTE, rule, "split it, or take one of the rights away",
			 "'%s' may be written and executed: the guest can run what it wrote",
			 rule->path);
	if ((rule->access & POL_RIGHT_CREATE) && (rule->access & POL_RIGHT_WRITE) &&
	    !(rule->access & POL_RIGHT_READ))
		POL_WARN(
			p, POL_P_CREATE_BLIND, rule, "add \"read\"",
			"'%s' has create and write, but no read: opening a new file for reading and writing is refused and leaves it behind empty",
			rule->path);
}

/* What private ones lie over (launch.c, view.c): @path or something above it. */
const char *pol_private_dir(const char *path)
{
	static const char *const dirs[] = { "/tmp", "/var/tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		size_t len = strlen(dirs[i]);

		if (strncmp(path, dirs[i], len) == 0 && (!path[len] || path[len] == '/'))
			return dirs[i];
	}
	return NULL;
}

void pol_lint_tmp(struct pol_parser *p, const struct pol_policy *policy)
{
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		const struct pol_guest *guest = &policy->guests[i];

		for (size_t k = 0; guest->knobs & POL_GUEST_TMP && k < guest->rules_cnt; k++) {
			const struct pol_rule *rule = &guest->rules[k];
			const char *dir = rule->guest_path ? NULL : pol_private_dir(rule->path);

			if (dir)
				POL_WARN(
					p, POL_P_TMP_HIDDEN, rule,
					"take the rule out, or move what it is on to another directory",
					"guest '%s' has tmp = \"private\": what 'run' starts does not see the host's '%s', which the rule on '%s' is about",
					guest->name, dir, rule->path);
		}
	}
}

static bool is_counted(uint64_t fds)
{
	return fds < POL_LIMIT_MAX;
}

static void lint_baseline(struct pol_parser *p, const struct pol_settings *settings,
			  const char *why)
{
	if (settings->fds_all >= 0)
		pol_diag_add(p->diags, true, POL_P_FDS_BASELINE, settings->fds_all_line,
			     settings->fds_all_col, "give 'fds' a number, or take it out",
			     "'fds_baseline' has no effect: %s", why);
}

void pol_lint_limits(struct pol_parser *p, const struct pol_policy *policy)
{
	bool default_used = is_counted(p->defaults.fds);
	uint64_t sum = 0;

	for (size_t i = 0; i < policy->guests_cnt; i++) {
		uint64_t fds = policy->guests[i].limits.fds;

		if (!is_counted(fds)) {
			lint_baseline(p, &p->settings[i],
				      "without a number for 'fds' nothing is counted");
			continue;
		}
		sum += fds;
		default_used |= p->settings[i].fds_all < 0;
	}
	if (!default_used)
		lint_baseline(p, &p->defaults, "no guest with a number for 'fds' takes it");
	if (sum > POL_FILES_MAX)
		pol_diag_add(
			p->diags, true, POL_P_FDS_SUM, 0, 0,
			"lower 'fds' of some guests, or take it from those that need no ceiling",
			"the ceilings of all guests on descriptors come to %llu together: past %u that are open at once opening fails with ENFILE, below a guest's own ceiling too",
			(unsigned long long)sum, POL_FILES_MAX);
}

/* The nearest rule above @rule by path, or NULL. */
static const struct pol_rule *nearest_above(const struct pol_guest *guest,
					    const struct pol_rule *rule)
{
	_cleanup_free_ char *path = strdup(rule->path);

	while (path && path[1]) {
		char *slash = strrchr(path, '/');
		const struct pol_rule *found;

		slash[slash == path] = '\0';
		found = pol_guest_rule_in(guest, path, rule->in_guest);
		if (found)
			return found;
	}
	return NULL;
}

/* A profile's rule is judged beside its own profile's only: it is made for other guests too. */
static bool written_together(const struct pol_rule *rule, const struct pol_rule *other)
{
	return !rule->profile ||
	       (other && other->profile && strcmp(rule->profile, other->profile) == 0);
}

void pol_lint_repeats(const struct pol_guest *guest, const struct pol_rule *rule,
		      const struct pol_rule *nearer, struct pol_diags *diags)
{
	if (!written_together(rule, nearer))
		return;
	if (nearer && nearer->access == rule->access)
		pol_diag_add(diags, true, POL_P_REPEATS, rule->line, rule->col, "take it out",
			     "the rule on '%s' repeats the one on '%s' (line %d)", rule->path,
			     nearer->path, nearer->line);
	else if (!nearer && !rule->access && !rule->in_guest)
		pol_diag_add(
			diags, true, POL_P_NO_EFFECT, rule->line, rule->col, "take it out",
			"the rule on '%s' refuses what is refused anyway: no rule of guest '%s' stands above it",
			rule->path, guest->name);
}

void pol_policy_lint_offline(const struct pol_policy *policy, struct pol_diags *diags)
{
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		const struct pol_guest *guest = &policy->guests[i];

		for (size_t k = 0; k < guest->rules_cnt; k++)
			if (!guest->rules[k].pattern)
				pol_lint_repeats(guest, &guest->rules[k],
						 nearest_above(guest, &guest->rules[k]), diags);
	}
}

/* Both put processes where nobody has looked: each member has a root of its own, and so has run. */
void pol_check_rooted(struct pol_parser *p, const struct pol_policy *policy)
{
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		const struct pol_guest *guest = &policy->guests[i];
		const char *beside = guest->members_cnt		   ? "members"
				     : guest->knobs & POL_GUEST_TMP ? "tmp = \"private\""
								    : NULL;

		if (beside && pol_guest_is_rooted(guest))
			POL_FAULT(p, POL_P_UNAVAILABLE, guest, "take one of the two out",
				  "guest '%s' has rules with in = \"guest\" and %s: together they "
				  "are not available in this version",
				  guest->name, beside);
	}
}
