/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SIGINT and SIGTERM as the end of a --follow, seen only while asleep. */
#pragma once

#include <signal.h>
#include <stdbool.h>

/**
 * pol_stop_catch() - block both from here on.
 * @ret_asleep: the mask to sleep with, as in ppoll(2), in which they are open: none can fall between
 * a look at pol_stopped() and the sleep.
 */
void pol_stop_catch(sigset_t *ret_asleep);

/* pol_stopped() - whether one came. */
bool pol_stopped(void);
