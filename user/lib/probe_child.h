/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The probe itself: a process that does one thing after the other, as it is told, and can do none of
 * them (bpf/probe.bpf.c). What it tries is chosen in probe.c.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum pol_try {
	POL_TRY_FIND,	     /* open with O_PATH, which is not mediated, and say what it is */
	POL_TRY_FIND_LAST,   /* the name itself, be it a symlink */
	POL_TRY_OPEN_READ,
	POL_TRY_OPEN_WRITE,
	POL_TRY_OPEN_DIR,
	POL_TRY_CREATE,
	POL_TRY_MKDIR,
	POL_TRY_UNLINK,
	POL_TRY_RMDIR,
	POL_TRY_RENAME,	     /* exchanged with itself */
	POL_TRY_LOOK,	     /* statx(2) */
	POL_TRY_LOOK_LAST,
	POL_TRY_LOOK_FOR,    /* mkdir(2) */
};

/* @scratch: @path is in a filesystem of its own, where "file" and "dir" are. */
struct pol_try_request {
	uint32_t what;
	uint32_t scratch;
	char path[PATH_MAX];
};

/* @err: positive errno, 0: it was done. @mode: of what was found. */
struct pol_try_answer {
	int32_t err;
	uint32_t mode;
};

/**
 * pol_probe_start() - as a child, with a mount namespace of its own, in which nothing notes when it was
 * read; ends with the caller.
 * @ret_fd: SOCK_SEQPACKET: requests, answers, and first of all one that says whether it is ready.
 *
 * It inherits every descriptor: as long as it lives the programs are attached.
 * Return: its process id; negative errno.
 */
pid_t pol_probe_start(int *ret_fd);
