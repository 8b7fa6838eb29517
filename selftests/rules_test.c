/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which rule decides: the nearest one, directory rules and file rules, names of every kind,
 * devices, anchors, depth (policy-language.md, semantics 2 to 7).
 */
#include "harness.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "guest.h"

TEST(the_nearest_rule_wins)
{
	const char *root = scratch(), *a = make_dir(text("%s/a", root));
	const char *b = make_dir(text("%s/b", a)), *c = make_dir(text("%s/c", b));
	const struct step steps[] = {
		{ 0, { "open", "wc", text("%s/f", root) } },
		{ 0, { "open", "r", make_file(text("%s/r", a), "x") } },
		{ EACCES, { "open", "w", text("%s/r", a) } },
		{ EACCES, { "open", "r", make_file(text("%s/r", b), "x") } },
		{ EACCES, { "list", b } },
		{ 0, { "open", "wc", text("%s/f", c) } },
		{ EACCES, { "open", "r", text("%s/f", c) } },
	};

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "ro") RULE(
			    "%s",
			    "none") "\t{ path = \"%s\", access = [\"write\", \"create\"] },\n" END,
		    root, a, b, c);
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", text("path=%s/r", b), "reason=rule",
		     "rule.access=", "missing=read", text("rule.path=%s", b),
		     text("rule.where$=policy.toml:%d", RUNTIME_LINES + 6));
	EXPECT_EVENT("type=violation", text("path=%s", b), "missing=list");
	EXPECT_EQ(0, PROBE(NULL, "open", "r", text("%s/r", b), "list", b, "open", "w",
			   text("%s/r", a)));
}

TEST(a_file_rule_covers_its_name_alone)
{
	const char *root = scratch(), *f = make_file(text("%s/app.log", root), "x");
	const char *sibling = make_file(text("%s/app.log2", root), "x");
	const struct step steps[] = {
		{ 0, { "open", "rw", f } },
		{ EACCES, { "open", "r", sibling } },
		{ EACCES, { "open", "r", make_file(text("%s/app.lo", root), "x") } },
		{ EACCES, { "open", "wc", text("%s/new", root) } },
		{ EACCES, { "list", root } },
	};

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, f);
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", text("path=%s", sibling), "reason=no_rule", "rule=null");
	EXPECT_EQ(0, PROBE(NULL, "open", "r", sibling));
}

TEST(a_file_rule_for_what_is_not_there_yet)
{
	const char *root = scratch(), *f = text("%s/new.log", root);
	const struct step steps[] = {
		{ ENOENT, { "open", "r", f } },
		{ EACCES, { "open", "wc", text("%s/other", root) } },
		{ 0, { "open", "wc", f } },
		{ 0, { "open", "rw", f } },
		{ EACCES, { "unlink", f } },
	};

	ASSERT_LOAD(GUEST("g") "[[guest.g.files]]\npath = \"%s\"\n"
			       "access = [\"read\", \"write\", \"create\"]\n",
		    f);
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", "op=create", text("path=%s/other", root), "reason=no_rule");
	EXPECT_EVENT("type=violation", "op=unlink", text("path=%s", f), "reason=rule",
		     "missing=delete");
}

/* If a directory appears at a file rule's name: it and all beneath. */
TEST(a_directory_at_a_file_rules_name)
{
	const char *root = scratch(), *d = text("%s/d", root);
	const struct step steps[] = {
		{ 0, { "mkdir", d } },
		{ 0, { "list", d } },
		{ 0, { "mkdir", text("%s/sub", d) } },
		{ 0, { "open", "rwc", text("%s/sub/f", d) } },
		{ EACCES, { "mkdir", text("%s/e", root) } },
	};

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, d);
	EXPECT_BATCH("g", steps);
}

