/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyctl explain: the same answer, field by field, as the violation that the guest's own attempt then
 * reports; and nothing is changed, counted or reported by asking. Random cases: explain_model_test.
 */
#include "harness.h"

#include <ftw.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "asker.h"
#include "guest.h"
#include "words.h"

/* A right, and an attempt that needs it; "@x": x in the row's directory. */
static const struct row {
	const char *right;
	const char *object;
	const char *words[4];
} rows[] = {
	{ "read", "@f", { "open", "r", "@f" } },
	{ "write", "@f", { "open", "w", "@f" } },
	{ "execute", "@exe", { "exec", "@exe" } },
	{ "list", "@sub", { "list", "@sub" } },
	{ "create", "@new", { "open", "wcx", "@new" } },
	{ "create", "@newdir/", { "mkdir", "@newdir" } },
	{ "delete", "@f", { "unlink", "@f" } },
	{ "delete", "@sub", { "rmdir", "@sub" } },
	{ "rename", "@f", { "rename", "@f", "@g" } },
	{ "link", "@f", { "link", "@f", "@g" } },
	{ "truncate", "@f", { "truncate", "@f" } },
	{ "metadata", "@f", { "chmod", "@f" } },
	{ "ioctl", "@null", { "ioctl", "@null" } },
	{ "connect", "@sock", { "connect", "stream", "@sock" } },
};

#define ROWS_CNT (sizeof(rows) / sizeof(rows[0]))

static const char *in(const char *dir, const char *path)
{
	return *path == '@' ? text("%s/%s", dir, path + 1) : path;
}

static void listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	ASSERT_EQ(0, bind(sock, (void *)&at, sizeof(at)));
	ASSERT_EQ(0, listen(sock, 8));
}

static void make_tree(const char *dir)
{
	make_dir(dir);
	make_file(text("%s/f", dir), "content");
	make_dir(text("%s/sub", dir));
	ASSERT_EQ(0, run_cmd(NULL, 0, "cp /usr/bin/true %s/exe", dir));
	ASSERT_EQ(0, mknod(text("%s/null", dir), S_IFCHR | 0666, makedev(1, 3)));
	ASSERT_EQ(0, symlink("f", text("%s/link", dir)));
	listen_at(text("%s/sock", dir));
}

/* "["read", ...]" of all rights but one */
static const char *all_but(const char *right)
{
	const char *list = "";

	for (unsigned int i = 0; i < POL_RIGHTS_CNT; i++)
		if (!right || strcmp(pol_right_word(i), right) != 0)
			list = text("%s%s\"%s\"", list, *list ? ", " : "", pol_right_word(i));
	return text("[%s]", list);
}

/* The device needs a rule that names it. */
static const char *rule_but(const char *dir, const char *right)
{
	return text("\t{ path = \"%s\", access = %s },\n\t{ path = \"%s/null\", access = %s },\n", dir,
		    all_but(right), dir, all_but(right));
}

static const char *dir_of(const char *root, size_t row)
{
	return text("%s/%zu", root, row);
}

static void load_rows(const char *root)
{
	const char *rules = rule_but(text("%s/ok", root), NULL);

	make_tree(text("%s/ok", root));
	for (size_t i = 0; i < ROWS_CNT; i++) {
		make_tree(dir_of(root, i));
		rules = text("%s%s", rules, rule_but(dir_of(root, i), rows[i].right));
	}
	ASSERT_LOAD(GUEST("g") FILES "%s" END, rules);
}

static void attempt(const char *dir, const struct row *row, int want)
{
	const char *words[5] = { NULL };

	for (int i = 0; i < 4 && row->words[i]; i++)
		words[i] = in(dir, row->words[i]);
	EXPECT_EQ(want, probe_errno("g", words));
}

