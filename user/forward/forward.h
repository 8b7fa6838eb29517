/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyd-forward: one process, one thread of ours, one sd-event loop. It subscribes to policyd and
 * hands lines to one receiver. Not in policyd: TLS and Kafka are a lot of code that reads what a
 * network sends, and have no business beside the kernel's objects.
 *
 *	options.c	the command line
 *	become.c	no privilege is kept
 *	forward.c	the loop; signals, systemd, what is said
 *	source.c	the connection to policyd
 *	window.c	lines that the receiver has not acknowledged
 *	state.c		how far it has, in a file
 *	tls.c		a receiver by TLS: tls_context.c its certificates, wire.c lines on their way
 *	kafka.c		Kafka: kafka_conf.c its settings
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "err.h"
#include "options.h"
#include "window.h"

/* Bytes of lines that wait for the receiver: no more is read from policyd while it is full. */
#define WINDOW_MAX (1u << 20)

struct forward;
struct source;
struct tls;
struct kafka;

/* A step() that waits for its descriptors only. */
#define NEVER_US UINT64_MAX

/**
 * struct receiver - a kind of receiver.
 * @open: Return: 0; negative: @err says why it cannot be used at all.
 * @step: send what there is, take acknowledgements (window_done()); never waits. Return: microseconds
 * after which it wants to be called again at the latest, NEVER_US: when its own sources say so.
 * @close: what is under way is given up; after @open was called, whatever it returned.
 */
struct receiver {
	int (*open)(struct forward *f, struct pol_err *err);
	uint64_t (*step)(struct forward *f);
	void (*close)(struct forward *f);
};

extern const struct receiver receiver_tls;
extern const struct receiver receiver_kafka;

/**
 * struct forward - the whole of it.
 * @saved: the mark in the state file; @saved_us: since when. @said: why the receiver takes nothing,
 * ""; it does. @missed: events that policyd did not keep for us.
 * @stop_us: CLOCK_MONOTONIC when to give up delivering; 0: nobody told us to end.
 */
struct forward {
	const struct forward_options *options;
	sd_event *event;
	sd_event_source *timer;
	const struct receiver *receiver;
	struct tls *tls;
	struct kafka *kafka;
	struct source *source;
	struct window window;
	struct pol_mark saved;
	uint64_t saved_us;
	bool save_failed;
	char said[256];
	uint64_t missed;
	uint64_t told_us;
	uint64_t stop_us;
	int status;
};

/* forward_become() - give up what privilege there is. Return: 0; negative: @err says why not. */
int forward_become(const char *user, struct pol_err *err);

/* forward_run() - until SIGTERM. Return: the exit status. */
int forward_run(const struct forward_options *options);

/* forward_say() - a line on standard error. */
void forward_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* forward_say_err() - likewise, with the fix. */
void forward_say_err(const struct pol_err *err);

/* forward_fail() - end with this exit status. */
void forward_fail(struct forward *f, int status);

/* forward_go() - something has happened: take from policyd, hand to the receiver, take note. */
void forward_go(struct forward *f);

/* forward_refused() - the receiver takes nothing, and why; each reason is said once. */
void forward_refused(struct forward *f, const char *why);

/* forward_taken() - it has acknowledged something. */
void forward_taken(struct forward *f);

/**
 * source_add() - connect to policyd, or wait for it. @after: the mark from which on, id 0: whatever it
 * keeps. Return: 0; negative errno.
 */
int source_add(struct forward *f, const struct pol_mark *after);

/* source_take() - what was read, into the window, while that has room. Return: whether any was. */
bool source_take(struct forward *f);

/* source_stop() - read no more. */
void source_stop(struct forward *f);
void source_done(struct forward *f);
