/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of the loaded policy that have come, or come anew, since it was loaded. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "diag.h"
#include "err.h"

/**
 * struct pol_refresh_result - @held: it is the guest's now, or adopts itself. @adopted: it was not
 * before. @starting: it has forked and not begun its program, as which alone it is adopted. None: it
 * does not run.
 */
struct pol_refresh_result {
	bool held;
	bool adopted;
	bool starting;
};

/**
 * pol_members_refresh() - adopt a unit that runs and is not the guest's yet: started anew, or for the
 * first time since the load. If it is, its ceilings are written again, memory.oom.group included.
 * @unit: as the policy names it. One that adopts itself, by `run --in-place`, is left to it.
 * @diags: gets a warning for what is not there, an error for what is refused; by the policy's lines.
 *
 * Context: holds the engine's lock, as a load does. It does not wait for it: the caller has a loop.
 * Return: 0, also if no guest has that unit; -ENOENT: nothing is loaded; -EBUSY (kind POL_ERR_BUSY):
 * another command holds the engine; -EINVAL: @diags has it; else as pol_joining_check().
 */
int pol_members_refresh(const char *unit, struct pol_diags *diags, struct pol_refresh_result *ret,
			struct pol_err *err);

/**
 * pol_members_adopt_here() - @pid becomes the guest where it is, with all that lies in the cgroup of
 * the member that it is in. The caller must lie elsewhere.
 *
 * Context: as pol_members_refresh(), but waits 10 s for the lock.
 * Return: 0; -EPERM: that cgroup is no member's of the guest; -ENOENT: no such guest, nothing is
 * loaded; -EOPNOTSUPP: the guest has tmp = "private"; else as pol_members_refresh().
 */
int pol_members_adopt_here(const char *guest, pid_t pid, struct pol_diags *diags,
			   struct pol_err *err);
