/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guest paths: the mapping forms and look-ups that Uhyve publishes tests of (its file map), and what
 * it does not hold: symlinks out, read-only mappings, renames beside a look-up.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tmptree.h"

static char *root;
static struct pol_paths *paths;
static struct pol_error error = { .size = sizeof(error) };

/*
 * guest-visible files in "in", which tests map; "out" is what no mapping reaches.
 */
static void init(void)
{
	root = tree_make();
	if (!root)
		cr_skip_test("no directory for a tree");
	cr_assert_eq(chdir(root), 0);
	tree_dir(root, "in");
	tree_dir(root, "in/folder");
	tree_dir(root, "out");
	tree_file(root, "in/readme.md");
	tree_file(root, "in/folder/file.txt");
	tree_file(root, "out/secret");
	tree_link(root, "in/to_file", "folder/file.txt");
	tree_link(root, "in/to_folder", "folder");
	tree_link(root, "in/dangling", "nothing");
	tree_link(root, "in/up_and_down", "../in/folder/file.txt");
	tree_link(root, "in/out", "../out/secret");
	tree_link(root, "in/out_dir", "../out");
	tree_link(root, "in/absolute", root);
	cr_assert_eq(pol_paths_new(&paths), 0);
}

static void fini(void)
{
	pol_paths_free(paths);
	tree_remove(root);
}

TestSuite(paths, .init = init, .fini = fini);

static int map(const char *host, const char *guest, uint32_t flags)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s/%s", root, host);
	return pol_paths_map(paths, full, guest, flags, &error);
}

/* What a guest's path is, below the tree; else the errno. */
static const char *resolved(const char *guest)
{
	static char buf[4096];
	ssize_t len = pol_guest_path_resolve(paths, guest, buf, sizeof(buf));

	if (len < 0)
		return strerrorname_np((int)-len);
	cr_assert_eq((size_t)len, strlen(buf));
	cr_assert_eq(strncmp(buf, root, strlen(root)), 0, "%s", buf);
	return buf + strlen(root);
}

