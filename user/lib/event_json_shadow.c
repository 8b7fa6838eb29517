/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots of files in the hands of guests. */
#include "event_json_int.h"

void pol_json_shadow(struct pol_json_out *o)
{
	const struct pol_event_shadow *event = &o->view->shadow;
	struct pol_jsonw *w = &o->w;

	if (o->view->has_process)
		pol_json_process(o);
	put_word(w, "action", pol_shadow_word(event->action));
	pol_jsonw_key(w, "path");
	pol_json_path(o);
	put_u64(w, "size", event->size);
	put_bool(w, "exec", event->flags & POL_SHADOW_EXEC);
	put_bool(w, "lazy", event->flags & POL_SHADOW_LAZY);
	put_word(w, "op", pol_op_word(pol_event_shadow_op(event)));
	put_errno(o, pol_event_err(o->view));
}
