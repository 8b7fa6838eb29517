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

static inline bool same_text(const struct pol_piece_text *kept, const struct pol_event_text *text)
{
	return kept->len == text->len && kept->truncated == text->truncated &&
	       kept->known == (text->data != NULL) &&
	       (!text->len || memcmp(kept->bytes, text->data, text->len) == 0);
}

static void keep_text(struct pol_piece_text *kept, const struct pol_event_text *text)
{
	kept->len = text->len;
	kept->truncated = text->truncated;
	kept->known = text->data;
	if (text->len)
		memcpy(kept->bytes, text->data, text->len);
}

bool pol_piece_process_is(const struct pol_piece_process *piece, const struct pol_event_view *view)
{
	return piece->piece.len &&
	       memcmp(&piece->process, &view->process, sizeof(view->process)) == 0 &&
	       same_text(&piece->exe, &view->exe) &&
	       same_text(&piece->parent_exe, &view->parent_exe);
}

void pol_piece_process_keep(struct pol_piece_process *piece, const struct pol_event_view *view,
			    const struct pol_jsonw *w, size_t from)
{
	static const struct pol_piece_key none;

	if (view->exe.len > sizeof(piece->exe.bytes) ||
	    view->parent_exe.len > sizeof(piece->parent_exe.bytes) ||
	    !pol_piece_keep(&piece->piece, &none, w, from))
		return;
	piece->process = view->process;
	keep_text(&piece->exe, &view->exe);
	keep_text(&piece->parent_exe, &view->parent_exe);
}
