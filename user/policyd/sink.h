/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where events go that nobody has to ask for: standard output, or a file. One of them; it decides
 * what may be freed in the kernel's rings.
 */
#pragma once

#include "policyd.h"

/**
 * struct sink_kind - what the two differ in.
 * @open: Return: 0; negative errno, said.
 * @write: as pol_outlet_fn, of the sink.
 * @settle: after a flush that ended with @r; may take back part of a line. Return: 0; a negative
 *	    errno that ends the program, said.
 * @reopen: for who moved the file away. NULL: there is nothing to do.
 */
struct sink_kind {
	const char *name;
	int (*open)(struct policyd *d);
	ssize_t (*write)(void *sink, const char *data, size_t len);
	int (*settle)(struct policyd *d, int r);
	void (*reopen)(struct policyd *d);
};

/**
 * struct sink - the one sink.
 * @io: NULL: a file, which cannot be waited for.
 * @stuck: it took nothing more at the last flush. @failed: for good: the program ends.
 * @alone: lines wait whose engine is gone, and its ring with it.
 * @said: what it failed with last: each reason is said once.
 * @rotate_at: bytes of the file at which it is rotated next; 0: never.
 */
struct sink {
	const struct sink_kind *kind;
	int fd;
	bool is_socket;
	sd_event_source *io;
	struct pol_outlet outlet;
	bool stuck;
	bool failed;
	bool alone;
	int said;
	uint64_t rotate_at;
};

extern const struct sink_kind sink_stdout;
extern const struct sink_kind sink_file;

/*
 * sink_lets_go() - whether the rings go on after a flush that ended with @r: all is written, or there
 * are losses to tell, so that what came is counted.
 */
bool sink_lets_go(const struct sink *sink, int r);
