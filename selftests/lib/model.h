/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A slow reference model of what policy-language.md says about files. It looks at the real
 * filesystems from outside of any guest, right before an operation, and decides by the contract
 * alone: it shares no code and no idea of data structure with the engine.
 *
 * Errors of the filesystem itself are not predicted: who compares runs the same operation without
 * confinement, where it then has to fail in the same way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MODEL_NODES 800
#define MODEL_FS    3
#define MODEL_RULES 40
#define MODEL_PATH  8192
#define MODEL_ERRNO 30 /* EROFS: what no operation here meets by itself */

enum model_right {
	MODEL_READ = 1 << 0,
	MODEL_WRITE = 1 << 1,
	MODEL_EXECUTE = 1 << 2,
	MODEL_LIST = 1 << 3,
	MODEL_CREATE = 1 << 4,
	MODEL_DELETE = 1 << 5,
	MODEL_RENAME = 1 << 6,
	MODEL_LINK = 1 << 7,
	MODEL_TRUNCATE = 1 << 8,
	MODEL_METADATA = 1 << 9,
};

#define MODEL_RIGHTS_CNT 10
extern const char *const model_rights[MODEL_RIGHTS_CNT];

struct model_key {
	uint64_t dev, ino;
};

/* A name in a directory, and what it is there. The root of a filesystem has no parent: -1. */
struct model_node {
	struct model_key key;
	struct model_key covers; /* what is mounted over it; ino 0: nothing */
	uint64_t mount;		 /* id of that mount */
	int parent;
	int fs;
	mode_t mode;
	uint64_t facts[5]; /* what a change of the object changes */
	char name[256];
};

struct model_tree {
	int cnt;
	struct model_node nodes[MODEL_NODES];
};

/* On the directory @dir, or on what has this @name in it. */
struct model_rule {
	char path[MODEL_PATH]; /* as in the policy, "@" for the root; of a derived one: its mount */
	unsigned int access;
	struct model_key dir;
	char name[256]; /* "": on the directory */
	bool derived;
};

struct model {
	char root[64];
	int fs[MODEL_FS]; /* O_PATH descriptors of the filesystems' roots; the first is @root's */
	int fs_cnt;
	struct model_rule rules[MODEL_RULES];
	int rules_cnt;
	struct model_key held[MODEL_NODES]; /* anchors and what lies above one */
	int held_cnt;
	unsigned int lacks; /* rights left out of every rule, to see that it is noticed */
	struct model_tree now;
};

/* ---- model_tree.c: what is there ---- */

/* Read all filesystems anew, to m->now. */
void model_scan(struct model *m);

bool model_same(const struct model_tree *a, const struct model_tree *b);

/* "@" to the root's path. */
void model_expand(const struct model *m, const char *from, char *to, size_t size);

/* A node's path, "@/...", by way of the mount at the node @by if that is not -1. */
bool model_path(const struct model *m, int node, int by, char *buf, size_t size);

/* The directory with this key; -1: not known. */
int model_dir(const struct model *m, const struct model_key *key);

bool model_is_below(const struct model *m, int node, int dir); /* or @dir itself */

/* What a path leads to: a node, or a name in a directory where nothing is. */
struct model_object {
	int node; /* -1: nothing there */
	int parent;
	char name[256];
};

enum model_how {
	MODEL_LAST,	/* the name itself: neither symlink nor mount is followed */
	MODEL_NOFOLLOW, /* the object there; a symlink is one */
	MODEL_FOLLOW,
};

/* Return: 1; 0: some directory on the way is missing; -1: it leads where the model sees nothing. */
int model_resolve(const struct model *m, const char *path, enum model_how how,
		  struct model_object *ret);

/* ---- model_rules.c: which rule ---- */

/* Place m->rules by their paths, derive those of mounts, note the anchors. */
void model_place_rules(struct model *m);

/* Would two rules with these paths be on one place? Then a policy has to be refused. */
bool model_same_place(const struct model *m, const char *path, const struct model_rule *rule);

const struct model_rule *model_nearest(const struct model *m, const struct model_object *object);

unsigned int model_access(const struct model *m, const struct model_rule *rule);

bool model_is_held(const struct model *m, int node);

/* ---- model_judge.c: what an operation may meet ---- */

enum model_verdict {
	MODEL_ALLOWED = 0,
	MODEL_REFUSED = 1 << 0, /* the policy's errno */
	MODEL_BUSY = 1 << 1,	/* EBUSY: an anchor */
	MODEL_WIDENS = 1 << 2,	/* EXDEV */
	MODEL_DEVICE = 1 << 3,	/* EPERM */
	MODEL_LEAVES = 1 << 4,	/* refused only after the file was made, as documented */
	MODEL_UNSURE = 1 << 5,	/* something the model cannot see (a removed directory) */
};

/*
 * @line: as the payload's step "model" reads it. Where several refusals are due, which comes first
 * is not part of the contract: a mask of all.
 */
unsigned int model_judge(const struct model *m, const char *line);

bool model_expects(unsigned int verdict, int err);

/* "may be refused with EROFS, EBUSY" */
const char *model_verdict_text(unsigned int verdict);
