/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forward.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base.h"
#include "descriptors.h"
#include "here.h"
#include "state.h"

#define SECOND_US (1000 * UINT64_C(1000))
#define STOP_US	  (5 * SECOND_US)

/* ------------------------------------------------------------------ messages */

void forward_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("policyd-forward: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

void forward_say_err(const struct pol_err *err)
{
	forward_say("%s%s%s", err->message, err->fix[0] ? "\n  help: " : "", err->fix);
}

void forward_refused(struct forward *f, const char *why)
{
	if (strncmp(f->said, why, sizeof(f->said) - 1) == 0)
		return;
	(void)snprintf(f->said, sizeof(f->said), "%s", why);
	forward_say("the receiver takes no more events: %s, waiting", f->said);
}

void forward_taken(struct forward *f)
{
	if (f->said[0])
		forward_say("the receiver takes events again");
	f->said[0] = '\0';
}

static uint64_t waiting(const struct forward *f)
{
	return f->window.next - f->window.first;
}

/* At most once a second. */
static void tell_systemd(struct forward *f, uint64_t now_us)
{
	if (f->told_us && now_us - f->told_us < SECOND_US)
		return;
	f->told_us = now_us;
	(void)sd_notifyf(0, "STATUS=%llu lines delivered, %llu waiting, %llu missed%s%s",
			 (unsigned long long)f->window.first, (unsigned long long)waiting(f),
			 (unsigned long long)f->missed,
			 f->said[0] ? "; the receiver takes none: " : "", f->said);
}

/* ------------------------------------------------------------------ the mark */

static bool is_saved(const struct forward *f)
{
	return !f->options->state || !f->window.mark.id ||
	       (f->window.mark.id == f->saved.id && f->window.mark.count == f->saved.count);
}

static int save(struct forward *f)
{
	int r;

	if (is_saved(f))
		return 0;
	r = state_save(f->options->state, &f->window.mark);
	if (r < 0 && !f->save_failed)
		forward_say("cannot write '%s': %s; what is delivered from here on comes again "
			    "after a restart",
			    f->options->state, strerror(-r));
	if (!r)
		f->saved = f->window.mark;
	f->save_failed = r < 0;
	return r;
}

static void save_at_times(struct forward *f, uint64_t now_us)
{
	if (is_saved(f) || (f->saved_us && now_us - f->saved_us < SECOND_US))
		return;
	f->saved_us = now_us;
	(void)save(f);
}

/* ------------------------------------------------------------------ the end */

void forward_fail(struct forward *f, int status)
{
	f->status = status;
	(void)sd_event_exit(f->event, status);
}

/* Lines that wait are asked for again, if the mark before them is written down. */
static void finish(struct forward *f)
{
	bool kept = f->options->state && !save(f);

	if (waiting(f))
		forward_say("%llu lines wait that the receiver has not acknowledged; %s",
			    (unsigned long long)waiting(f),
			    kept ? "the next start sends them, if policyd keeps them"
				 : "they are lost");
	forward_fail(f, waiting(f) && !kept ? POL_ERR_FAILED : 0);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct forward *f = arg;

	(void)source;
	(void)info;
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Delivering what is here");
	f->stop_us = pol_monotonic_us() + STOP_US;
	source_stop(f);
	forward_go(f);
	return 0;
}

/* ------------------------------------------------------------------ the loop */

static void arm(struct forward *f, uint64_t now_us, uint64_t in_us)
{
	if (!is_saved(f) && in_us > SECOND_US)
		in_us = SECOND_US;
	if (f->stop_us && f->stop_us - now_us < in_us)
		in_us = f->stop_us - now_us;
	/* Also with nothing to do: systemd is told numbers. */
	if (in_us > 10 * SECOND_US)
		in_us = 10 * SECOND_US;
	(void)sd_event_source_set_time_relative(f->timer, in_us);
	(void)sd_event_source_set_enabled(f->timer, SD_EVENT_ONESHOT);
}

void forward_go(struct forward *f)
{
	uint64_t now_us, in_us;

	do
		in_us = f->receiver->step(f);
	while (source_take(f));
	now_us = pol_monotonic_us();
	if (f->stop_us && (!waiting(f) || now_us >= f->stop_us)) {
		finish(f);
		return;
	}
	save_at_times(f, now_us);
	tell_systemd(f, now_us);
	arm(f, now_us, in_us);
}

static int on_time(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	forward_go(arg);
	return 0;
}

static int add_signals(struct forward *f)
{
	static const int signals[] = { SIGTERM, SIGINT };
	sigset_t set;
	int r = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(signals) && r >= 0; i++)
		r = sd_event_add_signal(f->event, NULL, signals[i], on_stop, f);
	return r;
}

static int fail(struct pol_err *err, const char *what, int r)
{
	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot %s", what) : 0;
}

static int add_loop(struct forward *f, struct pol_err *err)
{
	int r = sd_event_default(&f->event);

	if (r >= 0)
		r = add_signals(f);
	if (r >= 0)
		r = sd_event_set_watchdog(f->event, true);
	if (r >= 0)
		r = sd_event_add_time_relative(f->event, &f->timer, CLOCK_MONOTONIC, 0, 1000,
					       on_time, f);
	return fail(err, "make an event loop", r);
}

static int add(struct forward *f, struct pol_err *err)
{
	int r = add_loop(f, err);

	if (!r && f->options->state)
		r = state_load(f->options->state, &f->saved, err);
	if (!r)
		r = f->receiver->open(f, err);
	if (!r)
		r = fail(err, "wait for policyd", source_add(f, &f->saved));
	return r;
}

int forward_run(const struct forward_options *options)
{
	struct forward f = {
		.options = options,
		.receiver = options->tls_text ? &receiver_tls : &receiver_kafka,
		.window.max = WINDOW_MAX,
	};
	struct pol_err err = { 0 };
	int r;

	r = fail(&err, "open /dev/null", pol_open_standard());
	if (r < 0 || add(&f, &err) < 0) {
		forward_say_err(&err);
		f.status = (int)err.kind;
	} else {
		(void)sd_notify(0, "READY=1");
		r = sd_event_loop(f.event);
		if (r < 0) {
			forward_say("the event loop ended: %s", strerror(-r));
			f.status = POL_ERR_FAILED;
		}
	}
	source_done(&f);
	f.receiver->close(&f);
	sd_event_source_disable_unref(f.timer);
	sd_event_unref(f.event);
	window_free(&f.window);
	return f.status;
}
