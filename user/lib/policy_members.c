/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* [guest.X.members]: what a load adopts. Their form only; whether they are there, the load sees. Pure. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "policy_parse.h"
#include "str.h"

#define PID_MIN	      2 /* pid 1 is the host's */
#define PID_MAX	      4194304 /* PID_MAX_LIMIT, include/linux/threads.h, 64 bit */
#define UNIT_NAME_MAX 255 /* systemd.unit(5) */

/* Takes @member's text. */
static int add_member(struct pol_section *section, const struct pol_member *member)
{
	struct pol_member *members = reallocarray(section->members, section->members_cnt + 1,
						  sizeof(*members));

	if (!members) {
		free(member->text);
		return -ENOMEM;
	}
	section->members = members;
	members[section->members_cnt++] = *member;
	return 0;
}

static int add_text(struct pol_section *section, enum pol_member_kind kind,
		    const struct pol_toml_node *at, char *text)
{
	const struct pol_member member = {
		.kind = kind, .text = text, .line = at->line, .col = at->col
	};

	return add_member(section, &member);
}

static int parse_cgroup(struct pol_parser *p, const struct pol_toml_entry *item,
			struct pol_section *section)
{
	char *path;
	int r;

	if (!pol_want_item(p, item, &item->value, POL_TOML_STRING))
		return 0;
	r = pol_parse_path(p, item, false, &path);
	if (r < 0 || !path)
		return r;
	if (!strcmp(path, "/")) {
		free(path);
		POL_FAULT(p, POL_P_MEMBER_CGROUP, &item->value, "name the cgroup of the service",
			  "the root cgroup cannot be a guest's: the host's own tasks are in it");
		return 0;
	}
	return add_text(section, POL_MEMBER_CGROUP, &item->value, path);
}

/* The characters of systemd.unit(5), and a name before an '@' or the suffix. */
static bool unit_is_good(const char *name, size_t len)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789:-_.\\@";
	const char *dot = strrchr(name, '.');

	if (!dot || dot == name || name[0] == '@' || dot[-1] == '@' || len > UNIT_NAME_MAX ||
	    strspn(name, good) != len)
		return false;
	return !strcmp(dot, ".service") || !strcmp(dot, ".scope");
}

static int parse_unit(struct pol_parser *p, const struct pol_toml_entry *item,
		      struct pol_section *section)
{
	const struct pol_toml_node *value = &item->value;
	char *name;

	if (!pol_want_item(p, item, value, POL_TOML_STRING))
		return 0;
	if (!unit_is_good(value->string, value->cnt)) {
		POL_FAULT(p, POL_P_MEMBER_UNIT, value, "for example \"web.service\"",
			  "'%s' is no name of a service or a scope", value->string);
		return 0;
	}
	name = strdup(value->string);
	return name ? add_text(section, POL_MEMBER_UNIT, value, name) : -ENOMEM;
}

static int parse_pid(struct pol_parser *p, const struct pol_toml_entry *item,
		     struct pol_section *section)
{
	const struct pol_toml_node *value = &item->value;
	const struct pol_member member = {
		.kind = POL_MEMBER_PID,
		.pid = (pid_t)value->integer,
		.line = value->line,
		.col = value->col,
	};

	if (value->integer >= PID_MIN && value->integer <= PID_MAX)
		return add_member(section, &member);
	POL_FAULT(p, POL_P_MEMBER_PID, value, NULL,
		  value->integer == 1 ? "process %lld cannot be a guest: it is pid 1"
				      : "%lld is no process id",
		  (long long)value->integer);
	return 0;
}

static int parse_pid_or_file(struct pol_parser *p, const struct pol_toml_entry *item,
			     struct pol_section *section)
{
	char *path;
	int r;

	if (item->value.type == POL_TOML_INTEGER)
		return parse_pid(p, item, section);
	if (item->value.type != POL_TOML_STRING) {
		POL_FAULT(p, POL_P_TYPE, &item->value, NULL,
			  "an item of '%s' must be a string or an integer, and is %s", item->key,
			  pol_toml_type_name(item->value.type));
		return 0;
	}
	r = pol_parse_path(p, item, false, &path);
	if (r < 0 || !path)
		return r;
	return add_text(section, POL_MEMBER_PID_FILE, &item->value, path);
}

static int each_item(struct pol_parser *p, const struct pol_toml_entry *e, void *into,
		     int (*parse)(struct pol_parser *p, const struct pol_toml_entry *item,
				  struct pol_section *section))
{
	struct pol_toml_entry item = *e;
	int r = 0;

