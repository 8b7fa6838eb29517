/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random rules for a world, and random operations on it. */
#include "model_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib_util.h"

/* ---- rules ---- */

static unsigned int any_access(void)
{
	const unsigned int all = (1 << MODEL_RIGHTS_CNT) - 1;
	int kind = model_pick(100);

	if (kind < 15)
		return 0;
	if (kind < 40)
		return all & ~MODEL_EXECUTE;
	if (kind < 50)
		return MODEL_READ | MODEL_LIST;
	/* Most rights, or about half of them. */
	return (unsigned int)(kind < 75 ? model_random() | model_random() : model_random()) & all;
}

/* A mount through which a node is seen, too; -1: none. */
static int any_view(const struct model *m, int node)
{
	for (int i = 0; i < m->now.cnt; i++) {
		int dir = m->now.nodes[i].covers.ino ? model_dir(m, &m->now.nodes[i].covers) : -1;

		if (dir >= 0 && model_is_below(m, node, dir) && model_chance(50))
			return i;
	}
	return -1;
}

static bool any_place(const struct model *m, char *buf, size_t size)
{
	int node = model_chance(60) ? model_any_dir(m) : model_any_node(m, 0);
	mode_t type = m->now.nodes[node].mode & S_IFMT;
	size_t len;

	/* A rule on a symlink is one on what it leads to: its own subject (resolve_test). */
	if (type == S_IFLNK || !model_path(m, node, any_view(m, node), buf, size))
		return false;
	if (type != S_IFDIR || model_chance(70))
		return true;
	len = strlen(buf);
	snprintf(buf + len, size - len, "/%s", model_any_name());
	return true;
}

static bool is_symlink(const struct model *m, const char *path)
{
	char full[MODEL_PATH];
	struct stat st;

	model_expand(m, path, full, sizeof(full));
	return !lstat(full, &st) && S_ISLNK(st.st_mode);
}

static void add_rule(struct model *m, const char *path)
{
	struct model_rule *rule = &m->rules[m->rules_cnt];

	for (int i = 0; i < m->rules_cnt; i++)
		if (model_same_place(m, path, &m->rules[i]))
			return;
	if (is_symlink(m, path))
		return;
	memset(rule, 0, sizeof(*rule));
	snprintf(rule->path, sizeof(rule->path), "%s", path);
	rule->access = any_access();
	m->rules_cnt++;
}

static size_t rule_text(const struct model *m, const struct model_rule *rule, char *buf,
			size_t size)
{
	char path[MODEL_PATH];
	size_t len;

	model_expand(m, rule->path, path, sizeof(path));
	len = (size_t)snprintf(buf, size, "\t{ path = \"%s\", access = [", path);
	for (int i = 0; i < MODEL_RIGHTS_CNT && len < size; i++)
		if (rule->access & 1U << i)
			len += (size_t)snprintf(buf + len, size - len, "\"%s\", ", model_rights[i]);
	if (len < size)
		len += (size_t)snprintf(buf + len, size - len, "%s] },\n",
					rule->access ? "" : "\"none\"");
	if (len >= size)
		lib_die("too long a policy", m->root);
	return len;
}

void model_make_rules(struct model *m, char *buf, size_t size)
{
	char path[MODEL_PATH];
	size_t len = 0;

	if (model_chance(80)) {
		add_rule(m, "@");
		m->rules[0].access |= m->rules[0].access ? (unsigned int)model_random() & 1023 : 0;
	}
	for (int i = 6 + model_pick(8); i > 0; i--)
		if (any_place(m, path, sizeof(path)))
			add_rule(m, path);
	for (int i = 0; i < m->rules_cnt; i++)
		len += rule_text(m, &m->rules[i], buf + len, size - len);
	model_place_rules(m);
}

/* ---- operations ---- */