/* What explain says and the event has are the same, and the event is there. */
static void compare(const json_t *said, const char *right)
{
	static const char *const keys[] = { "verdict", "errno",	    "access",	 "missing",
					    "op",      "hook",	    "path",	 "path_truncated",
					    "rule.id", "rule.name", "rule.where", "rule.path",
					    "rule.access", "reason", "suggest" };
	const char *const conditions[] = { "type=violation", text("missing=%s", right),
					   text("path=%s", json_at(said, "path")), NULL };
	const json_t *event = events_find(conditions);

	if (!event) {
		FAIL("%s: %s", right, events_missing(conditions));
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		EXPECT_STREQ(json_at(event, keys[i]), json_at(said, keys[i]));
}

static void explain_row(const char *root, size_t i)
{
	const char *dir = dir_of(root, i), *object = in(dir, rows[i].object);
	json_t *said;

	EXPECT_EQ(1, ctl("explain g %s %s --json", rows[i].right, object));
	said = json_loads(ctl_said, 0, NULL);
	ASSERT_TRUE(said);
	EXPECT_STREQ("denied", json_at(said, "verdict"));
	EXPECT_STREQ("null", json_at(said, "kernel"));
	attempt(dir, &rows[i], EACCES);
	EXPECT_NOTHING(events_read());
	compare(said, rows[i].right);
}

TEST_TIMEOUT(each_right_is_denied_as_the_event_says, 600)
{
	const char *root = scratch_in("/srv");

	load_rows(root);
	events_forget();
	for (size_t i = 0; i < ROWS_CNT; i++)
		explain_row(root, i);
}

/* ------------------------------------------------------------------ no trace */

static char scan_text[1 << 16];
static size_t scan_len;

static int scan_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	/* A directory is read by the scan itself, which the root filesystem notes each time. */
	const struct timespec read = type == FTW_D ? (struct timespec){} : st->st_atim;

	(void)ftw;
	scan_len += (size_t)snprintf(
		scan_text + scan_len, sizeof(scan_text) - scan_len,
		"%s %lu %o %lu %ld %ld.%ld %ld.%ld %ld.%ld\n", path, st->st_ino, st->st_mode,
		st->st_nlink, st->st_size, read.tv_sec, read.tv_nsec,
		st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	return 0;
}

/* Everything that stat says of everything below, but when directories were read. */
static const char *scan(const char *root)
{
	scan_len = 0;
	*scan_text = 0;
	ASSERT_EQ(0, nftw(root, scan_one, 16, FTW_PHYS));
	return text("%s", scan_text);
}

/* Read long ago: then reading is noted, on any mount that notes it. */
static void age(const char *dir)
{
	static const char *const names[] = { "f", "exe", "link", "sock", "null", "sub" };
	const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_nsec = UTIME_OMIT } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ASSERT_EQ(0, utimensat(AT_FDCWD, text("%s/%s", dir, names[i]), times,
				       AT_SYMLINK_NOFOLLOW));
}

static const char *counters(void)
{
	return text("%s %s %s %s %s %s", guest_value("g", "denials"),
		    guest_value("g", "would_deny"), guest_value("g", "escapes"),
		    guest_value("g", "events.emitted"), guest_value("g", "tasks"),
		    guest_value("g", "fds.peak"));
}

static void ask_all(uint32_t g, const char *dir, const char *lacking)
{
	int want = lacking ? EACCES : 0;

	for (size_t i = 0; i < ROWS_CNT; i++)
		if (!lacking || !strcmp(lacking, rows[i].right))
			EXPECT_EQ(want, ask(g, (uint32_t)pol_right_parse(rows[i].right),
					    in(dir, rows[i].object)));
	EXPECT_EQ(lacking && !strcmp(lacking, "read") ? EACCES : 0,
		  ask(g, POL_RIGHT_READ, text("%s/link", dir)));
}

TEST_TIMEOUT(asking_leaves_no_trace, 300)
{
	const char *root = scratch_in("/srv"), *before, *counted;
	struct stat st;
	uint32_t g;

	load_rows(root);
	asker_open();
	g = guest_id("g");
	age(text("%s/ok", root));
	for (size_t i = 0; i < ROWS_CNT; i++)
		age(dir_of(root, i));
	(void)scan(root);
	before = scan(root);
	events_forget();
	counted = counters();
	ask_all(g, text("%s/ok", root), NULL);
	for (size_t i = 0; i < ROWS_CNT; i++)
		ask_all(g, dir_of(root, i), rows[i].right);
	EXPECT_STREQ(before, scan(root));
	EXPECT_STREQ(counted, counters());
	EXPECT_NOTHING(events_read());
	EXPECT_EQ(0, EVENTS("guest.name=g"));
	/* What the scan would have seen: whoever follows a symlink is noted. */
	ASSERT_EQ(0, stat(text("%s/ok/link", root), &st));
	EXPECT_FALSE(!strcmp(before, scan(root)));
	asker_close();
}

/* ------------------------------------------------------------------ what hooks add to rights */

static void expect(uint32_t g, uint32_t right, const char *path, int err, uint32_t reason)
{
	int got = ask(g, right, path);

	if (got != err)
		FAIL("%#x of %s: %d, not %d: %s", right, path, got, err,
		     got < 0 ? ask_err.message : "");
	else if (err)
		EXPECT_STREQ(pol_reason_word(reason), pol_reason_word(answer.view.access.reason));
}

