/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a subscriber asks policyd for, and what it is answered: one line each, JSON objects. Both
 * sides. Pure. policyd.8 documents it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "event_filter.h"
#include "format.h"
#include "mark.h"

/* The request with its newline, a path of 4095 bytes in it; more is refused. */
#define POL_REQUEST_SIZE 32768

/* The answer with its newline and a NUL. */
#define POL_ANSWER_SIZE 8192

/* The schema of policyd's answer, its first line. */
#define POL_REQUEST_SCHEMA "policyd/v1"

/**
 * struct pol_request - the request, read.
 * @format: of the lines; json if the request names none. @colour: for a terminal.
 * @kept: first what policyd keeps; else only what comes. @follow: go on with what comes.
 * @marks: each line begins with the mark behind it (mark.h) and its guest's name, or "-", a space
 * behind each. @after: what is kept and comes behind that mark; its id 0: not asked for.
 * @guest: NULL: any. @filter: what else has to hold; its guest is not used, its path is ours.
 */
struct pol_request {
	const struct pol_format *format;
	bool colour;
	bool kept;
	bool follow;
	bool marks;
	struct pol_mark after;
	char *guest;
	char *path;
	struct pol_event_filter filter;
};

void pol_request_done(struct pol_request *request);

/**
 * pol_request_read() - read one line.
 * @line: without the newline; may hold anything.
 *
 * A key that is not known is refused: a filter with a typing error must not become no filter.
 * Return: 0; -EINVAL: no such request, @err says why; -ENOMEM.
 */
int pol_request_read(const char *line, size_t len, struct pol_request *ret, struct pol_err *err);

/**
 * pol_request_write() - the line that pol_request_read() reads, newline and a NUL included.
 * Return: its length; -EINVAL: the path or the guest is no UTF-8, and JSON is; -ENOSPC: @size is too
 * small; -ENOMEM. @err says why, in the words of policyctl's options.
 */
int pol_request_write(const struct pol_request *request, char *buf, size_t size,
		      struct pol_err *err);

/**
 * pol_request_wants() - whether it is an event that was asked for. Guests are compared by name: of
 * what is kept, a number may be another guest's by now.
 */
bool pol_request_wants(const struct pol_request *request, const struct pol_event_view *view,
		       const struct pol_event_ctx *ctx);

/* Of what lies behind the mark that was asked for: how much is not kept any more, nobody knows. */
#define POL_MISSED_UNKNOWN UINT64_MAX

/**
 * pol_request_answer() - the first line of the answer, newline included, and a NUL.
 * @err: NULL: granted. @missed: events behind @after that are not kept any more, of all guests and
 * types. @buf: POL_ANSWER_SIZE bytes are always enough.
 *
 * Return: its length; -ENOSPC.
 */
int pol_request_answer(const struct pol_err *err, uint64_t missed, char *buf, size_t size);

/**
 * pol_request_granted() - read the answer. @ret_missed: or NULL.
 * Return: 0: granted; else negative: @err says why, as policyd did; -EPROTO: no such answer.
 */
int pol_request_granted(const char *line, size_t len, uint64_t *ret_missed, struct pol_err *err);
