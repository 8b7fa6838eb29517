/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where events go that nobody has to ask for: standard output, a file, a syslog receiver, the
 * journal. One of them; it decides what may be freed in the kernel's rings.
 */
#pragma once

#include "policyd.h"
#include "syslog_link.h"

/**
 * struct sink_kind - what they differ in.
 * @word: what metrics call it.
 * @waits: whatever it fails with, it may take events later; it waits for no descriptor but by
 *	   sink_watch().
 * @format: of its lines. NULL: what the options say.
 * @open: Return: 0; negative errno, said.
 * @write: as pol_outlet_fn, of the sink. -EALREADY, -EINPROGRESS: as pol_syslog_link_write().
 * @settle: after a flush that ended with @r; may take back part of a line. Return: 0; a negative
 *	    errno that ends the program, said.
 * @reopen: for who moved the file away. NULL: there is nothing to do.
 * @why: a text for what @write failed with. NULL: the errno's.
 * @close: NULL: it has no more than @fd.
 */
struct sink_kind {
	const char *name;
	const char *word;
	bool waits;
	const struct pol_format *format;
	int (*open)(struct policyd *d);
	ssize_t (*write)(void *sink, const char *data, size_t len);
	int (*settle)(struct policyd *d, int r);
	void (*reopen)(struct policyd *d);
	const char *(*why)(const struct sink *sink, int r);
	void (*close)(struct sink *sink);
};

/**
 * struct sink - the one sink.
 * @fd: of standard output or a file. @link: to a syslog receiver.
 * @io: NULL: a file, which cannot be waited for; no connection; the journal.
 * @stuck: it took nothing more at the last flush. @failed: for good: the program ends.
 * @held_ns: since when what it got is not known to be there; 0: it is.
 * @under_way: what it got is not known to be there yet, or it is being connected to.
 * @alone: lines wait whose engine is gone, and its ring with it.
 * @said: what it failed with last: each reason is said once.
 * @rotate_at: bytes of the file at which it is rotated next; 0: never.
 */
struct sink {
	const struct sink_kind *kind;
	int fd;
	bool is_socket;
	struct pol_syslog_link link;
	sd_event_source *io;
	struct pol_outlet outlet;
	bool stuck;
	bool under_way;
	uint64_t held_ns;
	bool failed;
	bool alone;
	int said;
	uint64_t rotate_at;
};

extern const struct sink_kind sink_stdout;
extern const struct sink_kind sink_file;
extern const struct sink_kind sink_syslog;
extern const struct sink_kind sink_journal;

/* sink_say() - what a flush ended with, unless it has been said, or is no more than that it is busy. */
void sink_say(struct policyd *d, int r);

/* sink_watch() - flush again when @fd takes something. Return: 0; negative errno. */
int sink_watch(struct policyd *d, int fd);

/*
 * sink_lets_go() - whether the rings go on after a flush that ended with @r: all is written, or there
 * are losses to tell, so that what came is counted.
 */
bool sink_lets_go(const struct sink *sink, int r);
