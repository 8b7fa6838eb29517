/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What guests with a root of their own see where (guest_path), as far as the text tells. Pure. */
#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "policy_parse.h"

/* A rule that the guest sees, at @at. */
struct seen {
	const char *at;
	const struct pol_rule *rule;
};

static int seen_order(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = strcmp(x->at, y->at);

	if (order)
		return order;
	return x->rule->line < y->rule->line ? -1 : x->rule->line > y->rule->line;
}

static void check_twice(struct pol_parser *p, const struct pol_guest *guest,
			const struct seen *first, const struct seen *second)
{
	if (strcmp(first->at, second->at) == 0)
		POL_FAULT(p, POL_P_GUEST_TWICE, second->rule,
			  "give one of the two another 'guest_path'",
			  "guest '%s' would see two things at '%s': '%s' (line %d) and '%s' (line %d)",
			  guest->name, first->at, first->rule->path, first->rule->line,
			  second->rule->path, second->rule->line);
}

static void check_one(struct pol_parser *p, const struct pol_guest *guest, const struct seen *seen)
{
	const char *private = guest->knobs & POL_GUEST_TMP ? pol_private_dir(seen->at) : NULL;

	if (!seen->at[1])
		POL_FAULT(p, POL_P_GUEST_ROOT, seen->rule,
			  "name the directories that it needs, or give this one a 'guest_path'",
			  "guest '%s' has a root of its own (guest_path), and the rule on '/' would be "
			  "all of it",
			  guest->name);
	if (private && seen->rule->guest_path)
		POL_FAULT(p, POL_P_GUEST_TWICE, seen->rule, "choose another 'guest_path'",
			  "guest '%s' would see '%s' at '%s', and has a '%s' of its own (tmp = \"private\")",
			  guest->name, seen->rule->path, seen->at, private);
}

static int check_guest(struct pol_parser *p, const struct pol_guest *guest)
{
	_cleanup_free_ struct seen *seen = calloc(guest->rules_cnt + 1, sizeof(*seen));
	size_t cnt = 0;

	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < guest->rules_cnt; i++) {
		const char *at = pol_rule_seen_at(&guest->rules[i]);

		if (at)
			seen[cnt++] = (struct seen){ at, &guest->rules[i] };
	}
	qsort(seen, cnt, sizeof(*seen), seen_order);
	for (size_t i = 0; i < cnt; i++) {
		check_one(p, guest, &seen[i]);
		if (i)
			check_twice(p, guest, &seen[i - 1], &seen[i]);
	}
	return 0;
}

int pol_check_mapped(struct pol_parser *p, const struct pol_policy *policy)
{
	int r = 0;

	for (size_t i = 0; i < policy->guests_cnt && !r; i++)
		if (pol_guest_is_mapped(&policy->guests[i]))
			r = check_guest(p, &policy->guests[i]);
	return r;
}
