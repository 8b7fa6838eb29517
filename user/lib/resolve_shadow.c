/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The paths of which guests may have snapshots, as they are on this host: symlinks on them lead nowhere
 * (shadow_file.h), and what a guest may write others should not be given to execute.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "resolve_int.h"
#include "str.h"

static void warn_symlink(const struct pol_guest *guest, const char *path, struct pol_diags *diags)
{
	char real[PATH_MAX];

	if (!realpath(path, real) || strcmp(path, real) == 0)
		return;
	pol_diag_add(diags, true, POL_P_SHADOW_SYMLINK, guest->line, guest->col, NULL,
		     "'%s' in the shadow.paths of guest '%s' leads over a symlink, and nothing is found by "
		     "it: say '%s'",
		     path, guest->name, real);
}

/* Where the guest may put bytes of its own at @path, or somewhere beneath. NULL: nowhere. */
static const struct pol_rule *writes_in(const struct pol_guest *guest, const char *path)
{
	const uint32_t steers = POL_RIGHT_WRITE | POL_RIGHT_CREATE | POL_RIGHT_RENAME | POL_RIGHT_LINK;
	const struct pol_rule *nearest = NULL;

	for (size_t i = 0; i < guest->rules_cnt; i++) {
		const struct pol_rule *rule = &guest->rules[i];

		if (rule->access & steers && strcmp(rule->path, path) != 0 &&
		    pol_path_is_beneath(rule->path, path))
			return rule;
		if (pol_path_is_beneath(path, rule->path) &&
		    (!nearest || strlen(rule->path) > strlen(nearest->path)))
			nearest = rule;
	}
	return nearest && nearest->access & steers ? nearest : NULL;
}

static void warn_writable(const struct pol_policy *policy, const struct pol_guest *guest, const char *path,
			  struct pol_diags *diags)
{
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		const struct pol_rule *rule = writes_in(&policy->guests[i], path);

		if (rule)
			pol_diag_add(diags, true, POL_P_SHADOW_WRITABLE, guest->line, guest->col,
				     "take exec = true out, or keep what is executed apart",
				     "guest '%s' may be given to execute what is in '%s', where guest '%s' "
				     "may write, by the rule on '%s'",
				     guest->name, path, policy->guests[i].name, rule->path);
	}
}

void pol_resolve_shadows(const struct pol_policy *policy, struct pol_diags *diags)
{
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		const struct pol_guest *guest = &policy->guests[i];

		for (size_t k = 0; k < guest->shadow.paths_cnt; k++) {
			warn_symlink(guest, guest->shadow.paths[k], diags);
			if (guest->shadow.exec)
				warn_writable(policy, guest, guest->shadow.paths[k], diags);
		}
	}
}
