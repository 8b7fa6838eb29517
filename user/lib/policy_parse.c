/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A policy's bytes to a struct pol_policy: the top level of the file, guests and profiles. Every
 * error of a file is found in one run, but a syntax error, which the TOML parser stops at. Pure.
 */
#include "policy_parse.h"

#include <errno.h>
#include <string.h>

#include <linux/types.h>
#include <openssl/evp.h>

#include "abi.h"
#include "base.h"

#define CGROUP_DEFAULT "policyctl"
#define NAME_LEN_MAX   (POL_GUEST_NAME_SIZE - 1)
#define GUESTS_MAX     (POL_GUESTS_MAX - POL_GUEST_FIRST)

static int parse_version(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	(void)into;
	if (pol_want(p, e, POL_TOML_INTEGER) && e->value.integer != POL_POLICY_VERSION)
		POL_FAULT(p, POL_P_VERSION, &e->value, "this policyctl knows version 1",
			  "unknown version %lld", (long long)e->value.integer);
	return 0;
}

static int parse_defaults(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_scope scope = { .settings = &p->defaults };

	(void)into;
	if (!pol_want(p, e, POL_TOML_TABLE))
		return 0;
	return pol_keys_parse(p, &e->value, "[defaults]", pol_defaults_keys, pol_defaults_keys_cnt,
			      &scope);
}

/* [A-Za-z0-9_][A-Za-z0-9_-]{0,62}, spelled out: no locale, no regex */
static bool name_is_good(const char *name, size_t len)
{
	if (!len || len > NAME_LEN_MAX || name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= 'A' && name[i] <= 'Z') &&
		    !(name[i] >= '0' && name[i] <= '9') && name[i] != '_' && name[i] != '-')
			return false;
	return true;
}

static void check_name(struct pol_parser *p, const struct pol_toml_entry *e, const char *kind)
{
	if (!name_is_good(e->key, e->key_len))
		POL_FAULT(p, POL_P_NAME, e,
			  "1 to 63 letters, digits, '_' and '-', the first no '-'",
			  "'%s' cannot be the name of a %s", e->key, kind);
}

static int parse_profile(struct pol_parser *p, const struct pol_toml_entry *e,
			 struct pol_section *section)
{
	static const struct pol_key keys[] = {
		{ .name = "files", .parse = pol_parse_files },
		{ .name = "include", .parse = pol_parse_include },
	};

	check_name(p, e, "profile");
	*section = (struct pol_section){ .name = e->key, .line = e->line, .col = e->col };
	if (!pol_want(p, e, POL_TOML_TABLE))
		return 0;
	return pol_keys_parse(p, &e->value, "a profile", keys, ARRAY_SIZE(keys), section);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pol_section *)a)->name, ((const struct pol_section *)b)->name);
}

static int parse_profiles(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	int r = 0;

	(void)into;
	if (!pol_want(p, e, POL_TOML_TABLE) || !e->value.cnt)
		return 0;
	p->profiles = calloc(e->value.cnt, sizeof(*p->profiles));
	if (!p->profiles)
		return -ENOMEM;
	while (p->profiles_cnt < e->value.cnt && r == 0) {
		r = parse_profile(p, &e->value.entries[p->profiles_cnt],
				  &p->profiles[p->profiles_cnt]);
		p->profiles_cnt++;
	}
	qsort(p->profiles, p->profiles_cnt, sizeof(*p->profiles), by_name);
	return r;
}

static int parse_guest(struct pol_parser *p, const struct pol_toml_entry *e,
		       struct pol_section *section, struct pol_settings *settings)
{
	struct pol_scope scope = { .settings = settings, .section = section };

	check_name(p, e, "guest");
	pol_settings_init(settings);
	*section = (struct pol_section){ .name = e->key, .line = e->line, .col = e->col };
	if (!pol_want(p, e, POL_TOML_TABLE))
		return 0;
	return pol_keys_parse(p, &e->value, "a guest", pol_guest_keys, pol_guest_keys_cnt, &scope);
}

static int guest_order(const void *a, const void *b)
{
	const struct pol_toml_entry *x = *(const struct pol_toml_entry *const *)a;
	const struct pol_toml_entry *y = *(const struct pol_toml_entry *const *)b;

	return strcmp(x->key, y->key);
}

static int parse_guests(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	_cleanup_free_ const struct pol_toml_entry **order = NULL;
	size_t cnt = e->value.cnt;
	int r = 0;

	(void)into;
	if (!pol_want(p, e, POL_TOML_TABLE) || !cnt)
		return 0;
	if (cnt > GUESTS_MAX) {
		POL_FAULT(p, POL_P_GUESTS_MAX, e, NULL, "%zu guests: at most %u are possible", cnt,
			  GUESTS_MAX);
		return 0;
	}
	order = calloc(cnt, sizeof(*order));
	p->guests = calloc(cnt, sizeof(*p->guests));
	p->settings = calloc(cnt, sizeof(*p->settings));
	if (!order || !p->guests || !p->settings)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		order[i] = &e->value.entries[i];
	qsort(order, cnt, sizeof(*order), guest_order);
	while (p->guests_cnt < cnt && r == 0) {
		r = parse_guest(p, order[p->guests_cnt], &p->guests[p->guests_cnt],
				&p->settings[p->guests_cnt]);
		p->guests_cnt++;
	}
	return r;
}

