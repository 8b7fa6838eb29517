/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether what a guest with a guest_path is to see can be put there, by what its rules lead to. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "resolve_int.h"

/* A rule that the guest sees at @at, and what it is on. */
struct seen {
	const char *at;
	const struct pol_rule *rule;
	const struct pol_walk *walk;
};

static int seen_order(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->at, ((const struct seen *)b)->at);
}

/* A file, or a name that `run` makes one of. */
static bool is_file(const struct seen *seen)
{
	return seen->walk->mode ? !S_ISDIR(seen->walk->mode) : seen->rule->access & POL_RIGHT_CREATE;
}

static int check_above(struct pol_resolver *rs, const struct seen *seen, size_t cnt, size_t i)
{
	_cleanup_free_ char *path = strdup(seen[i].at);
	const struct seen key = { .at = path };

	if (!path)
		return -ENOMEM;
	while (pol_key_up(path) && path[1]) {
		const struct seen *above = bsearch(&key, seen, cnt, sizeof(key), seen_order);

		if (!above || !is_file(above))
			continue;
		pol_diag_add(rs->diags, false, POL_P_BELOW_FILE, seen[i].rule->line,
			     seen[i].rule->col, "give one of the two another 'guest_path'",
			     "'%s' (line %d) would be at '%s' in the guest, below the file '%s' "
			     "(line %d) at '%s'",
			     seen[i].rule->path, seen[i].rule->line, seen[i].at, above->rule->path,
			     above->rule->line, above->at);
		return 0;
	}
	return 0;
}

static void add(struct pol_resolver *rs, const struct pol_place *place, size_t walk, size_t guest,
		struct seen *seen, size_t *cnt)
{
	const char *at;

	if (place->guest != guest || place->derived || place->pending)
		return;
	at = pol_rule_seen_at(pol_place_rule(rs->policy, place));
	if (at)
		seen[(*cnt)++] = (struct seen){ at, pol_place_rule(rs->policy, place),
						&rs->walks[walk] };
}

static int check_guest(struct pol_resolver *rs, size_t guest)
{
	const struct pol_places *places = rs->places;
	_cleanup_free_ struct seen *seen =
		calloc(places->cnt + places->twins_cnt + 1, sizeof(*seen));
	size_t cnt = 0;
	int r = 0;

	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < places->cnt; i++)
		add(rs, &places->items[i], rs->walk_of[i], guest, seen, &cnt);
	for (size_t i = 0; i < places->twins_cnt; i++)
		add(rs, &places->twins[i], rs->twin_walk_of[i], guest, seen, &cnt);
	qsort(seen, cnt, sizeof(*seen), seen_order);
	for (size_t i = 0; i < cnt && !r; i++)
		r = check_above(rs, seen, cnt, i);
	return r;
}

int pol_check_seen(struct pol_resolver *rs)
{
	int r = 0;

	for (size_t i = 0; i < rs->policy->guests_cnt && !r; i++)
		if (pol_guest_is_mapped(&rs->policy->guests[i]))
			r = check_guest(rs, i);
	return r;
}
