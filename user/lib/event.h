/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Validates and decodes one raw ring record (struct pol_event, bpf/abi.h). Pure. Nothing is read
 * before its bounds are known; what does not add up is refused whole, never half decoded.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"

/**
 * struct pol_event_head - what every record has, enough to put it in order.
 */
struct pol_event_head {
	uint64_t boot_ns;
	uint64_t seq;
	uint32_t guest;
	uint32_t type; /* enum pol_type */
};

/**
 * struct pol_event_text - a path as bytes (may be no UTF-8; may even hold NUL, if the kernel read
 * a name while it changed). Lies in the view it belongs to.
 * @data: NULL: there is none. NUL-terminated besides.
 * @truncated: the end nearest to the root is missing; then there is no leading slash.
 *
 * A path in a mount tree is absolute: "/srv/web/a"; the root itself is "/". An object outside any
 * mount tree (POL_EVENT_DETACHED: memfd, pipe, lazily unmounted) has its names without a leading
 * slash: "memfd:x", "b/a"; an absolute path never looks like that.
 */
struct pol_event_text {
	const char *data;
	size_t len;
	bool truncated;
};

/* A number of struct pol_event_exit that nobody could say; never from the engine. */
#define POL_EXIT_UNKNOWN UINT64_MAX

/**
 * struct pol_event_view - a decoded record; self-contained (the ring may go on).
 * @inside: its path is a name in a root of the guest's own; whoever has its names sets it (pump.c).
 * @outside: not of the engine (pidwait.h): no guest, no sequence, no policy.
 * @has_process: @process, @exe and @parent_exe mean something.
 * @access: of violation, allow and escape. @exit: of exit. @ceiling: of ceiling. @note: of guest
 * and policy. @shadow: of shadow. @lost: of lost (made by the reader, never by the kernel).
 */
struct pol_event_view {
	uint32_t type;
	uint32_t verdict;
	uint64_t boot_ns;
	uint64_t seq;
	uint64_t generation;
	uint32_t guest;
	uint32_t flags;
	bool inside;
	bool outside;
	bool has_process;
	struct pol_event_process process;
	union {
		struct pol_event_access access;
		struct pol_event_exit exit;
		struct pol_event_ceiling ceiling;
		struct pol_event_note note;
		struct pol_event_shadow shadow;
		struct {
			uint32_t of;
			uint64_t count;
			uint64_t first;
			uint64_t last;
		} lost;
	};
	struct pol_event_text path;
	struct pol_event_text exe;
	struct pol_event_text parent_exe;
	char path_buf[POL_PATH_LARGE + 2];
	char exe_buf[POL_EXE_SIZE + 2];
	char parent_exe_buf[POL_EXE_SIZE + 2];
};

/**
 * pol_event_check() - validate a record and read its head.
 * @data: any alignment. @len: bytes the ring says it has.
 *
 * Return: 0; -EBADMSG: too short, or lengths that do not fit; -EPROTO: another ABI version;
 * -ENOMSG: a type this version does not know, or that never comes from the kernel. @ret is
 * untouched on failure.
 */
int pol_event_check(const void *data, size_t len, struct pol_event_head *ret);

/**
 * pol_event_decode() - validate and decode. Return: as pol_event_check().
 */
int pol_event_decode(const void *data, size_t len, struct pol_event_view *ret);

/* pol_event_has_access() - whether @type carries struct pol_event_access. */
static inline bool pol_event_has_access(uint32_t type)
{
	return type == POL_TYPE_VIOLATION || type == POL_TYPE_ALLOW || type == POL_TYPE_ESCAPE;
}

/* pol_event_has_rule() - whether the kernel named the rule that decided (events.md: rule). */
bool pol_event_has_rule(const struct pol_event_view *view);

/* pol_event_err() - what was returned to who was refused, positive; 0: nothing was refused. */
uint32_t pol_event_err(const struct pol_event_view *view);

/**
 * pol_event_shadow_op() - what made a snapshot stale, an operation on a file; 0: it is not stale, or
 * was so when it was handed over.
 */
uint32_t pol_event_shadow_op(const struct pol_event_shadow *event);

/**
 * pol_event_tail() - the end of a text that has lost its beginning, from a name on: there the
 * object's own name is. Any other text, and one of at most @max bytes (0: no limit), as it is.
 */
struct pol_event_text pol_event_tail(const struct pol_event_text *text, size_t max);

/**
 * pol_event_status() - the wait status of an exit.
 * @ret_code, @ret_signal: exactly one is >= 0; both -1 if the kernel could not say.
 *
 * Return: the status a shell would show: the code, or 128 + signal; -1: unknown.
 */
int pol_event_status(const struct pol_event_exit *event, int *ret_code, int *ret_signal);
