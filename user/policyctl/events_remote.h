/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event stream by policyd, where it runs: it has the ring, and keeps what it read. */
#pragma once

#include "events_stream.h"

/**
 * pol_remote_connect() - to policyd's socket.
 * Return: descriptor; negative errno: there is no policyd, or it is not for us.
 */
int pol_remote_connect(void);

/**
 * pol_remote_run() - print what policyd keeps, or with @follow that and what comes.
 * @fd: of pol_remote_connect(). @guest: NULL: any.
 *
 * As pol_stream_run(), but that nothing is consumed. Return: exit status.
 */
int pol_remote_run(int fd, const struct pol_stream_options *options, const char *guest);
