/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operation needs: the tables "Rights" and semantics 4 and 14 of policy-language.md. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* An operation's line, taken apart. */
struct call {
	char text[5 * MODEL_PATH];
	char *word, *flags;
	char path[2][2 * MODEL_PATH];
};

static bool parse(const char *line, struct call *call)
{
	char *rest = call->text, *field[6];

	snprintf(call->text, sizeof(call->text), "%s", line);
	for (int i = 0; i < 6; i++) {
		field[i] = strsep(&rest, "\t");
		if (!field[i])
			return false;
	}
	call->word = field[0];
	call->flags = field[1];
	for (int i = 0; i < 2; i++) {
		const char *base = field[2 + 2 * i], *path = field[3 + 2 * i];
		bool plain = !strcmp(base, "-");

		snprintf(call->path[i], sizeof(call->path[i]), "%s%s%s", plain ? "" : base,
			 plain ? "" : "/", path);
	}
	return true;
}

static unsigned int access_of(const struct model *m, const struct model_object *object)
{
	return model_access(m, model_nearest(m, object));
}

static mode_t type_of(const struct model *m, const struct model_object *object)
{
	return object->node < 0 ? 0 : m->now.nodes[object->node].mode & S_IFMT;
}

static unsigned int need(const struct model *m, const struct model_object *object,
			 unsigned int rights)
{
	return rights & ~access_of(m, object) ? MODEL_REFUSED : MODEL_ALLOWED;
}

static unsigned int not_held(const struct model *m, const struct model_object *object)
{
	return model_is_held(m, object->node) ? MODEL_BUSY : MODEL_ALLOWED;
}

/* As what a name would be looked at before anything is there. */
static struct model_object new_name(const struct model_object *object)
{
	struct model_object ret = *object;

	ret.node = -1;
	return ret;
}

/* ---- opening ---- */

/* A device opens only by a rule that names it. */
static unsigned int open_device(const struct model *m, const struct model_object *object)
{
	const struct model_rule *rule = model_nearest(m, object);
	mode_t type = type_of(m, object);

	if (type != S_IFCHR && type != S_IFBLK)
		return MODEL_ALLOWED;
	if (rule && *rule->name && !strcmp(rule->name, object->name) &&
	    rule->dir.ino == m->now.nodes[object->parent].key.ino &&
	    rule->dir.dev == m->now.nodes[object->parent].key.dev)
		return MODEL_ALLOWED;
	return MODEL_REFUSED;
}

static unsigned int open_existing(const struct model *m, const struct model_object *object,
				  unsigned int rights)
{
	if (type_of(m, object) == S_IFDIR)
		return need(m, object, MODEL_LIST);
	return need(m, object, rights) | open_device(m, object);
}

static unsigned int open_new(const struct model *m, const struct model_object *object,
			     unsigned int rights)
{
	if (need(m, object, MODEL_CREATE | MODEL_WRITE))
		return MODEL_REFUSED;
	return need(m, object, rights) ? MODEL_REFUSED | MODEL_LEAVES : MODEL_ALLOWED;
}

static unsigned int judge_open(const struct model *m, const struct call *call)
{
	bool create = strchr(call->flags, 'c'), exclusive = strchr(call->flags, 'x');
	bool nofollow = exclusive || strchr(call->flags, 'f');
	unsigned int rights = (strchr(call->flags, 'r') ? MODEL_READ : 0) |
			      (strchr(call->flags, 'w') ? MODEL_WRITE : 0);
	unsigned int truncate = strchr(call->flags, 't') ? MODEL_TRUNCATE : 0;
	struct model_object object;
	int r = model_resolve(m, call->path[0], nofollow ? MODEL_NOFOLLOW : MODEL_FOLLOW, &object);

	if (r <= 0)
		return r < 0 ? MODEL_UNSURE : MODEL_ALLOWED;
	if (object.node >= 0)
		return open_existing(m, &object, rights | truncate);
	return create ? open_new(m, &object, rights) : MODEL_ALLOWED;
}

/* ---- one object, one need ---- */

struct simple {
	const char *word;
	enum model_how how;
	unsigned int rights;
};

static const struct simple on_existing[] = {
	{ "list", MODEL_FOLLOW, MODEL_LIST },	       { "unlink", MODEL_LAST, MODEL_DELETE },
	{ "rmdir", MODEL_LAST, MODEL_DELETE },	       { "truncate", MODEL_FOLLOW, MODEL_TRUNCATE },
	{ "ftruncate", MODEL_FOLLOW, MODEL_TRUNCATE }, { "chmod", MODEL_FOLLOW, MODEL_METADATA },
	{ "fchmod", MODEL_FOLLOW, MODEL_METADATA },    { "chown", MODEL_FOLLOW, MODEL_METADATA },
	{ "lchown", MODEL_NOFOLLOW, MODEL_METADATA },  { "utime", MODEL_FOLLOW, MODEL_METADATA },
	{ "setxattr", MODEL_FOLLOW, MODEL_METADATA },
};

static unsigned int judge_existing(const struct model *m, const struct call *call,
				   const struct simple *row)
{
	struct model_object object;
	int r = model_resolve(m, call->path[0], row->how, &object);
	unsigned int verdict;

	if (r <= 0 || object.node < 0)
		return r < 0 ? MODEL_UNSURE : MODEL_ALLOWED;
	verdict = need(m, &object, row->rights);
	if (!strcmp(row->word, "rmdir"))
		verdict |= not_held(m, &object);
	if (!strcmp(row->word, "ftruncate"))
		verdict |= open_existing(m, &object, MODEL_WRITE);
	if (!strcmp(row->word, "fchmod"))
		verdict |= open_existing(m, &object, MODEL_READ);
	return verdict;
}

