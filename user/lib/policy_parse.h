/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the parser of policies: what its files share. TOML nodes come in (toml.h), diagnostics and
 * a struct pol_policy go out. Functions return 0 or -ENOMEM: what is wrong with the policy is a
 * diagnostic, and the parser goes on to find the rest.
 */
#pragma once

#include "diag.h"
#include "policy.h"
#include "toml.h"

#define POL_POLICY_VERSION 1

/* A rule as written; the path is cleaned. */
struct pol_include {
	const char *name; /* borrowed from the TOML tree */
	int line;
	int col;
	size_t profile; /* index; SIZE_MAX: unknown */
};

/* A profile, or the rules of a guest, as written. */
struct pol_section {
	const char *name; /* borrowed */
	int line;
	int col;
	struct pol_rule *rules; /* sorted by path, no path twice */
	size_t rules_cnt;
	struct pol_include *includes;
	size_t includes_cnt;
	struct pol_member *members; /* of a guest, in the order of the file */
	size_t members_cnt;
	uint32_t seen; /* stamp of the walk that has been here */
};

/* What a guest or the defaults say in `shadow`. */
struct pol_shadow_settings {
	uint64_t max_size; /* these: POL_LIMIT_UNSET: silent */
	uint64_t budget;
	int exec;     /* -1: silent */
	char **paths; /* of a guest: as in struct pol_shadow_policy; owned */
	size_t paths_cnt;
	int line; /* where the table stands; 0: there is none */
	int col;
	int sizes_line; /* where the sizes are said, for a warning; 0: both are silent */
	int sizes_col;
};

/* What a guest says or leaves to the defaults. */
struct pol_settings {
	int mode;	 /* enum pol_mode; -1: silent */
	int err;	 /* 0: silent */
	uint32_t knobs;	 /* POL_GUEST_*: those said not to be at their default */
	uint32_t said;	 /* those that are said */
	int best_effort; /* these: -1: silent */
	int fds_all;	 /* 0 "attach", 1 "none" */
	int kill;	 /* 0 "errno", 1 "kill" */
	uint64_t fds;	 /* these: POL_LIMIT_UNSET: silent; POL_LIMIT_MAX: lifted */
	uint64_t pids;
	uint64_t memory_bytes;
	uint64_t vm_memory_bytes;
	uint64_t swap_bytes;
	uint64_t cpu_milli;
	struct pol_io_limit *io; /* owned */
	size_t io_cnt;
	bool io_said; /* if it is, @io holds; an empty one, too */
	int fds_all_line; /* where its key stands, for a warning */
	int fds_all_col;
	struct pol_shadow_settings shadow;
};

struct pol_parser {
	struct pol_diags *diags;
	struct pol_settings defaults;
	char *cgroup;
	struct pol_section *profiles; /* sorted by name, once all are read */
	size_t profiles_cnt;
	struct pol_section *guests;
	struct pol_settings *settings; /* of each of @guests */
	size_t guests_cnt;
	const struct pol_toml_node *tests_node; /* [[test]], looked at when the guests are known */
	struct pol_test *tests;
	size_t tests_cnt;
	uint32_t stamp;
};

/* Where a guest's or the defaults' keys go. @section: NULL for the defaults. */
struct pol_scope {
	struct pol_settings *settings;
	struct pol_section *section;
};

typedef int pol_key_fn(struct pol_parser *p, const struct pol_toml_entry *e, void *into);

struct pol_key {
	const char *name;
	pol_key_fn *parse;
	const char *required; /* help if it is missing; NULL: it may be */
};

/* policy_keys.c: tables, words and types */

#define POL_FAULT(p, code, at, help, ...) \
	pol_diag_add((p)->diags, false, code, (at)->line, (at)->col, help, __VA_ARGS__)
#define POL_WARN(p, code, at, help, ...) \
	pol_diag_add((p)->diags, true, code, (at)->line, (at)->col, help, __VA_ARGS__)

/* pol_keys_parse() - a table whose keys are known; @where names it in messages. */
int pol_keys_parse(struct pol_parser *p, const struct pol_toml_node *table, const char *where,
		   const struct pol_key *keys, size_t keys_cnt, void *into);

/* pol_want() - is the value of this type? If not: a diagnostic. */
bool pol_want(struct pol_parser *p, const struct pol_toml_entry *e, enum pol_toml_type type);
bool pol_want_item(struct pol_parser *p, const struct pol_toml_entry *e,
		   const struct pol_toml_node *item, enum pol_toml_type type);

