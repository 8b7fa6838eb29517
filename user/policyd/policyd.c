/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policyd.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base.h"

static int add_signals(struct policyd *d);
static int add_watchdog(struct policyd *d);

/*
 * Everything the loop waits for, in the order in which it is set up; another source is another
 * line. Each add function makes its own sd-event sources on d->event, and its done function, in the
 * reverse order, undoes them. An add function that fails has said why. The engine is the last: it
 * may have events at once, and what takes them has to be there.
 */
static const struct source {
	const char *name;
	int (*add)(struct policyd *d);
	void (*done)(struct policyd *d);
} sources[] = {
	{ "signals", add_signals, NULL },
	{ "the watchdog", add_watchdog, NULL },
	{ "the sink", sink_add, sink_done },
	{ "the socket", server_add, server_done },
	{ "the metrics", metrics_add, metrics_done },
	{ "the rings' timer", rounds_add, rounds_done },
	{ "the system bus", units_add, units_done },
	{ "the engine", engine_add, engine_done },
};

/* ------------------------------------------------------------------ messages */

void policyd_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("policyd: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

void policyd_say_err(const struct pol_err *err)
{
	policyd_say("%s%s%s", err->message, err->fix[0] ? "\n  help: " : "", err->fix);
}

void policyd_fail(struct policyd *d, int status)
{
	d->status = status;
	(void)sd_event_exit(d->event, status);
}

/* ------------------------------------------------------------------ receivers */

static int tell(struct policyd *d, struct pol_outlet *outlet)
{
	uint64_t now_ns;

	if (d->pump)
		return pol_outlet_tell(outlet, pol_pump_context(d->pump), pol_pump_now(d->pump),
				       pol_feed_generation(d->feed));
	now_ns = pol_here_clocks(&d->here_ctx);
	return pol_outlet_tell(outlet, &d->here_ctx, now_ns, 0);
}

int policyd_flush(struct policyd *d, struct pol_outlet *outlet, pol_outlet_fn fn, void *arg)
{
	int r;

	/* What was lost is told once there is room, and that goes out at once, too. */
	do {
		r = tell(d, outlet);
		if (!r)
			r = pol_outlet_flush(outlet, fn, arg);
	} while (!r && !pol_outlet_empty(outlet));
	return r;
}

/* ------------------------------------------------------------------ signals, systemd */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct policyd *d = arg;

	(void)source;
	(void)info;
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Reading what is pending");
	rounds_drain(d);
	(void)sink_flush(d);
	sink_finish(d);
	return sd_event_exit(d->event, 0);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct policyd *d = arg;

	(void)source;
	(void)info;
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
			 (unsigned long long)pol_monotonic_us());
	sink_reopen(d);
	engine_check(d);
	(void)sd_notify(0, "READY=1");
	return 0;
}

static int on_reopen(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	(void)source;
	(void)info;
	sink_reopen(arg);
	return 0;
}

static int add_signals(struct policyd *d)
{
	static const struct {
		int nr;
		sd_event_signal_handler_t handler;
	} signals[] = {
		{ SIGTERM, on_stop },
		{ SIGINT, on_stop },
		{ SIGHUP, on_reload },
		{ SIGUSR1, on_reopen },
	};
	sigset_t set;
	int r = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaddset(&set, signals[i].nr);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(signals) && r >= 0; i++)
		r = sd_event_add_signal(d->event, NULL, signals[i].nr, signals[i].handler, d);
	return r;
}

/* Only under systemd with WatchdogSec=; then the loop itself is the sign of life. */
static int add_watchdog(struct policyd *d)
{
	return sd_event_set_watchdog(d->event, true);
}

/* ------------------------------------------------------------------ the loop */

static int add_sources(struct policyd *d, size_t *ret_cnt)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		int r = sources[i].add(d);

		*ret_cnt = i + 1;
		if (r < 0 && !d->status) {
			policyd_say("cannot set up %s: %s", sources[i].name, strerror(-r));
			d->status = POL_ERR_FAILED;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static void remove_sources(struct policyd *d, size_t cnt)
{
	while (cnt--)
		if (sources[cnt].done)
			sources[cnt].done(d);
}

int policyd_run(const struct policyd_options *options)
{
	struct policyd d = { .options = options };
	size_t cnt = 0;
	int r;

	if (geteuid()) {
		policyd_say("cannot look at the engine: not root\n  help: run it as root");
		return POL_ERR_HOST;
	}
	r = sd_event_default(&d.event);
	if (r < 0) {
		policyd_say("cannot make an event loop: %s", strerror(-r));
		return POL_ERR_FAILED;
	}
	pol_here_read(&d.here, &d.here_ctx);
	r = add_sources(&d, &cnt);
	if (!r) {
		(void)sd_notify(0, "READY=1");
		r = sd_event_loop(d.event);
		if (r < 0) {
			policyd_say("the event loop ended: %s", strerror(-r));
			d.status = POL_ERR_FAILED;
		}
	}
	remove_sources(&d, cnt);
	sd_event_unref(d.event);
	return d.status;
}
