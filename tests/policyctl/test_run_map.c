/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --map HOST:GUEST[:ro] */
#include "run_map.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void takes(const char *text, const char *host, const char *guest, bool ro)
{
	struct pol_map map = { 0 };
	struct pol_err err = { 0 };

	cr_assert_eq(run_map_parse(text, &map, &err), 0, "%s: %s", text, err.message);
	cr_assert_str_eq(map.host, host);
	cr_assert_str_eq(map.guest, guest);
	cr_assert_eq(map.ro, ro);
	pol_map_done(&map);
}

static void refuses(const char *text, const char *why)
{
	struct pol_map map = { 0 };
	struct pol_err err = { 0 };

	cr_assert_eq(run_map_parse(text, &map, &err), -EINVAL, "%s", text);
	cr_assert(strstr(err.message, why), "%s: %s", text, err.message);
	cr_assert_null(map.host);
}

Test(run_map, taken_and_cleaned)
{
	takes("/srv:/data", "/srv", "/data", false);
	takes("/srv:/data:ro", "/srv", "/data", true);
	takes("//srv/./a/:/x//y/.", "/srv/a", "/x/y", false);
	takes("/:/host:ro", "/", "/host", true);
	takes("/a b:/c d", "/a b", "/c d", false);
	takes("/x:/ro", "/x", "/ro", false);
	takes("/ro:/ro:ro", "/ro", "/ro", true);
}

Test(run_map, refused)
{
	refuses("", "HOST:GUEST");
	refuses("/srv", "HOST:GUEST");
	refuses("/srv:ro", "HOST:GUEST");
	refuses("/srv:/a:/b", "HOST:GUEST");
	refuses("/srv:/a:rw", "HOST:GUEST");
	refuses(":/a", "HOST is an absolute path, not ''");
	refuses("/a:", "GUEST is an absolute path, not ''");
	refuses("a:/a", "HOST is an absolute path, not 'a'");
	refuses("/a:a", "GUEST is an absolute path, not 'a'");
	refuses("/a/..:/a", "'..' in HOST, '/a/..'");
	refuses("/a:/a/..", "'..' in GUEST, '/a/..'");
	refuses("/a:/", "'/', the guest's whole root");
	refuses("/a:/./:ro", "'/', the guest's whole root");
}

Test(run_map, a_name_that_is_too_long)
{
	char text[600] = "/a:/";

	memset(text + 4, 'n', 256);
	refuses(text, "GUEST has a name of more than 255 bytes");
	text[4 + 255] = '\0';
	takes(text, "/a", text + 3, false);
}
