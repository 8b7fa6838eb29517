/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which rights an operation needs (policy-language.md, "Rights"): with exactly these it works,
 * without any one of them it is refused, changes nothing and is reported. Each row has a directory
 * of its own per case, all of one guest, so that one run of the payload tries them all.
 */
#include "harness.h"

#include <sys/stat.h>

#include "guest.h"

struct row {
	const char *op;	      /* of the event */
	const char *needs;    /* rights, one letter each */
	const char *words[6]; /* of the payload; "@x": x in the case's directory */
	const char *step;     /* more steps before, one word each; NULL: none */
};

static const struct {
	char letter;
	const char *word;
} rights[] = {
	{ 'r', "read" },     { 'w', "write" },	  { 'x', "execute" }, { 'l', "list" },
	{ 'c', "create" },   { 'd', "delete" },	  { 'n', "rename" },  { 'k', "link" },
	{ 't', "truncate" }, { 'm', "metadata" },
};

static const struct row rows[] = {
	{ "open", "r", { "open", "r", "@f" }, NULL },
	{ "open", "w", { "open", "w", "@f" }, NULL },
	{ "open", "rw", { "open", "rw", "@f" }, NULL },
	{ "open", "rw", { "open", "3", "@f" }, NULL },
	{ "open", "wt", { "open", "wt", "@f" }, NULL },
	{ "open", "wt", { "open", "wct", "@f" }, NULL },
	{ "open", "w", { "open", "wc", "@f" }, NULL },
	{ "open", "l", { "list", "@sub" }, NULL },
	{ "create", "cw", { "open", "wc", "@new" }, NULL },
	{ "create", "cw", { "open", "wcx", "@new" }, NULL },
	{ "create", "cw", { "open", "wct", "@new" }, NULL },
	{ "mknod", "c", { "mkfifo", "@new" }, NULL },
	{ "mkdir", "c", { "mkdir", "@new" }, NULL },
	{ "symlink", "c", { "symlink", "f", "@new" }, NULL },
	{ "bind", "c", { "bind", "@new" }, NULL },
	{ NULL, "cw", { "tmpfile", "@", "@new" }, NULL },
	{ "unlink", "d", { "unlink", "@f" }, NULL },
	{ "rmdir", "d", { "rmdir", "@sub" }, NULL },
	{ "rename", "n", { "rename", "@f", "@new" }, NULL },
	{ "rename", "n", { "rename", "@sub", "@new" }, NULL },
	{ "rename", "nd", { "rename", "@f", "@f2" }, NULL },
	{ "rename", "n", { "exchange", "@f", "@f2" }, NULL },
	{ "rename", "ncw", { "whiteout", "@f", "@new" }, NULL },
	{ "link", "k", { "link", "@f", "@new" }, NULL },
	{ "truncate", "t", { "truncate", "@f" }, NULL },
	{ "chmod", "m", { "chmod", "@f" }, NULL },
	{ "chmod", "m", { "chmod", "@sub" }, NULL },
	{ "chown", "m", { "chown", "@f" }, NULL },
	{ "utime", "m", { "utime", "@f" }, NULL },
	{ "xattr", "m", { "setxattr", "@f" }, NULL },
	{ "xattr", "m", { "removexattr", "@f2" }, NULL },
	{ NULL, "m", { "setacl", "@f" }, NULL },
	{ "exec", "x", { "exec", "@exe" }, NULL },
	{ NULL, "rx", { "mmap-x", "@exe" }, NULL },
	{ NULL, "rx", { "mprotect-x", "@exe" }, NULL },
};

#define ROWS_CNT  ((int)(sizeof(rows) / sizeof(rows[0])))
#define CASES_MAX 160

/* A case: a row, and the right that is missing (0: none). */
struct one {
	const struct row *row;
	char lacks;
	char dir[64];
	char access[128];
};

static struct one cases[CASES_MAX];
static int cases_cnt;

/* "["read", "write"]" of the letters, but for @but */
static void access_text(char *buf, size_t size, const char *letters, char but)
{
	size_t len = (size_t)snprintf(buf, size, "[");

	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if (strchr(letters, rights[i].letter) && rights[i].letter != but)
			len += (size_t)snprintf(buf + len, size - len, "%s\"%s\"",
						len > 1 ? ", " : "", rights[i].word);
	snprintf(buf + len, size - len, "]");
}

static void copy(const char *from, const char *to)
{
	char out[256];

	ASSERT_EQ(0, run_cmd(out, sizeof(out), "cp %s %s", from, to));
}

static void make_case(const char *root, const struct row *row, char lacks)
{
	struct one *one = &cases[cases_cnt++];

	one->row = row;
	one->lacks = lacks;
	snprintf(one->dir, sizeof(one->dir), "%s/%d", root, cases_cnt);
	make_dir(one->dir);
	make_file(text("%s/f", one->dir), "content");
	make_file(text("%s/f2", one->dir), "content");
	make_dir(text("%s/sub", one->dir));
	if (strstr(row->needs, "x"))
		copy("/usr/bin/true", text("%s/exe", one->dir));
	if (!strcmp(row->words[0], "removexattr"))
		ASSERT_EQ(0, run_cmd(NULL, 0, PROBE_BIN " setxattr %s/f2", one->dir));
	access_text(one->access, sizeof(one->access), row->needs, lacks);
}

