/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a generation as bytes, for the store, and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "file.h"
#include "meta.h"

static void put_u64(FILE *out, uint64_t value)
{
	(void)fwrite(&value, sizeof(value), 1, out);
}

/* Length + 1, then the bytes; 0: NULL. */
static void put_string(FILE *out, const char *text)
{
	put_u64(out, text ? strlen(text) + 1 : 0);
	if (text)
		(void)fwrite(text, 1, strlen(text), out);
}

static void put_io(FILE *out, const struct pol_limits *limits)
{
	put_u64(out, limits->io_cnt);
	for (size_t i = 0; i < limits->io_cnt; i++) {
		put_string(out, limits->io[i].device);
		put_u64(out, limits->io[i].major);
		put_u64(out, limits->io[i].minor);
		for (size_t k = 0; k < POL_IO_CNT; k++)
			put_u64(out, limits->io[i].max[k]);
	}
}

static void put_members(FILE *out, const struct pol_meta_guest *guest)
{
	put_u64(out, guest->members_cnt);
	for (size_t i = 0; i < guest->members_cnt; i++) {
		put_u64(out, guest->members[i].kind);
		put_string(out, guest->members[i].text);
		put_u64(out, (uint64_t)guest->members[i].pid);
		put_u64(out, (uint64_t)guest->members[i].line);
		put_u64(out, (uint64_t)guest->members[i].col);
	}
}

static void put_shadow(FILE *out, const struct pol_shadow_policy *shadow)
{
	put_u64(out, shadow->max_size);
	put_u64(out, shadow->budget);
	put_u64(out, shadow->exec);
	put_u64(out, shadow->paths_cnt);
	for (size_t i = 0; i < shadow->paths_cnt; i++)
		put_string(out, shadow->paths[i]);
}

static void put_guest(FILE *out, const struct pol_meta_guest *guest)
{
	put_string(out, guest->name);
	put_u64(out, guest->cgroup_id);
	put_u64(out, guest->id);
	put_u64(out, guest->ruleset);
	put_u64(out, guest->err);
	put_u64(out, guest->knobs);
	put_u64(out, guest->audit);
	put_u64(out, guest->ghost);
	put_u64(out, guest->limits.pids);
	put_u64(out, guest->limits.memory_bytes);
	put_u64(out, guest->limits.swap_bytes);
	put_u64(out, guest->limits.cpu_milli);
	put_u64(out, guest->limits.best_effort);
	put_u64(out, guest->limits.fds);
	put_u64(out, guest->limits.fds_all);
	put_u64(out, guest->limits.kill);
	put_io(out, &guest->limits);
	put_u64(out, guest->rooted);
	put_u64(out, guest->root.mounts);
	put_u64(out, guest->root.mnt_id);
	put_u64(out, guest->root.dev);
	put_u64(out, guest->root.ino);
	put_u64(out, guest->own_root);
	put_members(out, guest);
	put_shadow(out, &guest->shadow);
}

static void put_rule(FILE *out, const struct pol_meta_rule *rule)
{
	put_string(out, rule->path);
	put_string(out, rule->name);
	put_string(out, rule->dir);
	put_string(out, rule->entry);
	put_string(out, rule->where);
	put_string(out, rule->guest_path);
	put_u64(out, rule->key.inode.ino);
	put_u64(out, rule->key.inode.dev);
	put_u64(out, rule->key.inode.generation);
	put_u64(out, rule->key.tree);
	put_u64(out, rule->ino);
	put_u64(out, rule->ruleset);
	put_u64(out, rule->access);
	put_u64(out, rule->line);
	put_u64(out, rule->col);
	put_u64(out, rule->pending);
	put_u64(out, rule->in_guest);
	put_u64(out, rule->optional);
	put_u64(out, rule->log);
}

