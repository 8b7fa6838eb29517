/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ending a guest: all its processes, then its cgroup. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/**
 * struct pol_stop_result - @loaded: a policy was. @running: tasks that there were at the start.
 * @killed: some did not end by SIGTERM in time. @removed: there was a cgroup, which is gone.
 */
struct pol_stop_result {
	bool loaded;
	size_t running;
	bool killed;
	bool removed;
};

/**
 * pol_stop() - SIGTERM to all processes of a guest, SIGKILL to those left after @grace_ns, and its
 * cgroup is removed. `run` and `attach` make it again. Its units are stopped by systemd first, within
 * the grace. A cgroup of somebody else's is emptied, not removed.
 *
 * From the end of the grace on no load, run or attach goes on beside it. What forks all the time ends,
 * too: by cgroup.kill, and what lies elsewhere by the engine's own account of labels.
 *
 * Return: 0, also if nothing runs or nothing is loaded; -ENOENT: the policy lacks the guest; -EBUSY
 * (kind POL_ERR_BUSY): another command holds the engine; -EBUSY: threads that were attached alone are
 * left, or tasks that cannot be killed; -ETIMEDOUT, -EIO: a unit's stop does not end, or was canceled;
 * kind POL_ERR_HOST: the guest has units, and systemd cannot be reached.
 */
int pol_stop(const char *name, int64_t grace_ns, struct pol_stop_result *ret, struct pol_err *err);
