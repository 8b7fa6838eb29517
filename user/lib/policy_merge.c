/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Includes: from profiles as written to a guest's effective rules. Depth first; a guest's own rule
 * beats an included one; profiles that differ on a path are an error. Pure. No recursion: a chain
 * of includes may be as long as the file.
 */
#include <errno.h>
#include <string.h>

#include "base.h"
#include "policy_parse.h"

/* A rule on the way into a guest's list. @order: 0 the guest's own, then in order of inclusion. */
struct candidate {
	const struct pol_rule *rule;
	const struct pol_section *from;
	size_t order;
};

struct collection {
	struct candidate *items;
	size_t cnt;
	size_t room;
};

/* A profile on the way down, and the next of its includes to take. */
struct step {
	struct pol_section *section;
	size_t next;
};

static int by_name(const void *key, const void *section)
{
	return strcmp(key, ((const struct pol_section *)section)->name);
}

static int find_includes(struct pol_parser *p, struct pol_section *section,
			 const char *const *names)
{
	for (size_t i = 0; i < section->includes_cnt; i++) {
		struct pol_include *include = &section->includes[i];
		struct pol_section *found = NULL;
		_cleanup_free_ char *help = NULL;

		if (p->profiles_cnt)
			found = bsearch(include->name, p->profiles, p->profiles_cnt,
					sizeof(*p->profiles), by_name);
		if (found) {
			include->profile = (size_t)(found - p->profiles);
			continue;
		}
		help = pol_did_you_mean(include->name, names, p->profiles_cnt);
		POL_FAULT(p, POL_P_INCLUDE, include, help, "there is no profile '%s'",
			  include->name);
	}
	return 0;
}

static void report_cycle(struct pol_parser *p, const struct step *stack, size_t depth,
			 const struct pol_include *closing)
{
	size_t first = depth, len = 0, size;
	_cleanup_free_ char *chain = NULL;
	FILE *out = open_memstream(&chain, &size);

	while (first && &p->profiles[closing->profile] != stack[first - 1].section)
		first--;
	for (size_t i = first ? first - 1 : 0; out && i < depth && len < 8; i++, len++)
		fprintf(out, "'%s' includes ", stack[i].section->name);
	if (out) {
		fprintf(out, "%s'%s'", first + 7 < depth ? "... includes " : "", closing->name);
		fclose(out);
	}
	POL_FAULT(p, POL_P_INCLUDE_CYCLE, closing, "take one of these includes out",
		  "profiles include each other in a circle: %s", chain ? chain : closing->name);
}

/* Depth-first search of one profile's includes; states: 0 new, 1 on the stack, 2 done. */
static void search_cycles(struct pol_parser *p, struct step *stack, unsigned char *states,
			  size_t start)
{
	size_t depth = 1;

	stack[0] = (struct step){ .section = &p->profiles[start] };
	states[start] = 1;
	while (depth) {
		struct step *top = &stack[depth - 1];
		struct pol_include *include;

		if (top->next == top->section->includes_cnt) {
			states[top->section - p->profiles] = 2;
			depth--;
			continue;
		}
		include = &top->section->includes[top->next++];
		if (include->profile == SIZE_MAX || states[include->profile] == 2)
			continue;
		if (states[include->profile] == 1) {
			report_cycle(p, stack, depth, include);
			continue;
		}
		states[include->profile] = 1;
		stack[depth++] = (struct step){ .section = &p->profiles[include->profile] };
	}
}

int pol_resolve_includes(struct pol_parser *p)
{
	_cleanup_free_ const char **names = calloc(p->profiles_cnt + 1, sizeof(*names));
	_cleanup_free_ unsigned char *states = calloc(p->profiles_cnt + 1, 1);
	_cleanup_free_ struct step *stack = calloc(p->profiles_cnt + 1, sizeof(*stack));

	if (!names || !states || !stack)
		return -ENOMEM;
	for (size_t i = 0; i < p->profiles_cnt; i++)
		names[i] = p->profiles[i].name;
	for (size_t i = 0; i < p->profiles_cnt; i++)
		find_includes(p, &p->profiles[i], names);
	for (size_t i = 0; i < p->guests_cnt; i++)
		find_includes(p, &p->guests[i], names);
	for (size_t i = 0; i < p->profiles_cnt; i++)
		if (!states[i])
			search_cycles(p, stack, states, i);
	return 0;
}

