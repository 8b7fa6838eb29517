/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths of shadows, as the kernel keeps them; which files may be snapshotted. */
#include "shadow_int.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base.h"
#include "shadow_file.h"

static void expect_kept(const char *path, const char *text)
{
	char buf[POL_PATH_SMALL + 8];
	struct pol_shadow_value value = {};

	pol_shadow_put_path(&value, path);
	cr_expect_eq(value.path_len, strlen(text));
	cr_expect_eq(memcmp(value.path, text, strlen(text)), 0, "%.*s", (int)value.path_len, value.path);
	cr_expect_not(value.flags);
	pol_shadow_get_path(&value, buf);
	cr_expect_str_eq(buf, path);
}

Test(shadow, a_path_is_kept_in_reverse)
{
	expect_kept("/srv/web/a", "a/web/srv/");
	expect_kept("/a", "a/");
	expect_kept("/a b/\xff", "\xff/a b/");
}

/* What is next to the root is cut, in a name or behind one; none of it overflows. */
Test(shadow, a_path_that_is_too_long_is_cut_at_its_beginning)
{
	char path[2048], buf[POL_PATH_SMALL + 8];

	for (size_t len = POL_PATH_SMALL - 4; len < POL_PATH_SMALL + 600; len++) {
		struct pol_shadow_value value = {};
		size_t kept;

		for (size_t i = 0; i < len; i++)
			path[i] = i % 100 ? 'a' + (char)(i % 26) : '/';
		path[len] = '\0';
		pol_shadow_put_path(&value, path);
		cr_assert_leq(value.path_len, POL_PATH_SMALL);
		cr_assert_eq(!!(value.flags & POL_SHADOW_CUT), len > POL_PATH_SMALL, "%zu", len);
		pol_shadow_get_path(&value, buf);
		kept = strlen(buf);
		if (len <= POL_PATH_SMALL) {
			cr_assert_str_eq(buf, path);
			continue;
		}
		cr_assert_eq(memcmp(buf, "…/", 4), 0);
		cr_assert_geq(kept, POL_PATH_SMALL - 104);
		cr_assert_str_eq(buf + 4, path + len - (kept - 4));
	}
}

/* ------------------------------------------------------------------ files */

static char dir[] = "/tmp/test_shadow.XXXXXX";

static const char *at(const char *name)
{
	static char paths[4][64];
	static unsigned int next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void make_tree(void)
{
	cr_assert(mkdtemp(dir));
	cr_assert_eq(mkdir(at("in"), 0700) || mkdir(at("out"), 0700), 0);
	close(creat(at("in/f"), 0600));
	close(creat(at("out/f"), 0600));
	cr_assert_eq(symlink("../out/f", at("in/leads_out")) || symlink("f", at("in/stays")) ||
			     symlink("in", at("link")) || mkfifo(at("in/fifo"), 0600),
		     0);
}

static int open_in(const char *above, const char *path)
{
	char *paths[] = { (char *)above };
	const struct pol_shadow_policy policy = { .paths = paths, .paths_cnt = above ? 1 : 0 };
	struct pol_err err = {};
	int r = pol_shadow_file_open(&policy, path, &err);

	cr_assert_eq(r < 0, err.code < 0);
	if (r >= 0)
		close(r);
	return r < 0 ? r : 0;
}

/* On a filesystem whose files have no key nothing can be opened at all. */
Test(shadow, a_file_is_found_beneath_the_policy_s_paths)
{
	struct stat st;

	make_tree();
	if (open_in(dir, at("in/f")) == -EOPNOTSUPP)
		cr_skip("no filesystem with rules in /tmp");
	cr_expect_eq(open_in(at("in"), at("in/f")), 0);
	cr_expect_eq(open_in(at("in/f"), at("in/f")), 0);
	cr_expect_eq(open_in("/", at("in/f")), 0);
	cr_expect_eq(open_in(at("in"), at("in/stays")), 0);
	cr_expect_eq(open_in(at("in"), at("in/leads_out")), -EACCES);
	cr_expect_eq(open_in(dir, at("in/leads_out")), 0);
	cr_expect_eq(open_in(at("in"), at("out/f")), -EACCES);
	cr_expect_eq(open_in(NULL, at("in/f")), -EACCES);
	cr_expect_eq(open_in(at("i"), at("in/f")), -EACCES);
	/* A symlink that the policy itself names is the operator's. */
	cr_expect_eq(open_in(at("link"), at("link/f")), 0);
	cr_expect_eq(open_in(at("in"), at("in")), -ENODEV);
	cr_expect_eq(open_in(at("in"), at("in/fifo")), -ENODEV);
	cr_expect_eq(open_in(at("in"), at("in/missing")), -ENOENT);
	cr_expect_eq(open_in("/proc", "/proc/version"), -ENODEV);
	cr_expect_eq(stat(at("in/f"), &st), 0);
}
