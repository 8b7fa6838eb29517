/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which engine is read. Its pins appear and go by renames of one directory (store.h), so a watch on
 * the one above tells when to look. That may itself be mounted only later, or over: a change of the
 * mount table tells that. Only where nothing tells - another reader has the lock - a timer asks.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base.h"
#include "policyd.h"
#include "store.h"

#define RETRY_US (1000 * UINT64_C(1000))

struct engine_watch {
	sd_event_source *pins;
	sd_event_source *mounts;
	sd_event_source *retry;
	int mountinfo;
	dev_t dev; /* of the directory that @pins watches */
	ino_t ino;
	int said; /* why the engine could not be opened: each reason is said once */
};

static void say_waiting(int r)
{
	(void)sd_notify(0, r == -EBUSY ? "STATUS=Another reader has the events, waiting for its end"
				       : "STATUS=No policy is loaded, waiting for one");
}

static void close_engine(struct policyd *d)
{
	rounds_end(d);
	pol_pump_free(d->pump);
	pol_feed_close(d->feed);
	metrics_forget(d);
	d->pump = NULL;
	d->feed = NULL;
}

/* An engine is read from here on. */
static int begin(struct policyd *d)
{
	int r = pol_pump_new(d->feed, &fan_ops, d, &d->pump);

	if (!r)
		r = rounds_begin(d);
	if (r < 0)
		return r;
	d->watch->said = 0;
	units_check(d);
	policyd_say("reading the events of the loaded engine");
	(void)sd_notify(0, "STATUS=Reading the events of the loaded engine");
	return 0;
}

static int open_engine(struct policyd *d, struct pol_err *err)
{
	int r = pol_feed_open(&d->feed, err);

	if (r < 0)
		return r;
	r = begin(d);
	if (r < 0) {
		close_engine(d);
		pol_err_set(err, POL_ERR_FAILED, r, "cannot read events");
	}
	return r;
}

/* Whether a change of the pins tells when it is worth another look. */
static bool is_told(int r)
{
	return r == -ENOENT || r == -ESTALE || r == -EPROTO;
}

/* It could not be opened, as @err says. */
static void wait_for(struct policyd *d, int r, const struct pol_err *err)
{
	struct engine_watch *watch = d->watch;

	say_waiting(r);
	if (r != watch->said && r != -ENOENT)
		policyd_say_err(err);
	watch->said = r;
	if (is_told(r))
		return;
	(void)sd_event_source_set_time_relative(watch->retry, RETRY_US);
	(void)sd_event_source_set_enabled(watch->retry, SD_EVENT_ONESHOT);
}

static void try_open(struct policyd *d)
{
	struct pol_err err = { 0 };
	int r = open_engine(d, &err);

	if (r < 0)
		wait_for(d, r, &err);
}

void engine_check(struct policyd *d)
{
	if (d->feed && pol_feed_gone(d->feed)) {
		rounds_drain(d);
		sink_orphan(d);
		close_engine(d);
		policyd_say("the engine was unloaded");
	}
	if (!d->feed)
		try_open(d);
}

void engine_lost(struct policyd *d, int error)
{
	policyd_say("cannot read events: %s, trying again", strerror(-error));
	close_engine(d);
	(void)sd_event_source_set_time_relative(d->watch->retry, RETRY_US);
	(void)sd_event_source_set_enabled(d->watch->retry, SD_EVENT_ONESHOT);
}

/* ------------------------------------------------------------------ what tells when to look */

static int on_pins(sd_event_source *source, const struct inotify_event *event, void *arg)
{
	(void)source;
	(void)event;
	engine_check(arg);
	return 0;
}

/* The directory of pins as it is now; after a mount or an umount it is another one. */
static int watch_pins(struct policyd *d)
{
	struct engine_watch *watch = d->watch;
	struct stat st;
	int r;

	if (stat(POL_BPFFS, &st) < 0)
		return -errno;
	if (watch->pins && st.st_dev == watch->dev && st.st_ino == watch->ino)
		return 0;
	watch->pins = sd_event_source_disable_unref(watch->pins);
	r = sd_event_add_inotify(d->event, &watch->pins, POL_BPFFS,
				 IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR, on_pins, d);
	if (r < 0)
		return r;
	watch->dev = st.st_dev;
	watch->ino = st.st_ino;
	return 0;
}

static int on_mounts(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct policyd *d = arg;

	(void)source;
	(void)fd;
	(void)events;
	/* Not there now: its mount is a change, too. */
	(void)watch_pins(d);
	engine_check(d);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	engine_check(arg);
	return 0;
}

static int add_watches(struct policyd *d)
{
	struct engine_watch *watch = d->watch;
	int r;

	watch->mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (watch->mountinfo < 0)
		return -errno;
	r = sd_event_add_io(d->event, &watch->mounts, watch->mountinfo, EPOLLPRI, on_mounts, d);
	if (r >= 0)
		r = sd_event_add_time_relative(d->event, &watch->retry, CLOCK_MONOTONIC, 0, 0,
					       on_retry, d);
	if (r >= 0)
		r = sd_event_source_set_enabled(watch->retry, SD_EVENT_OFF);
	if (r >= 0)
		r = watch_pins(d);
	return r == -ENOENT ? 0 : r;
}

/* The first look: what cannot get better ends the program. */
static int open_first(struct policyd *d)
{
	struct pol_err err = { 0 };
	int r = open_engine(d, &err);

	if (r == -EPERM || r == -EACCES) {
		policyd_say_err(&err);
		d->status = (int)err.kind;
		return r;
	}
	if (r == -ENOENT)
		policyd_say("no policy is loaded, waiting for one");
	if (r < 0)
		wait_for(d, r, &err);
	return 0;
}

int engine_add(struct policyd *d)
{
	int r;

	d->watch = calloc(1, sizeof(*d->watch));
	if (!d->watch)
		return -ENOMEM;
	d->watch->mountinfo = -EBADF;
	/* First the watches: what is loaded between them and the look is told, too. */
	r = add_watches(d);
	if (r < 0) {
		policyd_say("cannot watch " POL_BPFFS ": %s", strerror(-r));
		return r;
	}
	return open_first(d);
}

void engine_done(struct policyd *d)
{
	if (!d->watch)
		return;
	close_engine(d);
	sd_event_source_disable_unref(d->watch->pins);
	sd_event_source_disable_unref(d->watch->mounts);
	sd_event_source_disable_unref(d->watch->retry);
	pol_closep(&d->watch->mountinfo);
	free(d->watch);
}