/* A symlink in the place of the directories that lead to @node, if there is one. */
static bool by_symlink(const struct model *m, int node, char *buf, size_t size)
{
	for (int i = 0; i < 8; i++) {
		int link = model_any_node(m, S_IFLNK), tail[64], cnt = 0, at = node;
		struct model_object object;
		char path[MODEL_PATH], full[MODEL_PATH];
		size_t len;

		if (!S_ISLNK(m->now.nodes[link].mode) ||
		    !model_path(m, link, -1, path, sizeof(path)))
			continue;
		model_expand(m, path, full, sizeof(full));
		if (model_resolve(m, full, MODEL_FOLLOW, &object) <= 0 || object.node < 0 ||
		    !model_is_below(m, node, object.node))
			continue;
		for (; at != object.node && cnt < 64; at = m->now.nodes[at].parent)
			tail[cnt++] = at;
		len = (size_t)snprintf(buf, size, "%s", path);
		while (cnt-- > 0 && len < size)
			len += (size_t)snprintf(buf + len, size - len, "/%s",
						m->now.nodes[tail[cnt]].name);
		return at == object.node && len < size;
	}
	return false;
}

/* Detours that lead nowhere else: "//", "/.", down and up again. */
static void detour(char *path, size_t size)
{
	static const char *const detours[] = { "/", "/.", "/./." };
	char copy[MODEL_PATH], *slash;
	int skip = model_pick(4);

	slash = strchr(path, '/');
	while (slash && skip-- > 0 && strchr(slash + 1, '/'))
		slash = strchr(slash + 1, '/');
	if (!slash)
		return;
	snprintf(copy, sizeof(copy), "%s", slash);
	if (model_chance(40) && strchr(copy + 1, '/')) {
		/* /x becomes /x/../x */
		int first = (int)(strchr(copy + 1, '/') - copy);

		snprintf(slash, size - (slash - path), "%.*s/..%s", first, copy, copy);
	} else {
		snprintf(slash, size - (slash - path), "%s%s", detours[model_pick(3)], copy);
	}
}

/* "BASE\tPATH" of a path: as a whole, or split at some slash. */
static size_t put_path(char *path, char *buf, size_t size)
{
	char *slash = strchr(path, '/');

	for (int skip = model_pick(3); slash && skip > 0 && strchr(slash + 1, '/'); skip--)
		slash = strchr(slash + 1, '/');
	if (!slash || !model_chance(30))
		return (size_t)snprintf(buf, size, "\t-\t%s", path);
	*slash++ = 0;
	slash += strspn(slash, "/");
	return (size_t)snprintf(buf, size, "\t%s\t%s", path, slash);
}

static void path_to(const struct model *m, int node, char *buf, size_t size)
{
	if (!(model_chance(15) && by_symlink(m, node, buf, size)) &&
	    !model_path(m, node, any_view(m, node), buf, size))
		snprintf(buf, size, "@");
	if (model_chance(15))
		detour(buf, size);
}

static size_t put_existing(const struct model *m, mode_t type, char *buf, size_t size)
{
	char path[MODEL_PATH];

	path_to(m, model_any_node(m, type) ?: model_any_node(m, type), path, sizeof(path));
	return put_path(path, buf, size);
}

/* A name in a directory, or that of a rule: free or taken. */
static size_t put_new(const struct model *m, char *buf, size_t size)
{
	char path[MODEL_PATH] = "";
	size_t len;

	if (m->rules_cnt && model_chance(20)) {
		snprintf(path, sizeof(path), "%s", m->rules[model_pick(m->rules_cnt)].path);
	}
	if (!strchr(path, '/')) {
		path_to(m, model_any_node(m, S_IFDIR), path, sizeof(path));
		len = strlen(path);
		snprintf(path + len, sizeof(path) - len, "/%s", model_any_name());
	}
	return put_path(path, buf, size);
}

static size_t put_any(const struct model *m, mode_t type, int percent_new, char *buf, size_t size)
{
	return model_chance(percent_new) ? put_new(m, buf, size) : put_existing(m, type, buf, size);
}

