/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire.h"

#include "base.h"
#include "event_syslog.h"

bool wire_fill(struct wire *wire, const struct window *window)
{
	if (wire->len)
		return true;
	if (wire->cnt == WIRE_PIECES)
		return false;
	for (; wire->next < window->next; wire->next++) {
		const struct line *line = window_get(window, wire->next);
		int n = pol_syslog_frame(line->text, line->len, wire->data + wire->len,
					 sizeof(wire->data) - wire->len);

		if (n < 0)
			break;
		wire->len += (size_t)n;
	}
	return wire->len;
}

static struct wire_piece *at(struct wire *wire, size_t index)
{
	return &wire->pieces[(wire->first + index) % WIRE_PIECES];
}

void wire_written(struct wire *wire, uint64_t bytes)
{
	*at(wire, wire->cnt++) = (struct wire_piece){ wire->next, bytes };
	wire->len = 0;
}

void wire_acknowledged(struct wire *wire, struct window *window, uint64_t bytes)
{
	while (wire->cnt && at(wire, 0)->bytes <= bytes) {
		while (window->first < at(wire, 0)->upto)
			window_done(window, window->first);
		wire->first = (wire->first + 1) % WIRE_PIECES;
		wire->cnt--;
	}
}

bool wire_busy(const struct wire *wire)
{
	return wire->cnt;
}
