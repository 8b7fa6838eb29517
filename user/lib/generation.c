/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "generation.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base.h"

/* Map entries as the kernel takes them: keys and values in two arrays. */
struct table {
	char *keys;
	char *values;
	size_t cnt;
	size_t key_size;
	size_t value_size;
};

static void table_done(struct table *table)
{
	free(table->keys);
	free(table->values);
}

static int table_init(struct table *table, size_t cnt, size_t key_size, size_t value_size)
{
	table->key_size = key_size;
	table->value_size = value_size;
	table->keys = calloc(cnt + 1, key_size);
	table->values = calloc(cnt + 1, value_size);
	return table->keys && table->values ? 0 : -ENOMEM;
}

static void table_add(struct table *table, const void *key, const void *value)
{
	memcpy(table->keys + table->cnt * table->key_size, key, table->key_size);
	memcpy(table->values + table->cnt * table->value_size, value, table->value_size);
	table->cnt++;
}

/* A new hash with the table's entries. Return: its descriptor. */
static int make_hash(const char *name, const struct table *table)
{
	_cleanup_close_ int fd = -EBADF;
	__u32 cnt = (__u32)table->cnt;
	int r;

	fd = bpf_map_create(BPF_MAP_TYPE_HASH, name, (__u32)table->key_size,
			    (__u32)table->value_size, cnt ? cnt : 1, NULL);
	if (fd < 0)
		return fd;
	if (cnt) {
		r = bpf_map_update_batch(fd, table->keys, table->values, &cnt, NULL);
		if (r < 0)
			return r;
		if (cnt != table->cnt)
			return -EIO;
	}
	return TAKE_FD(fd);
}

/* Puts an inner map into a slot; the kernel waits for RCU before it returns. */
static int put_inner(const struct pol_engine *engine, enum pol_map_nr outer, __u32 slot, int inner)
{
	if (inner < 0)
		return inner;
	return bpf_map_update_elem(engine->maps[outer], &slot, &inner, BPF_ANY);
}

static int stage_table(const struct pol_engine *engine, enum pol_map_nr outer, __u32 slot,
		       const char *name, const struct table *table)
{
	_cleanup_close_ int inner = make_hash(name, table);

	return put_inner(engine, outer, slot, inner);
}

static int stage_dirs(const struct pol_engine *engine, const struct pol_image *image, __u32 slot)
{
	_cleanup_(table_done) struct table table = {};
	int r = table_init(&table, image->dirs_cnt, sizeof(struct pol_dir_key),
			   sizeof(struct pol_rule_value));

	for (size_t i = 0; i < image->dirs_cnt && !r; i++)
		table_add(&table, &image->dirs[i].key, &image->dirs[i].value);
	return r ? r : stage_table(engine, POL_MAP_DIRS, slot, "dirs", &table);
}

/* Names of one class: those in [@least, @below) bytes. */
static int stage_names(const struct pol_engine *engine, const struct pol_image *image, __u32 slot,
		       enum pol_map_nr outer, const char *name, size_t least, size_t below)
{
	_cleanup_(table_done) struct table table = {};
	int r = table_init(&table, image->names_cnt, sizeof(struct pol_dir_key) + below,
			   sizeof(struct pol_rule_value));

	for (size_t i = 0; i < image->names_cnt && !r; i++) {
		size_t len = strnlen(image->names[i].key.name, POL_NAME_SHORT);

		if (len >= least && len < below)
			table_add(&table, &image->names[i].key, &image->names[i].value);
	}
	return r ? r : stage_table(engine, outer, slot, name, &table);
}

static int stage_longs(const struct pol_engine *engine, const struct pol_image *image, __u32 slot)
{
	_cleanup_(table_done) struct table table = {};
	int r = table_init(&table, image->longs_cnt, sizeof(struct pol_long_key),
			   sizeof(struct pol_long_value));

	for (size_t i = 0; i < image->longs_cnt && !r; i++)
		table_add(&table, &image->longs[i].key, &image->longs[i].value);
	return r ? r : stage_table(engine, POL_MAP_NAMES_LONG, slot, "names_long", &table);
}

static int stage_guests(const struct pol_engine *engine, const struct pol_meta *meta, __u32 slot)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "guests", sizeof(__u32),
						sizeof(struct pol_guest_config), POL_GUESTS_MAX,
						NULL);
	int r = fd < 0 ? fd : 0;

	for (size_t i = 0; i < meta->guests_cnt && !r; i++) {
		const struct pol_meta_guest *guest = &meta->guests[i];
		struct pol_guest_config config;

		if (guest->ghost)
			continue;
		pol_image_guest(guest, &config);
		r = bpf_map_update_elem(fd, &guest->id, &config, BPF_ANY);
	}
	return r ? r : put_inner(engine, POL_MAP_GUESTS, slot, fd);
}

