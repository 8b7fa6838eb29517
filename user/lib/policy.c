/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy model: release, look-up, and masks of rights in words. Pure. */
#include "policy.h"

#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"

void pol_rule_done(struct pol_rule *rule)
{
	free(rule->path);
	free(rule->name);
	free(rule->profile);
	free(rule->glob);
	free(rule->guest_path);
}

void pol_members_done(struct pol_member *members, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		free(members[i].text);
	free(members);
}

int pol_io_copy(const struct pol_io_limit *io, size_t cnt, struct pol_limits *limits)
{
	limits->io_cnt = 0;
	limits->io = cnt ? calloc(cnt, sizeof(*io)) : NULL;
	if (!cnt)
		return 0;
	if (!limits->io)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		limits->io[i] = io[i];
		limits->io[i].device = strdup(io[i].device);
		limits->io_cnt++;
		if (!limits->io[i].device) {
			pol_limits_done(limits);
			return -ENOMEM;
		}
	}
	return 0;
}

void pol_limits_done(struct pol_limits *limits)
{
	for (size_t i = 0; i < limits->io_cnt; i++)
		free(limits->io[i].device);
	free(limits->io);
	limits->io = NULL;
	limits->io_cnt = 0;
}

int pol_shadow_copy(const struct pol_shadow_policy *from, struct pol_shadow_policy *ret)
{
	*ret = *from;
	ret->paths_cnt = 0;
	ret->paths = from->paths_cnt ? calloc(from->paths_cnt, sizeof(*ret->paths)) : NULL;
	if (from->paths_cnt && !ret->paths)
		return -ENOMEM;
	while (ret->paths_cnt < from->paths_cnt) {
		ret->paths[ret->paths_cnt] = strdup(from->paths[ret->paths_cnt]);
		if (!ret->paths[ret->paths_cnt]) {
			pol_shadow_done(ret);
			return -ENOMEM;
		}
		ret->paths_cnt++;
	}
	return 0;
}

void pol_shadow_done(struct pol_shadow_policy *shadow)
{
	for (size_t i = 0; i < shadow->paths_cnt; i++)
		free(shadow->paths[i]);
	free(shadow->paths);
	shadow->paths = NULL;
	shadow->paths_cnt = 0;
}

static void glob_done(struct pol_glob *glob)
{
	for (size_t i = 0; i < glob->matches_cnt; i++)
		free(glob->matches[i]);
	for (size_t i = 0; i < glob->dirs_cnt; i++)
		free(glob->dirs[i].path);
	free(glob->matches);
	free(glob->dirs);
	free(glob->pattern);
}

void pol_tests_done(struct pol_test *tests, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		free(tests[i].path);
	free(tests);
}

void pol_policy_free(struct pol_policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		struct pol_guest *guest = &policy->guests[i];

		for (size_t k = 0; k < guest->rules_cnt; k++)
			pol_rule_done(&guest->rules[k]);
		pol_members_done(guest->members, guest->members_cnt);
		pol_limits_done(&guest->limits);
		pol_shadow_done(&guest->shadow);
		free(guest->rules);
		free(guest->name);
	}
	for (size_t i = 0; i < policy->globs_cnt; i++)
		glob_done(&policy->globs[i]);
	pol_tests_done(policy->tests, policy->tests_cnt);
	free(policy->globs);
	free(policy->guests);
	free(policy->cgroup);
	free(policy->file);
	free(policy);
}

static int by_name(const void *key, const void *guest)
{
	return strcmp(key, ((const struct pol_guest *)guest)->name);
}

const struct pol_guest *pol_policy_guest(const struct pol_policy *policy, const char *name)
{
	if (!policy->guests_cnt)
		return NULL;
	return bsearch(name, policy->guests, policy->guests_cnt, sizeof(*policy->guests), by_name);
}

int pol_rule_order(const struct pol_rule *a, const struct pol_rule *b)
{
	int order = strcmp(a->path, b->path);

	if (!order)
		order = a->in_guest - b->in_guest;
	return order ? order : a->pattern - b->pattern;
}

static int by_path(const void *key, const void *rule)
{
	return pol_rule_order(key, rule);
}

const struct pol_rule *pol_guest_rule_in(const struct pol_guest *guest, const char *path,
					 bool in_guest)
{
	const struct pol_rule key = { .path = (char *)path, .in_guest = in_guest };

	if (!guest->rules_cnt)
		return NULL;
	return bsearch(&key, guest->rules, guest->rules_cnt, sizeof(*guest->rules), by_path);
}

const struct pol_rule *pol_guest_rule(const struct pol_guest *guest, const char *path)
{
	return pol_guest_rule_in(guest, path, false);
}

bool pol_guest_is_rooted(const struct pol_guest *guest)
{
	for (size_t i = 0; i < guest->rules_cnt; i++)
		if (guest->rules[i].in_guest)
			return true;
	return false;
}

bool pol_guest_is_mapped(const struct pol_guest *guest)
{
	for (size_t i = 0; i < guest->rules_cnt; i++)
		if (guest->rules[i].guest_path)
			return true;
	return false;
}

const char *pol_rule_seen_at(const struct pol_rule *rule)
{
	if (rule->guest_path)
		return rule->guest_path;
	return rule->access && !rule->in_guest && !rule->pattern ? rule->path : NULL;
}

int pol_access_format(uint32_t access, char *buf, size_t size)
{
	static const char *const words[] = {
#define X(name, nr, word) [nr] = word,
		POL_RIGHTS(X)
#undef X
	};
	int used = snprintf(buf, size, "[");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (access & 1u << i)
			used += snprintf((size_t)used < size ? buf + used : NULL,
					 (size_t)used < size ? size - (size_t)used : 0,
					 used > 1 ? ", \"%s\"" : "\"%s\"", words[i]);
	used += snprintf((size_t)used < size ? buf + used : NULL,
			 (size_t)used < size ? size - (size_t)used : 0, "]");
	return used;
}
