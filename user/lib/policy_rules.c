/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `files`, `include` and [[test]]: lists of rules as they are written. Pure. */
#include <errno.h>
#include <string.h>

#include "base.h"
#include "policy_parse.h"
#include "str.h"

/* One entry of `files` while it is read; what goes on is @rule. */
struct entry {
	struct pol_rule rule;
	const struct pol_toml_entry *path; /* the key that gave the path */
	bool good;
};

void pol_section_done(struct pol_section *section)
{
	for (size_t i = 0; i < section->rules_cnt; i++)
		pol_rule_done(&section->rules[i]);
	pol_members_done(section->members, section->members_cnt);
	free(section->rules);
	free(section->includes);
}

static int set_path(struct pol_parser *p, const struct pol_toml_entry *e, struct entry *entry,
		    bool hex)
{
	char *path;
	int r;

	if (entry->path) {
		POL_FAULT(p, POL_P_KEYS_BOTH, e, NULL, "'%s' beside '%s': a rule has one path",
			  e->key, entry->path->key);
		entry->good = false;
		return 0;
	}
	entry->path = e;
	r = pol_parse_path(p, e, hex, &path);
	if (r < 0)
		return r;
	entry->good &= path != NULL;
	entry->rule.path = path;
	return 0;
}

static int parse_path(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return set_path(p, e, into, false);
}

static int parse_path_hex(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return set_path(p, e, into, true);
}

static int parse_access(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct entry *entry = into;

	entry->good &= pol_parse_access(p, e, &entry->rule.access);
	return 0;
}

static int parse_name(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct entry *entry = into;

	if (!pol_want(p, e, POL_TOML_STRING))
		return 0;
	if (!e->value.cnt || strlen(e->value.string) != e->value.cnt) {
		POL_FAULT(p, POL_P_NAME, &e->value, NULL, "'name' is empty or holds a NUL byte");
		return 0;
	}
	entry->rule.name = strdup(e->value.string);
	return entry->rule.name ? 0 : -ENOMEM;
}

static int parse_optional(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	if (pol_want(p, e, POL_TOML_BOOLEAN))
		((struct entry *)into)->rule.optional = e->value.boolean;
	return 0;
}

static int parse_glob(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	if (pol_want(p, e, POL_TOML_BOOLEAN))
		((struct entry *)into)->rule.pattern = e->value.boolean;
	return 0;
}

static int parse_log(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	if (pol_want(p, e, POL_TOML_BOOLEAN))
		((struct entry *)into)->rule.log = e->value.boolean;
	return 0;
}

static int parse_guest_path(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct entry *entry = into;
	char *path;
	int r = pol_parse_path(p, e, false, &path);

	if (r < 0)
		return r;
	if (path && !path[1])
		POL_FAULT(p, POL_P_GUEST_ROOT, &e->value, "name a directory in it",
			  "'guest_path' is '/', which is the guest's whole root");
	entry->good &= path && path[1];
	entry->rule.guest_path = path;
	return 0;
}

static int parse_in(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const char *const words[] = { "guest" };

	if (pol_word(p, e, words, ARRAY_SIZE(words)) == 0)
		((struct entry *)into)->rule.in_guest = true;
	return 0;
}

static const struct pol_key rule_keys[] = {
	{ .name = "path", .parse = parse_path },
	{ .name = "path_hex", .parse = parse_path_hex },
	{ .name = "access",
	  .parse = parse_access,
	  .required = "none, ro, rx, rw, rwx, or a list of rights" },
	{ .name = "name", .parse = parse_name },
	{ .name = "optional", .parse = parse_optional },
	{ .name = "glob", .parse = parse_glob },
	{ .name = "log", .parse = parse_log },
	{ .name = "guest_path", .parse = parse_guest_path },
	{ .name = "in", .parse = parse_in },
};

static bool has_key(const struct pol_toml_node *table, const char *name)
{
	for (size_t i = 0; i < table->cnt; i++)
		if (strcmp(table->entries[i].key, name) == 0)
			return true;
	return false;
}

/* The end of the component at @at, if what is there can be a pattern; else NULL and a diagnostic. */
static const char *check_component(struct pol_parser *p, const struct pol_rule *rule,
				   const char *at)
{
	size_t len = strcspn(at, "/");
	const char *stars = memmem(at, len, "**", 2), *open = memchr(at, '[', len);

	if (stars && (len != 2 || at[len])) {
		POL_FAULT(
			p, POL_P_GLOB, rule,
			"end the path with '/**', which is all beneath a directory, or name the directories",
			"'**' in '%s': names at any depth would have to be matched while the guest chooses them",
			rule->path);
		return NULL;
	}
	if (open && !memchr(open + 1, ']', len - (size_t)(open + 1 - at))) {
		POL_FAULT(p, POL_P_GLOB, rule, "a '[' that is meant as such is written [[]",
			  "'[' without ']' in '%s'", rule->path);
		return NULL;
	}
	return at + len;
}

