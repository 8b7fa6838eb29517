/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the public functions (policy/policy.h) give back what the library has found: structures that
 * begin with the size their caller knows, and errors.
 */
#pragma once

#include <stddef.h>

#include "err.h"
#include "policy/policy.h"

/**
 * pol_hand_back() - as much of @from as the caller's structure has.
 * @to: begins with its size. @first: size of the structure's first version.
 * @from, @size: the library's own, which begins with a size_t, too.
 *
 * Return: 0; -EINVAL: @to is NULL or too small; nothing is written.
 */
int pol_hand_back(void *to, size_t first, const void *from, size_t size);

/* pol_take_in() - the reverse: what @from lacks is 0 in @to. Return: as pol_hand_back(). */
int pol_take_in(const void *from, size_t first, void *to, size_t size);

/* pol_fail() - hand @err to @ret (or NULL). Return: @code. */
int pol_fail(struct pol_error *ret, int code, const struct pol_err *err);

/* pol_fail_memory() - -ENOMEM. */
int pol_fail_memory(struct pol_error *ret);

/* pol_fail_usage() - -EINVAL: what is wrong with the arguments. */
int pol_fail_usage(struct pol_error *ret, const char *what);
