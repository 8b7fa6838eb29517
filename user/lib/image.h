/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A generation as exact map entries: pure, from rules, places and the kernel's keys. */
#pragma once

#include "anchors.h"
#include "meta.h"

struct pol_dir_entry {
	struct pol_dir_key key;
	struct pol_rule_value value;
	bool derived; /* from a mount: an explicit rule on the same inode wins */
};

struct pol_name_entry {
	struct pol_name_key key;
	struct pol_rule_value value;
	bool derived;
};

struct pol_long_entry {
	struct pol_long_key key;
	struct pol_long_value value;
	bool derived;
};

/*
 * Each list sorted by key, no key twice. Names below 32 bytes come first. A raw one (pol_image_gather())
 * is in no order and has as many entries of a key as rules have made: one entry, one rule.
 */
struct pol_image {
	struct pol_dir_entry *dirs;
	struct pol_name_entry *names;
	struct pol_long_entry *longs;
	size_t dirs_cnt;
	size_t names_cnt;
	size_t longs_cnt;
};

void pol_image_done(struct pol_image *image);

/* pol_image_guest() - what the programs are told of a guest (not of a ghost: it gets nothing). */
void pol_image_guest(const struct pol_meta_guest *guest, struct pol_guest_config *ret);

/**
 * pol_image_gather() - the raw entries of @places.
 * @policy: its guests are the first of @meta's, in the same order.
 *
 * Return: 0; -ENOMEM.
 */
int pol_image_gather(const struct pol_policy *policy, const struct pol_meta *meta,
		     const struct pol_places *places, const struct pol_anchors *anchors,
		     struct pol_image *ret);

/**
 * pol_image_merge() - one image of several raw ones.
 *
 * Return: 0; -ENOMEM; -EEXIST: two long names of one directory with one hash.
 */
int pol_image_merge(const struct pol_image *raw, size_t cnt, struct pol_image *ret);

/* pol_image_copy() - a raw one. */
int pol_image_copy(const struct pol_image *raw, struct pol_image *ret);

/* pol_image_build() - both: compile. */
int pol_image_build(const struct pol_policy *policy, const struct pol_meta *meta,
		    const struct pol_places *places, const struct pol_anchors *anchors,
		    struct pol_image *ret);
