/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map, as the programs see it: named types and extern declarations. Each has its one
 * definition in maps.bpf.c. Documentation/bpf-maps.rst has writer, reader and lifetime of each.
 *
 * What belongs to a generation is in maps of maps with two slots, [generation & 1]: user space
 * fills the idle slot, publishes by control.active, and lets RCU pass before it reuses a slot.
 */
#pragma once

#include "core.bpf.h"

#define POL_SLOTS 2

#define POL_FOLDS 2048u
#define POL_FOLD_WORDS 12 /* of a struct pol_report */
#define POL_FOLD_SIZE (sizeof(struct pol_event) + POL_PATH_SMALL)

/**
 * struct pol_fold - a window: one refusal, and what of its kind came within a second of it.
 * @state: POL_FOLD_*. @guest: whose. @repeats: so far. @until_ns: CLOCK_BOOTTIME at which the window ends.
 * @key: the refusal (struct pol_report). @record: its record, with a path of POL_PATH_SMALL: of a
 *	 longer one the end nearest to the root is missing.
 *
 * All but @record changes under @lock; that is its writer's alone while @state says so.
 */
struct pol_fold {
	struct bpf_spin_lock lock;
	u32 state;
	struct bpf_timer timer;
	u64 until_ns;
	u32 guest;
	u32 repeats;
	u32 has_record;
	u32 pad;
	u64 key[POL_FOLD_WORDS];
	u64 record[POL_FOLD_SIZE / 8];
};

struct pol_map_control {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct pol_control);
};

struct pol_map_cgroups {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POL_CGROUP_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct pol_cgroup_slot);
};

struct pol_map_labels {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pol_label);
};

struct pol_map_states {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POL_GUESTS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct pol_guest_state);
};

/* By address of a struct file, of a struct task_struct: never followed, only compared. */
struct pol_map_files {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, POL_FILES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct pol_file_charge);
};

struct pol_map_tasks {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, POL_TASKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct pol_task_charge);
};

/*
 * By address of a struct file, too. An entry outlives its file: of the next one at that address it
 * says nothing until that has an owner, and then pol_set_owner() has written it anew.
 */
struct pol_map_owners {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, POL_OWNERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct pol_file_owner);
};

/* The newest exits, those of other guests out of the way of a flood. */
struct pol_map_exits {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POL_EXIT_SETS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct pol_exit_set);
};

struct pol_map_ends {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, POL_GUESTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct pol_guest_ends);
};

/*
 * Inner maps: max_entries of hashes is the image's; the templates' do not count. By sizes and not by
 * types: 6.1 holds a map with BTF and one without (generation.c makes those) for different.
 */
struct pol_map_guests {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POL_GUESTS_MAX);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct pol_guest_config));
};

struct pol_map_dirs {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct pol_dir_key));
	__uint(value_size, sizeof(struct pol_rule_value));
};

#define POL_NAME_KEY(n)                                                                            \
	struct pol_name_key_##n {                                                                  \
		struct pol_dir_key dir;                                                            \
		char name[n];                                                                      \
	};                                                                                         \
	struct pol_map_names_##n {                                                                 \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, 1);                                                            \
		__uint(key_size, sizeof(struct pol_name_key_##n));                                 \
		__uint(value_size, sizeof(struct pol_rule_value));                                 \
	};
POL_NAME_KEY(32)
POL_NAME_KEY(64)

struct pol_map_names_long {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct pol_long_key));
	__uint(value_size, sizeof(struct pol_long_value));
};

#define POL_OUTER(inner)                                                                           \
	struct pol_outer_##inner {                                                                 \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, POL_SLOTS);                                                    \
		__type(key, u32);                                                                  \
		__array(values, struct pol_map_##inner);                                           \
	};
POL_OUTER(guests)
POL_OUTER(dirs)
POL_OUTER(names_32)
POL_OUTER(names_64)
POL_OUTER(names_long)

#define POL_RING_SIZE (16u << 20) /* some 12 000 refusals with their paths */
#define POL_CHAT_SIZE (4u << 20)

struct pol_map_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, POL_RING_SIZE);
};

/* What a guest that does nothing wrong makes: a flood of it is in nobody's way. */
struct pol_map_chat {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, POL_CHAT_SIZE);
};

/* Windows in which equal refusals are one record (fold.bpf.c). */
struct pol_map_folds {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POL_FOLDS);
	__type(key, u32);
	__type(value, struct pol_fold);
};

/* What files there are snapshots of, and who has them: while a policy asks for such (shadow.bpf.c). */
struct pol_map_sources {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, POL_SNAPSHOTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pol_dir_key);
	__type(value, struct pol_source);
};

struct pol_map_snapshots {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, POL_SNAPSHOTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pol_memory_file);
	__type(value, struct pol_snapshot);
};

struct pol_map_shadows {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, POL_SHADOWS_MAX + 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pol_shadow_key);
	__type(value, struct pol_shadow_value);
};

struct pol_map_fails {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, POL_FAILS_CNT);
	__type(key, u32);
	__type(value, u64);
};

struct pol_map_iter {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pol_iter_command);
};

struct pol_map_probe {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct pol_probe);
};

/*
 * clang 14 describes the value types of an extern map only as forward declarations, and the linker
 * then refuses the map. A function that takes them makes the description whole; never called.
 */
struct pol_map_types {
	struct pol_control control;
	struct pol_cgroup_slot cgroup_slot;
	struct pol_label label;
	struct pol_guest_state guest_state;
	struct pol_file_charge file_charge;
	struct pol_task_charge task_charge;
	struct pol_file_owner file_owner;
	struct pol_exit_set exit_set;
	struct pol_guest_ends guest_ends;
	struct pol_guest_config guest_config;
	struct pol_dir_key dir_key;
	struct pol_rule_value rule_value;
	struct pol_name_key_32 name_key_32;
	struct pol_name_key_64 name_key_64;
	struct pol_long_key long_key;
	struct pol_long_value long_value;
	struct pol_iter_command iter_command;
	struct pol_probe probe;
	struct pol_fold fold;
	struct pol_source source;
	struct pol_memory_file memory_file;
	struct pol_snapshot snapshot;
	struct pol_shadow_key shadow_key;
	struct pol_shadow_value shadow_value;
};

static __attribute__((used, noinline)) int pol_map_types_seen(const struct pol_map_types *types)
{
	return !types;
}

extern struct pol_map_control control;
extern struct pol_map_cgroups cgroups;
extern struct pol_map_labels labels;
extern struct pol_map_states states;
extern struct pol_map_files files;
extern struct pol_map_tasks tasks;
extern struct pol_map_owners owners;
extern struct pol_map_exits exits;
extern struct pol_map_ends ends;
extern struct pol_outer_guests guests;
extern struct pol_outer_dirs dirs;
extern struct pol_outer_names_32 names_32;
extern struct pol_outer_names_64 names_64;
extern struct pol_outer_names_long names_long;
extern struct pol_map_ring ring;
extern struct pol_map_chat chat;
extern struct pol_map_folds folds;
extern struct pol_map_sources sources;
extern struct pol_map_snapshots snapshots;
extern struct pol_map_shadows shadows;
extern struct pol_map_fails fails;
extern struct pol_map_iter iter;
extern struct pol_map_probe probe;
