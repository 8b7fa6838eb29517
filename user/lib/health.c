/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "health.h"

#include <dirent.h>
#include <stdio.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base.h"

#define LINKS POL_STORE "/links"

void pol_health_fails(const struct pol_engine *engine, uint64_t ret[POL_FAILS_CNT])
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;

	for (__u32 i = 0; i < POL_FAILS_CNT; i++) {
		ret[i] = 0;
		if (!values || bpf_map_lookup_elem(engine->maps[POL_MAP_FAILS], &i, values) < 0)
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			ret[i] += values[cpu];
	}
}

/* Return: a descriptor of the link's program, or a negative errno. */
static int open_program(int link)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int r = bpf_obj_get_info_by_fd(link, &info, &len);

	return r < 0 ? r : bpf_prog_get_fd_by_id(info.prog_id);
}

static int misses_of_program(int prog, uint64_t *ret)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int r = bpf_obj_get_info_by_fd(prog, &info, &len);

	if (r < 0)
		return r;
	*ret = info.recursion_misses;
	return 0;
}

static int misses_of_pin(const char *name, uint64_t *ret)
{
	_cleanup_close_ int link = -EBADF, prog = -EBADF;
	char path[512];

	(void)snprintf(path, sizeof(path), LINKS "/%s", name);
	link = bpf_obj_get(path);
	if (link < 0)
		return link;
	prog = open_program(link);
	if (prog < 0)
		return prog;
	return misses_of_program(prog, ret);
}

int pol_health_misses(uint64_t *ret)
{
	DIR *dir = opendir(LINKS);
	struct dirent *entry;
	uint64_t sum = 0;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		uint64_t misses = 0;

		if (entry->d_name[0] == '.')
			continue;
		r = misses_of_pin(entry->d_name, &misses);
		sum += misses;
	}
	(void)closedir(dir);
	if (r == 0)
		*ret = sum;
	return r;
}
