/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of the loaded policy that have come, or come anew, since it was loaded. */
#pragma once

#include <sys/types.h>

#include "diag.h"
#include "err.h"

/**
 * struct pol_refresh_result - @held: members that are the guest's now, or adopt themselves. @adopted:
 * of them, those that were not before.
 */
struct pol_refresh_result {
	size_t held;
	size_t adopted;
};

/**
 * pol_members_refresh() - adopt those that are there and not the guest's yet: a unit that was started
 * anew, a cgroup that was made again, a process whose pid file has come. Ceilings of those that are the
 * guest's already are written again, memory.oom.group included.
 * @unit: only this one, as the policy names it; NULL: all members.
 * @diags: gets a warning for what is not there, an error for what is refused; by the policy's lines.
 *
 * One by one: what fails keeps no other from it. A unit that adopts itself, by `run --in-place`, is
 * left to it.
 * Context: holds the engine's lock, as a load does, which waits for it and for which it waits.
 * Return: 0; -ENOENT: nothing is loaded; the first failure: as pol_joining_check(), or -EINVAL: @diags
 * has it; -EAGAIN: a unit has forked and not begun its program, as which alone it is adopted; -EBUSY (kind POL_ERR_BUSY): another command holds the engine.
 */
int pol_members_refresh(const char *unit, struct pol_diags *diags, struct pol_refresh_result *ret,
			struct pol_err *err);

/**
 * pol_members_adopt_here() - @pid becomes the guest where it is, with all that lies in the cgroup of
 * the member that it is in. The caller must lie elsewhere.
 *
 * Return: 0; -EPERM: that cgroup is no member's of the guest; -ENOENT: no such guest, nothing is
 * loaded; -EOPNOTSUPP: the guest has tmp = "private"; else as pol_members_refresh().
 */
int pol_members_adopt_here(const char *guest, pid_t pid, struct pol_diags *diags,
			   struct pol_err *err);
