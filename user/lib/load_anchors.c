/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a load: the directories that the rules are anchored at. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "diag_codes.h"
#include "load_int.h"
#include "resolve_int.h"
#include "trees.h"

static const struct pol_meta_rule *running_rule(const struct transaction *t, const char *path)
{
	for (size_t i = 0; t->running && i < t->running->rules_cnt; i++) {
		const struct pol_meta_rule *rule = &t->running->rules[i];

		if (!rule->pending && !rule->in_guest && strcmp(rule->path, path) == 0)
			return rule;
	}
	return NULL;
}

static bool steerable(const struct transaction *t, const struct pol_meta_rule *rule)
{
	_cleanup_free_ char *dir = strdup(rule->dir), *where = strdup(rule->where);

	if (!dir || !where)
		return true; /* no memory: refuse */
	(void)pol_key_up(dir);
	(void)pol_key_up(where);
	return pol_meta_steerable(t->running, dir, where) ||
	       pol_meta_steerable(t->next, dir, where);
}

/* A directory that a guest could have put there, or taken away, must not become an anchor. */
static int check_anchor(struct transaction *t, const struct pol_meta_rule *rule)
{
	const struct pol_meta_rule *before = running_rule(t, rule->path);

	if (!before || before->entry || !before->dir || t->options->reanchor)
		return 0;
	if (rule->pending || rule->entry)
		pol_diag_add(t->diags, false, POL_P_ANCHOR_GONE, (int)rule->line, 1,
			     "make it again, or accept the loss with 'load --reanchor'",
			     "the running policy has anchored '%s', which is missing now",
			     rule->path);
	else if (memcmp(&before->key, &rule->key, sizeof(rule->key)) != 0 && steerable(t, rule))
		pol_diag_add(t->diags, false, POL_P_ANCHOR_SWAPPED, (int)rule->line, 1,
			     "if the new directory is yours, 'load --reanchor'",
			     "'%s' is not the directory that the running policy has anchored, and a "
			     "guest can create or rename there",
			     rule->path);
	else
		return 0;
	return pol_err_say(t->err, POL_ERR_POLICY, -EINVAL, "the policy cannot be applied here");
}

static int check_keys(struct transaction *t)
{
	if (pol_anchors_check(&t->anchors, t->policy, &t->places, t->diags))
		return 0;
	return pol_err_say(t->err, POL_ERR_POLICY, -EINVAL, "the policy cannot be applied here");
}

int pol_load_take_anchors(struct transaction *t)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r, result = 0;

	pol_trees_learn(t->engine->control);
	if (root < 0)
		return pol_err_set(t->err, POL_ERR_FAILED, -errno, "cannot open '/'");
	r = pol_anchors_take(t->engine, root, &t->places, &t->anchors, t->err);
	if (!r)
		r = check_keys(t);
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->next->rules_cnt; i++) {
		struct pol_meta_rule *rule = &t->next->rules[i];

		if (rule->in_guest)
			continue;
		if (!rule->pending && !rule->entry) {
			const struct pol_anchor *anchor =
				pol_anchors_find(&t->anchors, rule->dir);

			if (anchor) {
				rule->key = anchor->record.self;
				rule->ino = anchor->ino;
			}
		}
		r = t->running ? check_anchor(t, rule) : 0;
		if (r < 0)
			result = r;
	}
	return result;
}
