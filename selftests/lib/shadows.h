/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the suites of shadows share: two guests that may have some, and looks at what there is. Included
 * behind harness.h; static, and unused where a suite needs only some.
 */
#pragma once

#include <policy/policy.h>
#include <sys/stat.h>

#include "guest.h"

#define SHADOW_FN __attribute__((unused)) static

#define PAYLOAD "/selftests/guests/shadow_static"
#define MIB	(1u << 20)

/* A guest that can start the payload, and open nothing else. */
#define BARE(name) "[guest." name "]\nfiles = [ { path = \"" PAYLOAD "\", access = \"rx\" } ]\n"

static struct pol_error error = { .size = sizeof(error) };
SHADOW_FN const char *dir;

SHADOW_FN const char *at(const char *name)
{
	return text("%s/%s", dir, name);
}

/* Guests s and t, with what @more says of their shadows. */
SHADOW_FN void load_with(const char *more)
{
	dir = scratch();
	ASSERT_LOAD(BARE("s") "[guest.s.shadow]\npaths = [\"%s\"]\n%s\n" BARE(
			    "t") "[guest.t.shadow]\npaths = [\"%s\"]\n%s\n",
		    dir, more, dir, more);
	events_forget();
}

SHADOW_FN const char *make_sized(const char *name, off_t size)
{
	const char *path = make_file(at(name), "");

	ASSERT_EQ(0, truncate(path, size));
	return path;
}

SHADOW_FN int shadow(const char *guest, const char *path)
{
	return pol_shadow_make(guest, path, 0, NULL, NULL, &error);
}

SHADOW_FN struct pol_shadow look(const char *guest, int fd)
{
	struct pol_shadow ret = { .size = sizeof(ret) };

	if (pol_shadow_get(guest, fd, &ret, &error))
		FAIL("pol_shadow_get: %s", error.message);
	return ret;
}

SHADOW_FN bool is_stale(const char *guest, int fd)
{
	return look(guest, fd).flags & POL_SHADOW_IS_STALE;
}

SHADOW_FN int count_one(const struct pol_shadow *one, void *arg)
{
	(void)one;
	++*(int *)arg;
	return 0;
}

SHADOW_FN int live(const char *guest)
{
	int cnt = 0, r = pol_shadow_list(guest, count_one, &cnt, &error);

	return r < 0 ? r : cnt;
}

/* After a kill: what policyctl had started dies a little later than it. Return: what is left after 20 s. */
SHADOW_FN int live_settle(void)
{
	for (int i = 0; i < 2000 && live(NULL); i++)
		usleep(10000);
	return live(NULL);
}

SHADOW_FN void expect_none_live(void)
{
	EXPECT_EQ(0, live(NULL));
}

SHADOW_FN void expect_hello(int fd)
{
	char buf[8] = "";

	EXPECT_EQ(5, pread(fd, buf, sizeof(buf), 0));
	EXPECT_STREQ("hello", buf);
}

SHADOW_FN void chmod_it(void)
{
	ASSERT_EQ(0, chmod(at("f"), 0600));
}
