/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other ceilings for one guest, while it runs: a generation that is the running one but for them.
 * What a command that dies on the way leaves, the next load or start puts right
 * (pol_load_finish()).
 */
#pragma once

#include "engine.h"
#include "meta.h"

/**
 * pol_relimit() - publish them, or change nothing.
 * @change: changes @limits, the guest's in the next generation.
 *
 * Raised before publishing, lowered after, as by a load. Context: neither under pol_lock() nor
 * pol_engine_use(). Return: 0, also if nothing is another value (no generation is made then);
 * -ENOENT: no such guest; -EOPNOTSUPP: it lies in cgroups that are somebody else's, and more than
 * descriptors are changed; -ENODEV: a controller lacks; -EBUSY (kind POL_ERR_BUSY): a load goes on.
 */
int pol_relimit(struct pol_engine *engine, const char *name,
		void (*change)(struct pol_limits *limits, const void *arg), const void *arg,
		struct pol_err *err);
