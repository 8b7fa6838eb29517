/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small files of the kernel's: read whole, write in one call. Directories: opened, locked. */
#pragma once

#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* pol_file_read() - up to @size - 1 bytes and a NUL. Return: bytes read, negative errno. */
int pol_file_read(int dirfd, const char *path, char *buf, size_t size);

/* pol_file_read_line() - the first line, without its end. Return: 0, negative errno. */
int pol_file_read_line(const char *path, char *buf, size_t size);

/* pol_file_read_u64() - a number; "max": UINT64_MAX. Return: 0, negative errno, -EINVAL. */
int pol_file_read_u64(int dirfd, const char *path, uint64_t *ret);

/* pol_file_write() - one write(2) of the whole text. Return: 0, negative errno. */
int pol_file_write(int dirfd, const char *path, const char *text);

/* pol_dir_open() - a directory, no symlink. Return: descriptor, negative errno. */
int pol_dir_open(int dirfd, const char *path);

/**
 * pol_openat2() - as openat2(2), O_CLOEXEC added.
 * @resolve: RESOLVE_*. Return: descriptor, negative errno.
 */
int pol_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/**
 * pol_fd_place() - where the object behind a descriptor is now, without a symlink; or what it is.
 * Return: 0; -ENAMETOOLONG: @size is too small; of readlink(2).
 */
int pol_fd_place(int fd, char *buf, size_t size);

/* pol_flock() - as flock(2), for so many seconds. Return: 0, -EWOULDBLOCK, negative errno. */
int pol_flock(int fd, int operation);

/* pol_memstream_end() - of open_memstream(). Return: 0: @text and its length are set; -ENOMEM: it is freed. */
int pol_memstream_end(FILE *out, char **text);

void pol_fclosep(FILE **f);
