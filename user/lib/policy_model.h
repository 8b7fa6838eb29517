/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a policy says of an access, by its places and the filesystem as they are now, without the
 * engine: the reference that `policyctl test` holds the kernel against. By names and mounts where the
 * kernel goes by inodes. Reads the filesystem, changes nothing; needs no root.
 */
#pragma once

#include "policy.h"
#include "resolve.h"

enum pol_model_answer {
	POL_MODEL_ALLOW,
	POL_MODEL_DENY,
	POL_MODEL_UNKNOWN, /* procfs and its like, rules with in = "guest", a path that cannot be seen */
};

struct pol_model;

/* pol_model_new() - @policy and @places, resolved, have to outlive it. Return: 0; negative errno. */
int pol_model_new(const struct pol_policy *policy, const struct pol_places *places,
		  struct pol_model **ret);
void pol_model_free(struct pol_model *model);
void pol_model_freep(struct pol_model **model);

/**
 * pol_model_ask() - may this guest use @right (one) on what is at @path now?
 *
 * What lies below a name that is missing is judged as that name is. Return: 0; -ENOMEM.
 */
int pol_model_ask(struct pol_model *model, size_t guest, uint32_t right, const char *path,
		  enum pol_model_answer *ret);