int pol_meta_encode(const struct pol_meta *meta, char **ret, size_t *ret_len)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&buf, &len);

	if (!out)
		return -ENOMEM;
	put_u64(out, POL_META_MAGIC);
	put_u64(out, POL_ABI_VERSION);
	put_string(out, meta->file);
	put_string(out, meta->sha256);
	put_string(out, meta->cgroup);
	put_u64(out, meta->generation);
	put_u64(out, meta->guests_cnt);
	put_u64(out, meta->rules_cnt);
	for (size_t i = 0; i < meta->guests_cnt; i++)
		put_guest(out, &meta->guests[i]);
	for (size_t i = 0; i < meta->rules_cnt; i++)
		put_rule(out, &meta->rules[i]);
	if (pol_memstream_end(out, &buf) < 0)
		return -ENOMEM;
	*ret = buf;
	*ret_len = len;
	return 0;
}

/* What is left to read; @bad once anything did not fit. */
struct cut {
	const char *at;
	size_t left;
	bool bad;
};

static uint64_t get_u64(struct cut *cut)
{
	uint64_t value = 0;

	if (cut->left < sizeof(value)) {
		cut->bad = true;
		return 0;
	}
	memcpy(&value, cut->at, sizeof(value));
	cut->at += sizeof(value);
	cut->left -= sizeof(value);
	return value;
}

static char *get_string(struct cut *cut)
{
	uint64_t len = get_u64(cut);
	char *text;

	if (!len || cut->bad)
		return NULL;
	if (--len > cut->left) {
		cut->bad = true;
		return NULL;
	}
	text = strndup(cut->at, len);
	if (!text)
		cut->bad = true;
	cut->at += len;
	cut->left -= len;
	return text;
}

#define IO_BYTES 56 /* the least that one takes, so that a count can be checked */

static void get_io(struct cut *cut, struct pol_limits *ret)
{
	uint64_t cnt = get_u64(cut);

	if (!cnt)
		return;
	ret->io = cnt > cut->left / IO_BYTES ? NULL : calloc(cnt, sizeof(*ret->io));
	cut->bad |= !ret->io;
	while (!cut->bad && ret->io_cnt < cnt) {
		struct pol_io_limit *io = &ret->io[ret->io_cnt++];

		io->device = get_string(cut);
		io->major = (uint32_t)get_u64(cut);
		io->minor = (uint32_t)get_u64(cut);
		for (size_t k = 0; k < POL_IO_CNT; k++)
			io->max[k] = get_u64(cut);
		cut->bad |= !io->device;
	}
}

#define MEMBER_BYTES 40 /* likewise */

static void get_members(struct cut *cut, struct pol_meta_guest *ret)
{
	uint64_t cnt = get_u64(cut);

	if (!cnt)
		return;
	ret->members = cnt > cut->left / MEMBER_BYTES ? NULL : calloc(cnt, sizeof(*ret->members));
	cut->bad |= !ret->members;
	while (!cut->bad && ret->members_cnt < cnt) {
		struct pol_member *member = &ret->members[ret->members_cnt++];

		member->kind = (enum pol_member_kind)get_u64(cut);
		member->text = get_string(cut);
		member->pid = (pid_t)get_u64(cut);
		member->line = (int)get_u64(cut);
		member->col = (int)get_u64(cut);
		cut->bad |= member->kind > POL_MEMBER_PID ||
			    (member->kind == POL_MEMBER_PID) != !member->text;
	}
}

#define PATH_BYTES 8 /* likewise */

static void get_shadow(struct cut *cut, struct pol_shadow_policy *ret)
{
	uint64_t cnt;

	ret->max_size = get_u64(cut);
	ret->budget = get_u64(cut);
	ret->exec = get_u64(cut) != 0;
	cnt = get_u64(cut);
	if (!cnt)
		return;
	ret->paths = cnt > cut->left / PATH_BYTES ? NULL : calloc(cnt, sizeof(*ret->paths));
	cut->bad |= !ret->paths;
	while (!cut->bad && ret->paths_cnt < cnt) {
		ret->paths[ret->paths_cnt] = get_string(cut);
		cut->bad |= !ret->paths[ret->paths_cnt++];
	}
}

