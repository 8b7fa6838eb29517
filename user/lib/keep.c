/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keep.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base.h"

#define SLOTS_MIN 64

/* What follows a view's fixed part in an entry, one behind the other. */
enum part {
	PART_PATH,
	PART_EXE,
	PART_PARENT_EXE,
	PART_GUEST,
	PART_SENDER,
	PART_SHA256,
	PART_CGROUP,
	PART_RULE_NAME,
	PART_RULE_WHERE,
	PART_RULE_PATH,
	PARTS_CNT,
};

/**
 * struct entry - a view up to its first buffer, then its texts and its names.
 * @len: of each part, its NUL included; 0: there is none.
 */
struct entry {
	size_t size;
	int64_t boot_to_real_ns;
	uint32_t len[PARTS_CNT];
	_Alignas(16) char data[];
};

#define HEAD_SIZE offsetof(struct pol_event_view, path_buf)

struct pol_keep {
	size_t max;
	size_t bytes;
	struct entry **slots; /* a circle; number N is in slot N & (slots_cnt - 1) */
	size_t slots_cnt;
	uint64_t first;
	uint64_t next;
	pol_keep_gone_fn gone;
	void *arg;
	/* The one that was asked for last. */
	const char *parts[PARTS_CNT];
	size_t rule_path_len;
	struct pol_event_view view;
	struct pol_event_ctx ctx;
};

/* ------------------------------------------------------------------ in */

struct source {
	const char *data;
	size_t len;
};

static void from_text(struct source *source, const struct pol_event_text *text)
{
	if (text->data)
		*source = (struct source){ text->data, text->len };
}

static void from_string(struct source *source, const char *string)
{
	if (string)
		*source = (struct source){ string, strlen(string) };
}

static void find_names(struct source *sources, const struct pol_event_view *view,
		       const struct pol_event_ctx *ctx)
{
	if (ctx->guest_name)
		from_string(&sources[PART_GUEST],
			    ctx->guest_name(ctx->arg, view->generation, view->guest));
	if (ctx->sha256)
		from_string(&sources[PART_SHA256], ctx->sha256(ctx->arg, view->generation));
	if (ctx->cgroup && view->has_process)
		from_string(&sources[PART_CGROUP], ctx->cgroup(ctx->arg, view->process.cgroup));
}

static void find_rule(struct source *sources, const struct pol_event_view *view,
		      const struct pol_event_ctx *ctx)
{
	struct pol_event_rule rule = { 0 };

	if (!ctx->rule || !pol_event_has_access(view->type) ||
	    ctx->rule(ctx->arg, view->generation, view->access.rule, &rule) < 0)
		return;
	from_string(&sources[PART_RULE_NAME], rule.name);
	from_string(&sources[PART_RULE_WHERE], rule.where);
	sources[PART_RULE_PATH] = (struct source){ rule.path, rule.path_len };
}

static struct entry *make_entry(const struct pol_event_view *view, int64_t boot_to_real_ns,
				const struct source *sources)
{
	size_t size = sizeof(struct entry) + HEAD_SIZE;
	struct entry *entry;
	char *at;

	for (size_t i = 0; i < PARTS_CNT; i++)
		size += sources[i].data ? sources[i].len + 1 : 0;
	entry = calloc(1, size);
	if (!entry)
		return NULL;
	entry->size = size;
	entry->boot_to_real_ns = boot_to_real_ns;
	memcpy(entry->data, view, HEAD_SIZE);
	at = entry->data + HEAD_SIZE;
	for (size_t i = 0; i < PARTS_CNT; i++) {
		if (!sources[i].data)
			continue;
		memcpy(at, sources[i].data, sources[i].len);
		entry->len[i] = (uint32_t)sources[i].len + 1;
		at += entry->len[i];
	}
	return entry;
}

/*
 * A callback's string is only lent until its next call. The sender's name comes by the same one as
 * the guest's, so the guest's is set aside.
 */
static struct entry *pack(const struct pol_event_view *view, const struct pol_event_ctx *ctx)
{
	struct source sources[PARTS_CNT] = { 0 };
	_cleanup_free_ char *sender = NULL;
	const char *name = NULL;

	if (view->type == POL_TYPE_EXIT && ctx->guest_name &&
	    view->exit.sender.guest != POL_GUEST_ENGINE)
		name = ctx->guest_name(ctx->arg, view->generation, view->exit.sender.guest);
	if (name) {
		sender = strdup(name);
		if (!sender)
			return NULL;
	}
	from_text(&sources[PART_PATH], &view->path);
	from_text(&sources[PART_EXE], &view->exe);
	from_text(&sources[PART_PARENT_EXE], &view->parent_exe);
	find_names(sources, view, ctx);
	find_rule(sources, view, ctx);
	from_string(&sources[PART_SENDER], sender);
	return make_entry(view, ctx->boot_to_real_ns, sources);
}

/* ------------------------------------------------------------------ out */

static void unpack_text(struct pol_event_text *text, char *buf, const char *part, uint32_t len)
{
	if (!part)
		return;
	memcpy(buf, part, len);
	text->data = buf;
}

