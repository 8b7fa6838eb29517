/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One receiver of events: a queue of whole lines, bounded in memory, and what did not fit, counted.
 * Once there is room again `lost` records tell it, before anything that comes after: what the
 * receiver reads and what it is told add up to what was emitted, exactly. Pure but for the write
 * function that it is given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event.h"
#include "format.h"
#include "loss.h"
#include "mark.h"

/**
 * struct pol_outlet - all zero but @format, @flags and @max: empty.
 * @format, @flags: what lines are written by (POL_FORMAT_*). @max: bytes that the queue may hold,
 * at least two of the format's largest lines.
 * @marks: each line begins with its mark and its guest, as pol_request has it. @mark: of what is put or lost next, set
 * before. @told: of the last line.
 * @data: lines from @start to @end; @size bytes are allocated, none while it is empty.
 * @within: bytes of the first line that are written already: it is torn until the rest is.
 * @delivered: records queued, @dropped: records counted as lost here; since the beginning.
 */
struct pol_outlet {
	const struct pol_format *format;
	unsigned int flags;
	size_t max;
	bool marks;
	struct pol_mark mark;
	struct pol_mark told;
	char *data;
	size_t size;
	size_t start;
	size_t end;
	size_t within;
	uint64_t delivered;
	uint64_t dropped;
	struct pol_loss loss;
};

void pol_outlet_done(struct pol_outlet *outlet);

/**
 * pol_outlet_put() - queue one event, or count it as lost: if there is no room, and as long as
 * earlier losses have not been told.
 * Return: 0, also if it was counted; -ENOMEM: neither, the receiver has to be given up.
 */
int pol_outlet_put(struct pol_outlet *outlet, const struct pol_event_view *view,
		   const struct pol_event_ctx *ctx);

/**
 * pol_outlet_tell() - queue `lost` records for what was lost, once the queue is half empty. Only the
 * last of them has the mark behind what was lost: who stops before it is to be told again.
 * Return: 0; -ENOMEM.
 */
int pol_outlet_tell(struct pol_outlet *outlet, const struct pol_event_ctx *ctx, uint64_t now_ns,
		    uint64_t generation);

/* pol_outlet_text() - queue a line that is no event. Return: 0; -ENOBUFS: no room; -ENOMEM. */
int pol_outlet_text(struct pol_outlet *outlet, const char *line, size_t len);

/**
 * pol_outlet_fn - write some bytes, as write(2). Return: bytes written, at least 1; negative errno.
 */
typedef ssize_t (*pol_outlet_fn)(void *arg, const char *data, size_t len);

/**
 * pol_outlet_flush() - write what is queued.
 * Return: 0: all of it; else what @fn failed with, the rest stays.
 */
int pol_outlet_flush(struct pol_outlet *outlet, pol_outlet_fn fn, void *arg);

/**
 * pol_outlet_rewind() - the part of a line that is out was taken back: it is written again, whole.
 * Only right after a pol_outlet_flush() that failed.
 */
void pol_outlet_rewind(struct pol_outlet *outlet);

/**
 * pol_outlet_has_room() - whether the queue is less than half full and no loss untold: what is put
 * now is not counted as lost.
 */
bool pol_outlet_has_room(const struct pol_outlet *outlet);

/* pol_outlet_lines() - how many lines are queued, one that is out in part included. */
size_t pol_outlet_lines(const struct pol_outlet *outlet);

/* pol_outlet_empty() - nothing is queued, and no loss untold. */
bool pol_outlet_empty(const struct pol_outlet *outlet);