static unsigned int judge_new(const struct model *m, const struct call *call)
{
	struct model_object object;
	int r = model_resolve(m, call->path[0], MODEL_LAST, &object);

	if (r <= 0 || object.parent < 0)
		return r < 0 ? MODEL_UNSURE : MODEL_ALLOWED;
	object = new_name(&object);
	return strcmp(call->word, "mkchr") ? need(m, &object, MODEL_CREATE) : MODEL_DEVICE;
}

/* O_TMPFILE: a file of this directory without a name; then a name. */
static unsigned int judge_tmpfile(const struct model *m, const struct call *call)
{
	struct model_object dir, to;
	int r = model_resolve(m, call->path[0], MODEL_FOLLOW, &dir);
	struct model_object nameless = { .node = -1, .parent = dir.node };
	unsigned int verdict;

	if (r <= 0 || type_of(m, &dir) != S_IFDIR)
		return r < 0 ? MODEL_UNSURE : MODEL_ALLOWED;
	verdict = need(m, &nameless, MODEL_CREATE | MODEL_WRITE);
	r = model_resolve(m, call->path[1], MODEL_LAST, &to);
	if (verdict || r <= 0 || to.parent < 0)
		return verdict ?: r < 0 ? MODEL_UNSURE : MODEL_ALLOWED;
	to = new_name(&to);
	if (access_of(m, &to) & ~access_of(m, &nameless))
		verdict |= MODEL_WIDENS;
	return verdict | need(m, &to, MODEL_CREATE | MODEL_WRITE);
}

/* ---- two names ---- */

/*
 * Would @from gain a right as @to? What lies beneath it has the same nearest rule, or one that
 * moves along with it.
 */
static unsigned int widens(const struct model *m, const struct model_object *from,
			   const struct model_object *to)
{
	const struct model_object there = new_name(to);

	return access_of(m, &there) & ~access_of(m, from) ? MODEL_WIDENS : MODEL_ALLOWED;
}

static unsigned int judge_rename(const struct model *m, const struct call *call)
{
	bool exchange = *call->flags == 'x';
	struct model_object from, to, at;
	int r = model_resolve(m, call->path[0], MODEL_LAST, &from);
	int s = model_resolve(m, call->path[1], MODEL_LAST, &to);
	unsigned int verdict;

	if (r < 0 || s < 0)
		return MODEL_UNSURE;
	if (!r || !s || from.node < 0 || from.parent < 0 || to.parent < 0)
		return MODEL_ALLOWED;
	at = new_name(&to);
	verdict = not_held(m, &from) | not_held(m, &to) | need(m, &from, MODEL_RENAME) |
		  need(m, &at, MODEL_RENAME) | widens(m, &from, &to);
	if (to.node < 0)
		return verdict;
	if (!exchange)
		return verdict | need(m, &to, MODEL_DELETE);
	at = new_name(&from);
	return verdict | need(m, &to, MODEL_RENAME) | need(m, &at, MODEL_RENAME) |
	       widens(m, &to, &from);
}

static unsigned int judge_link(const struct model *m, const struct call *call)
{
	enum model_how how = *call->flags == 'f' ? MODEL_FOLLOW : MODEL_NOFOLLOW;
	struct model_object from, to;
	int r = model_resolve(m, call->path[0], how, &from);
	int s = model_resolve(m, call->path[1], MODEL_LAST, &to);

	if (r < 0 || s < 0)
		return MODEL_UNSURE;
	if (!r || !s || from.node < 0 || to.parent < 0)
		return MODEL_ALLOWED;
	to = new_name(&to);
	return need(m, &from, MODEL_LINK) | need(m, &to, MODEL_LINK) | widens(m, &from, &to);
}

/* ---- all of them ---- */

unsigned int model_judge(const struct model *m, const char *line)
{
	static const struct {
		const char *word;
		unsigned int (*judge)(const struct model *m, const struct call *call);
	} judges[] = {
		{ "open", judge_open },	    { "mkdir", judge_new }, { "mkfifo", judge_new },
		{ "symlink", judge_new },   { "mkchr", judge_new }, { "tmpfile", judge_tmpfile },
		{ "rename", judge_rename }, { "link", judge_link },
	};
	static struct call call;

	if (!parse(line, &call))
		abort();
	for (size_t i = 0; i < sizeof(judges) / sizeof(judges[0]); i++)
		if (!strcmp(judges[i].word, call.word))
			return judges[i].judge(m, &call);
	for (size_t i = 0; i < sizeof(on_existing) / sizeof(on_existing[0]); i++)
		if (!strcmp(on_existing[i].word, call.word))
			return judge_existing(m, &call, &on_existing[i]);
	abort();
}

static const struct {
	enum model_verdict bit;
	int err;
	const char *name;
} errnos[] = {
	{ MODEL_REFUSED, MODEL_ERRNO, "EROFS" },
	{ MODEL_BUSY, EBUSY, "EBUSY" },
	{ MODEL_WIDENS, EXDEV, "EXDEV" },
	{ MODEL_DEVICE, EPERM, "EPERM" },
};

bool model_expects(unsigned int verdict, int err)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].bit & verdict && errnos[i].err == err)
			return true;
	return err == 0 && !verdict;
}

const char *model_verdict_text(unsigned int verdict)
{
	static char text[64];
	size_t len = 0;

	if (!verdict)
		return "allowed";
	*text = 0;
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].bit & verdict)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						len ? " or " : "", errnos[i].name);
	return text;
}
