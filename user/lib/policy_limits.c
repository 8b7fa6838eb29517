/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* [guest.*.limits] and [defaults.limits], and how the two make a guest's ceilings. Pure. */
#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "policy_parse.h"
#include "str.h"

#define PIDS_DEFAULT  1024	     /* policy-language.md, "Silent means" */
#define VM_OVERHEAD   (512ull << 20) /* policy-language.md: 2 x vm_memory + 512 MiB */
#define UNITS	      "units are B, KiB, MiB, GiB, KB, MB, GB"

bool pol_is_max(const struct pol_toml_node *value)
{
	return value->type == POL_TOML_STRING && value->cnt == strlen("max") &&
	       memcmp(value->string, "max", value->cnt) == 0;
}

static void bad_range(struct pol_parser *p, const struct pol_toml_entry *e, const char *range)
{
	POL_FAULT(p, POL_P_RANGE, &e->value, NULL, "'%s' must be %s", e->key, range);
}

/* @help: what a size may be. */
static bool parse_bytes(struct pol_parser *p, const struct pol_toml_entry *e, uint64_t min,
			const char *help, uint64_t *ret)
{
	const struct pol_toml_node *value = &e->value;
	uint64_t bytes = 0;
	int r = -EINVAL;

	if (value->type != POL_TOML_INTEGER && value->type != POL_TOML_STRING) {
		POL_FAULT(p, POL_P_TYPE, value, NULL,
			  "'%s' must be an integer or a string such as \"512MiB\", and is %s",
			  e->key, pol_toml_type_name(value->type));
		return false;
	}
	if (value->type == POL_TOML_INTEGER) {
		r = value->integer < 0 ? -ERANGE : 0;
		bytes = (uint64_t)value->integer;
	} else if (strlen(value->string) == value->cnt) {
		r = pol_str_size(value->string, &bytes);
	}
	if (r == -EINVAL) {
		POL_FAULT(p, POL_P_SIZE, value, help, "'%s' is no size: '%s'", e->key,
			  value->string);
		return false;
	}
	if (r < 0 || bytes < min) {
		POL_FAULT(p, POL_P_RANGE, value, NULL, "'%s' must be at least %llu and below 8 EiB",
			  e->key, (unsigned long long)min);
		return false;
	}
	*ret = bytes;
	return true;
}

bool pol_parse_size(struct pol_parser *p, const struct pol_toml_entry *e, uint64_t min,
		    uint64_t *ret)
{
	if (pol_is_max(&e->value)) {
		*ret = POL_LIMIT_MAX;
		return true;
	}
	return parse_bytes(p, e, min, UNITS "; or \"max\"", ret);
}

bool pol_parse_bound(struct pol_parser *p, const struct pol_toml_entry *e, uint64_t min,
		     uint64_t *ret)
{
	if (pol_is_max(&e->value)) {
		POL_FAULT(p, POL_P_RANGE, &e->value, "name a size", "'%s' cannot be lifted",
			  e->key);
		return false;
	}
	return parse_bytes(p, e, min, UNITS, ret);
}

static int parse_pids(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_settings *settings = into;

	if (pol_is_max(&e->value))
		POL_FAULT(p, POL_P_RANGE, &e->value, "name a number", "'pids' cannot be lifted");
	else if (!pol_want(p, e, POL_TOML_INTEGER))
		return 0;
	else if (e->value.integer < 1 || e->value.integer > POL_PIDS_LIMIT_MAX)
		bad_range(p, e, "from 1 to 4194304");
	else
		settings->pids = (uint64_t)e->value.integer;
	return 0;
}

static int parse_memory(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	(void)pol_parse_size(p, e, POL_MEMORY_MIN, &((struct pol_settings *)into)->memory_bytes);
	return 0;
}

static int parse_vm_memory(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_settings *settings = into;
	uint64_t bytes;

	if (!pol_parse_size(p, e, POL_MEMORY_MIN, &bytes))
		return 0;
	if (bytes != POL_LIMIT_MAX && bytes > ((uint64_t)INT64_MAX - VM_OVERHEAD) / 2)
		bad_range(p, e, "at most 4 EiB - 256 MiB: twice it and 512 MiB is the ceiling");
	else
		settings->vm_memory_bytes = bytes;
	return 0;
}

static int parse_swap(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	(void)pol_parse_size(p, e, 0, &((struct pol_settings *)into)->swap_bytes);
	return 0;
}

static int parse_cpu(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_settings *settings = into;
	double milli;

	if (pol_is_max(&e->value)) {
		settings->cpu_milli = POL_LIMIT_MAX;
		return 0;
	}
	if (e->value.type != POL_TOML_FLOAT && e->value.type != POL_TOML_INTEGER) {
		POL_FAULT(p, POL_P_TYPE, &e->value, NULL,
			  "'cpu' must be a number of cores or \"max\", and is %s",
			  pol_toml_type_name(e->value.type));
		return 0;
	}
	milli = 1000.0 *
		(e->value.type == POL_TOML_FLOAT ? e->value.real : (double)e->value.integer);
	if (!(milli >= POL_CPU_MILLI_MIN && milli <= POL_CPU_MILLI_MAX)) /* false for NaN */
		bad_range(p, e, "from 0.01 to 8192 cores");
	else
		settings->cpu_milli = (uint64_t)(milli + 0.5);
	return 0;
}

