/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of guests, as `status` prints it and `top` shows it. Pure. */
#pragma once

#include "status.h"

/* Of a line, without a newline; the longest has a guest's name of 63 bytes and no small number. */
#define STATUS_LINE_SIZE 320

/* status_table_head() - the names of the columns. */
void status_table_head(char line[static STATUS_LINE_SIZE]);

/* status_table_row() - a guest's numbers; "-": not counted, or no ceiling. */
void status_table_row(const struct pol_guest_status *guest, char line[static STATUS_LINE_SIZE]);

/* status_refused() - what a guest was refused, or would have been in audit. */
uint64_t status_refused(const struct pol_guest_status *guest);
