/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shadows as the engine's maps have them: read, summed up, told. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>

#include "base.h"
#include "shadow.h"
#include "shadow_int.h"

/* ------------------------------------------------------------------ paths */

void pol_shadow_put_path(struct pol_shadow_value *value, const char *path)
{
	size_t end = strlen(path), used = 0;

	while (end) {
		size_t at = end, len;

		while (at && path[at - 1] != '/')
			at--;
		len = end - at;
		if (used + len + 1 > sizeof(value->path)) {
			len = sizeof(value->path) - used;
			memcpy(value->path + used, path + end - len, len); /* the end of a name */
			used += len;
			value->flags |= POL_SHADOW_CUT;
			break;
		}
		memcpy(value->path + used, path + at, len);
		used += len;
		value->path[used++] = '/';
		end = at ? at - 1 : 0;
	}
	value->path_len = (uint32_t)used;
}

void pol_shadow_get_path(const struct pol_shadow_value *value, char *ret)
{
	size_t len = value->path_len < sizeof(value->path) ? value->path_len : sizeof(value->path);
	size_t end = len;

	if (value->flags & POL_SHADOW_CUT) {
		memcpy(ret, "…", sizeof("…") - 1);
		ret += sizeof("…") - 1;
	}
	while (end) {
		size_t at;

		end -= value->path[end - 1] == '/';
		at = end;
		while (at && value->path[at - 1] != '/')
			at--;
		*ret++ = '/';
		memcpy(ret, value->path + at, end - at);
		ret += end - at;
		end = at;
	}
	*ret = '\0';
}

/* ------------------------------------------------------------------ entries */

/* Without asking whoever serves the file: it may be anybody's. */
int pol_memory_file_of(int fd, struct pol_memory_file *ret)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) < 0)
		return -errno;
	/* As the kernel has it inside: MKDEV(), include/linux/kdev_t.h. */
	*ret = (struct pol_memory_file){
		.ino = st.stx_ino,
		.dev = st.stx_dev_major << 20 | st.stx_dev_minor,
	};
	return 0;
}

static void fill(const struct pol_shadow_key *key, const struct pol_shadow_value *value,
		 struct pol_shadow_item *ret)
{
	ret->key = *key;
	ret->value = *value;
	pol_shadow_get_path(value, ret->path);
}

int pol_shadow_of(const struct pol_engine *engine, uint32_t guest, int fd, struct pol_shadow_item *ret)
{
	struct pol_shadow_value value;
	struct pol_memory_file memory;
	struct pol_shadow_key key;
	int r = pol_memory_file_of(fd, &memory);

	if (r < 0)
		return r;
	key = (struct pol_shadow_key){ .ino = memory.ino, .dev = memory.dev, .guest = guest };
	r = bpf_map_lookup_elem(engine->maps[POL_MAP_SHADOWS], &key, &value);
	if (!r)
		fill(&key, &value, ret);
	return r;
}

int pol_map_read_all(int map, __u32 room, size_t key_size, size_t value_size, void **ret_keys,
		     void **ret_values)
{
	_cleanup_free_ void *keys = calloc(room, key_size), *values = calloc(room, value_size);
	__u32 at, cnt = room;
	int r;

	if (!keys || !values)
		return -ENOMEM;
	r = bpf_map_lookup_batch(map, NULL, &at, keys, values, &cnt, NULL);
	if (r < 0 && r != -ENOENT) /* which says that it was all */
		return r;
	*ret_keys = TAKE_PTR(keys);
	*ret_values = TAKE_PTR(values);
	return (int)cnt;
}

int pol_shadow_each(const struct pol_engine *engine, uint32_t guest,
		    int (*fn)(const struct pol_shadow_item *item, void *arg), void *arg)
{
	_cleanup_free_ void *keys = NULL, *values = NULL;
	int cnt = pol_map_read_all(engine->maps[POL_MAP_SHADOWS], POL_SHADOWS_MAX + 1,
				   sizeof(struct pol_shadow_key), sizeof(struct pol_shadow_value), &keys,
				   &values);
	int r = cnt < 0 ? cnt : 0, live = 0;

	for (int i = 0; i < cnt && r >= 0; i++) {
		const struct pol_shadow_key *key = (const struct pol_shadow_key *)keys + i;
		struct pol_shadow_item item;

		if (!key->ino) /* of a refusal: never one */
			continue;
		live++;
		if (guest && key->guest != guest)
			continue;
		fill(key, (const struct pol_shadow_value *)values + i, &item);
		r = fn(&item, arg);
	}
	return r < 0 ? r : live;
}

void pol_shadow_add(const struct pol_shadow_item *item, struct pol_shadow_sum *sum)
{
	sum->cnt++;
	sum->stale += !!(item->value.flags & POL_SHADOW_OLD);
	if (!(item->value.flags & POL_SHADOW_LAZY))
		sum->bytes += item->value.size;
}

static int add_up(const struct pol_shadow_item *item, void *arg)
{
	pol_shadow_add(item, arg);
	return 0;
}

int pol_shadow_sum(const struct pol_engine *engine, uint32_t guest, struct pol_shadow_sum *ret)
{
	*ret = (struct pol_shadow_sum){};
	return pol_shadow_each(engine, guest, add_up, ret);
}

int pol_shadow_tell(const struct pol_engine *engine, const struct pol_shadow_note *note)
{
	struct pol_shadow_note told = *note;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &told, .ctx_size_in = sizeof(told));
	int r = bpf_prog_test_run_opts(engine->progs[POL_PROG_SHADOW_NOTE], &opts);

	return r < 0 ? r : (int)opts.retval;
}
