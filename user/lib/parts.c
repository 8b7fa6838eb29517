/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parts.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "file.h"

void pol_parts_done(struct pol_parts *parts)
{
	for (size_t i = 0; i < parts->cnt; i++)
		pol_image_done(&parts->items[i].raw);
	free(parts->items);
	*parts = (struct pol_parts){ 0 };
}

static struct pol_part *find(const struct pol_parts *parts, uint32_t guest)
{
	for (size_t i = 0; i < parts->cnt; i++)
		if (parts->items[i].guest == guest)
			return &parts->items[i];
	return NULL;
}

const struct pol_image *pol_parts_find(const struct pol_parts *parts, uint32_t guest)
{
	const struct pol_part *part = find(parts, guest);

	return part ? &part->raw : NULL;
}

int pol_parts_put(struct pol_parts *parts, uint32_t guest, struct pol_image *raw)
{
	struct pol_part *part = find(parts, guest), *items;

	if (part) {
		pol_image_done(&part->raw);
	} else {
		items = reallocarray(parts->items, parts->cnt + 1, sizeof(*items));
		if (!items)
			return -ENOMEM;
		parts->items = items;
		part = &items[parts->cnt++];
		part->guest = guest;
	}
	part->raw = *raw;
	*raw = (struct pol_image){ 0 };
	return 0;
}

int pol_parts_merge(const struct pol_parts *parts, struct pol_image *ret)
{
	_cleanup_free_ struct pol_image *raw = calloc(parts->cnt + 1, sizeof(*raw));

	if (!raw)
		return -ENOMEM;
	for (size_t i = 0; i < parts->cnt; i++)
		raw[i] = parts->items[i].raw;
	return pol_image_merge(raw, parts->cnt, ret);
}

/* ------------------------------------------------------------------ to the next policy */

struct carry {
	const struct pol_meta *before;
	const struct pol_meta_guest *from;
	const struct pol_meta *next;
	const struct pol_meta_guest *to;
};

/* A rule of the next policy whose path led to the same place; NULL: there is none. */
static const struct pol_meta_rule *twin_rule(const struct carry *carry,
					     const struct pol_meta_rule *gone)
{
	for (size_t i = pol_meta_first_rule(carry->next, carry->to->ruleset);
	     i < carry->next->rules_cnt && carry->next->rules[i].ruleset == carry->to->ruleset;
	     i++) {
		const struct pol_meta_rule *rule = &carry->next->rules[i], *old;

		old = rule->in_guest ? pol_meta_same_rule(carry->before, carry->from, rule) : NULL;
		if (old && old->where && gone->where && strcmp(old->where, gone->where) == 0)
			return rule;
	}
	return NULL;
}

/* The rule of the next policy that an entry is of; NULL: there is none. */
static const struct pol_meta_rule *next_rule(const struct carry *carry, uint32_t id)
{
	const struct pol_meta_rule *before, *next;

	if (id > carry->before->rules_cnt)
		return NULL;
	before = &carry->before->rules[id - 1];
	next = pol_meta_same_rule(carry->next, carry->to, before);
	return next ? next : twin_rule(carry, before);
}

/* Return: whether the entry goes on. Those of set 0, and those of no rule, stay what they are. */
static bool carry_entry(const struct carry *carry, struct pol_dir_key *dir,
			struct pol_rule_value *value)
{
	bool stale = value->flags & POL_RULE_STALE;
	const struct pol_meta_rule *rule;

	if (dir->ruleset != carry->from->ruleset)
		return true;
	dir->ruleset = carry->to->ruleset;
	if (!value->rule)
		return true;
	rule = next_rule(carry, value->rule);
	if (!rule)
		return false;
	value->rule = (uint32_t)(rule - carry->next->rules) + 1;
	value->access = stale ? 0 : rule->access;
	value->flags &= ~POL_RULE_LOG;
	if (rule->log && !stale)
		value->flags |= POL_RULE_LOG;
	return true;
}