/* Editors and package managers: write beside, rename over. The rule goes with the name. */
TEST(a_file_rule_survives_replacement)
{
	const char *root = scratch(), *f = make_file(text("%s/f", root), "x");
	const struct step as_guest[] = {
		{ 0, { "open", "wc", text("%s/f.tmp", root) } },
		{ 0, { "rename", text("%s/f.tmp", root), f } },
		{ 0, { "open", "rw", f } },
		{ 0, { "unlink", f } },
		{ 0, { "open", "rwcx", f } },
	};

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s/f.tmp", "rw") END, f, root);
	ASSERT_EQ(0, rename(make_file(text("%s/by_root", root), "y"), f));
	EXPECT_EQ(0, PROBE("g", "open", "rw", f));
	EXPECT_BATCH("g", as_guest);
}

/* ---- names ---- */

/* A name of @len bytes of @fill that ends in @last. */
static const char *name_of(int len, char fill, char last)
{
	char buf[256];

	memset(buf, fill, sizeof(buf));
	buf[len - 1] = last;
	buf[len] = 0;
	return text("%s", buf);
}

TEST(long_names)
{
	static const int lens[] = { 1, 7, 8, 31, 32, 33, 63, 64, 65, 96, 127, 128, 200, 254, 255 };
	enum { CNT = sizeof(lens) / sizeof(lens[0]) };
	const char *root = scratch();
	static struct step steps[3 * CNT];
	char rules[16384];
	size_t at = 0;

	for (int i = 0; i < CNT; i++) {
		const char *f = text("%s/%s", root, name_of(lens[i], 'n', 'a'));
		const char *b = text("%s/%s", root, name_of(lens[i], 'n', 'b'));

		at += (size_t)snprintf(rules + at, sizeof(rules) - at,
				       "\t{ path = \"%s\", access = \"rw\" },\n", f);
		steps[3 * i] = (struct step){ 0, { "open", "rwc", f } };
		steps[3 * i + 1] = (struct step){ EACCES, { "open", "rwc", b } };
		steps[3 * i + 2] = (struct step){ 0, { "open", "r", f } };
	}
	ASSERT_LOAD(GUEST("g") FILES "%s" END, rules);
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", "op=create", text("path=%s", steps[3 * CNT - 2].words[2]));
}

TEST(strange_names)
{
	static const char *const names[] = { "with space", "new\nline", "tab\t\"quote\"",
					     "a\xffz",	   "\xc3\xa4",	"back\\slash",
					     "(deleted)",  "\x1b[31m" };
	static const char *const toml[] = { "with space", "new\\nline", "tab\\t\\\"quote\\\"",
					    NULL,	  "\xc3\xa4",	"back\\\\slash",
					    "(deleted)",  "\\u001b[31m" };
	const char *root = scratch();
	struct step steps[16] = { 0 };
	char rules[4096];
	size_t at = 0;

	for (int i = 0; i < 8; i++) {
		if (toml[i])
			at += (size_t)snprintf(rules + at, sizeof(rules) - at,
					       "\t{ path = \"%s/%s\", access = \"rw\" },\n", root,
					       toml[i]);
		steps[2 * i] = (struct step){ 0, { "open", "rwc", text("%s/%s", root, names[i]) } };
		steps[2 * i + 1] =
			(struct step){ EACCES, { "open", "rwc", text("%s/%s-", root, names[i]) } };
	}
	at += (size_t)snprintf(rules + at, sizeof(rules) - at, "\t{ path_hex = \"");
	for (const char *c = text("%s/%s", root, names[3]); *c; c++)
		at += (size_t)snprintf(rules + at, sizeof(rules) - at, "%02x", (unsigned char)*c);
	snprintf(rules + at, sizeof(rules) - at, "\", access = \"rw\" },\n");
	ASSERT_LOAD(GUEST("g") FILES "%s" END, rules);
	EXPECT_BATCH("g", steps);
	EXPECT_EVENT("type=violation", text("path=%s/new\nline-", root));
	EXPECT_EVENT("type=violation", text("path=%s/a\xef\xbf\xbdz-", root), "path_hex$=61ff7a2d",
		     "suggest*=path_hex");
}

/* ---- devices ---- */

