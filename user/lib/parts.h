/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A generation's entries apart: those of the host's rules, and for each guest those of its rules with
 * in = "guest". A guest that starts brings its own and leaves the others as they are; merged they are
 * what the kernel's maps hold. Kept as bytes in a pinned map (generation.h). Pure.
 */
#pragma once

#include "image.h"

#define POL_PARTS_MAGIC 0x31545250u /* "PRT1" */
#define POL_PART_HOST	0u	    /* no guest has this id */

/* struct pol_part - @guest: id, or POL_PART_HOST. @raw: as pol_image_gather() makes them. */
struct pol_part {
	uint32_t guest;
	struct pol_image raw;
};

struct pol_parts {
	struct pol_part *items;
	size_t cnt;
};

void pol_parts_done(struct pol_parts *parts);

/* pol_parts_put() - in place of the guest's part, if there is one. Takes @raw unless it fails. */
int pol_parts_put(struct pol_parts *parts, uint32_t guest, struct pol_image *raw);

const struct pol_image *pol_parts_find(const struct pol_parts *parts, uint32_t guest);

/* pol_parts_merge() - what pol_image_merge() gives. */
int pol_parts_merge(const struct pol_parts *parts, struct pol_image *ret);

/**
 * pol_parts_carry() - a guest's part, resolved under one policy, under the next one's numbers.
 * @from, @to: the guest in both. Entries of rules that @to lacks are left out; rights are @to's.
 *
 * Return: 0; -ENOMEM.
 */
int pol_parts_carry(const struct pol_image *raw, const struct pol_meta *before,
		    const struct pol_meta_guest *from, const struct pol_meta *next,
		    const struct pol_meta_guest *to, struct pol_image *ret);

/* pol_parts_encode() - to bytes, to be freed. pol_parts_decode(): -EPROTO: not such bytes. */
int pol_parts_encode(const struct pol_parts *parts, char **ret, size_t *ret_len);
int pol_parts_decode(const char *bytes, size_t len, struct pol_parts *ret);
