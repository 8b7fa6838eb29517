/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lies nearest above a key, for each guest. A sorted list: prefixes of a key are looked up
 * from the longest to the root, so a look-up costs depth x log(rules). Pure.
 */
#include <errno.h>
#include <string.h>

#include "base.h"
#include "resolve_int.h"

int pol_index_init(struct pol_index *index, uint32_t guests_cnt)
{
	*index = (struct pol_index){ .guests_cnt = guests_cnt };
	index->seen = calloc(guests_cnt ? guests_cnt : 1, sizeof(*index->seen));
	return index->seen ? 0 : -ENOMEM;
}

void pol_index_done(struct pol_index *index)
{
	for (size_t i = 0; i < index->cnt; i++)
		free(index->items[i].key);
	free(index->items);
	free(index->seen);
	*index = (struct pol_index){ 0 };
}

int pol_index_add(struct pol_index *index, char *key, uint32_t guest, uint32_t access, size_t place)
{
	if (key && index->cnt == index->room) {
		size_t room = index->room ? index->room * 2 : 64;
		struct pol_spot *items = reallocarray(index->items, room, sizeof(*items));

		if (!items) {
			free(key);
			return -ENOMEM;
		}
		index->items = items;
		index->room = room;
	}
	if (!key)
		return -ENOMEM;
	index->items[index->cnt++] = (struct pol_spot){ key, guest, access, place };
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct pol_spot *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order)
		return order;
	if (x->guest != y->guest)
		return x->guest < y->guest ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

void pol_index_sort(struct pol_index *index)
{
	if (index->cnt)
		qsort(index->items, index->cnt, sizeof(*index->items), by_key);
}

/* The first spot whose (key, guest) is not below the asked one. */
static size_t lower_bound(const struct pol_index *index, const char *key, uint32_t guest)
{
	size_t low = 0, high = index->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(index->items[mid].key, key);

		if (order < 0 || (order == 0 && index->items[mid].guest < guest))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool pol_key_up(char *key)
{
	char *first = strchr(key, '/'), *last = strrchr(key, '/');

	if (!first || !first[1])
		return false;
	last[last == first] = '\0';
	return true;
}

int pol_index_nearest(struct pol_index *index, const char *key, pol_spot_fn *fn, void *arg)
{
	_cleanup_free_ char *prefix = strdup(key);
	int r;

	if (!prefix)
		return -ENOMEM;
	index->stamp++;
	do {
		for (size_t i = lower_bound(index, prefix, 0);
		     i < index->cnt && strcmp(index->items[i].key, prefix) == 0; i++) {
			const struct pol_spot *spot = &index->items[i];

			if (index->seen[spot->guest] == index->stamp)
				continue;
			index->seen[spot->guest] = index->stamp;
			r = fn(spot, arg);
			if (r)
				return r;
		}
	} while (pol_key_up(prefix));
	return 0;
}

const struct pol_spot *pol_index_find(const struct pol_index *index, const char *key,
				      uint32_t guest)
{
	size_t at = lower_bound(index, key, guest);

	if (at == index->cnt || index->items[at].guest != guest ||
	    strcmp(index->items[at].key, key) != 0)
		return NULL;
	return &index->items[at];
}