TEST(device_nodes_are_never_made)
{
	const char *root = scratch();

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rwx") END, root);
	EXPECT_EQ(EPERM, PROBE("g", "mkchr", text("%s/null", root)));
	EXPECT_EVENT("type=violation", "op=mknod", "errno=EPERM", "reason=device", "verdict=denied",
		     text("path=%s/null", root));
	EXPECT_EQ(EPERM, PROBE("g", "mkblk", text("%s/loop", root)));
	EXPECT_FALSE(exists(text("%s/null", root)));
	EXPECT_EQ(0, PROBE(NULL, "mkchr", text("%s/null", root), "mkblk", text("%s/loop", root)));
}

TEST(device_nodes_open_only_by_name)
{
	const char *root = scratch_in("/srv"), *by_dir = text("%s/zero", root);

	/* Not below /tmp: that is mounted nodev. */
	ASSERT_EQ(0, mknod(by_dir, S_IFCHR | 0666, makedev(1, 5)));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("/dev/zero", "rw") END, root);
	EXPECT_EQ(0, PROBE("g", "open", "rw", "/dev/zero"));
	EXPECT_EQ(0, PROBE("g", "open", "rw", "/dev/null"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", by_dir));
	EXPECT_EVENT("type=violation", "op=open", "reason=device", "errno=EACCES",
		     text("path=%s", by_dir));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", "/dev/full"));
	EXPECT_EQ(0, PROBE(NULL, "open", "r", by_dir, "open", "r", "/dev/full"));
}

/* ---- renames and links may not widen; anchors stay ---- */

TEST(a_rename_may_not_widen)
{
	const char *root = scratch(), *less = make_dir(text("%s/less", root));
	const char *more = make_dir(text("%s/more", root)), *same = make_dir(text("%s/same", root));
	const char *f = make_file(text("%s/f", less), "x");
	const char *d = make_dir(text("%s/d", less));

	ASSERT_LOAD(GUEST("g") FILES
		    "\t{ path = \"%s\", access = [\"ro\", \"rename\", \"link\"] },\n"
		    "\t{ path = \"%s\", access = [\"ro\", \"rename\", \"link\"] },\n" RULE(
			    "%s", "rw") END,
		    less, same, more);
	EXPECT_EQ(EXDEV, PROBE("g", "rename", f, text("%s/f", more)));
	EXPECT_EVENT("type=violation", "op=rename", "reason=widens", "errno=EXDEV",
		     text("path=%s", f), text("rule.path=%s", less), "verdict=denied");
	EXPECT_EQ(EXDEV, PROBE("g", "rename", d, text("%s/d", more)));
	EXPECT_EQ(EXDEV, PROBE("g", "link", f, text("%s/l", more)));
	EXPECT_EVENT("type=violation", "op=link", "reason=widens", "errno=EXDEV");
	EXPECT_TRUE(exists(f) && !exists(text("%s/l", more)));
	EXPECT_EQ(0, PROBE("g", "link", f, text("%s/l", same), "rename", f, text("%s/f", same)));
	EXPECT_EQ(0, PROBE("g", "open", "wc", text("%s/n", more), "rename", text("%s/n", more),
			   text("%s/n", same)));
	EXPECT_EQ(EXDEV, PROBE("g", "rename", text("%s/n", same), text("%s/n", more)));
	EXPECT_EQ(0, PROBE(NULL, "rename", text("%s/n", same), text("%s/n", more)));
}

TEST(an_exchange_may_not_widen_either_side)
{
	const char *root = scratch(), *less = make_dir(text("%s/less", root));
	const char *more = make_dir(text("%s/more", root));
	const char *a = make_file(text("%s/a", less), "a"), *b = make_file(text("%s/b", more), "b");

	ASSERT_LOAD(GUEST("g") FILES
		    "\t{ path = \"%s\", access = [\"ro\", \"rename\"] },\n" RULE("%s", "rw") END,
		    less, more);
	EXPECT_EQ(EXDEV, PROBE("g", "exchange", a, b));
	EXPECT_EQ(EXDEV, PROBE("g", "exchange", b, a));
	EXPECT_EQ(0, PROBE(NULL, "exchange", a, b));
}

TEST(anchors_stay_where_they_are)
{
	const char *root = scratch(), *a = make_dir(text("%s/a", root));
	const char *b = make_dir(text("%s/b", a)), *c = make_dir(text("%s/c", root));
	const char *to = text("%s/to", root), *secret = make_dir(text("%s/secret", root));

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "rw") RULE("%s", "none") END, root,
		    b, secret);
	EXPECT_EQ(EBUSY, PROBE("g", "rename", b, to));
	EXPECT_EVENT("type=violation", "op=rename", "reason=anchor", "errno=EBUSY",
		     text("path=%s", b), "verdict=denied");
	EXPECT_EQ(EBUSY, PROBE("g", "rename", a, to));
	EXPECT_EQ(EBUSY, PROBE("g", "exchange", a, c));
	EXPECT_EQ(EBUSY, PROBE("g", "exchange", c, a));
	EXPECT_EQ(EBUSY, PROBE("g", "rmdir", b));
	EXPECT_EVENT("type=violation", "op=rmdir", "reason=anchor", "errno=EBUSY");
	EXPECT_EQ(EBUSY, PROBE("g", "rename", c, b));
	EXPECT_TRUE(exists(b) && exists(secret) && exists(c) && !exists(to));
	EXPECT_EQ(0, PROBE("g", "rename", c, to));
	EXPECT_EQ(0, PROBE(NULL, "exchange", a, to, "exchange", a, to));
}

