/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base.h"

static bool room_known(size_t room)
{
	return room == 0 || room == POL_PATH_SMALL || room == POL_PATH_LARGE;
}

/*
 * What lies before the texts, copied: the input may be unaligned, and must not be read twice. The
 * rest of @ret stays as it is.
 */
static int read_fixed(const void *data, size_t len, struct pol_event *ret)
{
	if (len < sizeof(*ret))
		return -EBADMSG;
	memcpy(ret, data, offsetof(struct pol_event, exe));
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

typedef char bytes_16 __attribute__((vector_size(16)));
typedef uint64_t words_2 __attribute__((vector_size(16)));

/* Bit n: byte n of the sixteen at @text is a '/'. */
static inline unsigned int slashes_at(const char *text)
{
	bytes_16 x;

	memcpy(&x, text, sizeof(x));
	x = x == '/';
#ifdef __SSE2__
	return (unsigned int)__builtin_ia32_pmovmskb128(x);
#else
	/* Of byte n, which is 0 or 0xff, bit n; the product's highest byte is the sum of all bytes. */
	const uint64_t diagonal = 0x8040201008040201, ones = 0x0101010101010101;
	words_2 words = (words_2)x;

	return (unsigned int)((le64toh(words[0]) & diagonal) * ones >> 56 |
			      (le64toh(words[1]) & diagonal) * ones >> 56 << 8);
#endif
}

/*
 * A name and a '/'; of an empty one nothing. @roomy: sixteen bytes more than @len may be read and
 * written, so that most names are one block. Return: behind it.
 */
static inline char *add_name(char *to, const char *name, size_t len, bool roomy)
{
	if (roomy) {
		size_t done = 0;

		do
			memcpy(to + done, name + done, 16);
		while ((done += 16) < len);
	} else {
		memcpy(to, name, len);
	}
	to[len] = '/';
	return to + len + (len != 0);
}

/*
 * "a/web/srv/" -> "srv/web/a": the names in reverse, into @out (room for @room + 1 bytes). The last
 * name has no '/' behind it where the kernel's buffer ended in it. Empty names are left out: a
 * filesystem's root is itself called "/", and ends the text of a detached object. It is read in
 * blocks of sixteen bytes from @text on, the last one whole: rooms are multiples of that.
 * Return: length.
 */
static size_t reverse_names(const char *text, size_t len, size_t room, char *out)
{
	bool roomy = room - len >= 16;
	unsigned int slashes;
	char *to = out;
	size_t end, at;

	while (len && text[len - 1] == '/')
		len--;
	end = len;
	at = len & ~(size_t)15;
	slashes = len % 16 ? slashes_at(text + at) & ((1u << len % 16) - 1) : 0;
	for (;;) {
		unsigned int last;

		while (!slashes && at)
			slashes = slashes_at(text + (at -= 16));
		if (!slashes)
			break;
		last = 31 ^ (unsigned int)__builtin_clz(slashes);
		slashes ^= 1u << last;
		to = add_name(to, text + at + last + 1, end - (at + last + 1), roomy);
		end = at + last;
	}
	to = add_name(to, text, end, roomy);
	to -= to > out;
	*to = '\0';
	return (size_t)(to - out);
}
_Static_assert(POL_EXE_SIZE % 16 == 0 && POL_PATH_SMALL % 16 == 0 && POL_PATH_LARGE % 16 == 0,
	       "reverse_names() reads blocks of sixteen");

/* @out has room for @room + 2 bytes. A detached object without a name (a pipe) has no text. */
static struct pol_event_text make_text(const char *text, size_t len, size_t room, bool truncated,
				       bool detached, char *out)
{
	size_t lead = truncated || detached ? 0 : 1;
	size_t used = reverse_names(text, len, room, out + lead);

	if (lead)
		out[0] = '/';
	return (struct pol_event_text){
		.data = used + lead ? out : NULL,
		.len = used + lead,
		.truncated = truncated,
	};
}

/* An empty text is the root directory's, or there is no object at all: then it has no number. */
static bool has_path(const struct pol_event *fixed, const struct pol_event_view *view)
{
	if (!fixed->path_room)
		return false;
	if (fixed->path_len)
		return true;
	return pol_event_has_access(fixed->type) &&
	       (view->access.inode.ino || view->access.inode.dev);
}

#define AT(data, member) ((const char *)(data) + offsetof(struct pol_event, member))

static void decode_texts(const struct pol_event *fixed, const void *data,
			 struct pol_event_view *view)
{
	if (has_path(fixed, view))
		view->path = make_text(AT(data, path), fixed->path_len, fixed->path_room,
				       fixed->flags & POL_EVENT_PATH_TRUNCATED,
				       fixed->flags & POL_EVENT_DETACHED, view->path_buf);
	if (!view->has_process)
		return;
	if (fixed->exe_len)
		view->exe = make_text(AT(data, exe), fixed->exe_len, POL_EXE_SIZE,
				      fixed->flags & POL_EVENT_EXE_TRUNCATED, false, view->exe_buf);
	if (fixed->parent_exe_len)
		view->parent_exe = make_text(
			AT(data, parent_exe), fixed->parent_exe_len, POL_EXE_SIZE,
			fixed->flags & POL_EVENT_PARENT_EXE_TRUNCATED, false, view->parent_exe_buf);
}

static void decode_body(uint32_t type, const char *body, struct pol_event_view *view)
{
	if (pol_event_has_access(type))
		memcpy(&view->access, body, sizeof(view->access));
	else if (type == POL_TYPE_EXIT)
		memcpy(&view->exit, body, sizeof(view->exit));
	else if (type == POL_TYPE_CEILING)
		memcpy(&view->ceiling, body, sizeof(view->ceiling));
	else if (type == POL_TYPE_GUEST || type == POL_TYPE_POLICY)
		memcpy(&view->note, body, sizeof(view->note));
	else if (type == POL_TYPE_SHADOW)
		memcpy(&view->shadow, body, sizeof(view->shadow));
}

int pol_event_decode(const void *data, size_t len, struct pol_event_view *ret)
{
	struct pol_event fixed;
	int r = read_fixed(data, len, &fixed);

	if (r < 0)
		return r;
	/* Not the whole view: its buffers are 5 KiB, and hold only what decode_texts() writes. */
	memset(ret, 0, offsetof(struct pol_event_view, path_buf));
	ret->type = fixed.type;
	ret->verdict = fixed.verdict;
	ret->boot_ns = fixed.boot_ns;
	ret->seq = fixed.seq;
	ret->generation = fixed.generation;
	ret->guest = fixed.guest;
	ret->flags = fixed.flags;
	ret->has_process = fixed.flags & POL_EVENT_HAS_PROCESS;
	memcpy(&ret->process, AT(data, process), sizeof(ret->process));
	decode_body(fixed.type, AT(data, body), ret);
	decode_texts(&fixed, data, ret);
	return 0;
}

bool pol_event_has_rule(const struct pol_event_view *view)
{
	uint32_t reason = view->access.reason;

	return pol_event_has_access(view->type) && view->flags & POL_EVENT_HAS_RULE &&
	       (reason == POL_REASON_RULE || reason == POL_REASON_WIDENS ||
		reason == POL_REASON_STALE);
}

uint32_t pol_event_err(const struct pol_event_view *view)
{
	if (pol_event_has_access(view->type))
		return view->access.err;
	if (view->type == POL_TYPE_CEILING)
		return view->ceiling.err;
	if (view->type == POL_TYPE_SHADOW && view->shadow.action == POL_SHADOW_REFUSED)
		return view->shadow.err;
	return 0;
}

uint32_t pol_event_shadow_op(const struct pol_event_shadow *event)
{
	return event->action == POL_SHADOW_STALE && event->op < POL_OP_ESCAPE_FIRST ? event->op : 0;
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