static const char *any_flags(const char *const *list, int cnt)
{
	return list[model_pick(cnt)];
}
#define ANY_OF(...)                                     \
	any_flags((const char *const[]){ __VA_ARGS__ }, \
		  (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)))

/* What an operation is made with; the weights are parts of their sum. */
enum second { NONE, EXISTING_OR_NEW, NEW, TARGET };
static const struct kind {
	int weight;
	const char *word;
	mode_t type; /* of an existing object; 0: any */
	int percent_new;
	enum second second;
} kinds[] = {
	{ 26, "open", 0, 25, NONE },
	{ 6, "list", S_IFDIR, 5, NONE },
	{ 6, "mkdir", 0, 95, NONE },
	{ 4, "rmdir", S_IFDIR, 5, NONE },
	{ 7, "unlink", S_IFREG, 10, NONE },
	{ 2, "unlink", 0, 10, NONE },
	{ 14, "rename", 0, 2, EXISTING_OR_NEW },
	{ 7, "link", S_IFREG, 2, NEW },
	{ 5, "rename", S_IFDIR, 0, EXISTING_OR_NEW },
	{ 1, "link", 0, 2, NEW },
	{ 3, "symlink", 0, 95, TARGET },
	{ 2, "mkfifo", 0, 95, NONE },
	{ 1, "mkchr", 0, 95, NONE },
	{ 3, "truncate", S_IFREG, 5, NONE },
	{ 3, "ftruncate", S_IFREG, 5, NONE },
	{ 3, "chmod", 0, 2, NONE },
	{ 2, "fchmod", 0, 2, NONE },
	{ 2, "chown", 0, 2, NONE },
	{ 1, "lchown", 0, 2, NONE },
	{ 2, "utime", 0, 2, NONE },
	{ 2, "setxattr", 0, 2, NONE },
	{ 3, "tmpfile", S_IFDIR, 0, NEW },
};
#define KINDS_CNT (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *any_kind(void)
{
	int sum = 0;

	for (size_t i = 0; i < KINDS_CNT; i++)
		sum += kinds[i].weight;
	sum = model_pick(sum);
	for (size_t i = 0; i < KINDS_CNT; i++)
		if ((sum -= kinds[i].weight) < 0)
			return &kinds[i];
	return &kinds[0];
}

static const char *flags_for(const char *word)
{
	if (!strcmp(word, "open"))
		return ANY_OF("r", "r", "w", "rw", "rt", "wt", "wc", "rc", "rwc", "wct", "wcx",
			      "rwcx", "rf");
	if (!strcmp(word, "rename"))
		return ANY_OF("-", "-", "-", "x", "n");
	if (!strcmp(word, "link"))
		return ANY_OF("-", "f");
	if (!strcmp(word, "chmod") || !strcmp(word, "fchmod"))
		return ANY_OF("600", "755", "0");
	return "-";
}

char *model_make_call(const struct model *m)
{
	static char line[5 * MODEL_PATH];
	const struct kind *kind = any_kind();
	const size_t size = sizeof(line);
	char path[MODEL_PATH] = "x";
	size_t len = (size_t)snprintf(line, size, "%s\t%s", kind->word, flags_for(kind->word));

	len += put_any(m, kind->type, kind->percent_new, line + len, size - len);
	switch (kind->second) {
	case NONE:
		snprintf(line + len, size - len, "\t-\t-");
		break;
	case EXISTING_OR_NEW:
		put_any(m, 0, 60, line + len, size - len);
		break;
	case NEW:
		put_any(m, 0, 95, line + len, size - len);
		break;
	case TARGET:
		if (model_chance(70))
			model_path(m, model_any_node(m, 0), -1, path, sizeof(path));
		snprintf(line + len, size - len, "\t-\t%s", path);
	}
	return strdup(line);
}