/*
 * What lies above an anchor in its own filesystem is held, too, where the rule's path says nothing of
 * it: of a mounted directory, of a mounted file, of a rule written through a mount.
 */
TEST(anchors_below_mounts_stay_where_they_are)
{
	const char *root = scratch(), *at = make_dir(text("%s/at", root));
	const char *a = make_dir(text("%s/a", root)), *b = make_dir(text("%s/b", root));
	const char *c = make_dir(text("%s/c", root)), *to = text("%s/to", root);
	const char *dir = make_dir(text("%s/dir", at)), *file = make_file(text("%s/file", at), "");
	const char *through = make_dir(text("%s/through", root));

	make_dir(text("%s/deep", a));
	make_dir(text("%s/deep", c));
	make_dir(text("%s/deep/rule", c));
	ASSERT_EQ(0, mount(make_dir(text("%s/deep/m", a)), dir, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(make_file(text("%s/f", b), "x"), file, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(text("%s/deep", c), through, NULL, MS_BIND, NULL));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s/rule", "none") END, root, through);
	EXPECT_EQ(EBUSY, PROBE("g", "rename", a, to));
	EXPECT_EVENT("type=violation", "op=rename", "reason=anchor", "errno=EBUSY",
		     text("path=%s", a));
	EXPECT_EQ(EBUSY, PROBE("g", "rename", b, to));
	EXPECT_EQ(EBUSY, PROBE("g", "rename", c, to));
	EXPECT_EQ(0, umount(dir) | umount(file) | umount(through));
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, root);
	EXPECT_EQ(0, PROBE("g", "rename", a, to, "rename", to, a, "rename", b, to, "rename", to, b,
			   "rename", c, to));
}

/* Semantics 4 says EBUSY of every anchor, so of one whose rule gives nothing, too. */
TEST(a_carve_out_cannot_be_moved_away)
{
	const char *root = scratch(), *secret = make_dir(text("%s/secret", root));
	const char *f = make_file(text("%s/f", secret), "x"), *to = text("%s/to", root);

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, root, secret);
	EXPECT_EQ(EBUSY, PROBE("g", "rename", secret, to));
	EXPECT_EQ(EBUSY, PROBE("g", "rmdir", secret));
	EXPECT_TRUE(exists(f));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", f));
	EXPECT_EQ(0, PROBE(NULL, "rename", secret, to));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", text("%s/f", to)));
}

