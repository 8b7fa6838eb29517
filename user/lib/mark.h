/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mark in the row of events that policyd has taken: so far a subscriber has come, and goes on from
 * there on another connection. "ID-COUNT": sixteen hexadecimal digits, a decimal number. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Of a mark as text, with its NUL. */
#define POL_MARK_SIZE 40

/**
 * struct pol_mark - @id: of the row of events, 0: none; policyds of one boot go on with the one that
 * was before. @count: events from its beginning up to here.
 */
struct pol_mark {
	uint64_t id;
	uint64_t count;
};

/* pol_mark_write() - Return: its length without the NUL. */
size_t pol_mark_write(const struct pol_mark *mark, char buf[static POL_MARK_SIZE]);

/**
 * pol_mark_read() - what pol_mark_write() wrote, at the beginning of @text.
 * Return: bytes that it takes, at least 18; -EINVAL: no mark.
 */
int pol_mark_read(const char *text, size_t len, struct pol_mark *ret);
