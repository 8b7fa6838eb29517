/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --map HOST:GUEST[:ro] of `run`. */
#pragma once

#include "view.h"

#define RUN_MAPS_MAX 256

/**
 * run_map_parse() - the words alone; the filesystem is not looked at.
 * @ret: host and guest are set; to be freed by pol_map_done().
 *
 * Return: 0; -EINVAL: what is wrong is in @err; -ENOMEM.
 */
int run_map_parse(const char *text, struct pol_map *ret, struct pol_err *err);
