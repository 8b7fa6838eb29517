/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outlet.h"

#include <errno.h>
#include <string.h>

#include "base.h"

#define SIZE_MIN 16384

void pol_outlet_done(struct pol_outlet *outlet)
{
	free(outlet->data);
	pol_loss_done(&outlet->loss);
	outlet->data = NULL;
	outlet->size = outlet->start = outlet->end = outlet->within = 0;
}

static size_t queued(const struct pol_outlet *outlet)
{
	return outlet->end - outlet->start;
}

/* Room for one more line behind the others. Return: 0; -ENOBUFS; -ENOMEM. */
static int reserve(struct pol_outlet *outlet, size_t len)
{
	size_t size = outlet->size ? outlet->size : SIZE_MIN;
	char *data;

	if (queued(outlet) + len > outlet->max)
		return -ENOBUFS;
	if (outlet->size - outlet->end >= len)
		return 0;
	if (outlet->start) {
		memmove(outlet->data, outlet->data + outlet->start, queued(outlet));
		outlet->end -= outlet->start;
		outlet->start = 0;
	}
	while (size - outlet->end < len)
		size *= 2;
	if (size == outlet->size)
		return 0;
	data = realloc(outlet->data, size);
	if (!data)
		return -ENOMEM;
	outlet->data = data;
	outlet->size = size;
	return 0;
}

int pol_outlet_text(struct pol_outlet *outlet, const char *line, size_t len)
{
	int r = reserve(outlet, len);

	if (r < 0)
		return r;
	memcpy(outlet->data + outlet->end, line, len);
	outlet->end += len;
	return 0;
}

/* "MARK GUEST ", with its NUL; a name has no space. */
#define HEAD_SIZE (POL_MARK_SIZE + 1 + POL_GUEST_NAME_SIZE + 1)

/* Return: bytes. */
static size_t write_head(const struct pol_outlet *outlet, const struct pol_event_view *view,
			 const struct pol_event_ctx *ctx, const struct pol_mark *mark, char *at)
{
	const char *guest = NULL;
	size_t len;

	if (!outlet->marks)
		return 0;
	if (ctx->guest_name && !view->outside && view->guest != POL_GUEST_ENGINE)
		guest = ctx->guest_name(ctx->arg, view->generation, view->guest);
	len = pol_mark_write(mark, at);
	return len + (size_t)snprintf(at + len, HEAD_SIZE - len, " %.*s ", POL_GUEST_NAME_SIZE - 1,
				      guest ? guest : "-");
}

/* Straight into the queue. The room asked for is a line's largest. */
static int queue_event(struct pol_outlet *outlet, const struct pol_event_view *view,
		       const struct pol_event_ctx *ctx, const struct pol_mark *mark)
{
	const struct pol_format *format = outlet->format;
	int r = reserve(outlet, (outlet->marks ? HEAD_SIZE : 0) + format->size);
	size_t len;

	if (r < 0)
		return r;
	len = write_head(outlet, view, ctx, mark, outlet->data + outlet->end);
	r = format->write(view, ctx, outlet->flags, outlet->data + outlet->end + len, format->size);
	if (r < 0)
		return r;
	outlet->end += len + (size_t)r;
	outlet->told = *mark;
	return 0;
}

int pol_outlet_put(struct pol_outlet *outlet, const struct pol_event_view *view,
		   const struct pol_event_ctx *ctx)
{
	int r = outlet->loss.open ? -ENOBUFS : queue_event(outlet, view, ctx, &outlet->mark);

	if (!r) {
		outlet->delivered++;
		return 0;
	}
	r = pol_loss_view(&outlet->loss, view);
	if (!r)
		outlet->dropped += view->type == POL_TYPE_LOST ? 0 : 1;
	return r;
}

int pol_outlet_tell(struct pol_outlet *outlet, const struct pol_event_ctx *ctx, uint64_t now_ns,
		    uint64_t generation)
{
	/* The view is large: not on the stack of every put. */
	struct pol_event_view view;
	const struct pol_lost *lost;
	struct pol_mark mark;
	int r;

	if (queued(outlet) > outlet->max / 2)
		return 0;
	while ((lost = pol_loss_first(&outlet->loss))) {
		pol_loss_event(lost, now_ns, generation, &view);
		mark = outlet->loss.open > 1 ? outlet->told : outlet->mark;
		r = queue_event(outlet, &view, ctx, &mark);
		if (r == -ENOBUFS)
			return 0; /* the others come when there is room */
		if (r < 0)
			return r;
		pol_loss_told(&outlet->loss);
	}
	return 0;
}

/* How much of the first line is out after @len more bytes. */
static size_t torn(const struct pol_outlet *outlet, size_t len)
{
	const char *data = outlet->data + outlet->start;
	const char *newline = memrchr(data, '\n', len);

	return newline ? (size_t)(data + len - newline - 1) : outlet->within + len;
}

int pol_outlet_flush(struct pol_outlet *outlet, pol_outlet_fn fn, void *arg)
{
	while (queued(outlet)) {
		ssize_t n = fn(arg, outlet->data + outlet->start, queued(outlet));

		if (n < 0)
			return (int)n;
		outlet->within = torn(outlet, (size_t)n);
		outlet->start += (size_t)n;
	}
	free(outlet->data);
	outlet->data = NULL;
	outlet->size = outlet->start = outlet->end = 0;
	return 0;
}

void pol_outlet_rewind(struct pol_outlet *outlet)
{
	outlet->start -= outlet->within;
	outlet->within = 0;
}

bool pol_outlet_has_room(const struct pol_outlet *outlet)
{
	return queued(outlet) <= outlet->max / 2 && !outlet->loss.open;
}

size_t pol_outlet_lines(const struct pol_outlet *outlet)
{
	size_t cnt = 0;

	for (size_t i = outlet->start; i < outlet->end; i++)
		cnt += outlet->data[i] == '\n';
	return cnt;
}

bool pol_outlet_empty(const struct pol_outlet *outlet)
{
	return !queued(outlet) && !outlet->loss.open;
}
