/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * audit: the same payload of independent steps succeeds whole, and reports as would_deny exactly
 * what enforce denies (policy-language.md, semantics 11).
 */
#include "harness.h"

#include <sys/stat.h>

#include "guest.h"

/* Steps on a tree of its own each; none needs another. "@x": x in the tree. */
static const char *const steps[][4] = {
	{ "open", "r", "@no/f" },
	{ "open", "rw", "@no/f" },
	{ "open", "wt", "@no/g" },
	{ "open", "wc", "@no/new" },
	{ "list", "@no" },
	{ "mkdir", "@no/dir" },
	{ "mkfifo", "@no/fifo" },
	{ "symlink", "x", "@no/link" },
	{ "bind", "@no/sock" },
	{ "unlink", "@no/u" },
	{ "rmdir", "@no/r" },
	{ "truncate", "@no/h" },
	{ "chmod", "@no/h" },
	{ "chown", "@no/h" },
	{ "utime", "@no/h" },
	{ "setxattr", "@no/h" },
	{ "rename", "@no/m", "@no/m2" },
	{ "link", "@no/h", "@no/hard" },
	{ "exec", "@ro/exe" },
	{ "mmap-x", "@ro/exe" },
	{ "mprotect-x", "@ro/exe" },
	{ "open", "w", "@ro/f" },
	{ "open", "wc", "@ro/new" },
	{ "unlink", "@ro/u" },
	{ "open", "r", "@ok/f" },
	{ "open", "rwc", "@ok/new" },
	{ "rename", "@ok/m", "@ok/m2" },
	{ "memfd-reopen" },
	{ "pipe-reopen" },
};

#define CNT (sizeof(steps) / sizeof(steps[0]))

static void make_tree(const char *root)
{
	static const char *const files[] = { "f", "g", "h", "u", "m" };
	static const char *const dirs[] = { "no", "ro", "ok" };

	for (int d = 0; d < 3; d++) {
		make_dir(text("%s/%s", root, dirs[d]));
		make_dir(text("%s/%s/r", root, dirs[d]));
		for (int f = 0; f < 5; f++)
			make_file(text("%s/%s/%s", root, dirs[d], files[f]), "content");
	}
	ASSERT_EQ(0, run_cmd(NULL, 0, "cp /usr/bin/true %s/ro/exe", root));
}

