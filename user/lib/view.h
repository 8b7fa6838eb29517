/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest with a root of its own sees there, and where (policy-language.md, semantics 16): its
 * rules' places and what --map adds. A plan only; newroot.c carries it out. Pure.
 */
#pragma once

#include "err.h"
#include "meta.h"

/**
 * struct pol_map - something of the host made visible. All owned.
 * @host, @guest: as they were given, the latter clean, absolute and not "/". @ro: read-only in any case.
 * @dir, @name: what @host leads to, as in struct pol_place.
 */
struct pol_map {
	char *host;
	char *guest;
	char *dir;
	char *name;
	bool ro;
};

void pol_map_done(struct pol_map *map);

/**
 * struct pol_view_item - one thing that the guest sees.
 * @at: where, clean. @what: how messages name it. @dir, @name: the thing, as in struct pol_place.
 * @ino: of @dir as stat(2) had it when the rule was anchored to it; 0: whatever is there.
 * @line: of the rule; 0: no rule's.
 * @asked: by guest_path or --map. Else it need not be put where it is seen anyhow.
 * @ro: mounted read-only. @device: a device node may be opened.
 * @make: what is missing is made, a file. @must: what is missing is a failure.
 */
struct pol_view_item {
	char *at;
	char *what;
	char *dir;
	char *name;
	uint64_t ino;
	uint32_t line;
	bool asked;
	bool ro;
	bool device;
	bool make;
	bool must;
};

/* Sorted by @at, none twice. */
struct pol_view {
	struct pol_view_item *items;
	size_t cnt;
};

/**
 * pol_view_make() - of a guest's rules, and of --map.
 *
 * With tmp = "private" its directory is /tmp and /var/tmp.
 * Return: 0; -EINVAL: two things at one place, or one that would be "/" or in a private /tmp; -ENOMEM.
 */
int pol_view_make(const struct pol_meta *meta, const struct pol_meta_guest *guest,
		  const struct pol_map *maps, size_t maps_cnt, struct pol_view *ret,
		  struct pol_err *err);
void pol_view_done(struct pol_view *view);
