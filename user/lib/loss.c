/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loss.h"

#include <errno.h>
#include <string.h>

#include "base.h"

#define SLOTS_MIN 16

void pol_loss_done(struct pol_loss *loss)
{
	free(loss->slots);
	*loss = (struct pol_loss){ 0 };
}

static bool is_free(const struct pol_lost *slot)
{
	return !slot->of; /* no type is 0 */
}

/* The key's slot, or the free one where it belongs; there always is a free one. */
static struct pol_lost *find(struct pol_lost *slots, size_t cnt, uint32_t guest, uint32_t of)
{
	size_t at = ((size_t)guest * POL_TYPES_CNT + of) * 2654435761u;

	for (;; at++) {
		struct pol_lost *slot = &slots[at & (cnt - 1)];

		if (is_free(slot) || (slot->guest == guest && slot->of == of))
			return slot;
	}
}

static int grow(struct pol_loss *loss)
{
	size_t cnt = loss->cnt ? 2 * loss->cnt : SLOTS_MIN;
	struct pol_lost *slots = calloc(cnt, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < loss->cnt; i++)
		if (!is_free(&loss->slots[i]))
			*find(slots, cnt, loss->slots[i].guest, loss->slots[i].of) = loss->slots[i];
	free(loss->slots);
	loss->slots = slots;
	loss->cnt = cnt;
	return 0;
}

static int add(struct pol_loss *loss, const struct pol_lost *lost)
{
	struct pol_lost *slot;

	if (2 * (loss->used + 1) > loss->cnt && grow(loss) < 0)
		return -ENOMEM;
	slot = find(loss->slots, loss->cnt, lost->guest, lost->of);
	loss->used += is_free(slot);
	if (!slot->count) {
		loss->open++;
		*slot = *lost;
		return 0;
	}
	slot->count += lost->count;
	if (lost->first < slot->first)
		slot->first = lost->first;
	if (lost->last > slot->last)
		slot->last = lost->last;
	return 0;
}

int pol_loss_view(struct pol_loss *loss, const struct pol_event_view *view)
{
	struct pol_lost lost = { view->guest, view->type, 1, view->seq, view->seq };

	if (view->type == POL_TYPE_LOST)
		lost = (struct pol_lost){ view->guest, view->lost.of, view->lost.count,
					  view->lost.first, view->lost.last };
	return add(loss, &lost);
}

static struct pol_lost *first(const struct pol_loss *loss)
{
	if (!loss->open)
		return NULL;
	for (size_t i = 0; i < loss->cnt; i++)
		if (loss->slots[i].count)
			return &loss->slots[i];
	return NULL;
}

const struct pol_lost *pol_loss_first(const struct pol_loss *loss)
{
	return first(loss);
}

void pol_loss_told(struct pol_loss *loss)
{
	struct pol_lost *slot = first(loss);

	if (!slot)
		return;
	slot->count = 0;
	if (!--loss->open)
		pol_loss_done(loss);
}

void pol_loss_event(const struct pol_lost *lost, uint64_t now_ns, uint64_t generation,
		    struct pol_event_view *ret)
{
	*ret = (struct pol_event_view){
		.type = POL_TYPE_LOST,
		.boot_ns = now_ns,
		.seq = lost->last,
		.generation = generation,
		.guest = lost->guest,
		.lost = { lost->of, lost->count, lost->first, lost->last },
	};
}
