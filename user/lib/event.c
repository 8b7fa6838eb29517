/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base.h"
#include "copy.h"

static bool room_known(size_t room)
{
	return room == 0 || room == POL_PATH_SMALL || room == POL_PATH_LARGE;
}

/* The fixed part, copied: the input may be unaligned, and must not be read twice. */
static int read_fixed(const void *data, size_t len, struct pol_event *ret)
{
	if (len < sizeof(*ret))
		return -EBADMSG;
	memcpy(ret, data, sizeof(*ret));
	if (ret->abi != POL_ABI_VERSION)
		return -EPROTO;
	if (ret->size != len || !room_known(ret->path_room) || len != sizeof(*ret) + ret->path_room)
		return -EBADMSG;
	if (ret->path_len > ret->path_room || ret->exe_len > POL_EXE_SIZE ||
	    ret->parent_exe_len > POL_EXE_SIZE)
		return -EBADMSG;
	if (ret->type == 0 || ret->type >= POL_TYPES_CNT || ret->type == POL_TYPE_LOST)
		return -ENOMSG;
	if (ret->guest >= POL_GUESTS_MAX || ret->seq == 0)
		return -EBADMSG;
	return 0;
}

int pol_event_check(const void *data, size_t len, struct pol_event_head *ret)
{
	struct pol_event event;
	int r = read_fixed(data, len, &event);

	if (r < 0)
		return r;
	*ret = (struct pol_event_head){
		.boot_ns = event.boot_ns,
		.seq = event.seq,
		.guest = event.guest,
		.type = event.type,
	};
	return 0;
}

bool pol_event_has_access(uint32_t type)
{
	return type == POL_TYPE_VIOLATION || type == POL_TYPE_ALLOW || type == POL_TYPE_ESCAPE;
}

/* The high bits of the bytes that are '/'. */
static inline uint64_t slashes_8(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101, lows = 0x7f * ones;

	x ^= ones * '/';
	return ~(((x & lows) + lows) | x | lows);
}

/* Behind the last '/' of [@text, @end), eight bytes at a time. Eight can be read at @text. */
static const char *last_name(const char *text, const char *end)
{
	uint64_t x, slashes;

	for (; end - text >= 8; end -= 8) {
		memcpy(&x, end - 8, 8);
		slashes = slashes_8(le64toh(x));
		if (slashes)
			return end - __builtin_clzll(slashes) / 8;
	}
	if (end == text)
		return text;
	memcpy(&x, text, 8);
	slashes = slashes_8(le64toh(x) << 8 * (8 - (end - text)));
	return slashes ? end - __builtin_clzll(slashes) / 8 : text;
}

/*
 * "a/web/srv/" -> "srv/web/a": the names in reverse, into @out (room for @len bytes and a NUL).
 * The last name has no '/' behind it where the kernel's buffer ended in it. Empty names are left
 * out: a filesystem's root is itself called "/", and ends the text of a detached object. Eight bytes can
 * be read at @text, whatever @len: a record has more room than that.
 * Return: length.
 */
static size_t reverse_names(const char *text, size_t len, char *out)
{
	const char *end = text + len;
	char *to = out;

	while (end > text && end[-1] == '/')
		end--;
	while (end > text) {
		const char *name = last_name(text, end);

		if (to > out && end > name)
			*to++ = '/';
		pol_copy(to, name, (size_t)(end - name));
		to += end - name;
		end = name > text ? name - 1 : text;
	}
	*to = '\0';
	return (size_t)(to - out);
}

/* @out has room for @len + 2 bytes. A detached object without a name (a pipe) has no text. */
static struct pol_event_text make_text(const char *text, size_t len, bool truncated, bool detached,
				       char *out)
{
	size_t lead = truncated || detached ? 0 : 1;
	size_t used = reverse_names(text, len, out + lead);

	if (lead)
		out[0] = '/';
	return (struct pol_event_text){
		.data = used + lead ? out : NULL,
		.len = used + lead,
		.truncated = truncated,
	};
}

/* An empty text is the root directory's, or there is no object at all: then it has no number. */
static bool has_path(const struct pol_event *event)
{
	if (!event->path_room)
		return false;
	if (event->path_len)
		return true;
	return pol_event_has_access(event->type) &&
	       (event->access.inode.ino || event->access.inode.dev);
}

static void decode_texts(const struct pol_event *event, const char *path,
			 struct pol_event_view *view)
{
	if (has_path(event))
		view->path =
			make_text(path, event->path_len, event->flags & POL_EVENT_PATH_TRUNCATED,
				  event->flags & POL_EVENT_DETACHED, view->path_buf);
	if (!view->has_process)
		return;
	if (event->exe_len)
		view->exe = make_text(event->exe, event->exe_len,
				      event->flags & POL_EVENT_EXE_TRUNCATED, false, view->exe_buf);
	if (event->parent_exe_len)
		view->parent_exe = make_text(event->parent_exe, event->parent_exe_len,
					     event->flags & POL_EVENT_PARENT_EXE_TRUNCATED, false,
					     view->parent_exe_buf);
}

int pol_event_decode(const void *data, size_t len, struct pol_event_view *ret)
{
	struct pol_event event;
	int r = read_fixed(data, len, &event);

	if (r < 0)
		return r;
	/* Not the whole view: its buffers are 5 KiB, and hold only what decode_texts() writes. */
	memset(ret, 0, offsetof(struct pol_event_view, path_buf));
	ret->type = event.type;
	ret->verdict = event.verdict;
	ret->boot_ns = event.boot_ns;
	ret->seq = event.seq;
	ret->generation = event.generation;
	ret->guest = event.guest;
	ret->flags = event.flags;
	ret->has_process = event.flags & POL_EVENT_HAS_PROCESS;
	ret->process = event.process;
	if (pol_event_has_access(event.type))
		ret->access = event.access;
	else if (event.type == POL_TYPE_EXIT)
		ret->exit = event.exit;
	else if (event.type == POL_TYPE_CEILING)
		ret->ceiling = event.ceiling;
	else if (event.type == POL_TYPE_GUEST || event.type == POL_TYPE_POLICY)
		ret->note = event.note;
	decode_texts(&event, (const char *)data + sizeof(event), ret);
	return 0;
}

bool pol_event_has_rule(const struct pol_event_view *view)
{
	uint32_t reason = view->access.reason;

	return pol_event_has_access(view->type) && view->flags & POL_EVENT_HAS_RULE &&
	       (reason == POL_REASON_RULE || reason == POL_REASON_WIDENS ||
		reason == POL_REASON_STALE);
}

struct pol_event_text pol_event_tail(const struct pol_event_text *text, size_t max)
{
	struct pol_event_text tail = *text;
	const char *slash;
	size_t skip;

	if (!text->truncated || !text->data || !max || text->len <= max)
		return tail;
	skip = text->len - max;
	slash = memchr(text->data + skip, '/', max);
	if (slash)
		skip = (size_t)(slash + 1 - text->data);
	tail.data = text->data + skip;
	tail.len = text->len - skip;
	return tail;
}

int pol_event_status(const struct pol_event_exit *event, int *ret_code, int *ret_signal)
{
	int sig = (int)(event->code & 0x7f);

	*ret_code = -1;
	*ret_signal = -1;
	if (event->cause == POL_CAUSE_UNKNOWN)
		return -1;
	if (sig) {
		*ret_signal = sig;
		return 128 + sig;
	}
	*ret_code = (int)(event->code >> 8 & 0xff);
	return *ret_code;
}
