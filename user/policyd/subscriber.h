/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection to the socket: first its request, then events from what is kept (keep.h), each at
 * its own pace. What is no longer kept when its turn comes is counted as lost; nobody waits for it.
 */
#pragma once

#include "policyd.h"

/* Memory for lines on their way to it. */
#define SUBSCRIBER_MAX (64u << 10)

struct subscriber;

/**
 * subscriber_new() - take over a connection.
 * @fd: closed by subscriber_free(), or on failure here. Return: 0; negative errno.
 */
int subscriber_new(struct policyd *d, int fd, struct subscriber **ret);
void subscriber_free(struct subscriber *subscriber);

/* subscriber_refuse() - answer with an error, and close when it was read. */
void subscriber_refuse(struct subscriber *subscriber, const struct pol_err *err);

/* subscriber_gone() - an event is no longer kept: count it if it had not got there yet. */
void subscriber_gone(struct subscriber *subscriber, uint64_t serial,
		     const struct pol_event_view *view, const struct pol_event_ctx *ctx);

/* subscriber_flush() - write what it takes of what is kept, without waiting. */
void subscriber_flush(struct subscriber *subscriber);

/* subscriber_over() - it is to be freed. */
bool subscriber_over(const struct subscriber *subscriber);
