/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A subscription to exits. The engine keeps the newest of them in rings that anybody may look at
 * (exits.h), each with its turn: who remembers the next turn of each ring has every exit once, takes
 * nothing from others, and knows how many were overwritten before they were looked at.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "base.h"
#include "exit_fill.h"
#include "exits.h"
#include "handback.h"
#include "here.h"

/*
 * The event ring wakes who polls it for each record, as long as its reader keeps up. Where none does,
 * this is how often there is a look.
 */
#define TICK_NS 100000000
/* A turn that was given out and is not written by then never will be. */
#define LATE_US 1000000

struct pol_exit_stream {
	struct pol_engine *engine;
	struct pol_exits exits;
	struct pol_names names;
	bool one; /* guest, not all */
	uint32_t guest;
	uint64_t next[POL_EXIT_SETS];
	uint64_t late
		[POL_EXIT_SETS]; /* CLOCK_MONOTONIC when the turn was first missed; 0: it was not */
	uint64_t lost;
	bool told; /* of all of them */
	int epoll;
	int timer;
};

void pol_exit_stream_close(struct pol_exit_stream *stream)
{
	if (!stream)
		return;
	pol_names_done(&stream->names);
	pol_exits_close(&stream->exits);
	pol_closep(&stream->epoll);
	pol_closep(&stream->timer);
	pol_engine_close(stream->engine);
	free(stream);
}

static void stream_closep(struct pol_exit_stream **stream)
{
	pol_exit_stream_close(*stream);
}

/* ------------------------------------------------------------------ open */

static int watch(struct pol_exit_stream *stream)
{
	const struct itimerspec tick = { .it_interval.tv_nsec = TICK_NS,
					 .it_value.tv_nsec = TICK_NS };
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET }, timer = { .events = EPOLLIN };

	stream->epoll = epoll_create1(EPOLL_CLOEXEC);
	stream->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (stream->epoll < 0 || stream->timer < 0 ||
	    timerfd_settime(stream->timer, 0, &tick, NULL) < 0 ||
	    epoll_ctl(stream->epoll, EPOLL_CTL_ADD, stream->timer, &timer) < 0 ||
	    epoll_ctl(stream->epoll, EPOLL_CTL_ADD, stream->engine->maps[POL_MAP_RING], &edge) < 0)
		return -errno;
	return 0;
}

static void begin(struct pol_exit_stream *stream, bool kept)
{
	for (size_t i = 0; i < POL_EXIT_SETS; i++) {
		uint64_t next = __atomic_load_n(&stream->exits.sets[i].next, __ATOMIC_ACQUIRE);

		stream->next[i] = !kept ? next : next < POL_EXIT_SLOTS ? 0 : next - POL_EXIT_SLOTS;
	}
}

/*
 * A subscription may outlive an unload: it keeps maps to read from, and no program, nor the map whose
 * timers hold one.
 */
static void drop_programs(struct pol_engine *engine)
{
	for (size_t i = 0; i < POL_PROGS_CNT; i++) {
		pol_closep(&engine->progs[i]);
		engine->progs[i] = -EBADF;
	}
	pol_closep(&engine->maps[POL_MAP_FOLDS]);
	engine->maps[POL_MAP_FOLDS] = -EBADF;
}

static int find_guest(struct pol_exit_stream *stream, const char *guest, struct pol_err *err)
{
	int r = guest ? pol_names_guest_id(&stream->names, guest, &stream->guest) : 0;

	stream->one = guest;
	return r < 0 ? pol_err_say(err, POL_ERR_FAILED, r, "the loaded policy has no guest '%s'",
				   guest)
		     : 0;
}

int pol_exit_stream_open(const char *guest, uint32_t flags, struct pol_exit_stream **ret,
			 struct pol_error *error)
{
	_cleanup_(stream_closep) struct pol_exit_stream *stream = NULL;
	struct pol_err err = {};
	int r;

