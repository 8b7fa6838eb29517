/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pol_guest_limits_set() */
#include <errno.h>

#include "base.h"
#include "handback.h"
#include "quiet.h"
#include "relimit.h"

#define KNOWN                                                                         \
	(POL_CEILING_FDS | POL_CEILING_PIDS | POL_CEILING_MEMORY | POL_CEILING_SWAP | \
	 POL_CEILING_CPU)

static const char *wrong_with(const struct pol_ceilings *c)
{
	if (!c->set && !c->lift)
		return "no ceiling is named";
	if ((c->set | c->lift) & ~(uint32_t)KNOWN)
		return "a ceiling that is not known";
	if (c->set & c->lift)
		return "a ceiling is set and lifted at once";
	if (c->lift & POL_CEILING_PIDS)
		return "the ceiling of tasks cannot be lifted";
	if (c->set & POL_CEILING_FDS && c->fds > POL_FDS_LIMIT_MAX)
		return "fds is from 0 to 1073741824";
	if (c->set & POL_CEILING_PIDS && (!c->pids || c->pids > POL_PIDS_LIMIT_MAX))
		return "pids is from 1 to 4194304";
	if (c->set & POL_CEILING_MEMORY && (c->memory < POL_MEMORY_MIN || c->memory > INT64_MAX))
		return "memory is at least 4096 and below 8 EiB";
	if (c->set & POL_CEILING_SWAP && c->swap > INT64_MAX)
		return "swap is below 8 EiB";
	if (c->set & POL_CEILING_CPU &&
	    (c->cpu_milli < POL_CPU_MILLI_MIN || c->cpu_milli > POL_CPU_MILLI_MAX))
		return "cpu_milli is from 10 to 8192000";
	return NULL;
}

static void change_one(const struct pol_ceilings *c, uint32_t which, uint64_t value,
		       uint64_t *limit)
{
	if (c->set & which)
		*limit = value;
	else if (c->lift & which)
		*limit = POL_LIMIT_MAX;
}

static void change(struct pol_limits *limits, const void *arg)
{
	const struct pol_ceilings *c = arg;

	change_one(c, POL_CEILING_FDS, c->fds, &limits->fds);
	change_one(c, POL_CEILING_PIDS, c->pids, &limits->pids);
	change_one(c, POL_CEILING_MEMORY, c->memory, &limits->memory_bytes);
	change_one(c, POL_CEILING_SWAP, c->swap, &limits->swap_bytes);
	change_one(c, POL_CEILING_CPU, c->cpu_milli, &limits->cpu_milli);
}

int pol_guest_limits_set(const char *guest, const struct pol_ceilings *ceilings,
			 struct pol_error *error)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	struct pol_ceilings taken;
	struct pol_err err = {};
	const char *wrong;
	int r;

	if (pol_take_in(ceilings, sizeof(taken), &taken, sizeof(taken)) < 0)
		return pol_fail_usage(error, "the size of struct pol_ceilings is not set");
	wrong = wrong_with(&taken);
	if (wrong)
		return pol_fail_usage(error, wrong);
	r = pol_engine_open(&engine, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	pol_quiet_begin();
	r = pol_relimit(engine, guest, change, &taken, &err);
	pol_quiet_end();
	return r < 0 ? pol_fail(error, r, &err) : 0;
}
