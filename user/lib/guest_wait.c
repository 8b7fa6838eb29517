/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest_wait.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>

#include "base.h"
#include "cgroup.h"
#include "exits.h"
#include "store.h"

#define NAP_MS	20
#define LOOK_MS 1000

struct waiting {
	struct pol_engine *engine;
	uint32_t guest;
	uint32_t instance;    /* that is waited for */
	struct pollfd *polls; /* the pins, then cgroup.events of its cgroups that have tasks */
	nfds_t cnt;
};

static uint64_t counts_of(const struct waiting *waiting)
{
	return __atomic_load_n(&waiting->engine->states[waiting->guest].counts, __ATOMIC_ACQUIRE);
}

/* Return: 1: it is over; 0: it is not; -ESTALE: nobody counts any more. */
static int is_over(const struct waiting *waiting)
{
	uint64_t counts = counts_of(waiting);

	if (!POL_COUNT_TASKS(counts) || POL_COUNT_INSTANCE(counts) != waiting->instance)
		return 1;
	return __atomic_load_n(&waiting->engine->control->active, __ATOMIC_RELAXED) ? 0 : -ESTALE;
}

/* ------------------------------------------------------------------ the pins */

/*
 * An unload renames them first and removes them last, when nobody counts any more. Where inotify is
 * not to be had the look that is taken from time to time sees it, too: poll(2) passes over -1.
 */
static int watch_pins(struct waiting *waiting)
{
	waiting->polls = calloc(1, sizeof(*waiting->polls));
	if (!waiting->polls)
		return -ENOMEM;
	waiting->polls->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	waiting->polls->events = POLLIN;
	waiting->cnt = 1;
	if (waiting->polls->fd >= 0)
		(void)inotify_add_watch(waiting->polls->fd, POL_BPFFS,
					IN_DELETE | IN_MOVE | IN_ONLYDIR);
	return 0;
}

/* Whatever it was: who calls looks next. */
static void take_pins_events(const struct waiting *waiting)
{
	char events[4096];

	while (waiting->polls->fd >= 0 && read(waiting->polls->fd, events, sizeof(events)) > 0)
		;
}

/* ------------------------------------------------------------------ its cgroups */

static void forget_cgroups(struct waiting *waiting)
{
	while (waiting->cnt > 1)
		pol_closep(&waiting->polls[--waiting->cnt].fd);
}

