/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* [guest.*.shadow] and [defaults.shadow], and how the two make what a guest may be handed. Pure. */
#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "policy_parse.h"

#define MAX_SIZE_DEFAULT (256ull << 20) /* policy-language.md */
#define BUDGET_DEFAULT	 (1ull << 30)

/* What is smaller than the other is said at the value of 'budget', else at that of 'max_size'. */
static void note_place(struct pol_shadow_settings *shadow, const struct pol_toml_entry *e)
{
	shadow->sizes_line = e->value.line;
	shadow->sizes_col = e->value.col;
}

static int parse_max_size(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_shadow_settings *shadow = &((struct pol_scope *)into)->settings->shadow;

	if (!pol_parse_bound(p, e, 1, &shadow->max_size))
		return 0;
	if (shadow->budget == POL_LIMIT_UNSET)
		note_place(shadow, e);
	if (shadow->max_size > POL_SHADOW_SIZE_MAX) {
		POL_WARN(
			p, POL_P_SHADOW_CLAMPED, &e->value, "say 512MiB or less",
			"'max_size' is more than 512MiB, which no snapshot may exceed: it is 512MiB");
		shadow->max_size = POL_SHADOW_SIZE_MAX;
	}
	return 0;
}

static int parse_budget(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_shadow_settings *shadow = &((struct pol_scope *)into)->settings->shadow;

	if (pol_parse_bound(p, e, 1, &shadow->budget))
		note_place(shadow, e);
	return 0;
}

static int parse_exec(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	if (pol_want(p, e, POL_TOML_BOOLEAN))
		((struct pol_scope *)into)->settings->shadow.exec = e->value.boolean;
	return 0;
}

/* One of `paths`, and where it stands. */
struct item {
	char *path; /* owned */
	int line;
	int col;
};

static int by_path(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	if (order)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->col < y->col ? -1 : x->col > y->col;
}

/* *ret NULL: it is none, and a diagnostic says why. */
static int parse_path(struct pol_parser *p, const struct pol_toml_entry *e,
		      const struct pol_toml_node *node, char **ret)
{
	struct pol_toml_entry item = *e;

	*ret = NULL;
	item.value = *node; /* judged as the value of the key itself */
	if (!pol_want_item(p, e, node, POL_TOML_STRING))
		return 0;
	if (strpbrk(node->string, "*?[")) {
		POL_FAULT(
			p, POL_P_GLOB, node, "name the file, or the directory that it lies in",
			"'%s' is a pattern: what it matches would be looked up at each snapshot, and be chosen by who may make names there",
			node->string);
		return 0;
	}
	return pol_parse_path(p, &item, false, ret);
}

/* Takes the paths of @items, which are sorted; of equal ones the first. */
static void keep_paths(struct pol_parser *p, struct item *items, size_t cnt,
		       struct pol_shadow_settings *shadow)
{
	const struct item *kept = NULL;

	for (size_t i = 0; i < cnt; i++) {
		if (kept && strcmp(kept->path, items[i].path) == 0) {
			POL_FAULT(
				p, POL_P_PATH_TWICE, &items[i], "keep one of the two",
				"path '%s' stands twice in this list, first at line %d, column %d",
				items[i].path, kept->line, kept->col);
			free(items[i].path);
			continue;
		}
		kept = &items[i];
		shadow->paths[shadow->paths_cnt++] = items[i].path;
	}
}

static int parse_items(struct pol_parser *p, const struct pol_toml_entry *e,
		       struct pol_shadow_settings *shadow)
{
	_cleanup_free_ struct item *items = calloc(e->value.cnt, sizeof(*items));
	size_t cnt = 0;
	int r = 0;

