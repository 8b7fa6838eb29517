/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "feed.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base.h"
#include "cgroup.h"
#include "engine.h"
#include "generation.h"
#include "meta.h"

/* The reader's lock is on a directory that every load leaves alone. */
#define READER_LOCK POL_STORE "/maps"

struct pol_feed {
	struct pol_engine *engine;
	struct pol_ring ring;
	struct pol_meta *metas[POL_GENERATIONS_KEPT]; /* by generation; loaded when asked for */
	uint64_t missing[POL_GENERATIONS_KEPT];	      /* generations that were not to be had */
	char where[512];
	char cgroup[1024];
	int lock;
};

void pol_feed_close(struct pol_feed *feed)
{
	if (!feed)
		return;
	pol_ring_close(&feed->ring);
	for (size_t i = 0; i < POL_GENERATIONS_KEPT; i++)
		pol_meta_free(feed->metas[i]);
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
	return pol_err_fix(err, "end the other 'policyctl events'");
}

int pol_feed_open(struct pol_feed **ret, struct pol_err *err)
{
	_cleanup_(feed_closep) struct pol_feed *feed = calloc(1, sizeof(*feed));
	int r;

	if (!feed)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot read events");
	feed->lock = -EBADF;
	feed->ring = (struct pol_ring)POL_RING_INIT;
	r = pol_engine_open(&feed->engine, err);
	if (!r)
		r = take_lock(feed, err);
	if (r < 0)
		return r;
	r = pol_ring_open(feed->engine->maps[POL_MAP_RING], &feed->ring);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot map the event ring");
	*ret = TAKE_PTR(feed);
	return 0;
}

struct pol_ring *pol_feed_rings(struct pol_feed *feed, size_t *ret_cnt)
{
	*ret_cnt = 1;
	return &feed->ring;
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
	return __atomic_load_n(&feed->engine->control->active, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------ names */

static const struct pol_meta *meta_of(struct pol_feed *feed, uint64_t generation)
{
	size_t at = generation % POL_GENERATIONS_KEPT;
	struct pol_meta *meta = NULL;

	if (feed->metas[at] && feed->metas[at]->generation == generation)
		return feed->metas[at];
	if (!generation || feed->missing[at] == generation)
		return NULL;
	if (pol_meta_load(generation, &meta, NULL) < 0) {
		feed->missing[at] = generation;
		return NULL;
	}
	pol_meta_free(feed->metas[at]);
	feed->metas[at] = meta;
	return meta;
}

static const char *guest_name(void *arg, uint64_t generation, uint32_t guest)
{
	struct pol_feed *feed = arg;
	const struct pol_meta *metas[] = {
		meta_of(feed, generation),
		meta_of(feed, pol_feed_generation(feed)),
	};

	for (size_t i = 0; i < ARRAY_SIZE(metas); i++) {
		const struct pol_meta_guest *found =
			metas[i] ? pol_meta_guest_by_id(metas[i], guest) : NULL;

		if (found)
			return found->name;
	}
	return NULL;
}

static int rule_of(void *arg, uint64_t generation, uint32_t id, struct pol_event_rule *ret)
{
	struct pol_feed *feed = arg;
	const struct pol_meta *meta = meta_of(feed, generation);
	const struct pol_meta_rule *rule;

	if (!meta || !id || id > meta->rules_cnt)
		return -ENOENT;
	rule = &meta->rules[id - 1];
	(void)snprintf(feed->where, sizeof(feed->where), "%s:%u", meta->file, rule->line);
	ret->name = rule->name;
	ret->where = feed->where;
	ret->path = rule->path;
	ret->path_len = strlen(rule->path);
	return 0;
}

static const char *sha256_of(void *arg, uint64_t generation)
{
	const struct pol_meta *meta = meta_of(arg, generation);

	return meta ? meta->sha256 : NULL;
}

static const char *cgroup_of(void *arg, uint64_t id)
{
	struct pol_feed *feed = arg;
	const struct pol_meta *meta;

	if (!pol_cgroup_path_of(id, feed->cgroup, sizeof(feed->cgroup)))
		return feed->cgroup;
	/* It is gone; a guest's own can still be named. */
	meta = meta_of(feed, pol_feed_generation(feed));
	for (size_t i = 0; meta && i < meta->guests_cnt; i++) {
		if (meta->guests[i].cgroup_id != id)
			continue;
		(void)snprintf(feed->cgroup, sizeof(feed->cgroup), "/%s/%s", meta->cgroup,
			       meta->guests[i].name);
		return feed->cgroup;
	}
	return NULL;
}

int pol_feed_guest_id(struct pol_feed *feed, const char *name, uint32_t *ret)
{
	uint64_t active = pol_feed_generation(feed);

	for (uint64_t back = 0; back < POL_GENERATIONS_KEPT && back < active; back++) {
		const struct pol_meta *meta = meta_of(feed, active - back);
		const struct pol_meta_guest *guest = meta ? pol_meta_guest(meta, name) : NULL;

		if (guest) {
			*ret = guest->id;
			return 0;
		}
	}
	return -ENOENT;
}

void pol_feed_context(struct pol_feed *feed, struct pol_event_ctx *ctx)
{
	ctx->arg = feed;
	ctx->guest_name = guest_name;
	ctx->rule = rule_of;
	ctx->sha256 = sha256_of;
	ctx->cgroup = cgroup_of;
}
