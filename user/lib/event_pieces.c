/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_pieces.h"

#include <string.h>

#include "copy.h"

void pol_piece_key(struct pol_piece_key *key, struct pol_piece *slots, size_t cnt, uint64_t nr,
		   uint64_t a, uint64_t b)
{
	const uint64_t numbers[] = { nr, a, b };

	key->piece = slots ? &slots[nr & (cnt - 1)] : NULL;
	key->len = sizeof(numbers);
	memcpy(key->bytes, numbers, sizeof(numbers));
}

static unsigned char *add_text(unsigned char *to, const struct pol_event_text *text)
{
	const uint32_t head = (uint32_t)text->len << 2 | (uint32_t)text->truncated << 1 | !text->data;

	memcpy(to, &head, sizeof(head));
	to += sizeof(head);
	if (text->len)
		pol_copy((char *)to, text->data, text->len);
	return to + text->len;
}

void pol_piece_key_process(struct pol_piece_key *key, struct pol_pieces *pieces,
			   const struct pol_event_view *view)
{
	const struct pol_event_process *process = &view->process;
	unsigned char *to = key->bytes;

	key->piece = pieces ? &pieces->processes[process->tid % 16] : NULL;
	if (!pieces)
		return;
	memcpy(to, process, sizeof(*process));
	to = add_text(to + sizeof(*process), &view->exe);
	to = add_text(to, &view->parent_exe);
	key->len = (size_t)(to - key->bytes);
}

bool pol_piece_put(struct pol_piece_key *key, struct pol_jsonw *w)
{
	const struct pol_piece *piece = key->piece;

	key->from = (size_t)(w->p - w->buf);
	if (!piece || piece->key_len != key->len || memcmp(piece->key, key->bytes, key->len) != 0)
		return false;
	pol_jsonw_raw_bytes(w, piece->text, piece->len);
	return true;
}

void pol_piece_keep(const struct pol_piece_key *key, const struct pol_jsonw *w)
{
	size_t len = (size_t)(w->p - w->buf) - key->from;
	struct pol_piece *piece = key->piece;

	if (!piece || w->overflow || len > sizeof(piece->text))
		return;
	piece->key_len = key->len;
	piece->len = len;
	memcpy(piece->key, key->bytes, key->len);
	memcpy(piece->text, w->buf + key->from, len);
}
