/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_pieces.h"

#include <string.h>

bool pol_piece_keep(struct pol_piece *piece, const struct pol_piece_key *key,
		    const struct pol_jsonw *w, size_t from)
{
	size_t len = (size_t)(w->p - w->buf) - from;

	if (!piece || w->overflow || len > sizeof(piece->text))
		return false;
	piece->key = *key;
	piece->len = (uint32_t)len;
	piece->lead = w->lead;
	memcpy(piece->text, w->buf + from, len);
	return true;
}

/* All of a text but its bytes. */
static uint64_t shape(const struct pol_event_text *text)
{
	return (uint64_t)text->len << 2 | (uint64_t)text->truncated << 1 | !text->data;
}

static struct pol_piece_key process_key(const struct pol_event_view *view)
{
	return (struct pol_piece_key){ { shape(&view->exe), shape(&view->parent_exe) } };
}

static bool same_text(const char *kept, const struct pol_event_text *text)
{
	return !text->len || memcmp(kept, text->data, text->len) == 0;
}

bool pol_piece_process_is(const struct pol_piece_process *piece, const struct pol_event_view *view)
{
	const struct pol_piece_key key = process_key(view);

	return pol_piece_is(&piece->piece, &key) &&
	       memcmp(&piece->process, &view->process, sizeof(view->process)) == 0 &&
	       same_text(piece->exe, &view->exe) && same_text(piece->parent_exe, &view->parent_exe);
}

void pol_piece_process_keep(struct pol_piece_process *piece, const struct pol_event_view *view,
			    const struct pol_jsonw *w, size_t from)
{
	const struct pol_piece_key key = process_key(view);

	if (view->exe.len > sizeof(piece->exe) ||
	    view->parent_exe.len > sizeof(piece->parent_exe) ||
	    !pol_piece_keep(&piece->piece, &key, w, from))
		return;
	piece->process = view->process;
	if (view->exe.len)
		memcpy(piece->exe, view->exe.data, view->exe.len);
	if (view->parent_exe.len)
		memcpy(piece->parent_exe, view->parent_exe.data, view->parent_exe.len);
}
