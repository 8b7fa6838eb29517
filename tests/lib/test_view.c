/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* view.c: what a guest sees where, how it is mounted, and what cannot be. */
#include "view.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tmpdir.h"
#include "tmptree.h"

static struct pol_meta *meta;
static struct pol_view view;
static struct pol_err err;

static void fini(void)
{
	pol_view_done(&view);
	pol_meta_free(meta);
}

TestSuite(view, .fini = fini);

/* Places as the resolver would find them: a last component with a dot is a file. */
static void fake_places(const struct pol_guest *guest, struct pol_places *ret)
{
	ret->items = calloc(guest->rules_cnt + 1, sizeof(*ret->items));
	for (size_t i = 0; i < guest->rules_cnt; i++) {
		struct pol_place *place = &ret->items[ret->cnt];
		char *slash;

		if (guest->rules[i].in_guest || strstr(guest->rules[i].path, "pending"))
			continue;
		ret->cnt++;
		*place = (struct pol_place){ .dir = strdup(guest->rules[i].path), .rule = i };
		slash = strrchr(place->dir, '/');
		if (!strchr(slash, '.'))
			continue;
		place->name = strdup(slash + 1);
		slash[slash == place->dir] = '\0';
	}
}

/* Guest g, with these keys and rules. */
static void use(const char *keys, const char *rules)
{
	struct pol_diags diags = { 0 };
	struct pol_places places = { 0 };
	struct pol_policy *policy;
	char text[4096];

	(void)snprintf(text, sizeof(text), "version = 1\n[guest.g]\n%sfiles = [\n%s]\n", keys, rules);
	policy = tree_policy("/srv", text, &diags);
	cr_assert(policy, "the policy has errors");
	cr_assert_eq(pol_tmp_add_rules(policy), 0);
	fake_places(&policy->guests[0], &places);
	cr_assert_eq(pol_meta_new(policy, &places, &meta), 0);
	for (size_t i = 0; i < meta->rules_cnt; i++)
		meta->rules[i].ino = 70 + i;
	pol_places_done(&places);
	pol_policy_free(policy);
	pol_diags_done(&diags);
}

static int plan(const struct pol_map *maps, size_t cnt)
{
	pol_view_done(&view);
	return pol_view_make(meta, &meta->guests[0], maps, cnt, &view, &err);
}

static const struct pol_view_item *at(const char *path)
{
	for (size_t i = 0; i < view.cnt; i++)
		if (strcmp(view.items[i].at, path) == 0)
			return &view.items[i];
	cr_assert_fail("nothing is seen at %s", path);
	return NULL;
}

#define MAP(host_, guest_, dir_, name_, ro_)                                                     \
	{                                                                                        \
		.host = (char *)(host_), .guest = (char *)(guest_), .dir = (char *)(dir_),       \
		.name = (char *)(name_), .ro = ro_                                               \
	}

Test(view, at_the_guest_path_else_at_the_own_one)
{
	use("", "{ path = \"/srv/web\", access = \"rw\", guest_path = \"/data\" },\n"
		"{ path = \"/usr\", access = \"rx\" },\n"
		"{ path = \"/srv/no\", access = \"none\" },\n"
		"{ path = \"/srv/shown\", access = \"none\", guest_path = \"/shown\" },\n"
		"{ path = \"/pending\", access = \"ro\" },\n"
		"{ path = \"/in\", access = \"ro\", in = \"guest\" },\n"
		"{ path = \"/etc/x.conf\", access = \"ro\", guest_path = \"/a/b/conf\" },\n");
	cr_assert_eq(plan(NULL, 0), 0);
	cr_assert_eq(view.cnt, 4);
	cr_assert_str_eq(view.items[0].at, "/a/b/conf", "sorted");
	cr_assert_str_eq(at("/a/b/conf")->dir, "/etc");
	cr_assert_str_eq(at("/a/b/conf")->name, "x.conf");
	cr_assert_eq(at("/a/b/conf")->ino, 0, "held by name");
	cr_assert(at("/a/b/conf")->asked);
	cr_assert_not(at("/a/b/conf")->must);
	cr_assert_str_eq(at("/data")->dir, "/srv/web");
	cr_assert_null(at("/data")->name);
	cr_assert_geq(at("/data")->ino, 70);
	cr_assert_eq(at("/data")->line, 4);
	cr_assert(at("/data")->must);
	cr_assert_not(at("/usr")->asked);
	cr_assert(at("/shown")->ro);
}

Test(view, read_only_where_nothing_may_be_changed)
{
	use("", "{ path = \"/srv\", access = \"ro\" },\n"
		"{ path = \"/srv/a/log\", access = [\"write\"] },\n"
		"{ path = \"/srv-b\", access = \"ro\" },\n"
		"{ path = \"/srv-b/x/y\", access = \"rx\" },\n"
		"{ path = \"/dev/n.ull\", access = [\"read\", \"ioctl\", \"connect\", \"execute\"] },\n"
		"{ path = \"/m\", access = \"metadata\" },\n"
		"{ path = \"/d\", access = \"delete\" },\n");
	cr_assert_eq(plan(NULL, 0), 0);
	cr_assert_not(at("/srv")->ro, "something beneath may be written");
	cr_assert_not(at("/srv/a/log")->ro);
	cr_assert(at("/srv-b")->ro);
	cr_assert(at("/srv-b/x/y")->ro);
	cr_assert(at("/dev/n.ull")->ro);
	cr_assert_not(at("/m")->ro);
	cr_assert_not(at("/d")->ro);
}

