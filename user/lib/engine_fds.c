/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hooks of the descriptor ceiling, which are attached when the first policy needs them. */
#include <bpf/bpf.h>
#include <stdio.h>

#include "base.h"
#include "engine.h"
#include "engine_int.h"

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

static int attach(struct pol_engine *engine, size_t nr, struct pol_err *err)
{
	const char *name = pol_prog_name((enum pol_prog_nr)nr);
	int r;

	r = engine->links[nr] = bpf_raw_tracepoint_open(NULL, engine->progs[nr]);
	if (r < 0)
		return pol_err_set(err, POL_ERR_HOST, r, "cannot attach the program '%s'", name);
	r = pin_link(engine, nr);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot pin the link of '%s'", name);
	return 0;
}

void pol_engine_detach_fds(struct pol_engine *engine)
{
	char path[256];

	for (size_t i = POL_PROG_FD_FIRST; i < POL_PROGS_CNT; i++) {
		if (engine->links[i] < 0)
			continue;
		link_path(i, path, sizeof(path));
		if (!engine->skel)
			(void)unlink(path);
		pol_closep(&engine->links[i]);
		engine->links[i] = -EBADF;
	}
}

int pol_engine_attach_fds(struct pol_engine *engine, struct pol_err *err)
{
	int r = 0;

	for (size_t i = POL_PROG_FD_FIRST; i < POL_PROGS_CNT && !r; i++)
		if (engine->progs[i] >= 0 && !is_attached(engine, i))
			r = attach(engine, i, err);
	if (r < 0)
		pol_engine_detach_fds(engine);
	return r;
}

bool pol_engine_counts_skippable(const struct pol_engine *engine)
{
	return engine->progs[POL_PROG_FD_ALLOC_FMOD] >= 0 &&
	       is_attached(engine, POL_PROG_FD_ALLOC_FMOD);
}
