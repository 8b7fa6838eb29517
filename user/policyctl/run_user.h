/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --user USER[:GROUP], by the host's user database (getpwnam(3)). */
#pragma once

#include <sys/types.h>

#include "err.h"

#define RUN_GROUPS_MAX 256

struct run_user {
	uid_t uid;
	gid_t gid;
	gid_t groups[RUN_GROUPS_MAX];
	size_t groups_cnt;
};

/**
 * run_user_parse() - who USER[:GROUP] is. Names go before numbers; a number needs no entry.
 *
 * Without GROUP the user's own entry gives the group and the supplementary ones, so a number without
 * an entry is an error; with it there are no supplementary groups.
 * Return: 0; -ENOENT: no such user or group; -E2BIG: more than RUN_GROUPS_MAX groups; other negative
 * errno: the database cannot be read. @ret is untouched on failure.
 */
int run_user_parse(const char *text, struct run_user *ret, struct pol_err *err);