static int collect(struct collection *into, const struct pol_section *section, size_t order)
{
	if (into->cnt + section->rules_cnt > into->room) {
		size_t room = (into->cnt + section->rules_cnt) * 2;
		struct candidate *items = reallocarray(into->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		into->items = items;
		into->room = room;
	}
	for (size_t i = 0; i < section->rules_cnt; i++)
		into->items[into->cnt++] = (struct candidate){ &section->rules[i], section, order };
	return 0;
}

/* The guest's own rules, then those of each profile it reaches, once. */
static int collect_all(struct pol_parser *p, const struct pol_section *guest,
		       struct collection *into)
{
	_cleanup_free_ struct step *stack = calloc(p->profiles_cnt + 1, sizeof(*stack));
	size_t depth = 1, order = 0;
	int r;

	if (!stack)
		return -ENOMEM;
	p->stamp++;
	r = collect(into, guest, order++);
	stack[0].section = (struct pol_section *)guest;
	while (depth && r == 0) {
		struct step *top = &stack[depth - 1];
		struct pol_section *profile;
		size_t index;

		if (top->next == top->section->includes_cnt) {
			depth--;
			continue;
		}
		index = top->section->includes[top->next++].profile;
		if (index == SIZE_MAX || p->profiles[index].seen == p->stamp)
			continue;
		profile = &p->profiles[index];
		profile->seen = p->stamp;
		r = collect(into, profile, order++);
		stack[depth++] = (struct step){ .section = profile };
	}
	return r;
}

static int by_path(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = pol_rule_order(x->rule, y->rule);

	if (order)
		return order;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void compare_profiles(struct pol_parser *p, const struct candidate *a,
			     const struct candidate *b)
{
	const struct candidate *first = a, *second = b;
	char one[256], two[256];

	bool same_path = same_text(a->rule->guest_path, b->rule->guest_path);

	if (a->rule->access == b->rule->access && same_path && a->rule->log == b->rule->log)
		return;
	if (b->rule->line < a->rule->line) {
		first = b;
		second = a;
	}
	if (a->rule->access == b->rule->access) {
		POL_FAULT(p, POL_P_PROFILES, second->rule,
			  "give the guest that includes both a rule of its own on this path",
			  "profiles '%s' (line %d) and '%s' (line %d) have another %s for '%s'",
			  first->from->name, first->rule->line, second->from->name,
			  second->rule->line, same_path ? "log" : "guest_path",
			  second->rule->path);
		return;
	}
	(void)pol_access_format(first->rule->access, one, sizeof(one));
	(void)pol_access_format(second->rule->access, two, sizeof(two));
	POL_FAULT(p, POL_P_PROFILES, second->rule,
		  "give the guest that includes both a rule of its own on this path",
		  "profiles '%s' (line %d) and '%s' (line %d) differ on '%s': %s and %s",
		  first->from->name, first->rule->line, second->from->name, second->rule->line,
		  second->rule->path, one, two);
}

static int copy_rule(const struct candidate *from, struct pol_rule *ret)
{
	*ret = (struct pol_rule){
		.path = strdup(from->rule->path),
		.name = from->rule->name ? strdup(from->rule->name) : NULL,
		.profile = from->order ? strdup(from->from->name) : NULL,
		.guest_path = from->rule->guest_path ? strdup(from->rule->guest_path) : NULL,
		.access = from->rule->access,
		.pattern = from->rule->pattern,
		.in_guest = from->rule->in_guest,
		.optional = from->rule->optional,
		.log = from->rule->log,
		.line = from->rule->line,
		.col = from->rule->col,
	};
	if (!ret->path || (from->rule->name && !ret->name) || (from->order && !ret->profile) ||
	    (from->rule->guest_path && !ret->guest_path)) {
		pol_rule_done(ret);
		return -ENOMEM;
	}
	return 0;
}

int pol_merge_guest(struct pol_parser *p, const struct pol_section *section, struct pol_guest *ret)
{
	struct collection all = { 0 };
	int r = collect_all(p, section, &all);

	if (all.cnt)
		qsort(all.items, all.cnt, sizeof(*all.items), by_path);
	if (r == 0) {
		ret->rules = calloc(all.cnt ? all.cnt : 1, sizeof(*ret->rules));
		r = ret->rules ? 0 : -ENOMEM;
	}
	for (size_t i = 0, kept = 0; i < all.cnt && r == 0; i++) {
		const struct candidate *it = &all.items[i], *winner = &all.items[kept];

		if (i && pol_rule_order(winner->rule, it->rule) == 0) {
			if (winner->order)
				compare_profiles(p, winner, it);
			continue;
		}
		kept = i;
		r = copy_rule(it, &ret->rules[ret->rules_cnt]);
		ret->rules_cnt += r == 0;
	}
	free(all.items);
	return r;
}