	if (flags & ~(uint32_t)POL_EXITS_KEPT)
		return pol_fail_usage(error, "a flag that is not known");
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return pol_fail_memory(error);
	stream->exits = (struct pol_exits)POL_EXITS_INIT;
	stream->epoll = stream->timer = -EBADF;
	r = pol_engine_open(&stream->engine, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	drop_programs(stream->engine);
	stream->names.control = stream->engine->control;
	r = find_guest(stream, guest, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	r = pol_exits_of(stream->engine, &stream->exits);
	if (!r)
		r = watch(stream);
	if (r < 0) {
		pol_err_set(&err, POL_ERR_FAILED, r, "cannot subscribe to exits");
		return pol_fail(error, r, &err);
	}
	begin(stream, flags & POL_EXITS_KEPT);
	*ret = TAKE_PTR(stream);
	return 0;
}

int pol_exit_stream_fd(const struct pol_exit_stream *stream)
{
	return stream->epoll;
}

uint64_t pol_exit_stream_lost(const struct pol_exit_stream *stream)
{
	return stream->lost;
}

/* ------------------------------------------------------------------ next */

static void lose(struct pol_exit_stream *stream, size_t set, uint64_t cnt)
{
	stream->lost += cnt;
	stream->told = false;
	stream->next[set] += cnt;
	stream->late[set] = 0;
}

/* Its turn is taken, and it is not written: by whom it is just now, or never (exits.bpf.c). */
static void wait_a_while(struct pol_exit_stream *stream, size_t set)
{
	uint64_t now = pol_monotonic_us();

	if (!stream->late[set])
		stream->late[set] = now;
	else if (now - stream->late[set] > LATE_US)
		lose(stream, set, 1);
}

/* Return: 1: @ret is the next one of this ring; 0: there is none yet; -EAGAIN: look again. */
static int look(struct pol_exit_stream *stream, size_t i, struct pol_exit_record *ret)
{
	const struct pol_exit_set *set = &stream->exits.sets[i];
	uint64_t at = stream->next[i], end = __atomic_load_n(&set->next, __ATOMIC_ACQUIRE), turn;
	const struct pol_exit_slot *slot = &set->slots[at % POL_EXIT_SLOTS];

	if (at >= end)
		return 0;
	if (end - at > POL_EXIT_SLOTS) {
		lose(stream, i, end - at - POL_EXIT_SLOTS);
		return -EAGAIN;
	}
	turn = __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE);
	if (turn == POL_EXIT_WRITING || turn < at + 1) {
		wait_a_while(stream, i);
		return stream->next[i] == at ? 0 : -EAGAIN;
	}
	memcpy(ret, &slot->record, sizeof(*ret));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (turn != at + 1 || __atomic_load_n(&slot->turn, __ATOMIC_RELAXED) != turn) {
		lose(stream, i, 1);
		return -EAGAIN;
	}
	if (!stream->one || ret->guest == stream->guest)
		return 1;
	stream->next[i]++;
	stream->late[i] = 0;
	return -EAGAIN;
}

/* The oldest of what the rings have next. Return: which ring; POL_EXIT_SETS: none. */
static size_t find_next(struct pol_exit_stream *stream, struct pol_exit_record *ret)
{
	size_t first = stream->one ? stream->guest % POL_EXIT_SETS : 0;
	size_t end = stream->one ? first + 1 : POL_EXIT_SETS, found = POL_EXIT_SETS;
	struct pol_exit_record record;

	for (size_t i = first; i < end; i++) {
		int r;

		do
			r = look(stream, i, &record);
		while (r == -EAGAIN);
		if (r && (found == POL_EXIT_SETS || record.boot_ns < ret->boot_ns)) {
			*ret = record;
			found = i;
		}
	}
	return found;
}

/* What made the descriptor readable is taken; what comes from here on makes it so again. */
static void drain(const struct pol_exit_stream *stream)
{
	struct epoll_event events[2];
	uint64_t ticks;

	(void)epoll_wait(stream->epoll, events, ARRAY_SIZE(events), 0);
	(void)!read(stream->timer, &ticks, sizeof(ticks));
}

int pol_exit_stream_next(struct pol_exit_stream *stream, struct pol_exit *ret)
{
	struct pol_exit_record record;
	struct pol_event_view view;
	struct pol_exit end;
	size_t at;

	if (!ret || ret->size < sizeof(end))
		return -EINVAL;
	at = find_next(stream, &record);
	if (at == POL_EXIT_SETS) {
		bool gone = !__atomic_load_n(&stream->engine->control->active, __ATOMIC_ACQUIRE);

		drain(stream);
		at = find_next(stream, &record);
		if (at == POL_EXIT_SETS && (stream->told || !stream->lost))
			return gone ? -ESTALE : -EAGAIN;
	}
	if (stream->lost && !stream->told) {
		stream->told = true;
		return -EOVERFLOW; /* first: what follows comes after the gap */
	}
	stream->next[at]++;
	stream->late[at] = 0;
	pol_exits_view(&record, &view);
	pol_exit_fill(&view, &stream->names, &end);
	return pol_hand_back(ret, sizeof(end), &end, sizeof(end));
}
