/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs are made of, one piece each, on file_open: so that one can tell beforehand what an
 * engine of other pieces would cost. Shapes and sizes as in bpf/; `make bench` has the figures.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define SLOTS  32768u /* POL_CGROUP_SLOTS */
#define RECORD 1328u  /* a violation with a short path */
#define LOOPS  8

/* The value is needed, as far as the compiler knows. */
#define used(value) __asm__ volatile("" : : "r"(value))

struct key {
	__u64 words[3];
};

struct value {
	__u64 words[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct value);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} labels SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct key);
	__type(value, struct value);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct value);
} files SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct value);
} inner_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { &inner_array } };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8u << 20);
} records SEC(".maps");

#define PIECE(name) SEC("?lsm/file_open") int BPF_PROG(piece_##name, struct file *file)

/* An element of an array: the verifier makes it a load. */
PIECE(array)
{
	__u32 at = 0;
	struct value *value = bpf_map_lookup_elem(&slots, &at);

	used(value ? value->words[0] : 0);
	return 0;
}

/* The id of the current task's cgroup. */
PIECE(cgroup)
{
	struct task_struct *task = bpf_get_current_task_btf();

	used(task->cgroups->dfl_cgrp->kn->id);
	return 0;
}

/* The same, and one probe of a table by it. */
PIECE(cgroup_probe)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = task->cgroups->dfl_cgrp->kn->id;
	__u32 at = (id * 0x9E3779B97F4A7C15ull >> 40) & (SLOTS - 1);
	struct value *value = bpf_map_lookup_elem(&slots, &at);

	used(value ? value->words[0] == id : 0);
	return 0;
}

/* Task storage where the task has none; where it has. */
PIECE(storage_none)
{
	used(bpf_task_storage_get(&labels, bpf_get_current_task_btf(), NULL, 0));
	return 0;
}

PIECE(storage_hit)
{
	used(bpf_task_storage_get(&labels, bpf_get_current_task_btf(), NULL,
				  BPF_LOCAL_STORAGE_GET_F_CREATE));
	return 0;
}

/* A map of a map of maps, and an element of it. */
PIECE(outer_array)
{
	__u32 at = 0;
	void *inner = bpf_map_lookup_elem(&outer, &at);
	struct value *value = inner ? bpf_map_lookup_elem(inner, &at) : NULL;

	used(value ? value->words[0] : 0);
	return 0;
}

/* A hash with a key of 24 bytes. */
PIECE(hash_miss)
{
	struct key key = { { 1, 2, 3 } };

	used(bpf_map_lookup_elem(&rules, &key));
	return 0;
}

PIECE(hash_hit)
{
	struct key key = { { 0 } };

	used(bpf_map_lookup_elem(&rules, &key));
	return 0;
}

/* A new element in a hash by address, and its end. */
PIECE(hash_cycle)
{
	struct value value = { { 0 } };
	__u64 key = 1;

	bpf_map_update_elem(&files, &key, &value, BPF_NOEXIST);
	bpf_map_delete_elem(&files, &key);
	return 0;
}

/* Eight bytes of kernel memory by the helper. */
PIECE(probe_read)
{
	__u64 word;

	bpf_probe_read_kernel(&word, sizeof(word), file);
	used(word);
	return 0;
}

static int nothing(__u32 i, void *arg)
{
	return 0;
}

/* bpf_loop, eight times nothing. */
PIECE(loop_8)
{
	bpf_loop(LOOPS, nothing, NULL, 0);
	return 0;
}

/* A compare-and-swap. */
PIECE(swap)
{
	__u32 at = 0;
	struct value *value = bpf_map_lookup_elem(&slots, &at);

	if (value)
		used(__sync_val_compare_and_swap(&value->words[1], 0, 0));
	return 0;
}

/* The time, as in a record. */
PIECE(boot_ns)
{
	used(bpf_ktime_get_boot_ns());
	return 0;
}

/* A record of the size of a violation's: reserved, not filled, submitted. */
PIECE(ring)
{
	void *record = bpf_ringbuf_reserve(&records, RECORD, 0);

	if (record)
		bpf_ringbuf_submit(record, 0);
	return 0;
}

/* The path by the kernel's helper. */
PIECE(d_path)
{
	char path[256];

	used(bpf_d_path(&file->f_path, path, sizeof(path)));
	return 0;
}
