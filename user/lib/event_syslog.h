/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decoded event -> a message of RFC 5424, its fields as structured data. Pure: no transport.
 */
#pragma once

#include <stdint.h>

#include "event.h"
#include "event_json.h"

#define POL_SYSLOG_AUTHPRIV 10u /* the default facility: on Debian a log that only adm can read */

/**
 * struct pol_syslog_from - who sends.
 * @facility: 0 to 23 (RFC 5424, 6.2.1). @app: 1 to 48 printable ASCII characters without a space.
 * @pid: 0: none is said.
 */
struct pol_syslog_from {
	unsigned int facility;
	const char *app;
	uint32_t pid;
};

/**
 * pol_event_syslog() - write the message, no newline behind it, and a NUL.
 * @from: NULL: facility authpriv, "policyd", no pid.
 * @buf: POL_EVENT_LINE_SIZE bytes are always enough, a newline included.
 *
 * It has no control character: each text is exact or marked (formats.rst). Microseconds: the RFC
 * allows no more. Return: length without the NUL; -ENOSPC: @size is too small for any message;
 * -EINVAL: @from is not as above.
 */
int pol_event_syslog(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		     const struct pol_syslog_from *from, char *buf, size_t size);

/**
 * pol_syslog_frame() - a message as it goes on a stream, octet-counted (RFC 6587, 3.4.1; RFC 5425):
 * "LENGTH SPACE MESSAGE". @msg may hold any bytes. Return: length, no NUL; -ENOSPC; -EINVAL: an
 * empty message, which no receiver takes.
 */
int pol_syslog_frame(const char *msg, size_t len, char *buf, size_t size);
