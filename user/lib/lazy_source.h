/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file behind a lazy shadow: that it is the one, and that it has not changed. */
#pragma once

#include "engine.h"
#include "lazy.h"

/**
 * struct pol_lazy_watch - what the engine knows of a shadow. @shadows, @control: its maps, and nothing
 * else of it: a pager does not keep an engine that is unloaded.
 */
struct pol_lazy_watch {
	int shadows;
	int control;
	struct pol_shadow_key key;
};
#define POL_LAZY_WATCH_INIT                          \
	{                                            \
		.shadows = -EBADF, .control = -EBADF \
	}

/**
 * pol_lazy_source_open() - open the file that a guest's lazy shadow is of.
 * @shadow: the descriptor. @path: of the file, as it was given to pol_shadow_give().
 * @watch: what @ret->stale looks at; the caller keeps it in its place until the pager is closed.
 *
 * Return: 0, @watch to be given to pol_lazy_watch_done(), and @ret's descriptor to be closed;
 * -ENOENT: @shadow is none of the guest's, or no such guest or file; -EINVAL: it is not a lazy one, or
 * @path is not absolute or has ".."; -ESTALE: the file has changed, or another one is at @path; as
 * pol_shadow_file_open(); -EBUSY: a load goes on.
 */
int pol_lazy_source_open(struct pol_engine *engine, const char *guest, int shadow, const char *path,
			 struct pol_lazy_watch *watch, struct pol_pager_source *ret,
			 struct pol_err *err);

void pol_lazy_watch_done(struct pol_lazy_watch *watch);
