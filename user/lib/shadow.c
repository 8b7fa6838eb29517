/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>

#include "anchors.h"
#include "base.h"
#include "enter.h"
#include "here.h"
#include "resolve.h"
#include "shadow_file.h"
#include "shadow_int.h"
#include "snapshot.h"
#include "str.h"

/* Of a file that others write all the time, or beside loads that come one after another. */
#define TRIES 3

/* ------------------------------------------------------------------ the source */

static int identify(struct giving *g, struct pol_err *err)
{
	struct pol_anchor_record record;
	int r = pol_anchor_of(g->engine, g->file, &record);

	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot read the kernel's key of '%s'",
				   g->path);
	if (record.self.tree == POL_TREE_UNKNOWN || record.self_layer == OVERLAYFS_SUPER_MAGIC ||
	    (record.self_layer && !pol_fs_supported(record.self_layer)))
		return pol_err_say(err, POL_ERR_HOST, -EOPNOTSUPP,
				   "'%s' has no exact key on this filesystem: nobody could say when it "
				   "changes",
				   g->path);
	g->source = record.self;
	g->source.ruleset = 0;
	return 0;
}

static int cannot_watch(const struct giving *g, int r, struct pol_err *err)
{
	if (r != -E2BIG)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot watch '%s'", g->path);
	return pol_err_say(err, POL_ERR_FAILED, -ENFILE,
			   "cannot watch '%s': there are snapshots of %u files already", g->path,
			   POL_SNAPSHOTS_MAX);
}

static bool prune(const struct pol_engine *engine)
{
	int pruned;

	if (pol_snapshots_lock(engine, NULL) < 0)
		return false;
	pruned = pol_sources_prune(engine);
	pol_snapshots_unlock(engine);
	return pruned;
}

/*
 * From here on the kernel counts what may change it; and whoever had it open for writing before is seen:
 * in this order nobody slips between.
 */
static int watch(struct giving *g, struct pol_err *err)
{
	int map = g->engine->maps[POL_MAP_SOURCES];
	struct pol_anchor_record record;
	/* Never a number that it had before: a file that was forgotten may be watched anew. */
	struct pol_source source = { .changes = pol_boot_ns() };
	int r = bpf_map_update_elem(map, &g->source, &source, BPF_NOEXIST);

	if (r == -E2BIG && prune(g->engine))
		r = bpf_map_update_elem(map, &g->source, &source, BPF_NOEXIST);
	if (r < 0 && r != -EEXIST)
		return cannot_watch(g, r, err);
	r = bpf_map_lookup_elem(map, &g->source, &source);
	if (r == -ENOENT)
		return -EAGAIN; /* pruned by another */
	if (!r)
		r = pol_anchor_of(g->engine, g->file, &record);
	if (r < 0)
		return cannot_watch(g, r, err);
	g->changes = source.changes;
	g->writers = record.writers;
	return 0;
}

/* ------------------------------------------------------------------ the copy */

static int explain_copy(const struct giving *g, int r, struct pol_err *err)
{
	switch (r) {
	case -EFBIG:
		return pol_shadow_too_large(g, err);
	case -EIO:
		return pol_err_say(err, POL_ERR_FAILED, r,
				   "'%s' shrank while it was copied, or cannot be read", g->path);
	case -EACCES:
		pol_err_set(err, POL_ERR_HOST, r, "cannot make a memfd for '%s'", g->path);
		if (g->wish->exec)
			(void)pol_err_fix(err, "does this host forbid executable ones? (sysctl "
					       "vm.memfd_noexec = 2)");
		return r;
	default:
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot snapshot '%s'", g->path);
	}
}

static int copy(struct giving *g, int *ret, struct pol_err *err)
{
	enum pol_snapshot_kind kind = g->wish->exec ? POL_SNAPSHOT_EXEC :
				      g->wish->lazy ? POL_SNAPSHOT_LAZY :
						      POL_SNAPSHOT_DATA;
	uint64_t size;
	int r = pol_snapshot_make(g->file, pol_shadow_cap(g), kind, ret, &size, &g->torn);

	if (r < 0)
		return explain_copy(g, r, err);
	g->snapshot.size = size;
	g->snapshot.source = g->source;
	g->snapshot.changes = g->changes;
	g->snapshot.flags = pol_shadow_flags(g);
	memset(g->snapshot.holders, 0, sizeof(g->snapshot.holders));
	return pol_memory_file_of(*ret, &g->memory);
}

/* ------------------------------------------------------------------ */

