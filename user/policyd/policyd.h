/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyd: one process, one thread, one sd-event loop. It reads the kernel's rings for everybody
 * and hands each event to its sink and to the subscribers of its socket. Enforcement is the
 * kernel's: nothing here is needed for it, and nothing here can weaken it by dying.
 *
 *	policyd.c	the loop and the table of its event sources; signals, systemd
 *	engine.c	which engine is read: found, gone, found again
 *	rounds.c	when the rings are read
 *	fan.c		one event to every receiver
 *	sink.c		where events go unasked: sink_stdout.c, sink_file.c, sink_syslog.c,
 *			sink_journal.c
 *	units.c		units of the policy that are started anew
 *	server.c	the socket; subscriber.c: who is connected to it
 *	metrics.c	what --metrics tells; http.c: to whom, by libmicrohttpd (http_lib.c)
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "err.h"
#include "feed.h"
#include "here.h"
#include "keep.h"
#include "listen.h"
#include "mark.h"
#include "outlet.h"
#include "pump.h"
#include "syslog_address.h"

/**
 * struct policyd_options - the command line.
 * @socket: where subscribers connect. @group: whose members may, beside root; NULL: nobody's. @gid:
 * its number.
 * @keep: bytes of events that are kept for them, and of lines that wait for the sink.
 * @format: of the sink's lines.
 * @journal: the sink. @syslog: likewise, if it is somewhere.
 * @file: likewise; NULL: standard output. @file_size: it is rotated once it has so many bytes; 0:
 * never. @file_count: of rotated ones, at least 1. @sync: it is on the disk before the ring is freed.
 * @metrics: where they are served; its text is NULL: nowhere.
 */
struct policyd_options {
	const char *socket;
	const char *group;
	gid_t gid;
	size_t keep;
	const struct pol_format *format;
	bool journal;
	struct pol_syslog_address syslog;
	const char *file;
	uint64_t file_size;
	unsigned int file_count;
	bool sync;
	struct pol_listen metrics;
};

struct sink;
struct server;
struct engine_watch;
struct rounds;
struct units;
struct metrics;
struct http;
struct pol_metrics_sink;

/**
 * struct policyd - the whole of it.
 * @feed, @pump: of the engine that is loaded; both NULL while none is.
 * @keep: the last events; what subscribers are fed from.
 * @metrics, @http: NULL without --metrics.
 * @here: this host, for what is said while no engine is loaded.
 * @status: what to exit with.
 */
struct policyd {
	const struct policyd_options *options;
	sd_event *event;
	struct pol_feed *feed;
	struct pol_pump *pump;
	struct engine_watch *watch;
	struct rounds *rounds;
	struct units *units;
	struct sink *sink;
	struct server *server;
	struct metrics *metrics;
	struct http *http;
	struct pol_keep *keep;
	struct pol_here here;
	struct pol_event_ctx here_ctx;
	int status;
};

/* policyd_run() - until SIGTERM. Return: the exit status. */
int policyd_run(const struct policyd_options *options);

/* policyd_fail() - end the loop with this exit status; what is not safe yet stays in the rings. */
void policyd_fail(struct policyd *d, int status);

/**
 * policyd_flush() - tell an outlet's losses and write what it holds, by @fn.
 * Return: 0: nothing is left; else what @fn failed with; -ENOMEM.
 */
int policyd_flush(struct policyd *d, struct pol_outlet *outlet, pol_outlet_fn fn, void *arg);

/* policyd_say() - one line on standard error. */
void policyd_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* policyd_say_err() - likewise, with the fix. */
void policyd_say_err(const struct pol_err *err);

/* ------------------------------------------------------------------ the sources, see policyd.c */

/**
 * engine_add() - find the engine; read it if it is there, else wait for it.
 * Return: 0; negative errno, said: it cannot go on (exit status in d->status).
 */
int engine_add(struct policyd *d);

/* engine_check() - look again: gone, there, or as before. */
void engine_check(struct policyd *d);

/* engine_lost() - the engine that is read failed with @error; it is opened again. */
void engine_lost(struct policyd *d, int error);
void engine_done(struct policyd *d);

/* rounds_add() - the timer of rounds. */
int rounds_add(struct policyd *d);