/* poll(2) tells of what has changed since it was read here. */
static bool is_populated(int events)
{
	char text[256];
	ssize_t n = pread(events, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

/* One that is gone, or has no tasks, has no end to wait for. */
static int watch_cgroup(struct waiting *waiting, const char *path)
{
	_cleanup_close_ int dir = -EBADF, events = -EBADF;
	struct pollfd *more;

	if (pol_cgroup_open_path(path, &dir) < 0)
		return 0;
	events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0 || !is_populated(events))
		return 0;
	more = reallocarray(waiting->polls, waiting->cnt + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	waiting->polls = more;
	more[waiting->cnt++] = (struct pollfd){ .fd = TAKE_FD(events), .events = POLLPRI };
	return 0;
}

static int watch_cgroups(struct waiting *waiting)
{
	char path[PATH_MAX];
	int r = 0;

	for (uint32_t at = 0; at < POL_CGROUP_SLOTS && !r; at++) {
		const struct pol_cgroup_slot *slot = &waiting->engine->cgroups[at];

		if (slot->guest == waiting->guest && slot->id > POL_CGROUP_GONE &&
		    !pol_cgroup_path_of(slot->id, path, sizeof(path)))
			r = watch_cgroup(waiting, path);
	}
	return r;
}

/*
 * No event tells of tasks that are the guest's no more but stay where they are, or leave a cgroup in
 * which others are: `detach`, and whom a load has left there by their labels alone.
 */
static int wait_for_change(const struct waiting *waiting)
{
	bool told = waiting->cnt > 1;
	int r;

	do
		r = poll(waiting->polls, waiting->cnt, told ? LOOK_MS : NAP_MS);
	while (!r && told && !is_over(waiting));
	return r < 0 && errno != EINTR ? -errno : 0;
}

/* Watched first, then looked at: what ends in between is an event already. */
static int watch_until_over(struct waiting *waiting)
{
	int r = is_over(waiting);

	while (!r) {
		forget_cgroups(waiting);
		take_pins_events(waiting);
		r = watch_cgroups(waiting);
		if (!r)
			r = is_over(waiting);
		if (!r)
			r = wait_for_change(waiting);
	}
	return r < 0 ? r : 0;
}

static int wait_until_over(struct waiting *waiting)
{
	int r = watch_pins(waiting);

	if (r < 0)
		return r;
	r = watch_until_over(waiting);
	forget_cgroups(waiting);
	pol_closep(&waiting->polls->fd);
	free(waiting->polls);
	return r;
}

/* ------------------------------------------------------------------ */

static int explain(int code, const char *name, struct pol_err *err)
{
	switch (code) {
	case -ENODATA:
		return pol_err_say(err, POL_ERR_FAILED, code,
				   "no exit of guest '%s' is kept: none of it has run since "
				   "the engine was loaded",
				   name);
	case -ENOENT:
		pol_err_say(
			err, POL_ERR_FAILED, code,
			"guest '%s' has ended, but how is not kept any more: it has been started "
			"again and again",
			name);
		return pol_err_fix(err, "see 'policyctl events --guest %s --type exit'", name);
	case -ECHILD:
		return pol_err_say(err, POL_ERR_FAILED, code,
				   "guest '%s' is empty, but no exit of it is kept: its processes "
				   "were detached",
				   name);
	case -ESTALE:
		pol_err_say(err, POL_ERR_FAILED, code,
			    "the engine was unloaded while guest '%s' ran", name);
		return pol_err_fix(err, "wait for its process by number");
	}
	return pol_err_set(err, POL_ERR_FAILED, code, "cannot wait for guest '%s'", name);
}

/*
 * Nobody has ended in an instance that has left no exit, while its place among the ends cannot have
 * been taken yet: that is the next one's but one. Instances are counted in 24 bits, around.
 */
static bool has_no_end(const struct waiting *waiting)
{
	uint32_t since = POL_COUNT_INSTANCE(counts_of(waiting)) - waiting->instance;

	return since << POL_COUNT_INSTANCE_SPARE < 2u << POL_COUNT_INSTANCE_SPARE;
}

static int wait_and_find(struct waiting *waiting, struct pol_exits *exits,
			 struct pol_event_view *ret)
{
	uint64_t counts = counts_of(waiting);
	bool runs = POL_COUNT_TASKS(counts);
	struct pol_exit_ends ends;
	int r;

	waiting->instance = POL_COUNT_INSTANCE(counts);
	r = runs ? wait_until_over(waiting) : 0;
	if (!r)
		r = pol_exits_ends(exits, waiting->guest, !runs, waiting->instance, &ends);
	if (r == -ENOENT && !runs)
		return -ENODATA;
	if (r == -ENOENT && has_no_end(waiting))
		return -ECHILD;
	if (r < 0)
		return r;
	pol_exits_view(runs ? &ends.first : &ends.last, ret);
	return 0;
}

int pol_guest_await(struct pol_engine *engine, const char *name, uint32_t guest,
		   struct pol_event_view *ret, struct pol_err *err)
{
	struct waiting waiting = { .engine = engine, .guest = guest };
	struct pol_exits exits = POL_EXITS_INIT;
	int r = pol_exits_of(engine, &exits);

	if (!r)
		r = wait_and_find(&waiting, &exits, ret);
	pol_exits_close(&exits);
	return r < 0 ? explain(r, name, err) : 0;
}
