/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_json_int.h"

static void put_exe(struct pol_jsonw *w, const struct pol_event_text *exe, size_t max)
{
	put_bytes(w, "exe", exe->data, exe->len, max, exe->truncated);
}

static void put_parent(struct pol_json_out *o)
{
	const struct pol_event_process *process = &o->view->process;
	struct pol_jsonw *w = &o->w;

	pol_jsonw_key(w, "parent");
	if (!process->parent_tgid) {
		pol_jsonw_null(w);
		return;
	}
	pol_jsonw_open(w, '{');
	put_u64(w, "pid", process->parent_tgid);
	put_comm(w, process->parent_comm);
	put_exe(w, &o->view->parent_exe, o->caps->parent_exe);
	pol_jsonw_close(w, '}');
}

/* Return: whether its cgroup is known. */
static bool put_process_value(struct pol_json_out *o)
{
	const struct pol_event_process *process = &o->view->process;
	const struct pol_event_ctx *ctx = o->ctx;
	struct pol_jsonw *w = &o->w;
	const char *cgroup;

	pol_jsonw_open(w, '{');
	put_u64(w, "pid", process->tgid);
	put_u64(w, "tid", process->tid);
	pol_jsonw_key(w, "start_ns");
	pol_jsonw_u64_text(w, process->start_ns);
	put_u64(w, "uid", process->uid);
	put_u64(w, "gid", process->gid);
	put_comm(w, process->comm);
	put_exe(w, &o->view->exe, o->caps->exe);
	cgroup = ctx->cgroup ? ctx->cgroup(ctx->arg, process->cgroup) : NULL;
	put_small(o, "cgroup", cgroup);
	put_parent(o);
	pol_jsonw_close(w, '}');
	return cgroup;
}

void pol_json_process(struct pol_json_out *o)
{
	struct pol_piece_process *piece = POL_JSON_PLACE(o, processes, o->view->process.tid);
	size_t from;

	if (!o->view->has_process)
		return put_null(&o->w, "process");
	if (piece && pol_piece_process_is(piece, o->view))
		return pol_piece_put(&piece->piece, &o->w);
	from = (size_t)(o->w.p - o->w.buf);
	pol_jsonw_key(&o->w, "process");
	if (put_process_value(o) && piece)
		pol_piece_process_keep(piece, o->view, &o->w, from);
}