static int parse_test(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	(void)into;
	if (pol_want(p, e, POL_TOML_ARRAY))
		p->tests_node = &e->value;
	return 0;
}

static int parse_root(struct pol_parser *p, const struct pol_toml_node *root)
{
	static const struct pol_key keys[] = {
		{ .name = "version",
		  .parse = parse_version,
		  .required = "begin the file with: version = 1" },
		{ .name = "defaults", .parse = parse_defaults },
		{ .name = "profile", .parse = parse_profiles },
		{ .name = "guest", .parse = parse_guests },
		{ .name = "test", .parse = parse_test },
	};
	int r;

	r = pol_keys_parse(p, root, "a policy", keys, ARRAY_SIZE(keys), NULL);
	if (r == 0)
		r = pol_parse_tests(p);
	if (r == 0)
		r = pol_resolve_includes(p);
	return r;
}

static int make_guest(struct pol_parser *p, size_t i, struct pol_guest *ret)
{
	struct pol_section *section = &p->guests[i];
	int r;

	ret->name = strdup(section->name);
	ret->line = section->line;
	ret->col = section->col;
	ret->members = TAKE_PTR(section->members);
	ret->members_cnt = section->members_cnt;
	section->members_cnt = 0;
	r = pol_settings_apply(&p->settings[i], &p->defaults, ret);
	if (!r && !ret->name)
		r = -ENOMEM;
	return r ? r : pol_merge_guest(p, section, ret);
}

static int hash_text(const char *text, size_t len, char hex[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	for (int i = 0; i < 32; i++)
		(void)snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
	return 0;
}

static int make_policy(struct pol_parser *p, const char *file, const char *text, size_t len,
		       struct pol_policy *ret)
{
	size_t rules = 0;
	int r;

	ret->file = strdup(file);
	ret->cgroup = p->cgroup ? TAKE_PTR(p->cgroup) : strdup(CGROUP_DEFAULT);
	ret->guests = calloc(p->guests_cnt ? p->guests_cnt : 1, sizeof(*ret->guests));
	if (!ret->file || !ret->cgroup || !ret->guests)
		return -ENOMEM;
	r = hash_text(text, len, ret->sha256);
	while (r == 0 && ret->guests_cnt < p->guests_cnt) {
		struct pol_guest *guest = &ret->guests[ret->guests_cnt];

		r = make_guest(p, ret->guests_cnt, guest);
		ret->guests_cnt++;
		rules += guest->rules_cnt;
		if (rules > POL_RULES_MAX) {
			POL_FAULT(p, POL_P_RULES_MAX, guest, NULL,
				  "more than %u rules, those of profiles counted for each guest",
				  POL_RULES_MAX);
			break;
		}
	}
	ret->tests = TAKE_PTR(p->tests);
	ret->tests_cnt = p->tests_cnt;
	return r;
}

static void parser_done(struct pol_parser *p)
{
	for (size_t i = 0; i < p->profiles_cnt; i++)
		pol_section_done(&p->profiles[i]);
	for (size_t i = 0; i < p->guests_cnt; i++) {
		pol_section_done(&p->guests[i]);
		pol_settings_done(&p->settings[i]);
	}
	pol_settings_done(&p->defaults);
	if (p->tests)
		pol_tests_done(p->tests, p->tests_cnt);
	free(p->profiles);
	free(p->guests);
	free(p->settings);
	free(p->cgroup);
}

static int parse_text(const char *text, size_t len, struct pol_diags *diags,
		      struct pol_toml_node *ret)
{
	struct pol_toml_error err;
	int r = pol_toml_parse(text, len, ret, &err);

	if (r == -EINVAL)
		pol_diag_add(diags, false, POL_P_SYNTAX, err.line, err.col,
			     strstr(err.message, "utf-8")
				     ? "a path that is not UTF-8 is written in hex, as 'path_hex'"
				     : NULL,
			     "not TOML: %s", err.message);
	return r;
}

int pol_policy_parse(const char *file, const char *text, size_t len, struct pol_diags *diags,
		     struct pol_policy **ret)
{
	struct pol_parser p = { .diags = diags };
	struct pol_toml_node root;
	struct pol_policy *policy;
	size_t errors = diags->errors;
	int r;

	r = pol_diags_source(diags, file, text, len);
	if (r < 0)
		return r;
	r = parse_text(text, len, diags, &root);
	if (r < 0)
		return r;
	policy = calloc(1, sizeof(*policy));
	pol_settings_init(&p.defaults);
	r = policy ? parse_root(&p, &root) : -ENOMEM;
	if (r == 0)
		r = make_policy(&p, file, text, len, policy);
	if (r == 0) {
		pol_check_members(&p, policy);
		pol_check_rooted(&p, policy);
		r = pol_check_mapped(&p, policy);
	}
	if (r == 0 && diags->errors == errors) {
		pol_lint_limits(&p, policy);
		pol_lint_tmp(&p, policy);
		r = pol_lint_shadow(&p, policy);
	}
	parser_done(&p);
	pol_toml_done(&root);
	if (r == 0 && diags->errors > errors)
		r = -EINVAL;
	if (r < 0) {
		pol_policy_free(policy);
		return r;
	}
	*ret = policy;
	return 0;
}