/* Semantics 4: a directory rule whose inode is gone refuses, until the next load looks again. */
TEST(a_directory_that_was_replaced_is_stale)
{
	const char *root = scratch(), *secret = make_dir(text("%s/secret", root));
	const char *data = make_dir(text("%s/data", root)), *key = text("%s/key", secret);
	const char *f = make_file(text("%s/f", data), "x");

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") RULE("%s", "ro") END, root,
		    secret, data);
	make_file(key, "x");
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", key));
	EXPECT_EVENT("type=violation", "reason=rule", text("path=%s", key));
	EXPECT_EQ(0, PROBE("g", "open", "r", f));
	/* Somebody outside moves both away and makes new ones: neither may open by the rule above. */
	ASSERT_EQ(0, PROBE(NULL, "rename", secret, text("%s.old", secret)));
	ASSERT_EQ(0, PROBE(NULL, "rename", data, text("%s.old", data)));
	make_dir(secret);
	make_dir(data);
	make_file(key, "x");
	make_file(f, "x");
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", key));
	EXPECT_EVENT("type=violation", "reason=stale", "errno=EACCES", text("path=%s", key),
		     text("rule.path=%s", secret));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", f));
	EXPECT_EQ(EACCES, PROBE("g", "open", "wc", text("%s/new", data)));
	EXPECT_EQ(0, PROBE("g", "open", "r", text("%s.old/f", data)));
	/* A guest with rw above could have done it: the next load wants to be told. */
	EXPECT_EQ(0, ctl("load --reanchor /tmp/policy.toml"));
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", key));
	EXPECT_EQ(0, PROBE("g", "open", "r", f));
}

/* ---- depth ---- */

/* @n directories named "d" below @root, in each a file at the end only. */
static void make_deep(const char *root, int n)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), next;

	for (int i = 0; i < n; i++) {
		ASSERT_EQ(0, mkdirat(fd, "d", 0755));
		next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	next = openat(fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_LE(0, next);
	close(next);
	close(fd);
}

static void try_depth(int depth)
{
	const char *root = scratch(), *yes = make_dir(text("%s/yes", root));
	const char *no = make_dir(text("%s/no", root)), *levels = text("%d", depth);

	make_deep(yes, depth);
	make_deep(no, depth);
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "none") END, root, no);
	EXPECT_EQ(0, PROBE("g", "chdir", yes, "deep", levels, "open", "rw", "f"));
	EXPECT_EQ(0, PROBE("g", "chdir", yes, "deep", levels, "open", "wc", "new"));
	EXPECT_EQ(EACCES, PROBE("g", "chdir", no, "deep", levels, "open", "r", "f"));
	EXPECT_EQ(EACCES, PROBE("g", "chdir", no, "deep", levels, "open", "wc", "new"));
	EXPECT_EVENT("type=violation", "op=open", "reason=rule", text("rule.path=%s", no),
		     "rule.access=", depth < 1000 ? "path$=/d/f" : "path_truncated=true");
	EXPECT_EQ(0, PROBE(NULL, "chdir", no, "deep", levels, "open", "r", "f"));
}

TEST(depth_60)
{
	try_depth(60);
}

TEST(depth_100)
{
	try_depth(100);
}

TEST(depth_3000)
{
	try_depth(3000);
}

/* Past 8192 steps: refused, in audit reported (semantics 6). */
TEST(depth_past_the_bound)
{
	const char *root = scratch();

	make_deep(root, 8300);
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw")
			    END GUEST("a") "mode = \"audit\"\n" FILES RULE("%s", "rw") END,
		    root, root);
	EXPECT_EQ(EACCES, PROBE("g", "chdir", root, "deep", "8300", "open", "r", "f"));
	EXPECT_EVENT("type=violation", "op=open", "reason=path_too_deep", "verdict=denied",
		     "path_truncated=true", "rule=null", "suggest=null");
	EXPECT_EQ(0, PROBE("a", "chdir", root, "deep", "8300", "open", "r", "f"));
	EXPECT_EVENT("type=violation", "op=open", "reason=path_too_deep", "verdict=would_deny");
	EXPECT_EQ(0, PROBE("g", "chdir", root, "deep", "8100", "list", "."));
}

LEAVES_NO_GUEST()