static bool check_pattern(struct pol_parser *p, const struct pol_rule *rule)
{
	const char *at = rule->path;

	while (at && *at)
		at = check_component(p, rule, at + 1);
	return at != NULL;
}

/* The rule goes to the end of @section's list, if it is good enough to be compared with others. */
static int parse_rule(struct pol_parser *p, const struct pol_toml_node *table,
		      struct pol_section *section)
{
	struct entry entry = { .good = has_key(table, "access") };
	int r;

	r = pol_keys_parse(p, table, "a rule of 'files'", rule_keys, ARRAY_SIZE(rule_keys), &entry);
	if (r == 0 && !entry.path) {
		POL_FAULT(p, POL_P_MISSING, table, NULL, "a rule of 'files' has no 'path'");
		entry.good = false;
	}
	if (r < 0 || !entry.good) {
		pol_rule_done(&entry.rule);
		return r;
	}
	/* The path's place, not the table's: that is what a message about the rule is about. */
	entry.rule.line = entry.path->value.line;
	entry.rule.col = entry.path->value.col;
	if (entry.rule.guest_path && (entry.rule.pattern || entry.rule.in_guest)) {
		POL_FAULT(p, POL_P_GUEST_PATH, &entry.rule, "take one of the two out",
			  "'guest_path' beside %s: %s",
			  entry.rule.pattern ? "'glob'" : "in = \"guest\"",
			  entry.rule.pattern ? "all that a pattern matches cannot be at one place"
					     : "the rule is on a path of the guest's already");
		pol_rule_done(&entry.rule);
		return 0;
	}
	if (entry.rule.pattern && entry.rule.in_guest) {
		POL_FAULT(p, POL_P_UNAVAILABLE, &entry.rule, "name the files, or their directory",
			  "'glob' beside in = \"guest\" is not available in this version");
		pol_rule_done(&entry.rule);
		return 0;
	}
	if (entry.rule.pattern && !check_pattern(p, &entry.rule)) {
		pol_rule_done(&entry.rule);
		return 0;
	}
	pol_lint_rule(p, &entry.rule);
	section->rules[section->rules_cnt++] = entry.rule;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct pol_rule *x = a, *y = b;
	int order = pol_rule_order(x, y);

	if (order)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->col < y->col ? -1 : x->col > y->col;
}

/* Sorts; of rules with the same path the first stays. */
static void drop_twins(struct pol_parser *p, struct pol_section *section)
{
	size_t kept = 0;

	qsort(section->rules, section->rules_cnt, sizeof(*section->rules), by_path);
	for (size_t i = 0; i < section->rules_cnt; i++) {
		struct pol_rule *rule = &section->rules[i];

		if (kept && pol_rule_order(&section->rules[kept - 1], rule) == 0) {
			POL_FAULT(p, POL_P_PATH_TWICE, rule, "keep one of the two",
				  "path '%s' stands twice in this list, first at line %d",
				  rule->path, section->rules[kept - 1].line);
			pol_rule_done(rule);
			continue;
		}
		section->rules[kept++] = *rule;
	}
	section->rules_cnt = kept;
}

int pol_parse_files(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_section *section = into;
	int r = 0;

	if (!pol_want(p, e, POL_TOML_ARRAY) || !e->value.cnt)
		return 0;
	section->rules = calloc(e->value.cnt, sizeof(*section->rules));
	if (!section->rules)
		return -ENOMEM;
	for (size_t i = 0; i < e->value.cnt && r == 0; i++)
		if (pol_want_item(p, e, &e->value.items[i], POL_TOML_TABLE))
			r = parse_rule(p, &e->value.items[i], section);
	if (r == 0)
		drop_twins(p, section);
	return r;
}

int pol_parse_include(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_section *section = into;

	if (!pol_want(p, e, POL_TOML_ARRAY) || !e->value.cnt)
		return 0;
	section->includes = calloc(e->value.cnt, sizeof(*section->includes));
	if (!section->includes)
		return -ENOMEM;
	for (size_t i = 0; i < e->value.cnt; i++) {
		const struct pol_toml_node *item = &e->value.items[i];

		if (pol_want_item(p, e, item, POL_TOML_STRING))
			section->includes[section->includes_cnt++] = (struct pol_include){
				.name = item->string,
				.line = item->line,
				.col = item->col,
				.profile = SIZE_MAX,
			};
	}
	return 0;
}
