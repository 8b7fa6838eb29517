/* SPDX-License-Identifier: GPL-2.0-only */
/* The one definition of every map. The types, with what each is for, are in maps.bpf.h. */
#include "maps.bpf.h"
#include "config.bpf.h"

struct pol_map_control control SEC(".maps");
struct pol_map_cgroups cgroups SEC(".maps");
struct pol_map_labels labels SEC(".maps");
struct pol_map_states states SEC(".maps");
struct pol_map_files files SEC(".maps");
struct pol_map_tasks tasks SEC(".maps");
struct pol_map_owners owners SEC(".maps");
struct pol_map_exits exits SEC(".maps");
struct pol_map_ends ends SEC(".maps");
struct pol_outer_guests guests SEC(".maps");
struct pol_outer_dirs dirs SEC(".maps");
struct pol_outer_names_32 names_32 SEC(".maps");
struct pol_outer_names_64 names_64 SEC(".maps");
struct pol_outer_names_long names_long SEC(".maps");
struct pol_map_ring ring SEC(".maps");
struct pol_map_chat chat SEC(".maps");
struct pol_map_folds folds SEC(".maps");
struct pol_map_sources sources SEC(".maps");
struct pol_map_snapshots snapshots SEC(".maps");
struct pol_map_shadows shadows SEC(".maps");
struct pol_map_fails fails SEC(".maps");
struct pol_map_iter iter SEC(".maps");
struct pol_map_probe probe SEC(".maps");

const volatile __u64 pol_rename_lock = 0;
const volatile __u32 pol_unlabelled = POL_UNLABELLED_CGROUP;
const volatile bool pol_alloc_skippable = false;
const volatile __u64 pol_no_ends[sizeof(struct pol_guest_ends) / sizeof(__u64)] = {};

char LICENSE[] SEC("license") = "GPL";
