/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "feed.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base.h"
#include "engine.h"
#include "names.h"

/* The reader's lock is on a directory that every load leaves alone. */
#define READER_LOCK POL_STORE "/maps"

_Static_assert(POL_RINGS_CNT <= POL_CURSOR_RINGS, "rings");

struct pol_feed {
	struct pol_engine *engine;
	struct pol_ring rings[POL_RINGS_CNT];
	struct pol_names names;
	struct pol_pieces pieces;
	int lock;
};

void pol_feed_close(struct pol_feed *feed)
{
	if (!feed)
		return;
	for (size_t i = 0; i < POL_RINGS_CNT; i++)
		pol_ring_close(&feed->rings[i]);
	pol_names_done(&feed->names);
	pol_engine_close(feed->engine);
	pol_closep(&feed->lock);
	free(feed);
}

static void feed_closep(struct pol_feed **feed)
{
	pol_feed_close(*feed);
}

static int take_lock(struct pol_feed *feed, struct pol_err *err)
{
	feed->lock = open(READER_LOCK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (feed->lock < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot open " READER_LOCK);
	if (!flock(feed->lock, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot lock " READER_LOCK);
	pol_err_say(err, POL_ERR_BUSY, -EBUSY, "another reader has the events");
	return pol_err_fix(err, "end the other 'policyctl events' or policyd");
}

int pol_feed_open(struct pol_feed **ret, struct pol_err *err)
{
	_cleanup_(feed_closep) struct pol_feed *feed = calloc(1, sizeof(*feed));
	int r;

	if (!feed)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot read events");
	feed->lock = -EBADF;
	for (size_t i = 0; i < POL_RINGS_CNT; i++)
		feed->rings[i] = (struct pol_ring)POL_RING_INIT;
	r = pol_engine_open(&feed->engine, err);
	if (!r)
		r = take_lock(feed, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < POL_RINGS_CNT && !r; i++)
		r = pol_ring_open(feed->engine->maps[pol_rings[i]], &feed->rings[i]);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot map the event rings");
	feed->names.control = feed->engine->control;
	feed->names.pieces = &feed->pieces;
	*ret = TAKE_PTR(feed);
	return 0;
}

struct pol_ring *pol_feed_rings(struct pol_feed *feed, size_t *ret_cnt)
{
	*ret_cnt = POL_RINGS_CNT;
	return feed->rings;
}

uint32_t pol_feed_guest_limit(struct pol_feed *feed)
{
	return __atomic_load_n(&feed->engine->control->next_guest, __ATOMIC_RELAXED);
}

int pol_feed_state(struct pol_feed *feed, uint32_t guest, struct pol_guest_state *ret)
{
	if (guest >= POL_GUESTS_MAX)
		return -ERANGE;
	memcpy(ret, (const void *)&feed->engine->states[guest], sizeof(*ret));
	return 0;
}

int pol_feed_cursor_load(struct pol_feed *feed, uint32_t guest, struct pol_cursor *ret)
{
	int r = bpf_map_lookup_elem(feed->engine->maps[POL_MAP_CURSORS], &guest, ret);

	if (r == -ENOENT) {
		memset(ret, 0, sizeof(*ret)); /* nothing of it was ever read */
		return 0;
	}
	return r;
}

int pol_feed_cursor_save(struct pol_feed *feed, uint32_t guest, const struct pol_cursor *cursor)
{
	return bpf_map_update_elem(feed->engine->maps[POL_MAP_CURSORS], &guest, cursor, BPF_ANY);
}

uint64_t pol_feed_generation(struct pol_feed *feed)
{
	return pol_names_generation(&feed->names);
}

bool pol_feed_gone(const struct pol_feed *feed)
{
	struct stat st;

	if (!__atomic_load_n(&feed->engine->control->active, __ATOMIC_RELAXED))
		return true;
	return fstat(feed->lock, &st) < 0 || !st.st_nlink;
}

int pol_feed_guest_id(struct pol_feed *feed, const char *name, uint32_t *ret)
{
	return pol_names_guest_id(&feed->names, name, ret);
}

void pol_feed_context(struct pol_feed *feed, struct pol_event_ctx *ctx)
{
	pol_names_context(&feed->names, ctx);
}
