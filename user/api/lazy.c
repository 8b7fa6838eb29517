/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pol_lazy_map(), and the handle of who serves. */
#include <errno.h>

#include "base.h"
#include "handback.h"
#include "lazy_source.h"

struct pol_lazy {
	struct pol_lazy_watch watch;
	struct pol_pager pager;
};

/* ------------------------------------------------------------------ the guest's side */

int pol_lazy_map(int shadow, int prot, struct pol_lazy_mapping *ret, struct pol_error *error)
{
	struct pol_lazy_mapping mapping = {};
	struct pol_lazy_region region;
	struct pol_err err = {};
	int r;

	if (!ret || ret->size < sizeof(mapping))
		return pol_fail_usage(error, "the size of struct pol_lazy_mapping is not set");
	r = pol_lazy_region_map(shadow, prot, &region, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	mapping.address = region.address;
	mapping.length = region.length;
	mapping.uffd = region.uffd;
	mapping.flags = region.user_only ? POL_LAZY_USER_ONLY : 0;
	return pol_hand_back(ret, sizeof(mapping), &mapping, sizeof(mapping));
}

/* ------------------------------------------------------------------ the host's side */

void pol_lazy_close(struct pol_lazy *lazy)
{
	if (!lazy)
		return;
	pol_pager_close(&lazy->pager);
	pol_lazy_watch_done(&lazy->watch);
	free(lazy);
}

static void lazy_closep(struct pol_lazy **lazy)
{
	pol_lazy_close(*lazy);
}

static int open_source(struct pol_lazy *lazy, const char *guest, int shadow, const char *path,
		       struct pol_pager_source *ret, struct pol_err *err)
{
	_cleanup_(pol_engine_closep) struct pol_engine *engine = NULL;
	int r = pol_engine_open(&engine, err);

	return r ? r : pol_lazy_source_open(engine, guest, shadow, path, &lazy->watch, ret, err);
}

int pol_lazy_open(const char *guest, int shadow, const char *path, int uffd, uint64_t address,
		  struct pol_lazy **ret, struct pol_error *error)
{
	_cleanup_(lazy_closep) struct pol_lazy *lazy = calloc(1, sizeof(*lazy));
	struct pol_pager_source source;
	struct pol_err err = {};
	int r;

	if (!lazy)
		return pol_fail_memory(error);
	lazy->watch = (struct pol_lazy_watch)POL_LAZY_WATCH_INIT;
	lazy->pager = (struct pol_pager)POL_PAGER_INIT;
	r = open_source(lazy, guest, shadow, path, &source, &err);
	if (r < 0)
		return pol_fail(error, r, &err);
	r = pol_pager_open(&lazy->pager, uffd, address, &source, &err);
	if (r < 0) {
		pol_closep(&source.fd);
		return pol_fail(error, r, &err);
	}
	*ret = TAKE_PTR(lazy);
	return 0;
}

int pol_lazy_fd(const struct pol_lazy *lazy)
{
	return lazy->pager.uffd;
}

int pol_lazy_serve(struct pol_lazy *lazy, uint32_t max, struct pol_error *error)
{
	struct pol_err err = {};
	int r;

	if (!max || max > INT32_MAX)
		return pol_fail_usage(error, "how many faults to answer at most: 1 to 2147483647");
	r = pol_pager_serve(&lazy->pager, max, &err);
	return r < 0 ? pol_fail(error, r, &err) : r;
}

uint64_t pol_lazy_copied(const struct pol_lazy *lazy)
{
	return lazy->pager.copied;
}
