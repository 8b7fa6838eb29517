/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "base.h"
#include "cgroup.h"
#include "enter.h"
#include "file.h"
#include "generation.h"
#include "load.h"
#include "members.h"
#include "store.h"
#include "systemd.h"
#include "tmpdir.h"

/* Of a look at tasks outside the cgroup, whose end is no event of the cgroup's. */
#define TICK_MS 50
/* How long what was sent SIGKILL may take: a task in uninterruptible sleep takes longer. */
#define KILL_NS (10ll * 1000 * 1000 * 1000)
/* A cgroup without tasks can be busy for a moment: somebody looks at it. */
#define REMOVE_TRIES 100

struct stop {
	struct pol_engine *engine;
	struct pol_meta *meta;
	const struct pol_meta_guest *guest;
	int cgroup; /* -EBADF: there is none */
	int events; /* its cgroup.events */
	struct pol_systemd *systemd; /* NULL: the guest had no units yet */
	bool killed;
};

/* All but the engine. */
static void forget(struct stop *stop)
{
	pol_meta_freep(&stop->meta);
	pol_closep(&stop->cgroup);
	pol_closep(&stop->events);
	stop->meta = NULL;
	stop->cgroup = stop->events = -EBADF;
}

static void stop_done(struct stop *stop)
{
	forget(stop);
	pol_systemd_closep(&stop->systemd);
	pol_engine_close(stop->engine);
}

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int count_tasks(const struct stop *stop, size_t *ret, struct pol_err *err)
{
	_cleanup_free_ uint32_t *tasks = NULL;
	int r = pol_task_counts(stop->engine, &tasks);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot count the tasks of '%s'",
				   stop->guest->name);
	*ret = tasks[stop->guest->id];
	return 0;
}

/* Until something in the cgroup has changed, at most @ms. */
static void wait_for_event(const struct stop *stop, int ms)
{
	struct pollfd poll_events = { .fd = stop->events, .events = POLLPRI };
	char ignored[256];

	/* poll(2) tells of changes since the last read; a negative descriptor only lets time pass. */
	if (stop->events < 0 || pread(stop->events, ignored, sizeof(ignored), 0) >= 0)
		(void)poll(&poll_events, 1, ms);
}

/*
 * @between: NULL, or called before each wait; 1: whoever is left will not go.
 * Return: 1: nobody is left; 0: somebody is, and the time is over.
 */
static int wait_until_empty(struct stop *stop, int64_t time_ns,
			    int (*between)(struct stop *stop, struct pol_err *err),
			    struct pol_err *err)
{
	int64_t end = now_ns() + time_ns;

	for (;;) {
		size_t left;
		int r = count_tasks(stop, &left, err);

		if (r < 0)
			return r;
		if (!left)
			return 1;
		if (now_ns() >= end)
			return 0;
		r = between ? between(stop, err) : 0;
		if (r)
			return r < 0 ? r : 0;
		wait_for_event(stop, TICK_MS);
	}
}

/*
 * SIGKILL: the cgroup as a whole, which no fork escapes, and whoever lies elsewhere. Return: 1: there
 * is no process, what is left are threads that were attached alone.
 */
static int kill_all(struct stop *stop, struct pol_err *err)
{
	bool populated = stop->cgroup >= 0 && pol_cgroup_populated(stop->cgroup) != 0;
	int r = populated ? pol_file_write(stop->cgroup, "cgroup.kill", "1") : 0;

	stop->killed = true;
	if (r >= 0)
		r = pol_members_signal(stop->engine, stop->guest->id, SIGKILL);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot kill the tasks of '%s'",
				   stop->guest->name);
	return !r && !populated;
}

static int open_home(struct stop *stop, const char *name, struct pol_err *err)
{
	int r = pol_cgroup_open(stop->meta->cgroup, name, &stop->cgroup);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot open the cgroup of '%s'", name);
	stop->events = openat(stop->cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
	return 0;
}

/* The policy that decides now: another one, maybe, than at the look before. */
static int look(struct stop *stop, const char *name, struct pol_err *err)
{
	int r;

	forget(stop);
	r = pol_meta_load(stop->engine->control->active, &stop->meta, err);
	if (!r)
		r = pol_guest_named(stop->meta, name, &stop->guest, err);
	return r ? r : open_home(stop, name, err);
}

static int remove_home(const struct stop *stop, struct pol_err *err)
{
	const char *parent = stop->meta->cgroup, *name = stop->guest->name;
	const struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };
	uint64_t id = 0;
	int r = pol_cgroup_id(stop->cgroup, &id);

	if (!r)
		r = pol_cgroup_remove(parent, name);
	for (int i = 1; r == -EBUSY && i < REMOVE_TRIES; i++) {
		(void)nanosleep(&tick, NULL);
		r = pol_cgroup_remove(parent, name);
	}
	if (r < 0) {
		pol_err_set(err, POL_ERR_FAILED, r, "nothing of '%s' runs, but its cgroup cannot be "
						    "removed", name);
		return pol_err_fix(err, "see who holds '%s/%s' below the cgroup2 mount", parent,
				   name);
	}
	pol_cgroups_drop(stop->engine, id);
	return 0;
}

