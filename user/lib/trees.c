/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trees.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <bpf/btf.h>

#include "base.h"

static bool has_btrfs(void)
{
	FILE *in = fopen("/proc/filesystems", "re");
	char line[256];
	bool found = false;

	while (in && !found && fgets(line, sizeof(line), in))
		found = strcmp(line, "\tbtrfs\n") == 0;
	if (in)
		(void)fclose(in);
	return found;
}

/* Bytes from the start of @type to its @member; -1: not there. */
static long offset_of(const struct btf *btf, const char *type, const char *member)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *found = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	const struct btf_member *members = found ? btf_members(found) : NULL;

	for (__u32 i = 0; found && i < btf_vlen(found); i++)
		if (strcmp(btf__name_by_offset(btf, members[i].name_off), member) == 0)
			return (long)btf_member_bit_offset(found, i) / 8;
	return -1;
}

static void learn_from(const struct btf *btf, struct pol_control *control)
{
	long root = offset_of(btf, "btrfs_inode", "root");
	long inode = offset_of(btf, "btrfs_inode", "vfs_inode");
	long key = offset_of(btf, "btrfs_root", "root_key");
	long id = offset_of(btf, "btrfs_key", "objectid");

	if (root < 0 || inode < 0 || key < 0 || id < 0)
		return;
	control->btrfs_root = (__s32)(root - inode);
	/* What says that both are valid, last. */
	__atomic_store_n(&control->btrfs_id, (__u32)(key + id), __ATOMIC_RELEASE);
}

void pol_trees_learn(struct pol_control *control)
{
	struct btf *kernel, *module = NULL;

	if (control->btrfs_id || !has_btrfs())
		return;
	kernel = btf__load_vmlinux_btf();
	if (!kernel)
		return;
	/* A module has types of its own; built in, they are the kernel's. */
	module = btf__load_module_btf("btrfs", kernel);
	learn_from(module ? module : kernel, control);
	btf__free(module);
	btf__free(kernel);
}
