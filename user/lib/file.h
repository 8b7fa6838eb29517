/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small files of the kernel's: read whole, write in one call. */
#pragma once

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

void pol_fclosep(FILE **f);