/*
 * Putting a slot's own map into it again changes nothing, but waits for RCU: afterwards no program
 * runs that has read an older control.active.
 */
static void wait_for_programs(const struct pol_engine *engine)
{
	__u32 slot = engine->control->active & 1, id;
	_cleanup_close_ int inner = -EBADF;

	if (!engine->control->active ||
	    bpf_map_lookup_elem(engine->maps[POL_MAP_GUESTS], &slot, &id) < 0)
		return; /* nothing was ever published */
	inner = bpf_map_get_fd_by_id(id);
	(void)put_inner(engine, POL_MAP_GUESTS, slot, inner);
}

int pol_generation_stage(const struct pol_engine *engine, const struct pol_image *image,
			 const struct pol_meta *meta, struct pol_err *err)
{
	__u32 slot = meta->generation & 1;
	int r;

	wait_for_programs(engine);
	r = stage_guests(engine, meta, slot);
	if (!r)
		r = stage_dirs(engine, image, slot);
	if (!r)
		r = stage_names(engine, image, slot, POL_MAP_NAMES_32, "names_32", 0, 32);
	if (!r)
		r = stage_names(engine, image, slot, POL_MAP_NAMES_64, "names_64", 32, 64);
	if (!r)
		r = stage_longs(engine, image, slot);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot write the rules into the kernel");
	return 0;
}

/* The map that is in the running slot, in the other one, too. */
static int carry_inner(const struct pol_engine *engine, enum pol_map_nr outer, __u32 slot)
{
	__u32 running = slot ^ 1, id;
	_cleanup_close_ int inner = -EBADF;
	int r = bpf_map_lookup_elem(engine->maps[outer], &running, &id);

	if (r < 0)
		return r;
	inner = bpf_map_get_fd_by_id(id);
	return put_inner(engine, outer, slot, inner);
}

int pol_generation_carry(const struct pol_engine *engine, const struct pol_meta *meta,
			 struct pol_err *err)
{
	static const enum pol_map_nr rules[] = { POL_MAP_DIRS, POL_MAP_NAMES_32, POL_MAP_NAMES_64,
						 POL_MAP_NAMES_LONG };
	__u32 slot = meta->generation & 1;
	int r;

	wait_for_programs(engine);
	r = stage_guests(engine, meta, slot);
	for (size_t i = 0; i < ARRAY_SIZE(rules) && !r; i++)
		r = carry_inner(engine, rules[i], slot);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r,
				   "cannot write the guests into the kernel");
	return 0;
}

void pol_generation_publish(struct pol_engine *engine, uint64_t generation)
{
	__atomic_store_n(&engine->control->active, generation, __ATOMIC_SEQ_CST);
	wait_for_programs(engine);
}

/* ------------------------------------------------------------------ meta */

#define CHUNK 4096u

/* Pins of a generation: before its cgroups are made, with names only; and when all is there. */
#define ANNOUNCED "/names"
#define STORED	  "/meta"
#define PARTS	  "/parts"

static void meta_path(const char *store, uint64_t generation, const char *leaf, char *buf,
		      size_t size)
{
	(void)snprintf(buf, size, "%s/gen_%llu%s", store, (unsigned long long)generation, leaf);
}

/* Length first, then the bytes, in one mapped array. */
static int meta_map(const char *bytes, size_t len)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	size_t chunks = (len + sizeof(uint64_t) + CHUNK - 1) / CHUNK;
	_cleanup_close_ int fd = -EBADF;
	uint64_t length = len;
	char *at;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "meta", sizeof(__u32), CHUNK, (__u32)chunks, &opts);
	if (fd < 0)
		return fd;
	at = mmap(NULL, chunks * CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, &length, sizeof(length));
	memcpy(at + sizeof(length), bytes, len);
	(void)munmap(at, chunks * CHUNK);
	return TAKE_FD(fd);
}

/* Without a rename: one, of whatever it is, makes walks that are under way begin again. */
static int store_bytes(uint64_t generation, const char *bytes, size_t len, bool fresh,
		       const char *leaf, struct pol_err *err)
{
	const char *store = fresh ? POL_STORE_NEW : POL_STORE;
	_cleanup_close_ int fd = meta_map(bytes, len);
	char path[256];
	int r;

	if (fd < 0)
		return pol_err_set(err, POL_ERR_FAILED, fd, "cannot store the policy's names");
	meta_path(store, generation, "", path, sizeof(path));
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot make '%s'", path);
	meta_path(store, generation, leaf, path, sizeof(path));
	r = bpf_obj_pin(fd, path);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot pin '%s'", path);
	return 0;
}