	if (!pol_want(p, e, POL_TOML_ARRAY))
		return 0;
	for (size_t i = 0; i < e->value.cnt && r == 0; i++) {
		item.value = e->value.items[i];
		r = parse(p, &item, into);
	}
	return r;
}

static int parse_cgroups(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return each_item(p, e, into, parse_cgroup);
}

static int parse_units(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return each_item(p, e, into, parse_unit);
}

static int parse_pids(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return each_item(p, e, into, parse_pid_or_file);
}

int pol_parse_members(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const struct pol_key keys[] = {
		{ .name = "cgroups", .parse = parse_cgroups },
		{ .name = "units", .parse = parse_units },
		{ .name = "pids", .parse = parse_pids },
	};

	if (!pol_want(p, e, POL_TOML_TABLE))
		return 0;
	return pol_keys_parse(p, &e->value, "[guest.*.members]", keys, ARRAY_SIZE(keys),
			      ((struct pol_scope *)into)->section);
}

/* ------------------------------------------------------------------ members beside each other */

static bool same_member(const struct pol_member *a, const struct pol_member *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == POL_MEMBER_PID)
		return a->pid == b->pid;
	if (a->kind == POL_MEMBER_CGROUP)
		return pol_path_lies_in(a->text, b->text) || pol_path_lies_in(b->text, a->text);
	return !strcmp(a->text, b->text);
}

static bool stands_before(const struct pol_member *a, const struct pol_member *b)
{
	return a->line != b->line ? a->line < b->line : a->col < b->col;
}

/* Of two that are one and the same, or lie in each other, the later one is wrong. */
static void check_twice(struct pol_parser *p, const struct pol_policy *policy,
			const struct pol_member *member)
{
	for (size_t i = 0; i < policy->guests_cnt; i++)
		for (size_t k = 0; k < policy->guests[i].members_cnt; k++) {
			const struct pol_member *other = &policy->guests[i].members[k];

			if (!stands_before(other, member) || !same_member(member, other))
				continue;
			POL_FAULT(p, POL_P_MEMBER_TWICE, member, "a member is one guest's, once",
				  member->kind == POL_MEMBER_CGROUP
					  ? "this cgroup is, lies in or lies above that of line %d"
					  : "this member stands in line %d already",
				  other->line);
			return;
		}
}

/* Where guests' own cgroups are made nothing is adopted. */
static void check_place(struct pol_parser *p, const struct pol_policy *policy,
			const struct pol_member *member)
{
	if (member->kind != POL_MEMBER_CGROUP)
		return;
	if (pol_path_lies_in(member->text + 1, policy->cgroup) || pol_path_lies_in(policy->cgroup, member->text + 1))
		POL_FAULT(p, POL_P_MEMBER_CGROUP, member, "guests' own cgroups need no members",
			  "'%s' is, lies in or lies above '%s', below which guests' cgroups are made",
			  member->text, policy->cgroup);
}

/* "memory", "swap and cpu"; Return: whether there are any. */
static bool list_ceilings(const struct pol_limits *limits, char *buf, size_t size)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "memory", limits->memory_bytes },
		{ "swap", limits->swap_bytes },
		{ "cpu", limits->cpu_milli },
		{ "io", limits->io_cnt ? 0 : POL_LIMIT_UNSET },
	};
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].value < POL_LIMIT_MAX)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
						rows[i].name);
	return len;
}

static bool is_in_place(const struct pol_member *member)
{
	return member->kind == POL_MEMBER_CGROUP || member->kind == POL_MEMBER_UNIT;
}

/* Semantics 12: of several cgroups each has them; the kernel adds up nothing over them. */
static void warn_each(struct pol_parser *p, const struct pol_guest *guest)
{
	char list[64];

	for (size_t i = 0; i < guest->members_cnt; i++) {
		if (!is_in_place(&guest->members[i]))
			continue;
		if (list_ceilings(&guest->limits, list, sizeof(list)))
			POL_WARN(p, POL_P_MEMBER_EACH, &guest->members[i],
				 "give each service a guest of its own to bound them together",
				 "guest '%s' lies in several cgroups, and each gets its ceilings in "
				 "full: %s (fds and pids are counted over all)",
				 guest->name, list);
		return;
	}
}

void pol_check_members(struct pol_parser *p, const struct pol_policy *policy)
{
	for (size_t i = 0; i < policy->guests_cnt; i++) {
		for (size_t k = 0; k < policy->guests[i].members_cnt; k++) {
			check_twice(p, policy, &policy->guests[i].members[k]);
			check_place(p, policy, &policy->guests[i].members[k]);
		}
		warn_each(p, &policy->guests[i]);
	}
}
