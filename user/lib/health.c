/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "health.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int ask_program(int prog, struct pol_program_stats *ret)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int r = bpf_obj_get_info_by_fd(prog, &info, &len);

	if (r < 0)
		return r;
	ret->runs = info.run_cnt;
	ret->run_ns = info.run_time_ns;
	ret->skipped = info.recursion_misses;
	return 0;
}

static int ask_pin(const char *name, struct pol_program_stats *ret)
{
	_cleanup_close_ int link = -EBADF, prog = -EBADF;
	char path[512];

	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	(void)snprintf(path, sizeof(path), LINKS "/%s", name);
	link = bpf_obj_get(path);
	if (link < 0)
		return link;
	prog = open_program(link);
	if (prog < 0)
		return prog;
	return ask_program(prog, ret);
}

static int by_name(const void *a, const void *b)
{
	const struct pol_program_stats *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int ask_next(const char *name, struct pol_program_stats **programs, size_t *cnt)
{
	struct pol_program_stats *more = reallocarray(*programs, *cnt + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*programs = more;
	return ask_pin(name, &more[(*cnt)++]);
}

int pol_health_programs(struct pol_program_stats **ret, size_t *ret_cnt)
{
	_cleanup_free_ struct pol_program_stats *programs = NULL;
	DIR *dir = opendir(LINKS);
	struct dirent *entry;
	size_t cnt = 0;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = ask_next(entry->d_name, &programs, &cnt);
	(void)closedir(dir);
	if (r < 0)
		return r;
	if (cnt)
		qsort(programs, cnt, sizeof(*programs), by_name);
	*ret = TAKE_PTR(programs);
	*ret_cnt = cnt;
	return 0;
}