static int store_meta(const struct pol_meta *meta, bool fresh, const char *leaf,
		      struct pol_err *err)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;
	int r = pol_meta_encode(meta, &bytes, &len);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot store the policy's names");
	return store_bytes(meta->generation, bytes, len, fresh, leaf, err);
}

int pol_meta_announce(const struct pol_meta *meta, bool fresh, struct pol_err *err)
{
	return store_meta(meta, fresh, ANNOUNCED, err);
}

int pol_meta_store(const struct pol_meta *meta, bool fresh, struct pol_err *err)
{
	return store_meta(meta, fresh, STORED, err);
}

typedef int decode_fn(const char *bytes, size_t len, void *ret);

static int decode_meta(const char *bytes, size_t len, void *ret)
{
	return pol_meta_decode(bytes, len, ret);
}

static int decode_parts(const char *bytes, size_t len, void *ret)
{
	return pol_parts_decode(bytes, len, ret);
}

static int read_bytes(int fd, decode_fn *decode, void *ret)
{
	struct bpf_map_info info = {};
	__u32 info_len = sizeof(info);
	uint64_t len;
	size_t size;
	char *at;
	int r;

	r = bpf_obj_get_info_by_fd(fd, &info, &info_len);
	if (r < 0)
		return r;
	size = (size_t)info.max_entries * info.value_size;
	if (info.type != BPF_MAP_TYPE_ARRAY || size < sizeof(len))
		return -EPROTO;
	at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	memcpy(&len, at, sizeof(len));
	r = len > size - sizeof(len) ? -EPROTO : decode(at + sizeof(len), len, ret);
	(void)munmap(at, size);
	return r;
}

static int load_from(const char *store, uint64_t generation, const char *leaf, decode_fn *decode,
		     void *ret, struct pol_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	char path[256];
	int r;

	meta_path(store, generation, leaf, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd < 0)
		return pol_err_set(err, POL_ERR_FAILED, fd, "cannot open the pin '%s'", path);
	r = read_bytes(fd, decode, ret);
	if (r < 0)
		(void)pol_err_set(err, POL_ERR_FAILED, r, "cannot read the pin '%s'", path);
	if (r == -EPROTO)
		(void)pol_err_fix(err, "another version's: use the policyctl that loaded it, or "
				       "'policyctl unload' with that one and load again");
	return r < 0 ? r : 0;
}

int pol_meta_load(uint64_t generation, struct pol_meta **ret, struct pol_err *err)
{
	return load_from(POL_STORE, generation, STORED, decode_meta, ret, err);
}

int pol_parts_store(uint64_t generation, const struct pol_parts *parts, bool fresh,
		    struct pol_err *err)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;
	int r = pol_parts_encode(parts, &bytes, &len);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot store the rules' entries");
	return store_bytes(generation, bytes, len, fresh, PARTS, err);
}

int pol_parts_load(uint64_t generation, struct pol_parts *ret, struct pol_err *err)
{
	return load_from(POL_STORE, generation, PARTS, decode_parts, ret, err);
}

void pol_parts_forget(uint64_t generation)
{
	char path[256];

	meta_path(POL_STORE, generation, PARTS, path, sizeof(path));
	(void)unlink(path);
}

static bool is_pinned(uint64_t generation, const char *leaf)
{
	char path[256];

	meta_path(POL_STORE, generation, leaf, path, sizeof(path));
	return access(path, F_OK) == 0;
}

bool pol_parts_stored(uint64_t generation)
{
	return is_pinned(generation, PARTS);
}

bool pol_generation_is_announced(uint64_t generation)
{
	return is_pinned(generation, ANNOUNCED);
}

/* The generation of the next entry that is one's; 0: no more, and @dir is closed. */
static uint64_t next_generation(DIR *dir)
{
	unsigned long long generation;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "gen_%llu", &generation) == 1 && generation)
			return generation;
	if (dir)
		closedir(dir);
	return 0;
}

void pol_meta_each(const char *store, void (*fn)(const struct pol_meta *meta, void *arg), void *arg)
{
	DIR *dir = opendir(store);
	uint64_t generation;

	while ((generation = next_generation(dir))) {
		_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;

		if (load_from(store, generation, ANNOUNCED, decode_meta, &meta, NULL) >= 0)
			fn(meta, arg);
	}
}

void pol_generation_sweep(uint64_t active)
{
	DIR *dir = opendir(POL_STORE);
	uint64_t generation;
	char path[256];

	while ((generation = next_generation(dir))) {
		if (generation <= active && generation + POL_GENERATIONS_KEPT > active)
			continue;
		meta_path(POL_STORE, generation, "", path, sizeof(path));
		(void)pol_store_remove(path);
	}
}
