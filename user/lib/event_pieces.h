/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pieces that many JSON lines have in common - the second, the guest, what was refused, by which rule,
 * to which process - kept as they were written, to be copied: they are most of a line and of its cost.
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "event.h"
#include "jsonw.h"

#define POL_PIECE_TEXT_SIZE 640 /* what is longer is written anew each time */

/* struct pol_piece_key - all the numbers that a text was made of. */
struct pol_piece_key {
	uint64_t nr[5];
};

/* struct pol_piece - @len: 0: there is none. @lead: what stands before the next value or key. */
struct pol_piece {
	struct pol_piece_key key;
	uint32_t len;
	char lead;
	char text[POL_PIECE_TEXT_SIZE];
};

/* struct pol_piece_text - an executable's text. @known: it is not null. */
struct pol_piece_text {
	size_t len;
	bool truncated;
	bool known;
	char bytes[POL_EXE_SIZE + 2];
};

/* struct pol_piece_process - one that is made of a process and its executables, not of numbers. */
struct pol_piece_process {
	struct pol_piece piece;
	struct pol_event_process process;
	struct pol_piece_text exe;
	struct pol_piece_text parent_exe;
};

/**
 * struct pol_pieces - by what they are of; another one of the same place takes it. Zero at first. For
 * one context and its numbers: one host, one boot, one engine.
 */
struct pol_pieces {
	struct pol_piece heads[16];		/* by type */
	struct pol_piece guests[8];		/* by id */
	struct pol_piece policies[2];		/* by generation */
	struct pol_piece refused[16];		/* by operation */
	struct pol_piece devices[4];		/* by number */
	struct pol_piece rules[16];		/* by id */
	struct pol_piece suggests[8];		/* their ends, by rights */
	struct pol_piece ends[4];		/* of exits, by wait status */
	struct pol_piece causes[8];		/* of exits, by whose signal it was */
	struct pol_piece_process processes[16]; /* by tid */
};

/* pol_piece_is() - whether @piece is kept, and of @key. @piece: or NULL. */
POL_JSONW_INLINE bool pol_piece_is(const struct pol_piece *piece, const struct pol_piece_key *key)
{
	if (!piece || !piece->len)
		return false;
#pragma GCC unroll 5
	for (size_t i = 0; i < ARRAY_SIZE(key->nr); i++)
		if (piece->key.nr[i] != key->nr[i])
			return false;
	return true;
}

/* pol_piece_put() - write it: from what stands before its first key on. */
POL_JSONW_INLINE void pol_piece_put(const struct pol_piece *piece, struct pol_jsonw *w)
{
	if (!pol_jsonw_room(w, piece->len))
		return;
	memcpy(w->p, piece->text, piece->len);
	w->p += piece->len;
	w->lead = piece->lead;
}

/**
 * pol_piece_keep() - what was written since @from (an offset into the line) is the piece of @key.
 * Return: whether it is kept: it is not if there was no room for it, or @piece is NULL.
 */
bool pol_piece_keep(struct pol_piece *piece, const struct pol_piece_key *key,
		    const struct pol_jsonw *w, size_t from);

/* pol_piece_process_*() - likewise, of the process of @view, with its executables. */
bool pol_piece_process_is(const struct pol_piece_process *piece, const struct pol_event_view *view);
void pol_piece_process_keep(struct pol_piece_process *piece, const struct pol_event_view *view,
			    const struct pol_jsonw *w, size_t from);