/* While it was copied: its own times, or what the kernel has counted. */
static bool has_changed(const struct giving *g)
{
	struct pol_source source;

	return g->torn ||
	       bpf_map_lookup_elem(g->engine->maps[POL_MAP_SOURCES], &g->source, &source) < 0 ||
	       source.changes != g->changes;
}

/* Its name has gone to another file, or nobody's, maybe before the kernel counted: nobody would tell. */
static bool is_replaced(const struct giving *g)
{
	_cleanup_close_ int now = pol_shadow_file_open(&g->guest->shadow, g->path, &(struct pol_err){});
	struct stat here, there;

	return now < 0 || fstat(now, &there) < 0 || fstat(g->file, &here) < 0 ||
	       here.st_ino != there.st_ino || here.st_dev != there.st_dev;
}

/* Return: as pol_shadow_enter(). */
static int give_file(struct giving *g, bool last, struct pol_err *err)
{
	_cleanup_close_ int memfd = -EBADF;
	int r = identify(g, err);

	if (!r)
		r = watch(g, err);
	if (r < 0)
		return r;
	g->torn = is_replaced(g);
	r = pol_shadow_enter(g, -EBADF, err);
	if (r != NEEDS_COPY)
		return r;
	r = copy(g, &memfd, err);
	if (r < 0)
		return r;
	g->torn |= is_replaced(g);
	return has_changed(g) && !last ? -EAGAIN : pol_shadow_enter(g, memfd, err);
}

/* Each time by the path: it may be another file's by now. */
static int give(struct giving *g, struct pol_err *err)
{
	int r = -EAGAIN;

	for (unsigned int i = 1; r == -EAGAIN && i <= TRIES; i++) {
		if (g->engine->control->active != g->generation)
			return r;
		g->file = pol_shadow_file_open(&g->guest->shadow, g->path, err);
		r = g->file < 0 ? g->file : give_file(g, i == TRIES, err);
		pol_closep(&g->file);
	}
	return r;
}

/* What the policy says of the wish itself. */
static int check_wish(const struct giving *g, struct pol_err *err)
{
	if (g->wish->exec && g->wish->lazy)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "a lazy shadow is never executable: its guest fills it in");
	if (!g->guest->shadow.paths_cnt) {
		pol_err_say(err, POL_ERR_FAILED, -EACCES, "guest '%s' may have no shadows",
			    g->guest->name);
		return pol_err_fix(err, "[guest.%s.shadow] paths = [\"%s\"]", g->guest->name, g->path);
	}
	if (g->wish->exec && !g->guest->shadow.exec) {
		pol_err_say(err, POL_ERR_FAILED, -EPERM, "guest '%s' may have no executable shadows",
			    g->guest->name);
		return pol_err_fix(err, "[guest.%s.shadow] exec = true", g->guest->name);
	}
	return 0;
}

static int wrong_path(const char *path, int fault, struct pol_err *err)
{
	if (fault < 0)
		return pol_err_set(err, POL_ERR_FAILED, fault, "cannot snapshot '%s'", path);
	return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
			   "'%s' is no path of a file to snapshot: it is absolute, without '..'", path);
}

/* Return: -EAGAIN: the policy is another one now. */
static int give_by_policy(struct pol_engine *engine, const struct pol_shadow_wish *wish, const char *path,
			  struct pol_shadow_item *ret_item, struct pol_err *err)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = NULL;
	struct giving g = { .engine = engine, .wish = wish, .path = path, .file = -EBADF };
	int r = pol_guest_read(engine, wish->guest, &meta, &g.guest, err);

	if (r < 0)
		return r;
	g.generation = meta->generation;
	r = check_wish(&g, err);
	if (r >= 0)
		r = give(&g, err);
	if (r < 0 && r != -EAGAIN)
		pol_shadow_refuse(&g, r);
	if (r >= 0 && ret_item)
		*ret_item = g.item;
	return r;
}

int pol_shadow_give(struct pol_engine *engine, const struct pol_shadow_wish *wish,
		    struct pol_shadow_item *ret_item, struct pol_err *err)
{
	_cleanup_free_ char *path = NULL;
	int r = pol_path_clean(wish->path, strlen(wish->path), &path);

	if (r)
		return wrong_path(wish->path, r, err);
	for (unsigned int i = 0; i < TRIES; i++) {
		r = give_by_policy(engine, wish, path, ret_item, err);
		if (r != -EAGAIN)
			return r;
	}
	return pol_err_say(err, POL_ERR_BUSY, -EBUSY,
			   "cannot snapshot '%s': it is changed, or the policy is, all the time", path);
}
