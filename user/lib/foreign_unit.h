/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ceilings of a foreign cgroup that is a unit's: as properties, which systemd keeps. */
#pragma once

#include "foreign.h"

/**
 * pol_unit_set_limits() - over the system bus, until the machine goes down (runtime).
 * @foreign: whose unit. @limits: to be set, NULL: none. @back: what was saved of these files is put back.
 * @before, @raise: with @raise only what @limits have higher than @before.
 *
 * When it returns systemd has written the cgroup's files, if the unit has a cgroup.
 * Return: 0; negative errno: no bus, no such unit (-ENOENT), what systemd said.
 */
int pol_unit_set_limits(const struct pol_foreign *foreign, const struct pol_limits *before,
			const struct pol_limits *limits, uint32_t back, bool raise,
			struct pol_err *err);
