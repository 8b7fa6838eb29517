/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What writes an event's line of JSON (event_json*.c): the members' writers, and pieces of lines. */
#pragma once

#include "base.h"
#include "event_json.h"
#include "event_pieces.h"
#include "jsonw.h"
#include "words.h"

/**
 * struct pol_json_caps - most bytes of each escaped text, or hex digits. The first row is the contract's;
 * the others are for a line in which everything is long at once: still one line under the limit.
 */
struct pol_json_caps {
	size_t path;
	size_t hex;
	size_t rule_path;
	size_t exe;
	size_t parent_exe;
	size_t small; /* texts without a limit of their own: host, where, names, cgroup */
	bool suggest;
};

/* struct pol_json_out - a line that is being written. @generation: of the policy it is about. */
struct pol_json_out {
	struct pol_jsonw w;
	const struct pol_json_caps *caps;
	struct pol_pieces *pieces; /* NULL: not for lines that are cut shorter */
	const struct pol_event_view *view;
	const struct pol_event_ctx *ctx;
	uint64_t generation;
	bool plain; /* the path, once it is written: there was nothing to escape */
};

/* pol_json_word() - a word of words.h as a value, or null. */
void pol_json_word(struct pol_jsonw *w, const char *word);

/* pol_json_rights() - their words as a value. */
void pol_json_rights(struct pol_jsonw *w, uint32_t mask);

/* pol_json_hex() - "key_hex": the exact bytes, at most @max digits. */
void pol_json_hex(struct pol_jsonw *w, const char *key, const char *data, size_t len, size_t max);

/* pol_json_marks() - what a text needs beside it. @flags: POL_JSONW_*, of it. */
void pol_json_marks(struct pol_jsonw *w, const char *key, const char *data, size_t len, size_t max,
		    unsigned int flags);

/* Members, with their commas: of one type each, and what several have. */
void pol_json_process(struct pol_json_out *o);
void pol_json_violation(struct pol_json_out *o);
void pol_json_escape(struct pol_json_out *o);
void pol_json_allow(struct pol_json_out *o);
void pol_json_exit(struct pol_json_out *o);
void pol_json_ceiling(struct pol_json_out *o);
void pol_json_shadow(struct pol_json_out *o);

/* Behind "path": its value, path_truncated, and the exact bytes where the text can't have them. */
void pol_json_path(struct pol_json_out *o);

/* Where a piece of number @nr is or will be; NULL: nothing is kept. */
#define POL_JSON_PLACE(o, of, nr) \
	((o)->pieces ? &(o)->pieces->of[(nr) % ARRAY_SIZE((o)->pieces->of)] : NULL)

/**
 * pol_json_piece() - @write's piece, copied if it is kept, else written and kept.
 * @write: Return: whether it may be: not if something was not known that may be, later.
 */
POL_JSONW_INLINE void pol_json_piece(struct pol_json_out *o, struct pol_piece *piece,
				     struct pol_piece_key key,
				     bool (*write)(struct pol_json_out *o))
{
	size_t from;

	if (pol_piece_is(piece, &key))
		return pol_piece_put(piece, &o->w);
	from = (size_t)(o->w.p - o->w.buf);
	if (write(o))
		(void)pol_piece_keep(piece, &key, &o->w, from);
}

/* A member of a constant key: inlined, for the key's length to be the compiler's to count. */
#define KEYED(name) POL_JSONW_INLINE void name

KEYED(put_rights)(struct pol_jsonw *w, const char *key, uint32_t mask)
{
	pol_jsonw_key(w, key);
	pol_json_rights(w, mask);
}

KEYED(put_word)(struct pol_jsonw *w, const char *key, const char *word)
{
	pol_jsonw_key(w, key);
	pol_json_word(w, word);
}

/* @text: ours, with nothing to escape in it; or NULL. */
KEYED(put_text)(struct pol_jsonw *w, const char *key, const char *text)
{
	pol_jsonw_key(w, key);
	pol_jsonw_word(w, text);
}

KEYED(put_null)(struct pol_jsonw *w, const char *key)
{
	pol_jsonw_key(w, key);
	pol_jsonw_null(w);
}

KEYED(put_bool)(struct pol_jsonw *w, const char *key, bool value)
{
	pol_jsonw_key(w, key);
	pol_jsonw_bool(w, value);
}

KEYED(put_u64)(struct pol_jsonw *w, const char *key, uint64_t value)
{
	pol_jsonw_key(w, key);
	pol_jsonw_uint(w, value);
}

static inline unsigned int put_value(struct pol_jsonw *w, const char *data, size_t len, size_t max)
{
	if (data)
		return pol_jsonw_bytes(w, data, len, max);
	pol_jsonw_null(w);
	return 0;
}

/*
 * "key": the text or null, cut at @max; "key_truncated" only where it is, here or (@cut) before, and
 * "key_hex", the exact bytes, only where the text cannot have them.
 */
KEYED(put_bytes)
(struct pol_jsonw *w, const char *key, const char *data, size_t len, size_t max, bool cut)
{
	unsigned int flags;

	pol_jsonw_key(w, key);
	flags = put_value(w, data, len, max);
	if (__builtin_expect(cut || flags, 0))
		pol_json_marks(w, key, data, len, max, flags | (cut ? POL_JSONW_CUT : 0));
}

KEYED(put_small)(struct pol_json_out *o, const char *key, const char *text)
{
	put_bytes(&o->w, key, text, text ? strlen(text) : 0, o->caps->small, false);
}

KEYED(put_errno)(struct pol_json_out *o, uint32_t err)
{
	put_text(&o->w, "errno", pol_errno_name(err));
}

KEYED(put_comm)(struct pol_jsonw *w, const char comm[POL_COMM_SIZE])
{
	put_bytes(w, "comm", comm, strnlen(comm, POL_COMM_SIZE), 0, false);
}
