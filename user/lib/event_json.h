/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A decoded event and its context -> one line of JSON, as events.md has it: fixed key order,
 * always valid UTF-8, never a second line, under 8 KiB. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "event.h"

/* A line with its newline and NUL; rsyslog splits longer messages (ecosystem.md, 0.5). */
#define POL_EVENT_LINE_SIZE 8192

/**
 * struct pol_event_rule - a rule as its policy file has it; borrowed until the next call.
 * @name: or NULL. @where: "policy.toml:37". @path, @path_len: bytes.
 */
struct pol_event_rule {
	const char *name;
	const char *where;
	const char *path;
	size_t path_len;
};

/**
 * struct pol_event_ctx - what the record itself does not say. Any callback may be NULL or find
 * nothing (a generation that is gone): the field is then null. Strings are borrowed until the next
 * call of the same callback.
 * @host, @boot_id: or NULL.
 * @boot_to_real_ns: add it to CLOCK_BOOTTIME to get the time of day.
 * @guest_name: name of a guest in @generation or later.
 * @rule: Return: 0; -ENOENT.
 * @sha256: lower-case hex of the generation's policy.
 * @own_root: has the guest a root of its own, which `run` made?
 * @cgroup: path in the cgroup2 tree, "/policyctl/web".
 * @pieces: for pol_event_json(), of this context alone (event_pieces.h); or NULL.
 */
struct pol_pieces;
struct pol_event_ctx {
	const char *host;
	const char *boot_id;
	int64_t boot_to_real_ns;
	void *arg;
	const char *(*guest_name)(void *arg, uint64_t generation, uint32_t guest);
	int (*rule)(void *arg, uint64_t generation, uint32_t rule, struct pol_event_rule *ret);
	const char *(*sha256)(void *arg, uint64_t generation);
	bool (*own_root)(void *arg, uint64_t generation, uint32_t guest);
	const char *(*cgroup)(void *arg, uint64_t id);
	struct pol_pieces *pieces;
};

/**
 * pol_event_json() - write the line, newline included, and a NUL.
 * @buf: POL_EVENT_LINE_SIZE bytes.
 *
 * What is too long is cut as the contract says, marked with X_truncated. Should a line be too long
 * all the same, `suggest` is left out first, then the texts are cut shorter.
 *
 * Return: length of the line without the NUL; -ENOSPC: @size is too small for any line.
 */
int pol_event_json(const struct pol_event_view *view, const struct pol_event_ctx *ctx, char *buf,
		   size_t size);

/* pol_event_real_ns() - time of day, in ns since 1970; 0 where the sum is nonsense. */
int64_t pol_event_real_ns(uint64_t boot_ns, const struct pol_event_ctx *ctx);

/* pol_real_second() - the whole seconds since 1970 of it, rounded down. @ret_ns: the rest. */
int64_t pol_real_second(int64_t real_ns, uint32_t *ret_ns);

/* Of a time with its NUL. */
#define POL_TIME_SIZE 31

/* pol_real_time() - "2026-11-21T01:02:03.123456789Z" of it (UTC). */
void pol_real_time(int64_t real_ns, char buf[static POL_TIME_SIZE]);

/* pol_event_time() - when it happened, likewise. */
void pol_event_time(const struct pol_event_view *view, const struct pol_event_ctx *ctx,
		    char buf[static POL_TIME_SIZE]);