static int parse_best_effort(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	if (pol_want(p, e, POL_TOML_BOOLEAN))
		((struct pol_settings *)into)->best_effort = e->value.boolean;
	return 0;
}

static int parse_fds(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_settings *settings = into;

	if (pol_is_max(&e->value))
		settings->fds = POL_LIMIT_MAX;
	else if (e->value.type != POL_TOML_INTEGER)
		POL_FAULT(p, POL_P_TYPE, &e->value, NULL,
			  "'fds' must be an integer or \"max\", and is %s",
			  pol_toml_type_name(e->value.type));
	else if (e->value.integer < 0 || e->value.integer > POL_FDS_LIMIT_MAX)
		bad_range(p, e, "from 0 to 1073741824");
	else
		settings->fds = (uint64_t)e->value.integer;
	return 0;
}

static int parse_fds_baseline(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const char *const words[] = { "attach", "none" };
	struct pol_settings *settings = into;

	settings->fds_all = pol_word(p, e, words, ARRAY_SIZE(words));
	settings->fds_all_line = e->line;
	settings->fds_all_col = e->col;
	return 0;
}

static int parse_on_exceed(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const char *const words[] = { "errno", "kill" };

	((struct pol_settings *)into)->kill = pol_word(p, e, words, ARRAY_SIZE(words));
	return 0;
}

int pol_parse_limits(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	static const struct pol_key keys[] = {
		{ .name = "pids", .parse = parse_pids },
		{ .name = "memory", .parse = parse_memory },
		{ .name = "vm_memory", .parse = parse_vm_memory },
		{ .name = "swap", .parse = parse_swap },
		{ .name = "cpu", .parse = parse_cpu },
		{ .name = "best_effort", .parse = parse_best_effort },
		{ .name = "fds", .parse = parse_fds },
		{ .name = "fds_baseline", .parse = parse_fds_baseline },
		{ .name = "io", .parse = pol_parse_io },
		{ .name = "on_exceed", .parse = parse_on_exceed },
	};
	struct pol_scope *scope = into;

	if (!pol_want(p, e, POL_TOML_TABLE))
		return 0;
	return pol_keys_parse(p, &e->value, "limits", keys, ARRAY_SIZE(keys), scope->settings);
}

void pol_settings_init(struct pol_settings *settings)
{
	*settings = (struct pol_settings){
		.mode = -1,
		.best_effort = -1,
		.fds_all = -1,
		.kill = -1,
		.fds = POL_LIMIT_UNSET,
		.pids = POL_LIMIT_UNSET,
		.memory_bytes = POL_LIMIT_UNSET,
		.vm_memory_bytes = POL_LIMIT_UNSET,
		.swap_bytes = POL_LIMIT_UNSET,
		.cpu_milli = POL_LIMIT_UNSET,
		.shadow = { .max_size = POL_LIMIT_UNSET, .budget = POL_LIMIT_UNSET, .exec = -1 },
	};
}

static uint64_t either(uint64_t own, uint64_t other)
{
	return own != POL_LIMIT_UNSET ? own : other;
}

/* The same for what is -1 when silent; silent in both: false, the first of its words. */
static bool either_on(int own, int other)
{
	return (own >= 0 ? own : other) > 0;
}

int pol_settings_apply(const struct pol_settings *own, const struct pol_settings *defaults,
		       struct pol_guest *ret)
{
	const struct pol_settings *io = own->io_said ? own : defaults;
	uint64_t vm = either(own->vm_memory_bytes, defaults->vm_memory_bytes);
	uint64_t memory = either(own->memory_bytes, defaults->memory_bytes);
	int r;

	if (memory == POL_LIMIT_UNSET)
		memory = vm < POL_LIMIT_MAX ? 2 * vm + VM_OVERHEAD : vm;
	ret->audit = (own->mode >= 0 ? own->mode : defaults->mode) == 1;
	ret->knobs = (own->knobs & own->said) | (defaults->knobs & ~own->said);
	ret->err = own->err ? own->err : defaults->err ? defaults->err : EACCES;
	ret->limits = (struct pol_limits){
		.fds = either(own->fds, defaults->fds),
		.pids = either(either(own->pids, defaults->pids), PIDS_DEFAULT),
		.memory_bytes = memory,
		.swap_bytes = either(own->swap_bytes, defaults->swap_bytes),
		.cpu_milli = either(own->cpu_milli, defaults->cpu_milli),
		.best_effort = either_on(own->best_effort, defaults->best_effort),
		.fds_all = either_on(own->fds_all, defaults->fds_all),
		.kill = either_on(own->kill, defaults->kill),
	};
	r = pol_shadow_apply(&own->shadow, &defaults->shadow, &ret->shadow);
	if (r < 0)
		return r;
	if (ret->shadow.paths_cnt)
		ret->knobs |= POL_GUEST_SHADOW | (ret->shadow.exec ? POL_GUEST_SHADOW_EXEC : 0);
	return pol_io_copy(io->io, io->io_cnt, &ret->limits);
}

void pol_settings_done(struct pol_settings *settings)
{
	for (size_t i = 0; i < settings->io_cnt; i++)
		free(settings->io[i].device);
	free(settings->io);
	for (size_t i = 0; i < settings->shadow.paths_cnt; i++)
		free(settings->shadow.paths[i]);
	free(settings->shadow.paths);
}
