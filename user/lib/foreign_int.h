/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What foreign.c (who is in a foreign cgroup) and foreign_limits.c (its ceilings) share. */
#pragma once

#include "foreign.h"

/* pol_foreign_put() - make or change an entry. pol_foreign_forget() - delete it. */
int pol_foreign_put(const struct pol_engine *engine, uint64_t cgroup,
		    const struct pol_foreign *foreign, struct pol_err *err);
void pol_foreign_forget(const struct pol_engine *engine, uint64_t cgroup);

/* pol_foreign_file() - whose text saved[@i] is. */
const char *pol_foreign_file(size_t i);

/**
 * pol_foreign_put_back() - all ceilings as they were before, of the unit and in the cgroup's files.
 * @fd: -EBADF: the cgroup is gone; what systemd keeps for the unit is put back all the same.
 */
void pol_foreign_put_back(int fd, struct pol_foreign *foreign);
