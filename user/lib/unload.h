/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking the policy away, and away with what a command that died has left. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/**
 * struct pol_unload_result - @loaded: there was a policy. @swept: something of a dead command was
 * removed. @running: tasks that were confined and go on unconfined.
 */
struct pol_unload_result {
	bool loaded;
	bool swept;
	size_t running;
};

/**
 * pol_unload() - remove everything, or leave all as it was.
 * @force: also while guests run.
 *
 * Return: 0, also if nothing was loaded; -EBUSY: guests run and !force, or something keeps the pins
 * in place.
 */
int pol_unload(bool force, struct pol_unload_result *ret, struct pol_err *err);

/**
 * pol_recover() - what a command that died has left, as store.h lists it: an unload that had not
 * taken effect never was, one that had is finished, the leavings of a load go.
 * @ret_swept: something was removed.
 *
 * Context: under pol_lock().
 * Return: 0; else an unload can be neither undone nor finished.
 */
int pol_recover(bool *ret_swept, struct pol_err *err);