TEST_TIMEOUT(what_hooks_add_to_rights, 300)
{
	const char *root = scratch_in("/srv"), *dir = text("%s/d", root);
	uint32_t g, a;

	make_tree(dir);
	make_dir(text("%s/sub/keep", dir));
	make_file(text("%s/sub/keep/f", dir), "x");
	ASSERT_EQ(0, mknod(text("%s/null2", dir), S_IFCHR | 0666, makedev(1, 3)));
	ASSERT_LOAD(GUEST("g") FILES RULE("/proc", "ro") "\t{ path = \"%s\", access = %s },\n"
				"\t{ path = \"%s/null2\", access = [\"read\"] },\n"
				"\t{ path = \"%s/sub/keep\", access = \"none\" },\n"
				"\t{ path = \"%s/made.log\", access = [\"create\"] },\n" END
			    GUEST("a") "mode = \"audit\"\nerrno = \"EROFS\"\n",
		    dir, all_but(NULL), dir, dir, dir);
	asker_open();
	g = guest_id("g");
	a = guest_id("a");
	expect(g, POL_RIGHT_READ, text("%s/null", dir), EACCES, POL_REASON_DEVICE);
	expect(g, POL_RIGHT_READ, text("%s/null2", dir), 0, 0);
	expect(g, POL_RIGHT_WRITE, text("%s/null2", dir), EACCES, POL_REASON_RULE);
	expect(g, POL_RIGHT_DELETE, text("%s/sub/keep", dir), EBUSY, POL_REASON_ANCHOR);
	expect(g, POL_RIGHT_RENAME, text("%s/sub", dir), EBUSY, POL_REASON_ANCHOR);
	expect(g, POL_RIGHT_DELETE, text("%s/exe", dir), 0, 0);
	expect(g, POL_RIGHT_READ, text("%s/sub/../sub/keep/f", dir), EACCES, POL_REASON_RULE);
	expect(g, POL_RIGHT_READ, "/proc/self/status", 0, 0);
	expect(g, POL_RIGHT_READ, "/proc/1/environ", EACCES, POL_REASON_BUILTIN);
	expect(g, POL_RIGHT_WRITE, "/proc/sys/kernel/hostname", EACCES, POL_REASON_BUILTIN);
	expect(g, POL_RIGHT_READ, "/sys/kernel/notes", EACCES, POL_REASON_NO_RULE);
	/* By name: only what is there, or would be. */
	expect(g, POL_RIGHT_CREATE, text("%s/made.log", dir), EACCES, POL_REASON_RULE);
	EXPECT_EQ(POL_RIGHT_WRITE, answer.view.access.missing);
	expect(g, POL_RIGHT_CREATE, text("%s/made.log/", dir), 0, 0);
	expect(g, POL_RIGHT_CREATE, text("%s/made.log2", dir), 0, 0);
	/* The kernel says no before anybody is asked; the rule's word is given all the same. */
	expect(g, POL_RIGHT_WRITE, text("%s/sub", dir), 0, 0);
	EXPECT_EQ(EISDIR, answer.kernel);
	expect(g, POL_RIGHT_READ, text("%s/none", dir), 0, 0);
	EXPECT_EQ(ENOENT, answer.kernel);
	EXPECT_EQ(-ENOENT, ask(g, POL_RIGHT_READ, text("%s/none/none", dir)));
	/* audit: refused nothing, and still not done. */
	expect(a, POL_RIGHT_DELETE, text("%s/f", dir), EROFS, POL_REASON_NO_RULE);
	EXPECT_EQ(POL_VERDICT_WOULD_DENY, answer.view.verdict);
	EXPECT_TRUE(exists(text("%s/f", dir)));
	/* A guest that no policy has. */
	expect(4000, POL_RIGHT_READ, text("%s/f", dir), EACCES, POL_REASON_NO_RULE);
	asker_close();
}

/* ------------------------------------------------------------------ what else may happen */

TEST_TIMEOUT(the_command, 300)
{
	const char *dir = scratch();

	make_file(text("%s/f", dir), "x");
	ASSERT_LOAD(GUEST("g") FILES "\t{ path = \"%s\", access = [\"read\"] },\n" END
			    GUEST("a") "mode = \"audit\"\n",
		    dir);
	EXPECT_CTL(0, "allowed", "explain g read %s/f", dir);
	EXPECT_CTL(1, "missing  write truncate\n", "explain g read,write,truncate %s/f", dir);
	EXPECT_CTL(1, "would_deny", "explain a read %s/f", dir);
	EXPECT_CTL(1, "no guest 'nobody'", "explain nobody read %s/f", dir);
	EXPECT_CTL(1, "No such file", "explain g read %s/a/b", dir);
	EXPECT_CTL(2, "no access", "explain g reed %s/f", dir);
	EXPECT_CTL(2, "no access", "explain g none %s/f", dir);
	EXPECT_CTL(2, "no absolute path", "explain g read f");
	EXPECT_CTL(2, "name a guest", "explain g read");
	EXPECT_EQ(4, run_cmd(ctl_said, sizeof(ctl_said),
			     "setpriv --reuid 1000 policyctl explain g read %s/f || exit $?", dir));
	EXPECT_STRSTR("not root", ctl_said);
}

/* Unloaded meanwhile: there is no answer, and the probe can do no more than before. */
TEST_TIMEOUT(an_unload_does_not_free_the_probe, 300)
{
	const char *dir = scratch();
	uint32_t g;

	make_file(text("%s/f", dir), "x");
	ASSERT_LOAD(GUEST("g") FILES "\t{ path = \"%s\", access = \"rw\" },\n" END, dir);
	asker_open();
	g = guest_id("g");
	EXPECT_EQ(0, ask(g, POL_RIGHT_DELETE, text("%s/f", dir)));
	EXPECT_EQ(0, ctl("unload --force"));
	EXPECT_EQ(-ESTALE, ask(g, POL_RIGHT_DELETE, text("%s/f", dir)));
	EXPECT_TRUE(exists(text("%s/f", dir)));
	EXPECT_CTL(4, "no policy is loaded", "explain g read %s/f", dir);
	asker_close();
	EXPECT_NOTHING(engine_left());
}

LEAVES_NO_GUEST()
