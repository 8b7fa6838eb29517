/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An end of a process, as the library has it, for struct pol_exit. */
#pragma once

#include "event.h"
#include "names.h"
#include "policy/policy.h"

/**
 * pol_exit_fill() - from a decoded exit.
 * @names: of the engine whose record it is; NULL: without the guest's name.
 */
void pol_exit_fill(const struct pol_event_view *view, struct pol_names *names,
		   struct pol_exit *ret);
