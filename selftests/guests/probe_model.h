/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * model: one operation a line on stdin, one answer each, until its end. A line is six fields with
 * tabs between them: WORD FLAGS BASE PATH BASE2 PATH2, "-" for none. With a BASE the path is taken
 * from an O_PATH descriptor of that directory.
 */
#pragma once

#include "probe_files.h"

#define MODEL_STEPS STEP("model", 0, model)

struct model_call {
	const char *flags;
	int at[2];
	char *path[2];
};

/* For calls that take no directory descriptor. */
static const char *model_plain(const struct model_call *call)
{
	static char path[8192 + 32];

	if (call->at[0] == AT_FDCWD)
		return call->path[0];
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", call->at[0], call->path[0]);
	return path;
}

static int model_fd(const struct model_call *call, int flags)
{
	return openat(call->at[0], call->path[0], flags | O_CLOEXEC | O_NONBLOCK, 0600);
}

static int model_open(const struct model_call *call)
{
	return opened(model_fd(call, probe_flags(call->flags)));
}

static int model_list(const struct model_call *call)
{
	int fd = model_fd(call, O_RDONLY | O_DIRECTORY), err;
	char buf[1024];

	if (fd < 0)
		return errno;
	err = probe_result(syscall(SYS_getdents64, fd, buf, sizeof(buf)));
	close(fd);
	return err;
}

static int model_ftruncate(const struct model_call *call)
{
	int fd = model_fd(call, O_WRONLY), err;

	if (fd < 0)
		return errno;
	err = probe_result(ftruncate(fd, 3));
	close(fd);
	return err;
}

static int model_fchmod(const struct model_call *call)
{
	int fd = model_fd(call, O_RDONLY), err;

	if (fd < 0)
		return errno;
	err = probe_result(fchmod(fd, (mode_t)strtoul(call->flags, NULL, 8)));
	close(fd);
	return err;
}

/* O_TMPFILE in the first path, then the second as a name for it. */
static int model_tmpfile(const struct model_call *call)
{
	int fd = model_fd(call, O_TMPFILE | O_WRONLY), err;
	char path[64];

	if (fd < 0)
		return errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = probe_result(linkat(AT_FDCWD, path, call->at[1], call->path[1], AT_SYMLINK_FOLLOW));
	close(fd);
	return err;
}

static int model_truncate(const struct model_call *call)
{
	return probe_result(truncate(model_plain(call), 2));
}

static int model_setxattr(const struct model_call *call)
{
	return probe_result(setxattr(model_plain(call), "trusted.probe", "1", 1, 0));
}

static int model_mkdir(const struct model_call *call)
{
	return probe_result(mkdirat(call->at[0], call->path[0], 0755));
}

static int model_rmdir(const struct model_call *call)
{
	return probe_result(unlinkat(call->at[0], call->path[0], AT_REMOVEDIR));
}

static int model_unlink(const struct model_call *call)
{
	return probe_result(unlinkat(call->at[0], call->path[0], 0));
}

static int model_mkfifo(const struct model_call *call)
{
	return probe_result(mkfifoat(call->at[0], call->path[0], 0600));
}

static int model_mkchr(const struct model_call *call)
{
	return probe_result(mknodat(call->at[0], call->path[0], S_IFCHR | 0600, makedev(1, 3)));
}

static int model_symlink(const struct model_call *call)
{
	return probe_result(symlinkat(call->path[1], call->at[0], call->path[0]));
}

/* n: RENAME_NOREPLACE, x: RENAME_EXCHANGE */
static int model_rename(const struct model_call *call)
{
	unsigned int flags = *call->flags == 'n'   ? RENAME_NOREPLACE
			     : *call->flags == 'x' ? RENAME_EXCHANGE
						   : 0;

	return probe_result(syscall(SYS_renameat2, call->at[0], call->path[0], call->at[1],
				    call->path[1], flags));
}

/* f: a symlink as the first path is followed */
static int model_link(const struct model_call *call)
{
	return probe_result(linkat(call->at[0], call->path[0], call->at[1], call->path[1],
				   *call->flags == 'f' ? AT_SYMLINK_FOLLOW : 0));
}

static int model_chmod(const struct model_call *call)
{
	return probe_result(
		fchmodat(call->at[0], call->path[0], (mode_t)strtoul(call->flags, NULL, 8), 0));
}

static int model_chown(const struct model_call *call)
{
	return probe_result(fchownat(call->at[0], call->path[0], 0, 0, 0));
}

static int model_lchown(const struct model_call *call)
{
	return probe_result(fchownat(call->at[0], call->path[0], 0, 0, AT_SYMLINK_NOFOLLOW));
}

static int model_utime(const struct model_call *call)
{
	return probe_result(utimensat(call->at[0], call->path[0], NULL, 0));
}

#define CALL(name)                  \
	{                           \
#name, model_##name \
	}

static const struct {
	const char *word;
	int (*run)(const struct model_call *call);
} model_calls[] = {
	CALL(open),	CALL(list),	CALL(ftruncate), CALL(fchmod), CALL(tmpfile),
	CALL(truncate), CALL(setxattr), CALL(mkdir),	 CALL(rmdir),  CALL(unlink),
	CALL(mkfifo),	CALL(mkchr),	CALL(symlink),	 CALL(rename), CALL(link),
	CALL(chmod),	CALL(chown),	CALL(lchown),	 CALL(utime),
};

static int model_at(const char *base)
{
	return strcmp(base, "-") ? open(base, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
}

static int model_run(const char *word, const struct model_call *call)
{
	if (call->at[0] == -1 || call->at[1] == -1)
		return errno;
	for (size_t i = 0; i < sizeof(model_calls) / sizeof(model_calls[0]); i++)
		if (!strcmp(model_calls[i].word, word))
			return model_calls[i].run(call);
	_exit(2);
}

static int model_line(char *line)
{
	struct model_call call;
	char *field[6];
	int err;

	line[strcspn(line, "\n")] = 0;
	for (int i = 0; i < 6; i++) {
		field[i] = strsep(&line, "\t");
		if (!field[i])
			_exit(2);
	}
	call.flags = field[1];
	for (int i = 0; i < 2; i++) {
		call.path[i] = field[3 + 2 * i];
		call.at[i] = model_at(field[2 + 2 * i]);
	}
	err = model_run(field[0], &call);
	for (int i = 0; i < 2; i++)
		if (call.at[i] >= 0)
			close(call.at[i]);
	return err;
}

static int do_model(char **a)
{
	static char line[40000];

	(void)a;
	probe_say("ready", 0, "");
	while (fgets(line, sizeof(line), stdin))
		probe_say("did", model_line(line), "");
	return 0;
}
