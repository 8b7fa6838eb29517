/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines on their way by TLS: octet-counted messages (RFC 5425, 4.3), packed into pieces of one TLS
 * record, and, piece by piece, how many bytes of the TCP connection were written by then: once the
 * peer's side has acknowledged as many, it has the piece's lines. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "window.h"

#define WIRE_PIECE  16384 /* the most that a TLS record holds; twice the longest message */
#define WIRE_PIECES 256	  /* on their way at once */

/* @upto: number of the line behind its last. @bytes: of the connection, up to its end. */
struct wire_piece {
	uint64_t upto;
	uint64_t bytes;
};

/**
 * struct wire - all zero: a new connection; set @next to the window's first.
 * @next: number of the first line that is in no piece. @data, @len: the piece to be written.
 */
struct wire {
	uint64_t next;
	size_t len;
	size_t first;
	size_t cnt;
	struct wire_piece pieces[WIRE_PIECES];
	char data[WIRE_PIECE];
};

/**
 * wire_fill() - make the piece to be written, of lines not acknowledged yet, if there is none.
 * Return: whether there is one: there are lines, and fewer than WIRE_PIECES on their way.
 */
bool wire_fill(struct wire *wire, const struct window *window);

/* wire_written() - it is written, and so many bytes of the connection in all. */
void wire_written(struct wire *wire, uint64_t bytes);

/* wire_acknowledged() - so many bytes of the connection are: lines of the window are done. */
void wire_acknowledged(struct wire *wire, struct window *window, uint64_t bytes);

/* wire_busy() - whether anything written is not acknowledged. */
bool wire_busy(const struct wire *wire);
