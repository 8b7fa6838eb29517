/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the child that makes a root (newroot.c) tells, and what that means (newroot_say.c). */
#pragma once

#include "newroot.h"

/* What it was at. */
enum pol_at {
	POL_AT_DONE = 0,
	POL_AT_ROOT,     /* the namespace and its root */
	POL_AT_LEAVE,    /* leaving the caller's root */
	POL_AT_THING,    /* opening what is to be seen */
	POL_AT_MAKE,     /* making the missing file */
	POL_AT_PLACE,    /* the place in the new root */
	POL_AT_MOUNT,    /* putting it there */
};

struct pol_root_report {
	int at;
	int code;
	size_t item;
};

/* pol_newroot_say() - why it failed. Return: the code. */
int pol_newroot_say(const struct pol_view *view, const struct pol_root_report *report,
		    struct pol_err *err);