static void load_cases(const char *root)
{
	static char rules[32768];
	size_t len = 0;

	for (int i = 0; i < cases_cnt; i++)
		len += (size_t)snprintf(rules + len, sizeof(rules) - len,
					"\t{ path = \"%s\", access = %s },\n", cases[i].dir,
					cases[i].access);
	(void)root;
	ASSERT_LOAD(GUEST("matrix") FILES "%s" END, rules);
}

/* The words of a case, with its directory put in. */
static void put_words(const struct one *one, struct step *step)
{
	for (int k = 0; k < 5 && one->row->words[k]; k++) {
		const char *w = one->row->words[k];

		step->words[k] = *w != '@' ? w : w[1] ? text("%s/%s", one->dir, w + 1) : one->dir;
	}
}

static void run_cases(const char *guest)
{
	static struct step steps[CASES_MAX];
	const char *why;

	memset(steps, 0, sizeof(steps));
	for (int i = 0; i < cases_cnt; i++) {
		steps[i].want = guest && cases[i].lacks ? EACCES : 0;
		put_words(&cases[i], &steps[i]);
	}
	why = probe_batch(guest, steps, cases_cnt);
	if (why)
		FAIL("as %s: %s", guest ?: "nobody", why);
}

static const char *word_of(char letter)
{
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if (rights[i].letter == letter)
			return rights[i].word;
	return "?";
}

static void expect_case_event(const struct one *one, int line)
{
	const char *op = one->row->op ? text("op=%s", one->row->op) : "guest.name=matrix";

	EXPECT_EVENT("type=violation", op, "verdict=denied", "errno=EACCES", "reason=rule",
		     text("path*=%s/", strrchr(one->dir, '/')), text("rule.path=%s", one->dir),
		     text("missing*=%s", word_of(one->lacks)),
		     text("access*=%s", word_of(one->lacks)),
		     text("rule.where$=policy.toml:%d", line), "guest.name=matrix");
}

static void make_cases(const char *root, bool lacking)
{
	cases_cnt = 0;
	for (int i = 0; i < ROWS_CNT; i++) {
		const char *needs = rows[i].needs;

		if (!lacking)
			make_case(root, &rows[i], 0);
		for (; lacking && *needs; needs++)
			make_case(root, &rows[i], *needs);
	}
}

TEST(rights_suffice)
{
	const char *root = scratch();

	make_cases(root, false);
	load_cases(root);
	run_cases("matrix");
	EXPECT_EQ(0, EVENTS("type=violation", "guest.name=matrix", text("path*=%s/", root)));
}

TEST(rights_are_needed)
{
	const char *root = scratch();

	make_cases(root, true);
	load_cases(root);
	run_cases("matrix");
	for (int i = 0; i < cases_cnt; i++)
		expect_case_event(&cases[i], RUNTIME_LINES + 4 + i);
}

/* The same operations by nobody's guest: what was refused was refused by the engine. */
TEST(control_without_confinement)
{
	const char *root = scratch();

	make_cases(root, true);
	load_cases(root);
	run_cases(NULL);
}

/* As @step: who may, meets what nobody's guest meets, which before 6.6 is ENOTTY on tmpfs. */
static void expect_chattr(const char *step, const char *hook, int free_errno)
{
	const char *root = scratch(), *f = make_file(text("%s/f", root), "content");

	ASSERT_LOAD(GUEST("g") "files = [ { path = \"%s\", access = [\"ro\", \"write\"] } ]\n"
			       "[guest.h]\ninclude = [\"runtime\"]\n" FILES RULE("%s", "rw") END,
		    root, root);
	EXPECT_EQ(free_errno, PROBE(NULL, step, f));
	EXPECT_EQ(free_errno, PROBE("h", step, f));
	EXPECT_EQ(EACCES, PROBE("g", step, f));
	EXPECT_EVENT("type=violation", "op=chattr", text("hook=%s", hook), "missing=metadata",
		     text("path=%s", f));
}

TEST(chattr)
{
	const char *f = make_file(text("%s/f", scratch()), "content");

	expect_chattr("chattr", "file_ioctl", PROBE(NULL, "chattr", f));
}

TEST(file_setattr)
{
	const char *f = make_file(text("%s/f", scratch()), "content");
	int free_errno = PROBE(NULL, "file-setattr", f);

	if (free_errno == ENOSYS)
		SKIP("file_setattr(2): only from 6.17 on");
	expect_chattr("file-setattr", "inode_file_setattr", free_errno);
}