int pol_parts_carry(const struct pol_image *raw, const struct pol_meta *before,
		    const struct pol_meta_guest *from, const struct pol_meta *next,
		    const struct pol_meta_guest *to, struct pol_image *ret)
{
	const struct carry carry = { before, from, next, to };
	int r = pol_image_copy(raw, ret);
	size_t cnt = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < ret->dirs_cnt; i++)
		if (carry_entry(&carry, &ret->dirs[i].key, &ret->dirs[i].value))
			ret->dirs[cnt++] = ret->dirs[i];
	ret->dirs_cnt = cnt;
	cnt = 0;
	for (size_t i = 0; i < ret->names_cnt; i++)
		if (carry_entry(&carry, &ret->names[i].key.dir, &ret->names[i].value))
			ret->names[cnt++] = ret->names[i];
	ret->names_cnt = cnt;
	cnt = 0;
	for (size_t i = 0; i < ret->longs_cnt; i++)
		if (carry_entry(&carry, &ret->longs[i].key.dir, &ret->longs[i].value.rule))
			ret->longs[cnt++] = ret->longs[i];
	ret->longs_cnt = cnt;
	return 0;
}

/* ------------------------------------------------------------------ bytes */

struct part_head {
	uint64_t guest;
	uint64_t dirs;
	uint64_t names;
	uint64_t longs;
};

static const uint64_t layout[] = {
	POL_PARTS_MAGIC,
	POL_ABI_VERSION,
	sizeof(struct pol_dir_entry),
	sizeof(struct pol_name_entry),
	sizeof(struct pol_long_entry),
};

/* An empty list may have no memory. */
static void put(FILE *out, const void *items, size_t size, size_t cnt)
{
	if (cnt)
		(void)fwrite(items, size, cnt, out);
}

int pol_parts_encode(const struct pol_parts *parts, char **ret, size_t *ret_len)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&buf, &len);

	if (!out)
		return -ENOMEM;
	(void)fwrite(layout, sizeof(layout), 1, out);
	for (size_t i = 0; i < parts->cnt; i++) {
		const struct pol_image *raw = &parts->items[i].raw;
		const struct part_head head = { parts->items[i].guest, raw->dirs_cnt,
						raw->names_cnt, raw->longs_cnt };

		(void)fwrite(&head, sizeof(head), 1, out);
		put(out, raw->dirs, sizeof(*raw->dirs), raw->dirs_cnt);
		put(out, raw->names, sizeof(*raw->names), raw->names_cnt);
		put(out, raw->longs, sizeof(*raw->longs), raw->longs_cnt);
	}
	if (pol_memstream_end(out, &buf) < 0)
		return -ENOMEM;
	*ret = buf;
	*ret_len = len;
	return 0;
}

/* @cnt items of @size from *@at on, in memory of their own. */
static int cut(const char **at, size_t *left, uint64_t cnt, size_t size, void *ret, size_t *ret_cnt)
{
	void *items;

	if (cnt > *left / size)
		return -EPROTO;
	items = calloc(cnt + 1, size);
	if (!items)
		return -ENOMEM;
	memcpy(items, *at, cnt * size);
	*at += cnt * size;
	*left -= cnt * size;
	*(void **)ret = items;
	*ret_cnt = cnt;
	return 0;
}

static int decode_part(const char **at, size_t *left, struct pol_part *ret)
{
	struct pol_image *raw = &ret->raw;
	struct part_head head;
	int r;

	if (*left < sizeof(head))
		return -EPROTO;
	memcpy(&head, *at, sizeof(head));
	*at += sizeof(head);
	*left -= sizeof(head);
	ret->guest = (uint32_t)head.guest;
	r = cut(at, left, head.dirs, sizeof(*raw->dirs), &raw->dirs, &raw->dirs_cnt);
	if (!r)
		r = cut(at, left, head.names, sizeof(*raw->names), &raw->names, &raw->names_cnt);
	if (!r)
		r = cut(at, left, head.longs, sizeof(*raw->longs), &raw->longs, &raw->longs_cnt);
	return r;
}

int pol_parts_decode(const char *bytes, size_t len, struct pol_parts *ret)
{
	struct pol_parts parts = { 0 };
	int r = 0;

	if (len < sizeof(layout) || memcmp(bytes, layout, sizeof(layout)) != 0)
		return -EPROTO;
	bytes += sizeof(layout);
	len -= sizeof(layout);
	while (len && !r) {
		struct pol_part part = { 0 };

		r = decode_part(&bytes, &len, &part);
		if (!r)
			r = pol_parts_put(&parts, part.guest, &part.raw);
		pol_image_done(&part.raw);
	}
	if (r < 0)
		pol_parts_done(&parts);
	else
		*ret = parts;
	return r;
}
