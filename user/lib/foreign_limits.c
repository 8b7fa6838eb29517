/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written into foreign cgroups, and how they come to be as they were. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "ceilings.h"
#include "cgroup.h"
#include "file.h"
#include "foreign.h"
#include "foreign_int.h"
#include "foreign_unit.h"

/* The order is that of struct pol_foreign's bits: it must not change without POL_ABI_VERSION. */
static const struct {
	const char *file;
	const char
		*none; /* what a cgroup begins with, if its parent enables the controller later */
} files[] = {
	{ "pids.max", "max" },	     { "memory.max", "max" },	  { "memory.swap.max", "max" },
	{ "memory.oom.group", "0" }, { "cpu.max", "max 100000" }, { "io.max", "" },
};
#define IO	     POL_SAVED_IO
#define IO_TEXT_SIZE 16384 /* as ceilings.c: others may have given it more devices than we save */
_Static_assert(ARRAY_SIZE(files) == POL_SAVED_CNT, "one text for each");

const char *pol_foreign_file(size_t i)
{
	return files[i].file;
}

static uint32_t files_of(const struct pol_limits *limits)
{
	return 1u | (limits->memory_bytes != POL_LIMIT_UNSET ? 1u << 1 | 1u << 3 : 0) |
	       (limits->swap_bytes != POL_LIMIT_UNSET ? 1u << 2 : 0) |
	       (limits->cpu_milli != POL_LIMIT_UNSET ? 1u << 4 : 0) |
	       (limits->io_cnt ? 1u << IO : 0);
}

/* Return: 0; -E2BIG: more than there is room for. */
static int save(int fd, size_t i, struct pol_foreign *foreign)
{
	char *text = foreign->saved[i];
	int len = pol_file_read(fd, files[i].file, text, POL_SAVED_SIZE);

	if (len == POL_SAVED_SIZE - 1)
		return -E2BIG;
	text[len < 0 ? 0 : len] = '\0';
	foreign->written |= 1u << i;
	return 0;
}

/* io.max takes a line at a time: devices that have one now are freed, those that had get it back. */
static void restore_io(int fd, const char *before)
{
	_cleanup_free_ char *now = malloc(IO_TEXT_SIZE);
	char line[160], *at, *rest = now;

	if (now && pol_file_read(fd, files[IO].file, now, IO_TEXT_SIZE) > 0)
		while ((at = strsep(&rest, "\n")) && *at) {
			(void)snprintf(line, sizeof(line),
				       "%.*s rbps=max wbps=max riops=max wiops=max",
				       (int)strcspn(at, " "), at);
			(void)pol_file_write(fd, files[IO].file, line);
		}
	for (size_t len = 0; *before; before += len + (before[len] == '\n')) {
		len = strcspn(before, "\n");
		(void)snprintf(line, sizeof(line), "%.*s", (int)len, before);
		(void)pol_file_write(fd, files[IO].file, line);
	}
}

static void restore(int fd, size_t i, struct pol_foreign *foreign)
{
	const char *before = foreign->saved[i];

	if (i == IO)
		restore_io(fd, before);
	else
		(void)pol_file_write(fd, files[i].file, before[0] ? before : files[i].none);
	foreign->written &= ~(1u << i);
}

/* All of @which that were written. */
static void restore_files(int fd, uint32_t which, struct pol_foreign *foreign)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (foreign->written & which & 1u << i)
			restore(fd, i, foreign);
}

static bool lacks(int fd, uint32_t which)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (which & 1u << i && faccessat(fd, files[i].file, W_OK, 0) < 0)
			return true;
	return false;
}

static void enable(int fd, uint64_t cgroup, uint32_t which)
{
	char path[1024];

	if (lacks(fd, which) && !pol_cgroup_path_of(cgroup, path, sizeof(path)))
		pol_cgroup_enable_above(path);
}

/* The entry of a unit's earlier cgroup: it knows what the unit had before it was a guest's. */
struct search {
	const char *unit;
	uint64_t except;
	uint64_t cgroup; /* 0: there is none */
	struct pol_foreign foreign;
};

static int see_unit(uint64_t cgroup, const struct pol_foreign *foreign, void *arg)
{
	struct search *search = arg;

	if (cgroup != search->except && !strcmp(foreign->unit, search->unit)) {
		search->cgroup = cgroup;
		search->foreign = *foreign;
	}
	return 0;
}

/*
 * The entry of a cgroup, or a new one. systemd keeps a unit's ceilings over its restarts: what is in
 * the files of a new invocation is ours, and what was before stands in the entry of the last one.
 */
static int begin_entry(const struct pol_engine *engine, const struct pol_foreign_cgroup *at,
		       struct pol_foreign *ret, uint64_t *ret_earlier)
{
	struct search search = { .unit = at->unit, .except = at->id };
	int r = 0;

	if (pol_foreign_get(engine, at->id, ret) < 0 && at->unit)
		r = pol_foreign_each(engine->maps[POL_MAP_FOREIGN], see_unit, &search);
	if (search.cgroup) {
		*ret = search.foreign;
		ret->flags = 0;
	}
	*ret_earlier = search.cgroup;
	if (at->unit)
		(void)snprintf(ret->unit, sizeof(ret->unit), "%s", at->unit);
	return r;
}

static void drop_earlier(struct pol_engine *engine, uint64_t earlier)
{
	if (!earlier)
		return;
	pol_cgroups_drop(engine, earlier);
	pol_foreign_forget(engine, earlier);
}

/* systemd first: its files then have what they are to have, and only what it does not know is left. */
static int write_ceilings(struct pol_foreign *foreign, const struct pol_meta_guest *guest,
			  const struct pol_limits *before, const struct pol_foreign_cgroup *at,
			  uint32_t which, bool raise, struct pol_err *err)
{
	uint32_t back = raise ? 0 : foreign->written & ~which;
	int r = 0;

	if (foreign->unit[0])
		r = pol_unit_set_limits(foreign, before, &guest->limits, back, raise, err);
	else
		enable(at->fd, at->id, which);
	if (!r)
		r = pol_ceilings_write(at->fd, guest->name, before, &guest->limits, raise, err);
	if (!r && !raise)
		restore_files(at->fd, ~which, foreign);
	return r;
}

int pol_foreign_limit(struct pol_engine *engine, const struct pol_meta_guest *guest,
		      const struct pol_limits *before, const struct pol_foreign_cgroup *at,
		      bool raise, struct pol_err *err)
{
	struct pol_foreign foreign = {};
	uint32_t which = files_of(&guest->limits);
	uint64_t earlier;
	int r = begin_entry(engine, at, &foreign, &earlier);

	foreign.guest = guest->id;
	for (size_t i = 0; i < ARRAY_SIZE(files) && !r; i++)
		if (which & ~foreign.written & 1u << i)
			r = save(at->fd, i, &foreign);
	if (r < 0)
		return pol_err_set(
			err, POL_ERR_FAILED, r,
			"the ceilings that a cgroup of guest '%s' has cannot be noted down",
			guest->name);
	r = pol_foreign_put(engine, at->id, &foreign, err);
	if (r < 0)
		return r;
	drop_earlier(engine, earlier);
	r = write_ceilings(&foreign, guest, before, at, which, raise, err);
	return r < 0 || raise ? r : pol_foreign_put(engine, at->id, &foreign, err);
}

void pol_foreign_put_back(int fd, struct pol_foreign *foreign)
{
	if (foreign->unit[0])
		(void)pol_unit_set_limits(foreign, NULL, NULL, foreign->written, false, NULL);
	if (fd >= 0)
		restore_files(fd, ~0u, foreign);
}
