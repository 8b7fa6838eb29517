/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of an event, over more generations than are kept: what was lent stays readable. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define NO_CGROUP (UINT64_MAX - 1)
#define COMMON	  7

int __real_pol_meta_load(uint64_t generation, struct pol_meta **ret, struct pol_err *err);
int __wrap_pol_meta_load(uint64_t generation, struct pol_meta **ret, struct pol_err *err);

static bool pinned;

static char *print(const char *what, uint64_t generation)
{
	char *text;

	cr_assert_gt(asprintf(&text, "%s%llu", what, (unsigned long long)generation), 0);
	return text;
}

/* Two guests: one that only this generation has, its number is the generation's; one in each. */
static struct pol_meta *make(uint64_t generation)
{
	struct pol_meta *meta = calloc(1, sizeof(*meta));

	meta->generation = generation;
	meta->file = print("p", generation);
	meta->sha256 = print("sha", generation);
	meta->cgroup = print("policy", generation);
	meta->guests = calloc(2, sizeof(*meta->guests));
	meta->guests_cnt = 2;
	meta->guests[0].name = print("only", generation);
	meta->guests[0].id = 100 + (uint32_t)generation;
	meta->guests[0].cgroup_id = NO_CGROUP;
	meta->guests[1].name = print("each", generation);
	meta->guests[1].id = COMMON;
	meta->rules = calloc(1, sizeof(*meta->rules));
	meta->rules_cnt = 1;
	meta->rules[0].name = print("rule", generation);
	meta->rules[0].path = print("/of/", generation);
	meta->rules[0].line = (uint32_t)generation;
	return meta;
}

int __wrap_pol_meta_load(uint64_t generation, struct pol_meta **ret, struct pol_err *err)
{
	if (!pinned)
		return __real_pol_meta_load(generation, ret, err);
	*ret = make(generation);
	return 0;
}

/* An event of generation 1, all of whose names are asked for, then read: as keep.c does. */
static void expect_names(struct pol_names *names, uint32_t guest, const char *name)
{
	const char *lent, *sha256, *cgroup;
	struct pol_event_rule rule;
	struct pol_event_ctx ctx = {};
	char path[64];

	pol_names_context(names, &ctx);
	lent = ctx.guest_name(ctx.arg, 1, guest);
	sha256 = ctx.sha256(ctx.arg, 1);
	cr_assert_eq(ctx.rule(ctx.arg, 1, 1, &rule), 0);
	cgroup = ctx.cgroup(ctx.arg, NO_CGROUP);
	cr_assert_str_eq(lent, name);
	cr_assert_str_eq(sha256, "sha1");
	cr_assert_str_eq(rule.name, "rule1");
	cr_assert_str_eq(rule.path, "/of/1");
	cr_assert_str_eq(rule.where, "p1:1");
	(void)snprintf(path, sizeof(path), "/policy%llu/only%llu",
		       (unsigned long long)names->control->active,
		       (unsigned long long)names->control->active);
	cr_assert_str_eq(cgroup, path);
}

/* The active generation and the event's have the same place once so many lie between them. */
Test(names, of_more_generations_than_are_kept)
{
	struct pol_control control = {};
	struct pol_names names = { .control = &control };

	pinned = true;
	for (uint64_t active = 1; active <= 2 * POL_GENERATIONS_KEPT + 1; active++) {
		char only[32];

		control.active = active;
		(void)snprintf(only, sizeof(only), "only%llu", (unsigned long long)active);
		expect_names(&names, COMMON, "each1");
		expect_names(&names, 101, "only1");
		expect_names(&names, 100 + (uint32_t)active, only);
	}
	pol_names_done(&names);
}

/* A load between two questions about one event. */
Test(names, of_an_active_generation_that_changes)
{
	struct pol_control control = { .active = POL_GENERATIONS_KEPT + 1 };
	struct pol_names names = { .control = &control };
	struct pol_event_ctx ctx = {};
	const char *lent;

	pinned = true;
	pol_names_context(&names, &ctx);
	lent = ctx.guest_name(ctx.arg, 1, 101 + POL_GENERATIONS_KEPT);
	control.active++;
	cr_assert_str_eq(ctx.cgroup(ctx.arg, NO_CGROUP), "/policy18/only18");
	cr_assert_str_eq(lent, "only17");
	pol_names_done(&names);
}

Test(names, of_nobody)
{
	struct pol_control control = { .active = 3 };
	struct pol_names names = { .control = &control };
	struct pol_event_ctx ctx = {};
	struct pol_event_rule rule;
	uint32_t guest;

	pol_names_context(&names, &ctx);
	cr_assert_null(ctx.guest_name(ctx.arg, 3, COMMON), "nothing is pinned");
	pinned = true;
	control.active = 4;
	cr_assert_null(ctx.guest_name(ctx.arg, 2, 103));
	cr_assert_null(ctx.guest_name(ctx.arg, 3, COMMON + 1));
	cr_assert_eq(ctx.rule(ctx.arg, 2, 2, &rule), -ENOENT);
	cr_assert_eq(pol_names_guest_id(&names, "only2", &guest), 0);
	cr_assert_eq(guest, 102);
	cr_assert_eq(pol_names_guest_id(&names, "none", &guest), -ENOENT);
	pol_names_done(&names);
}