static void run_steps(const char *guest, const char *root, bool all_work)
{
	static struct step batch[CNT];
	const char *why;

	memset(batch, 0, sizeof(batch));
	for (size_t i = 0; i < CNT; i++)
		for (int k = 0; k < 4 && steps[i][k]; k++)
			batch[i].words[k] = steps[i][k][0] == '@'
						    ? text("%s/%s", root, steps[i][k] + 1)
						    : steps[i][k];
	for (size_t i = 0; i < CNT && !all_work; i++)
		batch[i].want = i < CNT - 5 ? EACCES : 0;
	why = probe_batch(guest, batch, CNT);
	if (why)
		FAIL("as %s: %s", guest, why);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The part of @path below @root, or all of it; events of some hooks lack the mount's own path. */
static const char *below(const char *path, const char *root)
{
	const char *name = strrchr(root, '/'), *at = strstr(path, name);

	return at ? at + strlen(name) : path;
}

/* What a guest's violations say, but for who and when and in which tree. */
static size_t violations(const char *guest, const char *root, const char **list, size_t max)
{
	const json_t *event;
	size_t i, n = 0;

	json_array_foreach(events_all(), i, event) {
		if (strcmp(json_at(event, "type"), "violation") != 0 ||
		    strcmp(json_at(event, "guest.name"), guest) != 0 || n == max)
			continue;
		list[n++] = text("%s %s [%s] [%s] %s %s %s %s", json_at(event, "op"),
				 json_at(event, "hook"), json_at(event, "access"),
				 json_at(event, "missing"), json_at(event, "reason"),
				 json_at(event, "errno"), below(json_at(event, "path"), root),
				 below(json_at(event, "rule.path"), root));
	}
	qsort(list, n, sizeof(list[0]), by_text);
	for (i = 0; i + 1 < n;) /* a set: one operation may ask twice */
		if (!strcmp(list[i], list[i + 1]))
			memmove(&list[i], &list[i + 1], (--n - i) * sizeof(list[0]));
		else
			i++;
	return n;
}

static void expect_verdicts(const char *guest, const char *verdict)
{
	const json_t *event;
	size_t i;

	json_array_foreach(events_all(), i, event)
		if (!strcmp(json_at(event, "type"), "violation") &&
		    !strcmp(json_at(event, "guest.name"), guest))
			EXPECT_STREQ(verdict, json_at(event, "verdict"));
}

/* Both sorted; every line that only one of them has is a failure. */
static void expect_equal(const char **denied, size_t denied_cnt, const char **audited,
			 size_t audited_cnt)
{
	size_t d = 0, a = 0;

	while (d < denied_cnt || a < audited_cnt) {
		int order = d == denied_cnt    ? 1
			    : a == audited_cnt ? -1
					       : strcmp(denied[d], audited[a]);

		if (order < 0)
			FAIL("only denied: %s", denied[d]);
		else if (order > 0)
			FAIL("only would_deny: %s", audited[a]);
		d += order <= 0;
		a += order >= 0;
	}
}

#define RULES FILES RULE("%s/ro", "ro") RULE("%s/ok", "rw") END

TEST(would_deny_equals_denied)
{
	const char *a = scratch(), *b = scratch();
	const char *audited[100], *denied[100];
	size_t audited_cnt, denied_cnt;

	make_tree(a);
	make_tree(b);
	ASSERT_LOAD(GUEST("audit") "mode = \"audit\"\n" RULES GUEST("enforce") RULES, a, a, b, b);
	events_forget();
	run_steps("audit", a, true);
	run_steps("enforce", b, false);
	EXPECT_EQ(0, EVENTS("type=lost"));
	expect_verdicts("audit", "would_deny");
	expect_verdicts("enforce", "denied");
	audited_cnt = violations("audit", a, audited, 100);
	denied_cnt = violations("enforce", b, denied, 100);
	expect_equal(denied, denied_cnt, audited, audited_cnt);
	EXPECT_LE(CNT - 5, denied_cnt);
}

TEST(control_without_confinement)
{
	const char *root = scratch();

	make_tree(root);
	run_steps(NULL, root, true);
}

/* Knobs are reported and let pass; built-in refusals and the guard hold. */
TEST(what_holds_in_audit)
{
	const char *root = scratch(), *d = make_dir(text("%s/d", root)), *pid;
	struct probe p;

	ASSERT_LOAD(GUEST("a") "mode = \"audit\"\n" FILES RULE("%s", "rw") RULE("%s", "rw") END,
		    root, d);
	EXPECT_EQ(0, PROBE("a", "io-uring"));
	EXPECT_EVENT("type=escape", "op=io_uring", "verdict=would_deny");
	EXPECT_EQ(0, PROBE("a", "unshare-user"));
	EXPECT_EVENT("type=escape", "op=userns", "verdict=would_deny");
	EXPECT_EQ(0, PROBE("a", "unshare-mnt", "mount-bind", d, d, "umount", d));
	EXPECT_EVENT("type=escape", "op=mount", "verdict=would_deny");
	EXPECT_EQ(EPERM, PROBE("a", "bpf"));
	EXPECT_EVENT("type=escape", "op=bpf", "verdict=denied");
	EXPECT_EQ(EPERM, PROBE("a", "mkchr", text("%s/null", root)));
	EXPECT_EVENT("type=violation", "op=mknod", "reason=device", "verdict=denied");
	EXPECT_EQ(EPERM, PROBE("a", "clone-into", "/sys/fs/cgroup"));
	EXPECT_EQ(EBUSY, PROBE("a", "rename", d, text("%s/e", root)));
	probe_start(&p, NULL, STEPS("pause", "block"));
	pid = text("%d", probe_pid(probe_until(&p, "paused")));
	EXPECT_EQ(EPERM, PROBE("a", "ptrace", pid));
	probe_kill(&p);
}

/* would_deny and denials are counted apart. */
TEST(counters)
{
	const char *root = scratch(), *f = make_file(text("%s/f", root), "x");

	ASSERT_LOAD(GUEST("counted") "mode = \"audit\"\n");
	EXPECT_EQ(0, PROBE("counted", "open", "r", f));
	EXPECT_STREQ("0", guest_value("counted", "denials"));
	EXPECT_EVENT("type=violation", text("path=%s", f), "verdict=would_deny", "errno=EACCES");
}

LEAVES_NO_GUEST()