/* pol_word() - index of a string value among @words, or -1 and a diagnostic. */
int pol_word(struct pol_parser *p, const struct pol_toml_entry *e, const char *const *words,
	     size_t words_cnt);

/* pol_did_you_mean() - a help text, or NULL. To be freed. */
char *pol_did_you_mean(const char *text, const char *const *words, size_t words_cnt);

const char *pol_toml_type_name(enum pol_toml_type type);

/* policy_knobs.c: keys that a guest and the defaults share */

extern const struct pol_key pol_guest_keys[];
extern const size_t pol_guest_keys_cnt;
extern const struct pol_key pol_defaults_keys[];
extern const size_t pol_defaults_keys_cnt;
void pol_settings_init(struct pol_settings *settings);
void pol_settings_done(struct pol_settings *settings);
int pol_settings_apply(const struct pol_settings *own, const struct pol_settings *defaults,
		       struct pol_guest *ret);

/* policy_limits.c */

pol_key_fn pol_parse_limits;

/* pol_is_max() - is it "max", which lifts a limit? */
bool pol_is_max(const struct pol_toml_node *value);

/* pol_parse_size() - bytes, or POL_LIMIT_MAX; leaves *ret alone and says why if it is no size. */
bool pol_parse_size(struct pol_parser *p, const struct pol_toml_entry *e, uint64_t min,
		    uint64_t *ret);

/* pol_parse_bound() - the same where nothing can be lifted: "max" is an error. */
bool pol_parse_bound(struct pol_parser *p, const struct pol_toml_entry *e, uint64_t min,
		     uint64_t *ret);

/* policy_shadow.c; into: struct pol_scope */

pol_key_fn pol_parse_shadow;

/* pol_shadow_apply() - what a guest says, else the defaults, else the language. Return: 0; -ENOMEM. */
int pol_shadow_apply(const struct pol_shadow_settings *own,
		     const struct pol_shadow_settings *defaults, struct pol_shadow_policy *ret);

/* pol_lint_shadow() - @policy has been made of all that is in @p, without an error. -ENOMEM. */
int pol_lint_shadow(struct pol_parser *p, const struct pol_policy *policy);

/* policy_io.c; into: struct pol_settings */

pol_key_fn pol_parse_io;

/* policy_members.c */

pol_key_fn pol_parse_members;

/* pol_check_members() - no member twice, no cgroup above or below another's or the guests' own. */
void pol_check_members(struct pol_parser *p, const struct pol_policy *policy);

/* policy_rules.c: files entries and include; into: struct pol_section */

pol_key_fn pol_parse_files;
pol_key_fn pol_parse_include;
void pol_section_done(struct pol_section *section);

/* policy_tests.c */

/* pol_parse_tests() - once the guests are known, sorted by name. */
int pol_parse_tests(struct pol_parser *p);

/* policy_access.c */

/* pol_parse_access() - a word, a shorthand or a list of them; *ret 0 if it is wrong. */
bool pol_parse_access(struct pol_parser *p, const struct pol_toml_entry *e, uint32_t *ret);
bool pol_parse_right(struct pol_parser *p, const struct pol_toml_entry *e, uint32_t *ret);

/* pol_parse_path() - `path` and `path_hex`: a clean absolute path, or *ret NULL. */
int pol_parse_path(struct pol_parser *p, const struct pol_toml_entry *e, bool hex, char **ret);

/* policy_merge.c */

int pol_resolve_includes(struct pol_parser *p);
int pol_merge_guest(struct pol_parser *p, const struct pol_section *section, struct pol_guest *ret);

/* policy_lint.c */

/* pol_check_rooted() - what a guest with in = "guest" rules may not have beside them. */
void pol_check_rooted(struct pol_parser *p, const struct pol_policy *policy);

/* policy_map.c */

/* pol_check_mapped() - what guests with a guest_path see: nothing twice, nothing at "/". -ENOMEM. */
int pol_check_mapped(struct pol_parser *p, const struct pol_policy *policy);

/* policy_lint.c */

/* pol_private_dir() - which of a private tmp's directories is @path, or holds it; NULL: none. */
const char *pol_private_dir(const char *path);

void pol_lint_rule(struct pol_parser *p, const struct pol_rule *rule);

/* pol_lint_tmp() - rules on what a guest with a private /tmp does not see. */
void pol_lint_tmp(struct pol_parser *p, const struct pol_policy *policy);

/* pol_lint_limits() - @policy has been made of all that is in @p, without an error. */
void pol_lint_limits(struct pol_parser *p, const struct pol_policy *policy);