/*
 * rounds_begin(), rounds_end() - there is an engine to read; there is none any more, and the timer
 * only tries the sink again, if something waits for it.
 */
int rounds_begin(struct policyd *d);
void rounds_end(struct policyd *d);

/* rounds_now() - one at once; for a receiver that has room again. */
void rounds_now(struct policyd *d);

/* rounds_drain() - everything pending; see pol_pump_drain(). */
void rounds_drain(struct policyd *d);
void rounds_done(struct policyd *d);

/* rounds_undecodable() - records passed over, since we started. */
uint64_t rounds_undecodable(const struct policyd *d);

/**
 * units_add() - the system bus, by which systemd tells of units that are started anew. Not there yet:
 * it is waited for, and all else goes on. Return: as engine_add().
 */
int units_add(struct policyd *d);

/* units_check() - an engine is read from here on: its units may have been started meanwhile. */
void units_check(struct policyd *d);
void units_done(struct policyd *d);

/* sink_add() - the one that the options name. Return: as engine_add(). */
int sink_add(struct policyd *d);

/* sink_waits() - whether there is something that it has not taken yet. */
bool sink_waits(const struct policyd *d);

/*
 * sink_holds() - whether what it got is to be known to be there before it gets more: else, under
 * load, there would always be some on the way, and the rings would never go on.
 */
bool sink_holds(const struct policyd *d);

/* sink_orphan() - the engine is gone with its rings: what waits for the sink is nowhere else. */
void sink_orphan(struct policyd *d);

/*
 * sink_finish() - before the end: what was sent is waited for, for half a second, and the rings are
 * told, so that the next reader does not send it again.
 */
void sink_finish(struct policyd *d);

/* sink_reopen() - the file at its name, if it was moved away. */
void sink_reopen(struct policyd *d);
void sink_done(struct policyd *d);

/* sink_view() - Return: 0; -ENOMEM. */
int sink_view(struct policyd *d, const struct pol_event_view *view,
	      const struct pol_event_ctx *ctx);

/* sink_flush() - Return: 0: all is written, or counted as lost; 1: not yet; else it has ended. */
int sink_flush(struct policyd *d);

/* sink_numbers() - for metrics. */
void sink_numbers(const struct policyd *d, struct pol_metrics_sink *ret);

/* server_add() - take the socket's lock and serve it. Return: as engine_add(). */
int server_add(struct policyd *d);
void server_done(struct policyd *d);

/* server_flush() - to each subscriber what it takes; none of them holds anything up. */
void server_flush(struct policyd *d);

/* server_mark() - the mark behind the event with that number in what is kept. */
struct pol_mark server_mark(const struct policyd *d, uint64_t serial);

/**
 * server_after() - number of the first kept event behind a mark. @ret_missed: those that are not
 * kept any more between the two; POL_MISSED_UNKNOWN: it is not a mark of this row of events.
 */
uint64_t server_after(const struct policyd *d, const struct pol_mark *mark, uint64_t *ret_missed);

/* server_note() - before anybody gets a mark: how far the row has come, for the next policyd. */
void server_note(struct policyd *d);

/* server_subscribers() - how many are connected. */
size_t server_subscribers(const struct policyd *d);

/* server_sweep() - forget the subscribers that are over. */
void server_sweep(struct policyd *d);

/**
 * metrics_add() - with --metrics: count from here on, and serve it. Return: as engine_add().
 */
int metrics_add(struct policyd *d);
void metrics_done(struct policyd *d);

/* metrics_view() - count an event that was taken. */
void metrics_view(struct policyd *d, const struct pol_event_view *view);

/* metrics_forget() - the engine is not read any more: the next one has other guests. */
void metrics_forget(struct policyd *d);

/* struct metrics_text - @data, of @len bytes, and itself: to be freed. @live: for its user. */
struct metrics_text {
	char *data;
	size_t len;
	unsigned int *live;
};

/* metrics_collect() - all numbers as of now. Return: 0; -ENOMEM. */
int metrics_collect(struct policyd *d, struct metrics_text **ret);

/* http_add() - serve them at options->metrics. Return: as engine_add(). */
int http_add(struct policyd *d);
void http_done(struct policyd *d);

/* fan_ops - the pump's receiving side: the sink and the subscribers. */
extern const struct pol_pump_ops fan_ops;
