/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exit_fill.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)POL_ENDED_EXIT == POL_CAUSE_EXIT && (int)POL_ENDED_SIGNAL == POL_CAUSE_SIGNAL &&
		       (int)POL_ENDED_OOM == POL_CAUSE_OOM &&
		       (int)POL_ENDED_CEILING == POL_CAUSE_CEILING &&
		       (int)POL_ENDED_POLICY == POL_CAUSE_POLICY &&
		       (int)POL_ENDED_UNKNOWN == POL_CAUSE_UNKNOWN,
	       "the same numbers");
_Static_assert(sizeof(((struct pol_exit *)0)->command) > POL_COMM_SIZE, "command and its NUL");

static void fill_name(const struct pol_event_view *view, struct pol_names *names, char *buf,
		      size_t size)
{
	struct pol_event_ctx ctx = {};
	const char *name;

	if (!names || !view->guest || view->outside)
		return;
	pol_names_context(names, &ctx);
	name = ctx.guest_name(ctx.arg, view->generation, view->guest);
	if (name)
		(void)snprintf(buf, size, "%s", name);
}

void pol_exit_fill(const struct pol_event_view *view, struct pol_names *names, struct pol_exit *ret)
{
	const struct pol_event_process *process = &view->process;

	*ret = (struct pol_exit){
		.seq = view->seq,
		.start_ns = process->start_ns,
		.end_ns = view->boot_ns,
		.guest_id = view->outside ? 0 : view->guest,
		.pid = (int32_t)process->tgid,
		.parent = (int32_t)process->parent_tgid,
		.uid = process->uid,
		.gid = process->gid,
		.by = view->exit.cause,
	};
	ret->status = pol_event_status(&view->exit, &ret->code, &ret->signal);
	if (ret->signal < 0)
		ret->signal = 0;
	memcpy(ret->command, process->comm, sizeof(process->comm));
	fill_name(view, names, ret->guest, sizeof(ret->guest));
}