static void get_guest(struct cut *cut, struct pol_meta_guest *ret)
{
	ret->name = get_string(cut);
	ret->cgroup_id = get_u64(cut);
	ret->id = (uint32_t)get_u64(cut);
	ret->ruleset = (uint32_t)get_u64(cut);
	ret->err = (uint32_t)get_u64(cut);
	ret->knobs = (uint32_t)get_u64(cut);
	ret->audit = get_u64(cut) != 0;
	ret->ghost = get_u64(cut) != 0;
	ret->limits.pids = get_u64(cut);
	ret->limits.memory_bytes = get_u64(cut);
	ret->limits.swap_bytes = get_u64(cut);
	ret->limits.cpu_milli = get_u64(cut);
	ret->limits.best_effort = get_u64(cut) != 0;
	ret->limits.fds = get_u64(cut);
	ret->limits.fds_all = get_u64(cut) != 0;
	ret->limits.kill = get_u64(cut) != 0;
	get_io(cut, &ret->limits);
	ret->rooted = get_u64(cut);
	ret->root.mounts = get_u64(cut);
	ret->root.mnt_id = get_u64(cut);
	ret->root.dev = get_u64(cut);
	ret->root.ino = get_u64(cut);
	ret->own_root = get_u64(cut) != 0;
	get_members(cut, ret);
	get_shadow(cut, &ret->shadow);
	if (!ret->name)
		cut->bad = true;
}

static void get_rule(struct cut *cut, struct pol_meta_rule *ret)
{
	ret->path = get_string(cut);
	ret->name = get_string(cut);
	ret->dir = get_string(cut);
	ret->entry = get_string(cut);
	ret->where = get_string(cut);
	ret->guest_path = get_string(cut);
	ret->key.inode.ino = get_u64(cut);
	ret->key.inode.dev = (uint32_t)get_u64(cut);
	ret->key.inode.generation = (uint32_t)get_u64(cut);
	ret->key.tree = (uint32_t)get_u64(cut);
	ret->ino = get_u64(cut);
	ret->ruleset = (uint32_t)get_u64(cut);
	ret->access = (uint32_t)get_u64(cut);
	ret->line = (uint32_t)get_u64(cut);
	ret->col = (uint32_t)get_u64(cut);
	ret->pending = get_u64(cut) != 0;
	ret->in_guest = get_u64(cut) != 0;
	ret->optional = get_u64(cut) != 0;
	ret->log = get_u64(cut) != 0;
	if (!ret->path)
		cut->bad = true;
}

#define GUEST_BYTES 144 /* likewise */
#define RULE_BYTES 80

static int decode_lists(struct cut *cut, uint64_t guests, uint64_t rules, struct pol_meta *meta)
{
	if (cut->bad || guests > cut->left / GUEST_BYTES || rules > cut->left / RULE_BYTES)
		return -EPROTO;
	meta->guests = calloc(guests + 1, sizeof(*meta->guests));
	meta->rules = calloc(rules + 1, sizeof(*meta->rules));
	if (!meta->guests || !meta->rules)
		return -ENOMEM;
	while (meta->guests_cnt < guests && !cut->bad)
		get_guest(cut, &meta->guests[meta->guests_cnt++]);
	while (meta->rules_cnt < rules && !cut->bad)
		get_rule(cut, &meta->rules[meta->rules_cnt++]);
	return cut->bad ? -EPROTO : 0;
}

int pol_meta_decode(const char *bytes, size_t len, struct pol_meta **ret)
{
	_cleanup_(pol_meta_freep) struct pol_meta *meta = calloc(1, sizeof(*meta));
	struct cut cut = { bytes, len, false };
	uint64_t guests, rules;
	int r;

	if (!meta)
		return -ENOMEM;
	if (get_u64(&cut) != POL_META_MAGIC || get_u64(&cut) != POL_ABI_VERSION)
		return -EPROTO;
	meta->file = get_string(&cut);
	meta->sha256 = get_string(&cut);
	meta->cgroup = get_string(&cut);
	meta->generation = get_u64(&cut);
	guests = get_u64(&cut);
	rules = get_u64(&cut);
	if (!meta->file || !meta->sha256 || !meta->cgroup)
		return -EPROTO;
	r = decode_lists(&cut, guests, rules, meta);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(meta);
	return 0;
}
