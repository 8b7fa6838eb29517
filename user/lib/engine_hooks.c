/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hooks that are attached only when a policy needs them, in groups: all of one, or none. */
#include <stdio.h>
#include <time.h>
#include <bpf/bpf.h>

#include "base.h"
#include "engine.h"
#include "engine_int.h"

#define FREE_WAIT_S 10

static const enum pol_group groups[] = {
#define X(nr, prog, wall) POL_GROUP_FDS,
	POL_FD_HOOKS(X)
#undef X
#define X(nr, prog, hook) POL_GROUP_STAT,
		POL_STAT_HOOKS(X)
#undef X
#define X(nr, prog, group) POL_GROUP_##group,
			POL_TOLD_HOOKS(X)
#undef X
#define X(nr, prog, hook) POL_GROUP_SHADOW,
				POL_SHADOW_HOOKS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(groups) == POL_PROGS_CNT - POL_PROG_GROUPS_FIRST, "a group for each");

static bool is_of(size_t nr, enum pol_group group)
{
	return groups[nr - POL_PROG_GROUPS_FIRST] == group;
}

static void link_path(size_t nr, char *buf, size_t size)
{
	(void)snprintf(buf, size, POL_STORE "/links/%s", pol_prog_name((enum pol_prog_nr)nr));
}

static bool is_attached(const struct pol_engine *engine, size_t nr)
{
	char path[256];

	link_path(nr, path, sizeof(path));
	return engine->links[nr] >= 0 || (!engine->skel && access(path, F_OK) == 0);
}

/* Of a pinned engine; a fresh one's links are pinned with the others. */
static int pin_link(const struct pol_engine *engine, size_t nr)
{
	char path[256];

	if (engine->skel)
		return 0;
	link_path(nr, path, sizeof(path));
	return bpf_obj_pin(engine->links[nr], path);
}

/* A link that was just taken away keeps its program's place until the kernel comes to free it. */
static int open_link(int prog)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	int r = bpf_raw_tracepoint_open(NULL, prog);

	for (int i = 0; r == -EBUSY && i < FREE_WAIT_S * 50; i++) {
		nanosleep(&tick, NULL);
		r = bpf_raw_tracepoint_open(NULL, prog);
	}
	return r;
}

static int attach(struct pol_engine *engine, size_t nr, struct pol_err *err)
{
	const char *name = pol_prog_name((enum pol_prog_nr)nr);
	int r;

	r = engine->links[nr] = open_link(engine->progs[nr]);
	if (r < 0)
		return pol_err_set(err, POL_ERR_HOST, r, "cannot attach the program '%s'", name);
	r = pin_link(engine, nr);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot pin the link of '%s'", name);
	return 0;
}

/* The kernel detaches a program some time after its last reference is gone. */
static void detach(struct pol_engine *engine, size_t nr)
{
	char path[256];

	link_path(nr, path, sizeof(path));
	if (!engine->skel)
		(void)unlink(path);
	pol_closep(&engine->links[nr]);
	engine->links[nr] = -EBADF;
}

void pol_engine_undo_attach(struct pol_engine *engine)
{
	for (size_t i = POL_PROG_GROUPS_FIRST; i < POL_PROGS_CNT; i++)
		if (engine->links[i] >= 0)
			detach(engine, i);
}

void pol_engine_detach(struct pol_engine *engine, enum pol_group group)
{
	for (size_t i = POL_PROG_GROUPS_FIRST; i < POL_PROGS_CNT; i++)
		if (is_of(i, group))
			detach(engine, i);
}

int pol_engine_attach(struct pol_engine *engine, enum pol_group group, struct pol_err *err)
{
	int r = 0;

	for (size_t i = POL_PROG_GROUPS_FIRST; i < POL_PROGS_CNT && !r; i++)
		if (is_of(i, group) && engine->progs[i] >= 0 && !is_attached(engine, i))
			r = attach(engine, i, err);
	if (r < 0)
		pol_engine_undo_attach(engine);
	return r;
}

bool pol_engine_counts_skippable(const struct pol_engine *engine)
{
	return engine->progs[POL_PROG_FD_ALLOC_FMOD] >= 0 &&
	       is_attached(engine, POL_PROG_FD_ALLOC_FMOD);
}