	shadow->paths = calloc(e->value.cnt, sizeof(*shadow->paths));
	if (!items || !shadow->paths)
		return -ENOMEM;
	for (size_t i = 0; i < e->value.cnt && r == 0; i++) {
		const struct pol_toml_node *node = &e->value.items[i];

		items[cnt] = (struct item){ .line = node->line, .col = node->col };
		r = parse_path(p, e, node, &items[cnt].path);
		cnt += items[cnt].path != NULL;
	}
	if (cnt)
		qsort(items, cnt, sizeof(*items), by_path);
	keep_paths(p, items, cnt, shadow);
	return r;
}

static int parse_paths(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_scope *scope = into;

	if (!scope->section) {
		POL_FAULT(p, POL_P_KEY_PLACE, e, "give it to a guest: [guest.NAME.shadow]",
			  "'paths' are a guest's own: they do not belong in [defaults.shadow]");
		return 0;
	}
	if (!pol_want(p, e, POL_TOML_ARRAY) || !e->value.cnt)
		return 0;
	return parse_items(p, e, &scope->settings->shadow);
}

int pol_parse_shadow(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const struct pol_key keys[] = {
		{ .name = "max_size", .parse = parse_max_size },
		{ .name = "budget", .parse = parse_budget },
		{ .name = "exec", .parse = parse_exec },
		{ .name = "paths", .parse = parse_paths },
	};
	struct pol_shadow_settings *shadow = &((struct pol_scope *)into)->settings->shadow;

	if (!pol_want(p, e, POL_TOML_TABLE))
		return 0;
	shadow->line = e->line;
	shadow->col = e->col;
	return pol_keys_parse(p, &e->value, "shadow", keys, ARRAY_SIZE(keys), into);
}

static uint64_t first_said(uint64_t own, uint64_t other, uint64_t silent)
{
	if (own != POL_LIMIT_UNSET)
		return own;
	return other != POL_LIMIT_UNSET ? other : silent;
}

int pol_shadow_apply(const struct pol_shadow_settings *own,
		     const struct pol_shadow_settings *defaults, struct pol_shadow_policy *ret)
{
	const struct pol_shadow_policy said = {
		.max_size = first_said(own->max_size, defaults->max_size, MAX_SIZE_DEFAULT),
		.budget = first_said(own->budget, defaults->budget, BUDGET_DEFAULT),
		.exec = (own->exec >= 0 ? own->exec : defaults->exec) > 0,
		.paths = own->paths,
		.paths_cnt = own->paths_cnt,
	};

	return pol_shadow_copy(&said, ret);
}

static void lint_sizes(struct pol_parser *p, const struct pol_shadow_settings *at,
		       const struct pol_shadow_policy *shadow)
{
	if (at->sizes_line && shadow->budget < shadow->max_size)
		pol_diag_add(
			p->diags, true, POL_P_SHADOW_BUDGET, at->sizes_line, at->sizes_col,
			"raise 'budget', or lower 'max_size'",
			"'budget' (%llu bytes) is smaller than 'max_size' (%llu bytes): no snapshot can be as large as that",
			(unsigned long long)shadow->budget, (unsigned long long)shadow->max_size);
}

/* Sizes of [defaults.shadow] are judged once, by themselves. */
static int lint_defaults(struct pol_parser *p)
{
	const struct pol_shadow_settings *defaults = &p->defaults.shadow;
	struct pol_shadow_policy shadow;
	int r = pol_shadow_apply(defaults, defaults, &shadow);

	if (r < 0)
		return r;
	lint_sizes(p, defaults, &shadow);
	pol_shadow_done(&shadow);
	return 0;
}

int pol_lint_shadow(struct pol_parser *p, const struct pol_policy *policy)
{
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		const struct pol_shadow_settings *own = &p->settings[i].shadow;

		if (own->line && !own->paths_cnt)
			POL_WARN(p, POL_P_SHADOW_OFF, own,
				 "name what may be snapshotted in 'paths'",
				 "guest '%s' has no paths: shadow stays off",
				 policy->guests[i].name);
		lint_sizes(p, own, &policy->guests[i].shadow);
	}
	return lint_defaults(p);
}
