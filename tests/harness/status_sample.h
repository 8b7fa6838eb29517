/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A status in memory: one guest, web, with all there is, one, db, with as little as can be. */
#pragma once

#include "status.h"

/* test_status() - @ret borrows all it points to: no pol_status_done(). */
void test_status(struct pol_status *ret);
