/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rule: semantics 2 to 5 of policy-language.md, word by word. */
#include "model.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *const model_rights[MODEL_RIGHTS_CNT] = {
	"read",	  "write",  "execute", "list",	   "create",
	"delete", "rename", "link",    "truncate", "metadata",
};

static bool same_key(const struct model_key *a, const struct model_key *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

static bool is_dir(const struct model *m, int node)
{
	return node >= 0 && S_ISDIR(m->now.nodes[node].mode);
}

/* ---- where a rule is anchored ---- */

/* On a directory (through a mount on it), else on the name as it is written. */
static bool place(const struct model *m, const char *path, struct model_key *ret_dir,
		  char *ret_name, size_t size)
{
	struct model_object object;
	char full[MODEL_PATH];

	model_expand(m, path, full, sizeof(full));
	*ret_name = 0;
	if (model_resolve(m, full, MODEL_NOFOLLOW, &object) > 0 && is_dir(m, object.node)) {
		*ret_dir = m->now.nodes[object.node].key;
		return true;
	}
	if (model_resolve(m, full, MODEL_LAST, &object) <= 0)
		return false;
	*ret_dir = m->now.nodes[object.parent].key;
	return (size_t)snprintf(ret_name, size, "%s", object.name) < size;
}

bool model_same_place(const struct model *m, const char *path, const struct model_rule *rule)
{
	struct model_key dir, other_dir;
	char name[256], other_name[256];

	return place(m, path, &dir, name, sizeof(name)) &&
	       place(m, rule->path, &other_dir, other_name, sizeof(other_name)) &&
	       same_key(&dir, &other_dir) && !strcmp(name, other_name);
}

/* ---- mounts below rules ---- */

/* How much of @path the rule's path is; 0: it is not above it. */
static size_t covers_path(const struct model_rule *rule, const char *path)
{
	size_t len = strlen(rule->path);

	if (rule->derived || strncmp(rule->path, path, len) != 0)
		return 0;
	return !path[len] || path[len] == '/' ? len : 0;
}

static const struct model_rule *nearest_by_path(const struct model *m, const char *path)
{
	const struct model_rule *best = NULL;
	size_t most = 0;

	for (int i = 0; i < m->rules_cnt; i++) {
		size_t len = covers_path(&m->rules[i], path);

		if (len > most) {
			most = len;
			best = &m->rules[i];
		}
	}
	return best;
}

static struct model_rule *rule_on(struct model *m, const struct model_key *dir, const char *name)
{
	for (int i = 0; i < m->rules_cnt; i++)
		if (same_key(&m->rules[i].dir, dir) && !strcmp(m->rules[i].name, name))
			return &m->rules[i];
	return NULL;
}

/* An explicit rule beats a derived one; two derived ones: the intersection. */
static void derive(struct model *m, int point)
{
	struct model_rule *rule = &m->rules[m->rules_cnt], *there;
	const struct model_rule *above;
	struct model_object object;
	char full[MODEL_PATH];

	if (!model_path(m, point, -1, rule->path, sizeof(rule->path)))
		return;
	above = nearest_by_path(m, rule->path);
	model_expand(m, rule->path, full, sizeof(full));
	if (!above || model_resolve(m, full, MODEL_NOFOLLOW, &object) <= 0)
		return;
	rule->dir = m->now.nodes[is_dir(m, object.node) ? object.node : object.parent].key;
	snprintf(rule->name, sizeof(rule->name), "%s", is_dir(m, object.node) ? "" : object.name);
	rule->access = above->access;
	rule->derived = true;
	there = rule_on(m, &rule->dir, rule->name);
	if (there && !there->derived)
		return;
	if (there)
		there->access &= rule->access; /* the first that is found; this one holds its path */
	m->rules_cnt++;
}

/* ---- anchors and what lies above them ---- */

static void hold(struct model *m, int node)
{
	if (node >= 0 && !model_is_held(m, node))
		m->held[m->held_cnt++] = m->now.nodes[node].key;
}

/* By its rule's path, or the mount's of a derived rule; and in its own filesystem. */
static void hold_rule(struct model *m, const struct model_rule *rule)
{
	char path[MODEL_PATH], full[MODEL_PATH];
	struct model_object object;

	for (int i = model_dir(m, &rule->dir); i >= 0; i = m->now.nodes[i].parent)
		hold(m, i);
	snprintf(path, sizeof(path), "%s", rule->path);
	for (char *slash; (slash = strrchr(path, '/'));) {
		*slash = 0;
		model_expand(m, path, full, sizeof(full));
		if (model_resolve(m, full, MODEL_NOFOLLOW, &object) > 0)
			hold(m, object.node);
	}
}

bool model_is_held(const struct model *m, int node)
{
	for (int i = 0; is_dir(m, node) && i < m->held_cnt; i++)
		if (same_key(&m->held[i], &m->now.nodes[node].key))
			return true;
	return false;
}

void model_place_rules(struct model *m)
{
	for (int i = 0; i < m->rules_cnt; i++)
		place(m, m->rules[i].path, &m->rules[i].dir, m->rules[i].name,
		      sizeof(m->rules[i].name));
	for (int i = 0; i < m->now.cnt; i++)
		if (m->now.nodes[i].covers.ino)
			derive(m, i);
	m->held_cnt = 0;
	for (int i = 0; i < m->rules_cnt; i++)
		hold_rule(m, &m->rules[i]);
}

/* ---- the nearest ---- */

static const struct model_rule *find(const struct model *m, int dir, const char *name)
{
	return rule_on((struct model *)m, &m->now.nodes[dir].key, name);
}

const struct model_rule *model_nearest(const struct model *m, const struct model_object *object)
{
	const struct model_rule *rule = NULL;
	int at = object->parent;
	const char *name = object->name;

	if (is_dir(m, object->node))
		rule = find(m, object->node, "");
	while (!rule && at >= 0) {
		if (*name)
			rule = find(m, at, name);
		if (!rule)
			rule = find(m, at, "");
		name = m->now.nodes[at].name;
		at = m->now.nodes[at].parent;
	}
	return rule;
}

unsigned int model_access(const struct model *m, const struct model_rule *rule)
{
	return rule ? rule->access & ~m->lacks : 0;
}