Test(view, a_file_is_made_with_create)
{
	use("", "{ path = \"/srv/new.f\", access = [\"write\", \"create\"], guest_path = \"/n\" },\n"
		"{ path = \"/srv/old.f\", access = [\"write\"], guest_path = \"/o\" },\n"
		"{ path = \"/opt\", access = \"ro\", optional = true },\n");
	cr_assert_eq(plan(NULL, 0), 0);
	cr_assert(at("/n")->make);
	cr_assert_not(at("/o")->make);
	cr_assert_not(at("/opt")->must);
}

Test(view, map_goes_by_the_rules_on_its_place)
{
	const struct pol_map maps[] = {
		MAP("/l", "/rw", "/srv/rw/deep", NULL, false), MAP("/l", "/forced", "/srv/rw", NULL, true),
		MAP("/l", "/none", "/other", NULL, false),     MAP("/l", "/carved", "/srv/rw/no", NULL, false),
		MAP("/l", "/new", "/srv/rw", "new", false),    MAP("/l", "/not", "/other", "new", false),
		MAP("/l", "/dev", "/dev", "n.ull", false),     MAP("/l", "/all", "/", NULL, false),
	};

	use("", "{ path = \"/srv/rw\", access = \"rw\" },\n"
		"{ path = \"/srv/rw/no\", access = \"none\" },\n"
		"{ path = \"/dev/n.ull\", access = \"rw\" },\n");
	cr_assert_eq(plan(maps, 8), 0, "%s", err.message);
	cr_assert_not(at("/rw")->ro);
	cr_assert(at("/forced")->ro);
	cr_assert(at("/none")->ro);
	cr_assert(at("/carved")->ro);
	cr_assert_not(at("/all")->ro);
	cr_assert(at("/new")->make);
	cr_assert_not(at("/not")->make);
	cr_assert(at("/dev")->device);
	cr_assert_not(at("/rw")->device);
	for (size_t i = 0; i < view.cnt; i++)
		cr_assert(view.items[i].asked != (view.items[i].line > 0));
	cr_assert(at("/not")->must);
}

Test(view, what_rules_of_the_guests_own_let_it_change)
{
	const struct pol_map maps[] = { MAP("/l", "/a/b", "/other", NULL, false),
					MAP("/l", "/c", "/other", NULL, false),
					MAP("/l", "/c/x", "/other", NULL, false) };

	use("", "{ path = \"/a\", access = \"rw\", in = \"guest\" },\n"
		"{ path = \"/c/x/y\", access = \"rw\", in = \"guest\" },\n"
		"{ path = \"/cx\", access = \"rw\", in = \"guest\" },\n");
	cr_assert_eq(plan(maps, 3), 0);
	cr_assert_not(at("/a/b")->ro);
	cr_assert_not(at("/c")->ro);
	cr_assert_not(at("/c/x")->ro);
}

Test(view, a_private_tmp_is_in_both_its_places)
{
	const struct pol_map below = MAP("/l", "/var/tmp/x", "/other", NULL, false);
	const struct pol_map beside = MAP("/l", "/tmpx", "/other", NULL, false);

	use("tmp = \"private\"\n", "{ path = \"/srv\", access = \"ro\", guest_path = \"/data\" },\n"
				     "{ path = \"/tmp/x\", access = \"ro\" },\n");
	cr_assert_eq(plan(&beside, 1), 0);
	cr_assert_eq(view.cnt, 4, "neither the rule on its directory nor one behind it");
	cr_assert_str_eq(at("/tmp")->dir, POL_TMP_ROOT "/g");
	cr_assert_str_eq(at("/var/tmp")->dir, POL_TMP_ROOT "/g");
	cr_assert_not(at("/tmp")->ro);
	cr_assert_eq(plan(&below, 1), -EINVAL);
	cr_assert(strstr(err.message, "'/var/tmp/x'") && strstr(err.message, "a /var/tmp of its own"));
}

Test(view, two_things_at_one_place)
{
	const struct pol_map maps[] = { MAP("/l", "/data", "/other", NULL, false),
					MAP("/k", "/x", "/other", NULL, false),
					MAP("/m", "/x", "/another", NULL, false) };

	use("", "{ path = \"/srv\", access = \"rw\", guest_path = \"/data\" },\n");
	cr_assert_eq(plan(maps, 1), -EINVAL);
	cr_assert(strstr(err.message, "two things at '/data': '/l' and '/srv' (line 4)"), "%s",
		  err.message);
	cr_assert_eq(view.cnt, 0);
	cr_assert_eq(plan(maps + 1, 2), -EINVAL);
	cr_assert(strstr(err.message, "two things at '/x': '/"), "%s", err.message);
}

/* It is one thing, asked for twice. */
Test(view, one_thing_twice_at_one_place)
{
	const struct pol_map maps[] = { MAP("/l", "/data", "/srv", NULL, true),
					MAP("/l", "/usr", "/usr", NULL, false),
					MAP("/l", "/usr", "/usr", NULL, false) };

	use("", "{ path = \"/srv\", access = \"rw\", guest_path = \"/data\" },\n"
		"{ path = \"/usr\", access = \"rx\" },\n");
	cr_assert_eq(plan(maps, 3), 0);
	cr_assert_eq(view.cnt, 2);
	cr_assert(at("/data")->ro);
	cr_assert(at("/usr")->asked);
}

Test(view, a_rule_on_the_root)
{
	const struct pol_map map = MAP("/l", "/x", "/other", NULL, false);

	use("", "{ path = \"/\", access = \"ro\" },\n");
	cr_assert_eq(plan(&map, 1), -EINVAL);
	cr_assert(strstr(err.message, "'/' (line 4) would be all of it"), "%s", err.message);
}
