/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window.h"

#include "base.h"
#include "event_json.h"

#define SLOTS_MIN 64

static struct line **slot(const struct window *window, uint64_t nr)
{
	return &window->slots[nr & (window->slots_cnt - 1)];
}

static size_t size_of(const struct line *line)
{
	return sizeof(*line) + line->len + line->guest_len;
}

static void forget_first(struct window *window)
{
	struct line *line = *slot(window, window->first++);

	window->bytes -= size_of(line);
	free(line);
}

void window_free(struct window *window)
{
	while (window->first < window->next)
		forget_first(window);
	free(window->slots);
	*window = (struct window){ .max = window->max };
}

bool window_full(const struct window *window)
{
	return window->bytes >= window->max;
}

static int grow(struct window *window)
{
	size_t cnt = window->slots_cnt ? 2 * window->slots_cnt : SLOTS_MIN;
	struct line **slots = calloc(cnt, sizeof(struct line *));

	if (!slots)
		return -ENOMEM;
	for (uint64_t nr = window->first; nr < window->next; nr++)
		slots[nr & (cnt - 1)] = *slot(window, nr);
	free(window->slots);
	window->slots = slots;
	window->slots_cnt = cnt;
	return 0;
}

int line_read(const char *data, size_t len, struct line_parts *ret)
{
	int used = pol_mark_read(data, len, &ret->mark);
	const char *space, *end = data + len;

	if (used < 0 || (size_t)used == len || data[used] != ' ')
		return -EINVAL;
	ret->guest = data + used + 1;
	space = memchr(ret->guest, ' ', (size_t)(end - ret->guest));
	if (!space || space == ret->guest || space + 1 == end)
		return -EINVAL;
	ret->guest_len = (size_t)(space - ret->guest);
	if (ret->guest_len == 1 && *ret->guest == '-')
		ret->guest_len = 0;
	ret->text = space + 1;
	ret->len = (size_t)(end - ret->text);
	return ret->len < POL_EVENT_LINE_SIZE ? 0 : -EINVAL;
}

int window_put(struct window *window, const struct line_parts *parts)
{
	struct line *line;

	if (window->next - window->first == window->slots_cnt && grow(window) < 0)
		return -ENOMEM;
	line = malloc(sizeof(*line) + parts->len + parts->guest_len);
	if (!line)
		return -ENOMEM;
	*line = (struct line){
		.mark = parts->mark,
		.guest = line->text + parts->len,
		.guest_len = parts->guest_len,
		.len = parts->len,
	};
	memcpy(line->text, parts->text, parts->len);
	memcpy(line->text + parts->len, parts->guest, parts->guest_len);
	*slot(window, window->next++) = line;
	window->bytes += size_of(line);
	return 0;
}

const struct line *window_get(const struct window *window, uint64_t nr)
{
	return *slot(window, nr);
}

void window_done(struct window *window, uint64_t nr)
{
	if (nr < window->first || nr >= window->next)
		return;
	(*slot(window, nr))->done = true;
	while (window->first < window->next && (*slot(window, window->first))->done) {
		window->mark = (*slot(window, window->first))->mark;
		forget_first(window);
	}
}
