/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A load in the making, for its parts: load_guests.c, load_anchors.c and so on. */
#pragma once

#include "anchors.h"
#include "host.h"
#include "image.h"
#include "load.h"
#include "load_members.h"
#include "parts.h"
#include "resolve.h"

/*
 * A load in the making. Owned by pol_load(); undone in reverse by transaction_done() unless
 * @published.
 */
struct transaction {
	struct pol_policy *policy;
	const struct pol_load_options *options;
	struct pol_diags *diags;
	struct pol_err *err;
	struct pol_host host;
	struct pol_engine *engine;
	struct pol_meta *running; /* NULL: nothing is loaded */
	struct pol_meta *next;
	struct pol_places places;
	struct pol_anchors anchors;
	struct pol_parts parts;
	struct pol_image image;
	uint32_t *tasks; /* by guest id, of a running policy */
	uint32_t next_guest;
	struct pol_joining joining;
	bool *made; /* by guest of the policy: its cgroup was made by this load */
	size_t made_cnt;
	bool tmp_made; /* or in part */
	bool published;
	int lock;
};

/* load_guests.c: ids stay with names; a guest that goes but has tasks is an error, or a ghost. */
int pol_load_assign_ids(struct transaction *t);
int pol_load_check_leavers(struct transaction *t);

/* load_anchors.c: the kernel's keys of what the rules are on; none that a guest could have replaced. */
int pol_load_take_anchors(struct transaction *t);

/* load_rooted.c: what a guest's own rules are on stays what it was when it started. */
int pol_load_carry_guests(struct transaction *t);

/*
 * load_cgroups.c
 * pol_load_make_cgroups() - with ceilings, none tighter than before. pol_load_undo_cgroups() - as they were.
 */
int pol_load_make_cgroups(struct transaction *t);
void pol_load_undo_cgroups(struct transaction *t);
void pol_load_warn_of_ceilings(struct transaction *t);

/*
 * pol_load_settle_limits() - ceilings of the guests of @to, fully: after publishing, where some become
 * tighter, and to undo what was written for @from.
 */
int pol_load_settle_limits(struct transaction *t, const struct pol_meta *from,
			   const struct pol_meta *to);

struct leavers {
	struct pol_engine *engine;
	const struct pol_meta *now;
};

/*
 * pol_load_drop_leavers_of() - of another generation, older or never published: guests that are none now
 * lose their cgroups. @arg: struct leavers. pol_load_drop_leavers() - of the generation that this replaced.
 */
void pol_load_drop_leavers_of(const struct pol_meta *meta, void *arg);
void pol_load_drop_leavers(struct transaction *t);

/*
 * load_hooks.c
 * pol_load_attach_groups() - before publishing: what is published holds from then on.
 * pol_load_detach_groups() - once @meta decides, also of a load that died before it came to this.
 */
int pol_load_attach_groups(struct transaction *t);
void pol_load_detach_groups(struct transaction *t, const struct pol_meta *meta);

/*
 * pol_load_settle_fds() - after publishing: what the processes of a guest hold when it gets a ceiling is its
 * baseline, and their RLIMIT_NOFILE follows a ceiling that is another than before.
 */
int pol_load_settle_fds(struct transaction *t, const struct pol_meta *from, const struct pol_meta *to);
