/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pieces that many JSON lines have in common - whose event, by which policy, rule and process - kept
 * as they were written, to be copied: they are half of a line and three quarters of its cost. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "jsonw.h"

#define POL_PIECE_KEY_SIZE  (sizeof(struct pol_event_process) + 8 + 2 * (POL_EXE_SIZE + 2))
#define POL_PIECE_TEXT_SIZE 640 /* what is longer is written anew each time */

/* struct pol_piece - @key: all that the text was made of, @key_len bytes; 0: there is none. */
struct pol_piece {
	size_t key_len;
	size_t len;
	unsigned char key[POL_PIECE_KEY_SIZE] __attribute__((aligned(8)));
	char text[POL_PIECE_TEXT_SIZE];
};

/**
 * struct pol_pieces - by number, of guests, rules and processes; another one of the same place takes
 * it. Zero at first. For one context and its numbers: one host, one boot, one engine.
 */
struct pol_pieces {
	struct pol_piece guests[8];
	struct pol_piece policies[2];
	struct pol_piece rules[16];
	struct pol_piece processes[16];
};

/**
 * struct pol_piece_key - what a piece is made of, and where it is or will be.
 * @piece: NULL: nothing is kept.
 */
struct pol_piece_key {
	struct pol_piece *piece;
	size_t len;
	size_t from; /* where in the line it begins, once it was not found */
	unsigned char bytes[POL_PIECE_KEY_SIZE];
};

/* pol_piece_key() - of three numbers. @slots: @cnt of them, a power of two; NULL: nothing is kept. */
void pol_piece_key(struct pol_piece_key *key, struct pol_piece *slots, size_t cnt, uint64_t nr,
		   uint64_t a, uint64_t b);

/* pol_piece_key_process() - of a view's process, with its executables. @pieces: or NULL. */
void pol_piece_key_process(struct pol_piece_key *key, struct pol_pieces *pieces,
			   const struct pol_event_view *view);

/**
 * pol_piece_put() - write the piece, if it is kept.
 * Return: false: it is not; it is to be written, and then pol_piece_keep() is called.
 */
bool pol_piece_put(struct pol_piece_key *key, struct pol_jsonw *w);

/* pol_piece_keep() - what was written since pol_piece_put() is the piece. */
void pol_piece_keep(const struct pol_piece_key *key, const struct pol_jsonw *w);