static int opened(const char *guest, int flags)
{
	int fd = pol_guest_path_open(paths, guest, flags, 0644);

	if (fd >= 0) {
		cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
	return fd < 0 ? fd : 0;
}

static int parent(const char *guest, char *name, size_t size)
{
	int fd = pol_guest_path_parent(paths, guest, name, size);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int unlink_guest(const char *guest)
{
	char name[256];
	int dir = pol_guest_path_parent(paths, guest, name, sizeof(name)), r;

	if (dir < 0)
		return dir;
	r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
	close(dir);
	return r;
}

/* ---- what the published file map holds ---- */

Test(paths, each_mapping_is_found_by_its_guest_path)
{
	static const struct {
		const char *host, *guest, *is;
	} rows[] = {
		{ "in/readme.md", "readme_file.md", "/in/readme.md" },
		{ "in/folder", "guest_folder", "/in/folder" },
		{ "in/not_there", "guest_file", "/in/not_there" },
		{ "in/to_file", "guest_file_symlink", "/in/folder/file.txt" },
		{ "in/to_folder", "guest_folder_symlink", "/in/folder" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(map(rows[i].host, rows[i].guest, 0), 0, "%s", error.message);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(resolved(rows[i].guest), rows[i].is, "%s", rows[i].guest);
	cr_expect_str_eq(resolved("this_file_is_not_mapped"), "ENOENT");
}

Test(paths, nearest_parent_and_remainder)
{
	cr_assert_eq(map("in", "mapped", 0), 0);
	tree_dir(root, "in/folder/deeper");
	cr_expect_str_eq(resolved("mapped/folder/deeper/file.txt"), "/in/folder/deeper/file.txt");
	cr_expect_str_eq(resolved("mapped/folder/deeper"), "/in/folder/deeper");
	cr_expect_str_eq(resolved("/mapped"), "/in");
	cr_expect_str_eq(resolved("mapped/to_file"), "/in/folder/file.txt");
	cr_expect_str_eq(resolved("mapped/up_and_down"), "EACCES");
	cr_expect_str_eq(resolved("mappe"), "ENOENT");
	cr_expect_str_eq(resolved("mapped2"), "ENOENT");
	cr_expect_str_eq(resolved("mapped/folder/missing/file.txt"), "ENOENT");
}

Test(paths, nothing_mapped)
{
	cr_expect_str_eq(resolved("/root/file"), "ENOENT");
	cr_expect_str_eq(resolved("/"), "ENOENT");
	cr_expect_str_eq(resolved(""), "ENOENT");
	cr_expect_eq(opened("/root/file", O_RDONLY), -ENOENT);
	cr_expect_eq(opened("/root/file", O_CREAT | O_RDWR), -ENOENT);
	cr_expect_eq(unlink_guest("/root/file"), -ENOENT);
}

struct form {
	char text[64];
	char asked[64];
	char is[64];
};

ParameterizedTestParameters(paths, forms)
{
	static struct form all[] = {
		{ "in/folder:foo", "/foo", "/in/folder" },
		{ "in/folder:/foo", "foo", "/in/folder" },
		{ "in/folder:test/..//foo", "foo", "/in/folder" },
		{ "in/folder:foo", "a/..//foo", "/in/folder" },
		{ "in/folder:foo", "./foo/.", "/in/folder" },
		{ "in/folder:foo", "../../foo", "/in/folder" },
		{ "in/folder:foo/", "foo//file.txt", "/in/folder/file.txt" },
		{ "in/folder:foo", "foo/../foo/file.txt/", "/in/folder/file.txt" },
		{ "in/folder:/a/b/c", "a/b/c/file.txt", "/in/folder/file.txt" },
		{ "in/folder:/a/b/c", "a/b", "ENOENT" },
		{ "in/folder:foo", "foo/..", "ENOENT" },
		{ "in/folder:foo:ro", "foo", "/in/folder" },
		{ "in/folder:foo:rw", "foo", "/in/folder" },
		{ "./in/readme.md:text.md", "text.md", "/in/readme.md" },
		{ "in/folder/../readme.md:text.md", "text.md", "/in/readme.md" },
		{ "new:text.md", "text.md", "/new" },
		{ "in/folder/:foo", "foo", "/in/folder" },
		{ "new/:foo", "foo", "/new" },
	};

	return cr_make_param_array(struct form, all, sizeof(all) / sizeof(all[0]));
}

ParameterizedTest(struct form *form, paths, forms)
{
	cr_assert_eq(pol_paths_map_text(paths, form->text, &error), 0, "%s: %s", form->text,
		     error.message);
	cr_assert_str_eq(resolved(form->asked), form->is, "%s", form->asked);
}

Test(paths, other_forms_are_refused)
{
	cr_expect_eq(pol_paths_map_text(paths, "in", &error), -EINVAL);
	cr_expect_eq(error.kind, POL_ERROR_USAGE);
	cr_expect_eq(pol_paths_map_text(paths, "in:foo:should_not_exist", &error), -EINVAL);
	cr_expect_eq(pol_paths_map_text(paths, "in:foo:ro:rw", &error), -EINVAL);
	cr_expect_eq(pol_paths_map_text(paths, ":foo", &error), -EINVAL);
	cr_expect_eq(pol_paths_map_text(paths, "in:", &error), -EINVAL);
	cr_expect_eq(pol_paths_map_text(paths, "in:/", &error), -EINVAL);
	cr_expect_str_eq(error.message + strlen(error.message) - 42,
			 "mapped to '/': a guest's root has only mappings" + 5);
	cr_expect_eq(pol_paths_map_text(paths, "in:a/..", &error), -EINVAL);
	cr_expect_eq(pol_paths_map_text(paths, NULL, &error), -EINVAL);
	cr_expect_eq(pol_paths_map(paths, root, "a", 2, &error), -EINVAL);
	cr_expect_eq(pol_paths_map_text(paths, "in/missing/..:foo", &error), -EINVAL);
	cr_expect_eq(pol_paths_map_text(paths, "missing/name:foo", &error), -ENOENT);
	cr_expect_eq(pol_paths_map_text(paths, "in/readme.md/:foo", &error), -ENOTDIR);
	cr_expect_str_eq(resolved("foo"), "ENOENT");
}

Test(paths, conflicts_name_both)
{
	cr_assert_eq(map("in/readme.md", "/a/file", 0), 0);
	cr_assert_eq(map("in/new", "/a/later", 0), 0);
	cr_assert_eq(map("in", "/d", 0), 0);
	cr_expect_eq(map("in/folder", "a//file", 0), -EEXIST);
	cr_expect_not_null(strstr(error.message, "readme.md"), "%s", error.message);
	cr_expect_not_null(strstr(error.message, "folder"), "%s", error.message);
	cr_expect_eq(map("in/folder", "/a/file/below", 0), -ENOTDIR);
	cr_expect_not_null(strstr(error.message, "'/a/file/below' lies below '/a/file'"), "%s",
			   error.message);
	cr_expect_eq(map("in/folder", "/a/later/below/far", 0), -ENOTDIR);
	cr_expect_eq(map("in/readme.md", "/a", 0), -ENOTDIR);
	cr_expect_not_null(strstr(error.message, "'/a/file' lies below '/a'"), "%s", error.message);
	cr_expect_eq(map("in/folder", "/a", 0), 0);
	cr_expect_eq(map("in/readme.md", "/d/other", 0), 0);
	cr_expect_str_eq(resolved("/a/file"), "/in/readme.md");
	cr_expect_str_eq(resolved("/a/file.txt"), "/in/folder/file.txt");
	cr_expect_str_eq(resolved("/d/other"), "/in/readme.md");
	cr_expect_str_eq(resolved("/d/folder"), "/in/folder");
}

/* ---- files that come and go ---- */

Test(paths, a_mapped_file_that_does_not_exist_yet)
{
	cr_assert_eq(map("in/new", "/new", 0), 0);
	cr_expect_eq(opened("/new", O_RDONLY), -ENOENT);
	cr_expect_eq(opened("/new", O_CREAT | O_EXCL | O_WRONLY), 0);
	cr_expect_eq(access("in/new", F_OK), 0);
	cr_expect_eq(opened("/new", O_CREAT | O_EXCL | O_WRONLY), -EEXIST);
	cr_expect_eq(opened("/new2", O_CREAT | O_WRONLY), -ENOENT);
	cr_expect_eq(access("in/new2", F_OK), -1);
	cr_expect_eq(opened("/new/below", O_RDONLY), -ENOTDIR);
}

Test(paths, unlink_and_make_again)
{
	cr_assert_eq(map("in/readme.md", "/file", 0), 0);
	cr_assert_eq(map("in", "/dir", 0), 0);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(unlink_guest("/file"), 0);
		cr_expect_eq(access("in/readme.md", F_OK), -1);
		cr_expect_eq(unlink_guest("/file"), -ENOENT);
		cr_expect_eq(opened("/file", O_CREAT | O_WRONLY), 0);
		cr_expect_eq(access("in/readme.md", F_OK), 0);
		cr_expect_eq(opened("/dir/fresh", O_CREAT | O_WRONLY), 0);
		cr_expect_eq(unlink_guest("/dir/fresh"), 0);
		cr_expect_eq(unlink_guest("/dir/fresh"), -ENOENT);
	}
}

Test(paths, unlinked_while_open)
{
	char byte = 'x';
	int fd;

	cr_assert_eq(map("in", "/dir", 0), 0);
	fd = pol_guest_path_open(paths, "/dir/f", O_CREAT | O_RDWR, 0600);
	cr_assert_geq(fd, 0);
	cr_expect_eq(unlink_guest("/dir/f"), 0);
	cr_expect_eq(write(fd, &byte, 1), 1);
	cr_expect_eq(pread(fd, &byte, 1, 0), 1);
	close(fd);
	cr_expect_eq(unlink_guest("/dir/f"), -ENOENT);
}

Test(paths, a_name_that_becomes_a_directory)
{
	cr_assert_eq(map("in/later", "/later", 0), 0);
	tree_dir(root, "in/later");
	tree_file(root, "in/later/file");
	tree_link(root, "in/later/sibling", "../readme.md");
	cr_expect_str_eq(resolved("/later/file"), "/in/later/file");
	cr_expect_str_eq(resolved("/later/sibling"), "EACCES");
	cr_expect_eq(opened("/later/file", O_RDWR), 0);
	cr_expect_eq(opened("/later/sibling", O_RDWR), -EACCES);
}

Test(paths, a_directory_s_own_name_stays)
{
	char name[256];

	cr_assert_eq(map("in", "/dir", 0), 0);
	cr_expect_eq(parent("/dir", name, sizeof(name)), -EBUSY);
	cr_expect_eq(parent("/dir/folder/..", name, sizeof(name)), -EBUSY);
	cr_expect_eq(parent("/dir/folder", name, sizeof(name)), 0);
	cr_expect_str_eq(name, "folder");
	cr_expect_eq(parent("/dir/folder", name, 6), -ERANGE);
	cr_expect_eq(parent("/dir/missing/x", name, sizeof(name)), -ENOENT);
	cr_expect_eq(parent("/dir/readme.md/x", name, sizeof(name)), -ENOTDIR);
}

/* ---- ways out ---- */

struct way {
	char guest[64];
	int want;
};

ParameterizedTestParameters(paths, ways_out)
{
	static struct way all[] = {
		{ "/dir/out", -EACCES },
		{ "/dir/out_dir", -EACCES },
		{ "/dir/out_dir/secret", -EACCES },
		{ "/dir/absolute", -EACCES },
		{ "/dir/absolute/out/secret", -EACCES },
		{ "/dir/up_and_down", -EACCES },
		{ "/dir/../out/secret", -ENOENT },
		{ "/dir/folder/../../out/secret", -ENOENT },
		{ "/dir/dangling", -ENOENT },
		{ "/dir/to_folder/file.txt", 0 },
		{ "/dir/to_file", 0 },
		{ "/one", -EACCES },
		{ "/secret", -ENOENT },
	};

	return cr_make_param_array(struct way, all, sizeof(all) / sizeof(all[0]));
}

ParameterizedTest(struct way *way, paths, ways_out)
{
	char name[256];
	int want = way->want;

	cr_assert_eq(map("in", "/dir", 0), 0);
	cr_assert_eq(map("in/one", "/one", 0), 0);
	tree_link(root, "in/one",
		  "readme.md"); /* a name alone: whatever it leads to is not mapped */
	cr_expect_eq(opened(way->guest, O_RDONLY), want, "%s", way->guest);
	cr_expect_eq(opened(way->guest, O_RDWR), want, "%s", way->guest);
	cr_expect_str_eq(want ? strerrorname_np(-want) : "/in/folder/file.txt",
			 resolved(way->guest), "%s", way->guest);
	(void)parent(way->guest, name,
		     sizeof(name)); /* no crash: the name itself is never followed */
}

Test(paths, what_a_directory_s_name_is_later_does_not_matter)
{
	cr_assert_eq(map("in", "/dir", 0), 0);
	cr_assert_eq(rename("in", "moved"), 0);
	cr_assert_eq(symlink("out", "in"), 0);
	cr_expect_eq(opened("/dir/secret", O_RDONLY), -ENOENT);
	cr_expect_str_eq(resolved("/dir/readme.md"), "/moved/readme.md");
	cr_assert_eq(unlink("in"), 0); /* for tree_remove() it makes no difference */
}

static void *swap(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED))
		(void)renameat2(AT_FDCWD, "in/folder", AT_FDCWD, "in/out_dir", RENAME_EXCHANGE);
	return NULL;
}

/* A directory and a symlink out change places all the time: never is anything outside reached. */
Test(paths, renames_beside)
{
	int stop = 0, inside = 0, refused = 0;
	pthread_t thread;

	tree_file(root, "in/folder/secret");
	cr_assert_eq(map("in", "/dir", 0), 0);
	cr_assert_eq(pthread_create(&thread, NULL, swap, &stop), 0);
	for (int i = 0; i < 2000000 && (i < 20000 || !inside || !refused); i++) {
		int fd = pol_guest_path_open(paths, "/dir/folder/secret", O_RDONLY, 0);
		struct stat st, out;

		if (fd < 0) {
			cr_assert(fd == -EACCES || fd == -EAGAIN, "%d", fd);
			refused++;
			continue;
		}
		cr_assert_eq(fstat(fd, &st), 0);
		cr_assert_eq(stat("out/secret", &out), 0);
		cr_assert_neq(st.st_ino, out.st_ino);
		close(fd);
		inside++;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_expect(inside && refused, "%d %d", inside, refused);
}

/* ---- read-only ---- */

Test(paths, read_only)
{
	char name[256];

	cr_assert_eq(map("in", "/ro", POL_MAP_READ_ONLY), 0);
	cr_assert_eq(map("in", "/rw", 0), 0);
	cr_expect_eq(opened("/ro/readme.md", O_RDONLY), 0);
	cr_expect_eq(opened("/ro/readme.md", O_WRONLY), -EROFS);
	cr_expect_eq(opened("/ro/readme.md", O_RDWR), -EROFS);
	cr_expect_eq(opened("/ro/readme.md", O_RDONLY | O_TRUNC), -EROFS);
	cr_expect_eq(opened("/ro/new", O_RDONLY | O_CREAT), -EROFS);
	cr_expect_eq(opened("/ro", O_TMPFILE | O_RDWR), -EROFS);
	cr_expect_eq(opened("/ro/readme.md", O_PATH), 0);
	cr_expect_eq(opened("/ro", O_RDONLY | O_DIRECTORY), 0);
	cr_expect_eq(parent("/ro/readme.md", name, sizeof(name)), -EROFS);
	cr_expect_eq(access("in/new", F_OK), -1);
	cr_expect_eq(opened("/rw/readme.md", O_WRONLY), 0);
}

/* Another mapping below this one: no symlink leads around it. */
Test(paths, no_symlink_around_another_mapping)
{
	char name[256];

	cr_assert_eq(map("in", "/data", 0), 0);
	cr_expect_eq(opened("/data/to_folder/file.txt", O_WRONLY), 0); /* the control */
	cr_expect_eq(parent("/data/to_folder/new", name, sizeof(name)), 0);
	cr_assert_eq(map("in/folder", "/data/folder", POL_MAP_READ_ONLY), 0);
	cr_expect_eq(opened("/data/to_folder/file.txt", O_WRONLY), -EACCES);
	cr_expect_eq(opened("/data/to_file", O_WRONLY), -EACCES);
	cr_expect_eq(parent("/data/to_folder/new", name, sizeof(name)), -EACCES);
	cr_expect_eq(opened("/data/readme.md", O_WRONLY), 0);
	cr_expect_eq(opened("/data/folder/file.txt", O_WRONLY), -EROFS);
	cr_expect_eq(opened("/data/folder/file.txt", O_RDONLY), 0);
}

Test(paths, no_symlink_below_a_mapping_that_hides)
{
	cr_assert_eq(map("in", "/data", 0), 0);
	cr_assert_eq(map("out", "/data/folder", 0), 0);
	cr_expect_eq(opened("/data/to_folder/file.txt", O_RDONLY), -EACCES);
	cr_expect_eq(opened("/data/folder/file.txt", O_RDONLY), -ENOENT);
	cr_expect_eq(opened("/data/folder/secret", O_RDONLY), 0);
}

/* ---- the private tmp ---- */

static size_t entries(const char *path)
{
	char command[600];
	FILE *out;
	unsigned long n = 0;

	(void)snprintf(command, sizeof(command), "ls -A '%s' | wc -l", path);
	out = popen(command, "r");
	cr_assert(out && fscanf(out, "%lu", &n) == 1);
	pclose(out);
	return n;
}

Test(paths, private_tmp)
{
	const char *where;
	struct stat st;

	tree_dir(root, "tmp");
	cr_assert_eq(map("in", "/dir", 0), 0);
	cr_assert_eq(pol_paths_tmp(paths, "tmp", &error), 0, "%s", error.message);
	cr_expect_eq(pol_paths_tmp(paths, "tmp", &error), -EALREADY);
	cr_expect_eq(entries("tmp"), 1);
	cr_expect_eq(opened("/root/a/file", O_RDONLY), -ENOENT);
	cr_expect_eq(opened("/root/a/file", O_CREAT | O_RDWR), 0);
	cr_expect_eq(opened("root/b/../a/file", O_RDONLY), 0);
	cr_expect_eq(opened("/file", O_CREAT | O_RDWR), 0);
	where = resolved("/root/a/file");
	cr_expect_eq(strncmp(where, "/tmp/policy-", 12), 0, "%s", where);
	cr_expect_not_null(strstr(where, "/root/a/file"), "%s", where);
	cr_assert_eq(stat(resolved("/") + 1, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_expect_eq(unlink_guest("/root/a/file"), 0);
	cr_expect_eq(opened("/root/a/file", O_RDONLY), -ENOENT);
	cr_expect_eq(opened("/root/a/file", O_CREAT | O_WRONLY), 0);
	cr_expect_eq(opened("/dir/made", O_CREAT | O_WRONLY), 0);
	cr_expect_eq(access("in/made", F_OK), 0);
	cr_expect_eq(opened("/file/below", O_CREAT | O_WRONLY), -ENOTDIR);
	cr_expect_eq(opened("/../../etc/passwd", O_RDONLY), -ENOENT);
	pol_paths_free(paths);
	paths = NULL;
	cr_expect_eq(entries("tmp"), 0);
}

Test(paths, no_place_for_a_tmp)
{
	cr_expect_eq(pol_paths_tmp(paths, "missing", &error), -ENOENT);
	cr_expect_eq(pol_paths_tmp(paths, "in/readme.md", &error), -ENOTDIR);
	cr_expect_eq(pol_paths_tmp(paths, "", &error), -EINVAL);
	cr_expect_eq(opened("/x", O_CREAT | O_WRONLY), -ENOENT);
}

/* ---- bounds ---- */

Test(paths, lengths)
{
	char guest[5000], buf[4096];
	size_t len;

	cr_assert_eq(map("in", "/dir", 0), 0);
	memset(guest, 'a', sizeof(guest));
	guest[4096] = '\0';
	cr_expect_eq(opened(guest, O_RDONLY), -ENAMETOOLONG);
	guest[4095] = '\0';
	cr_expect_eq(opened(guest, O_RDONLY), -ENOENT);
	memcpy(guest, "/dir/", 5);
	guest[5 + 256] = '\0';
	cr_expect_eq(opened(guest, O_RDONLY), -ENAMETOOLONG);
	guest[5 + 255] = '\0';
	cr_expect_eq(opened(guest, O_RDONLY), -ENOENT);
	len = strlen(root) + strlen("/in/readme.md");
	cr_expect_eq(pol_guest_path_resolve(paths, "/dir/readme.md", buf, len), -ERANGE);
	cr_expect_eq(pol_guest_path_resolve(paths, "/dir/readme.md", buf, len + 1), (ssize_t)len);
	cr_expect_eq(pol_guest_path_resolve(paths, "/dir/readme.md", buf, 0), -ERANGE);
	cr_expect_eq(pol_guest_path_resolve(paths, "/dir/readme.mdx", buf, len + 1), -ERANGE);
	cr_expect_eq(pol_guest_path_resolve(paths, "/dir/readme.mdx", buf, len + 2),
		     (ssize_t)len + 1);
}

Test(paths, many_mappings)
{
	char guest[64];

	for (int i = 0; i < 500; i++) {
		(void)snprintf(guest, sizeof(guest), "/m/%d", i * 7919 % 500);
		cr_assert_eq(map(i % 2 ? "in/folder" : "in", guest, 0), 0);
	}
	for (int i = 0; i < 500; i++) {
		(void)snprintf(guest, sizeof(guest), "/m/%d/.", i * 7919 % 500);
		cr_expect_str_eq(resolved(guest), i % 2 ? "/in/folder" : "/in", "%s", guest);
	}
}

Test(paths, no_descriptor_is_left)
{
	size_t before = entries("/proc/self/fd");

	pol_paths_free(paths);
	cr_assert_eq(pol_paths_new(&paths), 0);
	cr_assert_eq(map("in", "/dir", 0), 0);
	cr_assert_eq(map("in/readme.md", "/file", 0), 0);
	cr_assert_eq(pol_paths_tmp(paths, "out", &error), 0);
	(void)map("in/readme.md", "/file", 0);
	(void)map("in/readme.md", "/file/x", 0);
	(void)opened("/dir/folder/file.txt", O_RDONLY);
	(void)opened("/dir/out", O_RDONLY);
	(void)opened("/a/b/c", O_CREAT | O_RDWR);
	(void)unlink_guest("/a/b/d");
	(void)resolved("/dir/new");
	pol_paths_free(paths);
	paths = NULL;
	cr_expect_eq(entries("/proc/self/fd"), before);
}