static int refuse_rest(const struct stop *stop, struct pol_err *err)
{
	size_t left = 0;
	int r = count_tasks(stop, &left, err);

	if (r < 0)
		return r;
	pol_err_say(err, POL_ERR_FAILED, -EBUSY, "%zu task%s of '%s' cannot be ended", left,
		    left == 1 ? "" : "s", stop->guest->name);
	return pol_err_fix(err, "threads that were attached alone: 'policyctl detach'; else see what "
				"the kernel holds them in");
}

/* @usec: how long to wait for it; 0: not at all. */
static int stop_unit(struct stop *stop, const char *unit, int64_t usec, struct pol_err *err)
{
	int r = stop->systemd ? 0 : pol_systemd_open(false, &stop->systemd, err);

	if (r < 0)
		return r;
	return usec > 0 ? pol_systemd_await_stop(stop->systemd, unit, (uint64_t)usec, err)
			: pol_systemd_stop(stop->systemd, unit, err);
}

static int64_t left_of(int64_t end)
{
	int64_t now = now_ns();

	return end > now ? end - now : 0;
}

/*
 * Units in their own way, by systemd, which else would start again what we end. All are asked first,
 * so that they stop beside each other. Return: 0: they have; -ETIMEDOUT: one has not yet.
 */
static int stop_units(struct stop *stop, int64_t end, struct pol_err *err)
{
	const struct pol_meta_guest *guest = stop->guest;
	int r = 0;

	for (size_t i = 0; i < guest->members_cnt && !r; i++)
		if (guest->members[i].kind == POL_MEMBER_UNIT)
			r = stop_unit(stop, guest->members[i].text, 0, err);
	for (size_t i = 0; i < guest->members_cnt && !r; i++)
		if (guest->members[i].kind == POL_MEMBER_UNIT)
			r = stop_unit(stop, guest->members[i].text, left_of(end) / 1000 + 1, err);
	return r;
}

/* Alone: nobody comes in. */
static int end_it(struct stop *stop, struct pol_stop_result *ret, struct pol_err *err)
{
	int r = wait_until_empty(stop, KILL_NS, kill_all, err);

	ret->killed = stop->killed;
	if (!r)
		return refuse_rest(stop, err);
	if (r > 0) /* what is left of them is systemd's to do: no process of them is */
		r = stop_units(stop, now_ns() + KILL_NS, err);
	if (!r)
		r = stop->cgroup >= 0 ? remove_home(stop, err) : 0;
	if (!r && pol_tmp_has(stop->guest))
		r = pol_tmp_clear(stop->guest->name, err);
	ret->removed = !r && stop->cgroup >= 0;
	if (ret->removed)
		pol_note(stop->engine, stop->guest->id, POL_ACTION_STOPPED);
	return r;
}

/* Whoever is in no unit, or whose unit has not stopped in time, @end. */
static int ask_members(struct stop *stop, int64_t end, struct pol_err *err)
{
	int r = pol_members_signal(stop->engine, stop->guest->id, SIGTERM);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot signal guest '%s'",
				   stop->guest->name);
	return wait_until_empty(stop, left_of(end), NULL, err);
}

static int ask(struct stop *stop, const char *name, int64_t grace_ns, struct pol_stop_result *ret,
	       struct pol_err *err)
{
	int64_t end = now_ns() + grace_ns;
	int r = look(stop, name, err);

	if (!r)
		r = count_tasks(stop, &ret->running, err);
	if (!r)
		r = stop_units(stop, end, err);
	if (r == -ETIMEDOUT)
		return 0;
	if (!r && ret->running)
		r = ask_members(stop, end, err);
	return r < 0 ? r : 0;
}

int pol_stop(const char *name, int64_t grace_ns, struct pol_stop_result *ret, struct pol_err *err)
{
	_cleanup_(stop_done) struct stop stop = { .cgroup = -EBADF, .events = -EBADF };
	_cleanup_close_ int lock = -EBADF;
	int r = pol_engine_open(&stop.engine, err);

	*ret = (struct pol_stop_result){ .loaded = !r };
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = ask(&stop, name, grace_ns, ret, err);
	if (r < 0)
		return r;
	lock = pol_lock(err);
	r = lock < 0 ? lock : pol_engine_use(stop.engine, true, err);
	if (!r)
		r = look(&stop, name, err);
	return r ? r : end_it(&stop, ret, err);
}
