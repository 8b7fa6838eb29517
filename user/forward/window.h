/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lines that policyd has sent and the receiver has not acknowledged, bounded in memory, each
 * with its mark. How far all before is acknowledged is where a restart goes on. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mark.h"

/**
 * struct line - one of them, without its newline. @done: acknowledged; some before it are not.
 * @guest: its guest's name, in @text behind the line; @guest_len 0: of none.
 */
struct line {
	struct pol_mark mark;
	bool done;
	const char *guest;
	size_t guest_len;
	size_t len;
	char text[];
};

/* What window_put() makes a line of: not NUL-terminated. */
struct line_parts {
	struct pol_mark mark;
	const char *guest;
	size_t guest_len;
	const char *text;
	size_t len;
};

/**
 * struct window - all zero but @max: empty. Lines are numbered as they come, from 0 on.
 * @max: bytes of lines at which no more are to be put. @first: the oldest that is not acknowledged.
 * @next: number of the next to come. @mark: behind all that are acknowledged; its id 0: none is.
 */
struct window {
	size_t max;
	size_t bytes;
	uint64_t first;
	uint64_t next;
	struct pol_mark mark;
	struct line **slots; /* a circle; number N is in slot N & (slots_cnt - 1) */
	size_t slots_cnt;
};

void window_free(struct window *window);

/* window_full() - whether no more should be put. */
bool window_full(const struct window *window);

/* window_put() - one more line; also into a full one, by its length. Return: 0; -ENOMEM. */
int window_put(struct window *window, const struct line_parts *parts);

/**
 * line_read() - "MARK GUEST TEXT", as policyd sends it, without a newline.
 * @ret: lies in @data. Return: 0; -EINVAL: no such line, an empty one, or POL_EVENT_LINE_SIZE long.
 */
int line_read(const char *data, size_t len, struct line_parts *ret);

/* window_get() - line @nr, from @first to @next - 1. */
const struct line *window_get(const struct window *window, uint64_t nr);

/* window_done() - line @nr, in any order, is acknowledged; again, or long ago: nothing happens. */
void window_done(struct window *window, uint64_t nr);
