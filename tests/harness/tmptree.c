/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tmptree.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "resolve.h"

char *tree_make(void)
{
	static const char *const parents[] = { "/tmp", "/dev/shm", "/var/tmp", "/run" };
	char template[64], *real;
	struct statfs fs;

	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		if (statfs(parents[i], &fs) < 0 ||
		    !pol_fs_supported((uint64_t)(unsigned long)fs.f_type))
			continue;
		(void)snprintf(template, sizeof(template), "%s/pol-test-XXXXXX", parents[i]);
		if (!mkdtemp(template))
			continue;
		real = realpath(template, NULL);
		cr_assert(real);
		return real;
	}
	return NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

void tree_remove(char *root)
{
	if (root)
		(void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(root);
}

static void full_path(char *buf, size_t size, const char *root, const char *path)
{
	cr_assert_lt((size_t)snprintf(buf, size, "%s/%s", root, path), size);
}

void tree_dir(const char *root, const char *path)
{
	char full[4096];

	full_path(full, sizeof(full), root, path);
	cr_assert_eq(mkdir(full, 0755), 0, "mkdir %s: %m", full);
}

void tree_file(const char *root, const char *path)
{
	char full[4096];
	int fd;

	full_path(full, sizeof(full), root, path);
	fd = open(full, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "create %s: %m", full);
	close(fd);
}

void tree_link(const char *root, const char *path, const char *target)
{
	char full[4096], to[4096];

	full_path(full, sizeof(full), root, path);
	if (target[0] == '@')
		cr_assert_lt((size_t)snprintf(to, sizeof(to), "%s%s", root, target + 1),
			     sizeof(to));
	else
		cr_assert_lt((size_t)snprintf(to, sizeof(to), "%s", target), sizeof(to));
	cr_assert_eq(symlink(to, full), 0, "symlink %s: %m", full);
}

struct pol_policy *tree_policy(const char *root, const char *text, struct pol_diags *diags)
{
	struct pol_policy *policy = NULL;
	char *full = NULL, *shown;
	size_t size;
	FILE *out = open_memstream(&full, &size);
	int r;

	cr_assert(out);
	for (; *text; text++)
		if (*text == '@')
			fputs(root, out);
		else
			fputc(*text, out);
	fclose(out);
	r = pol_policy_parse("p.toml", full, size, diags, &policy);
	shown = text_print(diags, false);
	cr_assert_eq(r, 0, "%s", shown);
	free(shown);
	free(full);
	return policy;
}

char *text_print(const struct pol_diags *diags, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(out);
	if (json)
		pol_diags_print_json(diags, out);
	else
		pol_diags_print_text(diags, out, false);
	fclose(out);
	return text;
}

char *file_read(const char *path, size_t *ret_len)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size, n;
	char buf[4096];
	FILE *out;

	if (!in)
		return NULL;
	out = open_memstream(&text, &size);
	cr_assert(out);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, out);
	fclose(in);
	fclose(out);
	if (ret_len)
		*ret_len = size;
	return text;
}
