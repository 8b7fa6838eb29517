/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of a guest's own table and of [defaults]. */
#include <errno.h>
#include <string.h>

#include "abi.h"
#include "base.h"
#include "policy_parse.h"
#include "str.h"

/* abi.h's enum pol_mode, without the kernel's types */
static const char *const modes[] = { "enforce", "audit" };

static const char *const errnos[] = { "EACCES", "EPERM", "EROFS", "ENOENT" };
static const int errno_values[] = { EACCES, EPERM, EROFS, ENOENT };

/* The first word is the default. @flag: what the other sets. */
static const struct {
	const char *name;
	const char *words[2];
	uint32_t flag;
} knobs[] = {
	{ "stat", { "allow", "deny" }, POL_GUEST_STAT },
	{ "mounts", { "deny", "allow" }, POL_GUEST_MOUNTS },
	{ "userns", { "deny", "allow" }, POL_GUEST_USERNS },
	{ "io_uring", { "deny", "allow" }, POL_GUEST_IO_URING },
	{ "wx", { "allow", "deny" }, POL_GUEST_NO_WX },
	{ "memfd_exec", { "deny", "allow" }, POL_GUEST_MEMFD_EXEC },
	{ "tmp", { "none", "private" }, POL_GUEST_TMP },
	{ "inherited_fds", { "report", "refuse" }, POL_GUEST_NO_INHERIT },
};

static int parse_mode(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_scope *scope = into;

	scope->settings->mode = pol_word(p, e, modes, ARRAY_SIZE(modes));
	return 0;
}

static int parse_errno(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_scope *scope = into;
	int i = pol_word(p, e, errnos, ARRAY_SIZE(errnos));

	if (i >= 0)
		scope->settings->err = errno_values[i];
	return 0;
}

static int parse_knob(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_settings *settings = ((struct pol_scope *)into)->settings;
	size_t i = 0;
	int word;

	while (strcmp(knobs[i].name, e->key))
		i++;
	word = pol_word(p, e, knobs[i].words, ARRAY_SIZE(knobs[i].words));
	settings->said |= knobs[i].flag;
	if (word > 0)
		settings->knobs |= knobs[i].flag;
	return 0;
}

static int parse_events(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const char *const words[] = { "fork", "exec", "allow" };
	static const uint32_t flags[] = { POL_GUEST_EVENT_FORK, POL_GUEST_EVENT_EXEC,
					  POL_GUEST_EVENT_ALLOW };
	struct pol_settings *settings = ((struct pol_scope *)into)->settings;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		settings->said |= flags[i];
	if (!pol_want(p, e, POL_TOML_ARRAY))
		return 0;
	for (size_t i = 0; i < e->value.cnt; i++) {
		/* The items are judged as values of the key itself. */
		struct pol_toml_entry item = *e;
		int word = -1;

		item.value = e->value.items[i];
		if (pol_want_item(p, e, &item.value, POL_TOML_STRING))
			word = pol_word(p, &item, words, ARRAY_SIZE(words));
		if (word >= 0)
			settings->knobs |= flags[word];
	}
	return 0;
}

static int parse_guest_files(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return pol_parse_files(p, e, ((struct pol_scope *)into)->section);
}

static int parse_guest_include(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return pol_parse_include(p, e, ((struct pol_scope *)into)->section);
}

static int parse_not_default(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	(void)into;
	POL_FAULT(p, POL_P_KEY_PLACE, e, "give it to a guest, or to a profile that guests include",
		  "'%s' has no default: it does not belong in [defaults]", e->key);
	return 0;
}

static int parse_not_guest(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	(void)into;
	POL_FAULT(p, POL_P_KEY_PLACE, e, "move it to [defaults]",
		  "'%s' is one for all guests: it does not belong in a guest's table", e->key);
	return 0;
}

/* The result is the cleaned path; *ret NULL: it is none. */
static int clean_cgroup(const struct pol_toml_node *value, char **ret)
{
	_cleanup_free_ char *absolute = NULL, *clean = NULL;
	int r;

	*ret = NULL;
	if (!value->cnt || value->string[0] == '/' || strlen(value->string) != value->cnt)
		return 0;
	for (size_t i = 0; i < value->cnt; i++)
		if ((unsigned char)value->string[i] <= ' ' || value->string[i] == 0x7f)
			return 0;
	if (asprintf(&absolute, "/%s", value->string) < 0)
		return -ENOMEM;
	r = pol_path_clean(absolute, strlen(absolute), &clean);
	if (r < 0)
		return r;
	if (r != POL_PATH_OK || strcmp(clean, "/") == 0)
		return 0;
	*ret = strdup(clean + 1);
	return *ret ? 0 : -ENOMEM;
}

static int parse_cgroup(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	_cleanup_free_ char *clean = NULL;
	int r;

	(void)into;
	if (!pol_want(p, e, POL_TOML_STRING))
		return 0;
	r = clean_cgroup(&e->value, &clean);
	if (r < 0)
		return r;
	if (!clean) {
		POL_FAULT(
			p, POL_P_CGROUP, &e->value, "for example \"policyctl\"",
			"'cgroup' must be a path below the cgroup2 mount without a leading '/', '..' or spaces, and is '%s'",
			e->value.string);
		return 0;
	}
	free(p->cgroup);
	p->cgroup = TAKE_PTR(clean);
	return 0;
}

#define SHARED_KEYS                                                                         \
	{ .name = "mode", .parse = parse_mode }, { .name = "errno", .parse = parse_errno }, \
		{ .name = "stat", .parse = parse_knob },                                    \
		{ .name = "mounts", .parse = parse_knob },                                  \
		{ .name = "userns", .parse = parse_knob },                                  \
		{ .name = "io_uring", .parse = parse_knob },                                \
		{ .name = "wx", .parse = parse_knob },                                      \
		{ .name = "memfd_exec", .parse = parse_knob },                              \
		{ .name = "tmp", .parse = parse_knob },                                     \
		{ .name = "inherited_fds", .parse = parse_knob },                           \
		{ .name = "events", .parse = parse_events },                                \
		{ .name = "limits", .parse = pol_parse_limits },                            \
	{                                                                                   \
		.name = "shadow", .parse = pol_parse_shadow                                   \
	}

const struct pol_key pol_guest_keys[] = {
	{ .name = "include", .parse = parse_guest_include },
	{ .name = "files", .parse = parse_guest_files },
	{ .name = "members", .parse = pol_parse_members },
	{ .name = "cgroup", .parse = parse_not_guest },
	SHARED_KEYS,
};
const size_t pol_guest_keys_cnt = ARRAY_SIZE(pol_guest_keys);

const struct pol_key pol_defaults_keys[] = {
	SHARED_KEYS,
	{ .name = "cgroup", .parse = parse_cgroup },
	{ .name = "files", .parse = parse_not_default },
	{ .name = "include", .parse = parse_not_default },
	{ .name = "members", .parse = parse_not_default },
};
const size_t pol_defaults_keys_cnt = ARRAY_SIZE(pol_defaults_keys);
