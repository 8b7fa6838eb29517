/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_shadow.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct run_shadows shadows;

static int add(const char *text)
{
	struct pol_err err = {};
	int r = run_shadows_add(&shadows, text, &err);

	cr_assert_eq(r, err.code);
	return r;
}

static void expect_last(const char *path, int as, bool exec)
{
	const struct run_shadow *last = &shadows.items[shadows.cnt - 1];

	cr_expect_str_eq(last->path, path);
	cr_expect_eq(last->as, as);
	cr_expect_eq(last->exec, exec);
	cr_expect_eq(last->fd, -EBADF);
}

Test(run_shadow, is_a_path_and_a_number)
{
	cr_expect_eq(add("/lib/x.so=10"), 0);
	expect_last("/lib/x.so", 10, false);
	cr_expect_eq(add("/lib/x.so=11:x"), 0);
	expect_last("/lib/x.so", 11, true);
	cr_expect_eq(add("/a=b=c=0"), 0);
	expect_last("/a=b=c", 0, false);
	cr_expect(run_shadows_has(&shadows, 10));
	cr_expect_not(run_shadows_has(&shadows, 12));
	run_shadows_done(&shadows);
}

Test(run_shadow, is_nothing_else)
{
	static const char *const wrong[] = {
		"",	    "=",	"=3",	    "/a",	    "/a=",	  "/a=x",	"/a=3:",
		"/a=3:xx",  "/a=3:w",	"/a=-1",    "/a=3x",	    "/a=0x3",	  "/a= 3",	"/a=3 ",
		"/a=1",	    "/a=2",	"/a=99999999999999999999", "/a=2147483648",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_expect_eq(add(wrong[i]), -EINVAL, "%s", wrong[i]);
	cr_expect_eq(shadows.cnt, 0);
	cr_expect_eq(add("/a=3"), 0);
	cr_expect_eq(add("/b=3"), -EINVAL);
	run_shadows_done(&shadows);
}

Test(run_shadow, is_given_sixty_four_times_at_most)
{
	char text[32];

	for (int i = 0; i < POL_PLACED_MAX; i++) {
		(void)snprintf(text, sizeof(text), "/a=%d", 10 + i);
		cr_assert_eq(add(text), 0);
	}
	cr_expect_eq(add("/a=3"), -E2BIG);
	run_shadows_done(&shadows);
}

static int size(const char *text, uint64_t most, uint64_t *ret, bool *clamped)
{
	struct pol_err err = {};

	return run_shadows_size("--shadow-max", text, most, ret, clamped, &err);
}

Test(run_shadow, sizes)
{
	uint64_t bytes;
	bool clamped;

	cr_expect_eq(size("64MiB", 0, &bytes, &clamped), 0);
	cr_expect_eq(bytes, 64 << 20);
	cr_expect_not(clamped);
	cr_expect_eq(size("4096", 4096, &bytes, &clamped), 0);
	cr_expect_not(clamped);
	cr_expect_eq(size("4097", 4096, &bytes, &clamped), 0);
	cr_expect_eq(bytes, 4096);
	cr_expect(clamped);
	cr_expect_eq(size("many", 0, &bytes, &clamped), -EINVAL);
	cr_expect_eq(size("0", 0, &bytes, &clamped), -EINVAL);
	cr_expect_eq(size("-1", 0, &bytes, &clamped), -EINVAL);
	cr_expect_eq(size("99999999999999GiB", 0, &bytes, &clamped), -EINVAL);
}