TEST(refused_truncation_leaves_the_content)
{
	const char *root = scratch(), *f = make_file(text("%s/f", root), "content");
	char buf[32];

	ASSERT_LOAD(GUEST("g") "[[guest.g.files]]\npath = \"%s\"\naccess = [\"read\", \"write\"]\n",
		    root);
	EXPECT_EQ(EACCES, PROBE("g", "open", "wt", f));
	EXPECT_EQ(EACCES, PROBE("g", "open", "wct", f));
	EXPECT_EQ(EACCES, PROBE("g", "truncate", f));
	EXPECT_EQ(EACCES, PROBE("g", "hold", "0", "rw", f, "ftruncate", "0"));
	EXPECT_EVENT("type=violation", "op=truncate", "missing=truncate", text("path=%s", f));
	EXPECT_EQ(7, read_file(f, buf, sizeof(buf)));
	EXPECT_EQ(0, PROBE(NULL, "open", "wt", f));
	EXPECT_EQ(0, read_file(f, buf, sizeof(buf)));
}

TEST(refused_creation_leaves_nothing)
{
	const char *root = scratch(), *no = make_dir(text("%s/no", root)), *new;

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s", "ro") END, root, no);
	new = text("%s/new", no);
	EXPECT_EQ(EACCES, PROBE("g", "open", "wc", new));
	EXPECT_EVENT("type=violation", "op=create", "hook=path_mknod", "access=write,create",
		     "missing=write,create", text("path=%s", new), text("rule.path=%s", no));
	EXPECT_EQ(EACCES, PROBE("g", "open", "rwct", new));
	EXPECT_EQ(EACCES, PROBE("g", "mkdir", new));
	EXPECT_EQ(EACCES, PROBE("g", "mkfifo", new));
	EXPECT_EQ(EACCES, PROBE("g", "symlink", "x", new));
	EXPECT_EQ(EACCES, PROBE("g", "bind", new));
	EXPECT_EQ(EACCES, PROBE("g", "tmpfile", no, new));
	EXPECT_FALSE(exists(new));
	EXPECT_EQ(0, PROBE("g", "open", "wc", text("%s/new", root)));
	EXPECT_EQ(0, PROBE(NULL, "open", "wc", new));
}

/* O_DIRECTORY|O_CREAT: what the same call gives without the engine (M7). */
TEST(create_of_a_directory_gives_the_kernels_errno)
{
	const char *root = scratch(), *new = text("%s/new", root);
	int free_errno;

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END, root);
	free_errno = PROBE(NULL, "open", "rcd", new);
	unlink(new);
	EXPECT_EQ(free_errno, PROBE("g", "open", "rcd", new));
}

TEST(the_policys_errno)
{
	static const struct {
		const char *guest, *name;
		int err;
	} errnos[] = { { "eacces", "EACCES", EACCES },
		       { "eperm", "EPERM", EPERM },
		       { "erofs", "EROFS", EROFS },
		       { "enoent", "ENOENT", ENOENT } };
	const char *root = scratch(), *f = make_file(text("%s/f", root), "x");

	ASSERT_LOAD("[defaults]\nerrno = \"EROFS\"\n" GUEST("eacces") "errno = \"EACCES\"\n" GUEST(
		"eperm") "errno = \"EPERM\"\n" GUEST("erofs")
			    GUEST("enoent") "errno = \"ENOENT\"\n");
	for (int i = 0; i < 4; i++) {
		const char *guest = errnos[i].guest;

		EXPECT_EQ(errnos[i].err, PROBE(guest, "open", "r", f));
		EXPECT_EQ(errnos[i].err, PROBE(guest, "open", "wc", text("%s/new", root)));
		EXPECT_EQ(errnos[i].err, PROBE(guest, "mkdir", text("%s/new", root)));
		EXPECT_EVENT("type=violation", "op=open", text("errno=%s", errnos[i].name),
			     text("path=%s", f), text("guest.name=%s", guest));
	}
	EXPECT_EQ(0, PROBE(NULL, "open", "r", f));
}

/* /tmp is a mount of its own: hooks that see no mount have to say the whole path, too. */
TEST(events_name_the_whole_path)
{
	const char *root = scratch(), *f = make_file(text("%s/f", root), "x");

	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "ro") END, root);
	EXPECT_EQ(EACCES, PROBE("g", "chmod", f, "utime", f, "setxattr", f, "setacl", f));
	EXPECT_EVENT("type=violation", "op=chmod", text("path=%s", f));
	EXPECT_EVENT("type=violation", "op=utime", text("path=%s", f));
	EXPECT_EVENT("type=violation", "op=xattr", text("path=%s", f));
}

TEST(a_guest_without_files_opens_nothing)
{
	const char *root = scratch(), *f = make_file(text("%s/f", root), "x");

	ASSERT_LOAD("[guest.bare]\n");
	EXPECT_EQ(126, ctl("run bare -- /usr/bin/cat %s", f));
	EXPECT_EVENT("type=violation", "op=exec", "path=/usr/bin/cat", "reason=no_rule",
		     "missing=execute", "guest.name=bare");
}

LEAVES_NO_GUEST()
