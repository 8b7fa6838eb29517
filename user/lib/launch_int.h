/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What starting a program (launch.c) and becoming one (launch_in_place.c) share. */
#pragma once

#include "launch.h"

#define POL_KEEP_MAX 64 /* descriptors that a program is given */

/* pol_launch_become() - the launch's user, and no_new_privs; async-signal-safe. */
int pol_launch_become(const struct pol_launch *launch);

/* pol_fd_order() - of descriptors, for qsort(3). */
int pol_fd_order(const void *a, const void *b);
