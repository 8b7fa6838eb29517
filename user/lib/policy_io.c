/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `io` of [guest.*.limits] and [defaults.limits]: ceilings per block device. Pure. */
#include <errno.h>
#include <string.h>

#include "base.h"
#include "policy_parse.h"

#define RATE_MIN 2		  /* tg_set_limit(), block/blk-throttle.c, refuses 0 and 1 */
#define IOPS_MAX (UINT32_MAX - 1) /* the same: UINT_MAX means none */

static int parse_device(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_io_limit *limit = into;

	limit->line = e->value.line;
	limit->col = e->value.col;
	return pol_parse_path(p, e, false, &limit->device);
}

static int parse_bytes(struct pol_parser *p, const struct pol_toml_entry *e, uint64_t *ret)
{
	(void)pol_parse_size(p, e, RATE_MIN, ret);
	return 0;
}

static int parse_count(struct pol_parser *p, const struct pol_toml_entry *e, uint64_t *ret)
{
	if (pol_is_max(&e->value))
		*ret = POL_LIMIT_MAX;
	else if (e->value.type != POL_TOML_INTEGER)
		POL_FAULT(p, POL_P_TYPE, &e->value, NULL,
			  "'%s' must be an integer or \"max\", and is %s", e->key,
			  pol_toml_type_name(e->value.type));
	else if (e->value.integer < RATE_MIN || e->value.integer > IOPS_MAX)
		POL_FAULT(p, POL_P_RANGE, &e->value, "\"max\" is no ceiling",
			  "'%s' must be from %u to %u", e->key, RATE_MIN, IOPS_MAX);
	else
		*ret = (uint64_t)e->value.integer;
	return 0;
}

static int parse_rbps(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return parse_bytes(p, e, &((struct pol_io_limit *)into)->max[POL_IO_RBPS]);
}

static int parse_wbps(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return parse_bytes(p, e, &((struct pol_io_limit *)into)->max[POL_IO_WBPS]);
}

static int parse_riops(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return parse_count(p, e, &((struct pol_io_limit *)into)->max[POL_IO_RIOPS]);
}

static int parse_wiops(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	return parse_count(p, e, &((struct pol_io_limit *)into)->max[POL_IO_WIOPS]);
}

static int parse_one(struct pol_parser *p, const struct pol_toml_node *table,
		     struct pol_io_limit *limit)
{
	static const struct pol_key keys[] = {
		{ .name = "device",
		  .parse = parse_device,
		  .required = "name a block device: device = \"/dev/vda\"" },
		{ .name = "rbps", .parse = parse_rbps },
		{ .name = "wbps", .parse = parse_wbps },
		{ .name = "riops", .parse = parse_riops },
		{ .name = "wiops", .parse = parse_wiops },
	};

	for (size_t i = 0; i < POL_IO_CNT; i++)
		limit->max[i] = POL_LIMIT_MAX;
	if (table->cnt < 2 && table->cnt && strcmp(table->entries[0].key, "device") == 0)
		POL_FAULT(p, POL_P_MISSING, table, "say at least one of rbps, wbps, riops, wiops",
			  "an entry of 'io' has a device and no ceiling");
	return pol_keys_parse(p, table, "an entry of 'io'", keys, ARRAY_SIZE(keys), limit);
}

/* Whether @limit's device is named by an entry before it: then that is said. */
static bool stands_before(struct pol_parser *p, const struct pol_settings *settings,
			  const struct pol_io_limit *limit)
{
	for (size_t i = 0; i < settings->io_cnt; i++)
		if (strcmp(settings->io[i].device, limit->device) == 0) {
			POL_FAULT(p, POL_P_PATH_TWICE, limit, "put both into one entry",
				  "device '%s' stands twice in this list, first at line %d",
				  limit->device, settings->io[i].line);
			return true;
		}
	return false;
}

int pol_parse_io(struct pol_parser *p, const struct pol_toml_entry *e, void *into)
{
	struct pol_settings *settings = into;
	int r = 0;

	settings->io_said = true;
	if (pol_is_max(&e->value) || !pol_want(p, e, POL_TOML_ARRAY) || !e->value.cnt)
		return 0;
	settings->io = calloc(e->value.cnt, sizeof(*settings->io));
	if (!settings->io)
		return -ENOMEM;
	for (size_t i = 0; i < e->value.cnt && r == 0; i++) {
		struct pol_io_limit *limit = &settings->io[settings->io_cnt];

		if (!pol_want_item(p, e, &e->value.items[i], POL_TOML_TABLE))
			continue;
		r = parse_one(p, &e->value.items[i], limit);
		if (limit->device && !stands_before(p, settings, limit)) {
			settings->io_cnt++;
			continue;
		}
		free(limit->device);
		*limit = (struct pol_io_limit){};
	}
	return r;
}
