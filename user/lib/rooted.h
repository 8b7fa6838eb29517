/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules with in = "guest" (policy-language.md, semantics 17): resolved when their guest starts, below
 * its root, and published as a generation that is the running one but for them. A guest with such
 * rules is called rooted. Nothing is resolved while it has a task, which could choose what is found.
 */
#pragma once

#include "diag.h"
#include "engine.h"
#include "meta.h"
#include "root.h"

/**
 * pol_rooted_settled() - may a process with this root become the guest as it is?
 * @since: the generation that ran when the command began; what was resolved later is as good as new.
 *
 * Context: under pol_engine_use(). Return: 1: yes; 0: its rules are to be resolved first; -ENOMEM.
 */
int pol_rooted_settled(const struct pol_engine *engine, const struct pol_meta_guest *guest,
		       const struct pol_root_id *root, uint64_t since);

/* pol_rooted_has_all() - has the running policy each in = "guest" rule of the next? Else @diags. */
bool pol_rooted_has_all(const struct pol_meta *running, const struct pol_meta_guest *before,
			const struct pol_meta *next, const struct pol_meta_guest *guest,
			struct pol_diags *diags);

/* pol_rooted_agrees() - where two rules of a guest are on one place: the same rights? Else @diags. */
bool pol_rooted_agrees(const struct pol_meta *meta, const struct pol_meta_guest *guest,
		       struct pol_diags *diags);

/**
 * pol_rooted_resolve() - resolve a guest's rules below @home and publish them, or change nothing.
 * @own: @home is a root that `run` has made: the guest, rooted or not, may list what that holds of its
 * own; and tasks that it has elsewhere without having such rules are none of this one's.
 * @diags: gets what is wrong with the rules; with errors there, Return is -EINVAL and @err says so.
 *
 * Context: neither under pol_lock() nor pol_engine_use(). Return: 0, also if it has tasks in that
 * root: it is joined; -EBUSY: it has tasks in another one, or (POL_ERR_BUSY) a load goes on.
 */
int pol_rooted_resolve(struct pol_engine *engine, const char *name, const struct pol_home *home,
		       bool own, struct pol_diags *diags, struct pol_err *err);
