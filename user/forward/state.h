/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of --state: the mark behind what the receiver has acknowledged, one line. */
#pragma once

#include "err.h"
#include "mark.h"

/**
 * state_load() - @ret: its id is 0 where there is no file yet.
 * Return: 0; negative errno, of open(2) and read(2), @err says which: the file cannot be used.
 * -EINVAL: it holds no mark.
 */
int state_load(const char *path, struct pol_mark *ret, struct pol_err *err);

/**
 * state_save() - the file whole or not at all: by PATH.new, which is renamed.
 * Not synced to the disk: a mark means nothing after a crash of the machine. Return: 0; -errno.
 */
int state_save(const char *path, const struct pol_mark *mark);