static void unpack(struct pol_keep *keep, const struct entry *entry)
{
	struct pol_event_view *view = &keep->view;
	const char *at = entry->data + HEAD_SIZE;

	memcpy(view, entry->data, HEAD_SIZE);
	for (size_t i = 0; i < PARTS_CNT; i++) {
		keep->parts[i] = entry->len[i] ? at : NULL;
		at += entry->len[i];
	}
	keep->rule_path_len = entry->len[PART_RULE_PATH] ? entry->len[PART_RULE_PATH] - 1 : 0;
	unpack_text(&view->path, view->path_buf, keep->parts[PART_PATH], entry->len[PART_PATH]);
	unpack_text(&view->exe, view->exe_buf, keep->parts[PART_EXE], entry->len[PART_EXE]);
	unpack_text(&view->parent_exe, view->parent_exe_buf, keep->parts[PART_PARENT_EXE],
		    entry->len[PART_PARENT_EXE]);
	keep->ctx.boot_to_real_ns = entry->boot_to_real_ns;
}

static const char *guest_name(void *arg, uint64_t generation, uint32_t guest)
{
	const struct pol_keep *keep = arg;

	(void)generation;
	return keep->parts[guest == keep->view.guest ? PART_GUEST : PART_SENDER];
}

static int rule_of(void *arg, uint64_t generation, uint32_t rule, struct pol_event_rule *ret)
{
	const struct pol_keep *keep = arg;

	(void)generation;
	(void)rule;
	if (!keep->parts[PART_RULE_PATH])
		return -ENOENT;
	ret->name = keep->parts[PART_RULE_NAME];
	ret->where = keep->parts[PART_RULE_WHERE];
	ret->path = keep->parts[PART_RULE_PATH];
	ret->path_len = keep->rule_path_len;
	return 0;
}

static const char *sha256_of(void *arg, uint64_t generation)
{
	(void)generation;
	return ((const struct pol_keep *)arg)->parts[PART_SHA256];
}

static const char *cgroup_of(void *arg, uint64_t id)
{
	(void)id;
	return ((const struct pol_keep *)arg)->parts[PART_CGROUP];
}

/* ------------------------------------------------------------------ the circle */

int pol_keep_new(size_t max, const char *host, const char *boot_id, pol_keep_gone_fn gone,
		 void *arg, struct pol_keep **ret)
{
	struct pol_keep *keep = calloc(1, sizeof(*keep));

	if (!keep)
		return -ENOMEM;
	keep->max = max;
	keep->gone = gone;
	keep->arg = arg;
	keep->ctx = (struct pol_event_ctx){
		.host = host,
		.boot_id = boot_id,
		.arg = keep,
		.guest_name = guest_name,
		.rule = rule_of,
		.sha256 = sha256_of,
		.cgroup = cgroup_of,
	};
	*ret = keep;
	return 0;
}

static struct entry **slot(const struct pol_keep *keep, uint64_t serial)
{
	return &keep->slots[serial & (keep->slots_cnt - 1)];
}

static void forget_first(struct pol_keep *keep)
{
	struct entry *entry = *slot(keep, keep->first);

	if (keep->gone) {
		unpack(keep, entry);
		keep->gone(keep->arg, keep->first, &keep->view, &keep->ctx);
	}
	keep->bytes -= entry->size;
	free(entry);
	keep->first++;
}

void pol_keep_free(struct pol_keep *keep)
{
	if (!keep)
		return;
	keep->gone = NULL;
	while (keep->first < keep->next)
		forget_first(keep);
	free(keep->slots);
	free(keep);
}

static int grow(struct pol_keep *keep)
{
	size_t cnt = keep->slots_cnt ? 2 * keep->slots_cnt : SLOTS_MIN;
	struct entry **slots = calloc(cnt, sizeof(struct entry *));

	if (!slots)
		return -ENOMEM;
	for (uint64_t n = keep->first; n < keep->next; n++)
		slots[n & (cnt - 1)] = *slot(keep, n);
	free(keep->slots);
	keep->slots = slots;
	keep->slots_cnt = cnt;
	return 0;
}

int pol_keep_add(struct pol_keep *keep, const struct pol_event_view *view,
		 const struct pol_event_ctx *ctx)
{
	struct entry *entry;

	if (keep->next - keep->first == keep->slots_cnt && grow(keep) < 0)
		return -ENOMEM;
	entry = pack(view, ctx);
	if (!entry)
		return -ENOMEM;
	*slot(keep, keep->next++) = entry;
	keep->bytes += entry->size;
	while (keep->bytes > keep->max)
		forget_first(keep);
	return 0;
}

uint64_t pol_keep_first(const struct pol_keep *keep)
{
	return keep->first;
}

uint64_t pol_keep_next(const struct pol_keep *keep)
{
	return keep->next;
}

int pol_keep_get(struct pol_keep *keep, uint64_t serial, const struct pol_event_view **ret_view,
		 const struct pol_event_ctx **ret_ctx)
{
	if (serial < keep->first || serial >= keep->next)
		return -ENOENT;
	unpack(keep, *slot(keep, serial));
	*ret_view = &keep->view;
	*ret_ctx = &keep->ctx;
	return 0;
}
