/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After all the other suites, whatever they did: an unload leaves nothing. init runs it last. */
#include "harness.h"

#include "guest.h"

TEST(leaves_nothing)
{
	EXPECT_NOTHING(engine_down());
}
