/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `access`, `path` and `path_hex`: the values that rules and tests have in common. Pure. */
#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "base.h"
#include "policy_parse.h"
#include "str.h"

#define RO (POL_RIGHT_READ | POL_RIGHT_LIST)
#define RX (RO | POL_RIGHT_EXECUTE)

static const struct word {
	const char *word;
	uint32_t access;
} words[] = {
#define X(name, nr, word) { word, POL_RIGHT_##name },
	POL_RIGHTS(X)
#undef X
		{ "none", 0 },
	{ "ro", RO },
	{ "rx", RX },
	{ "rw", POL_ACCESS_RW },
	{ "rwx", POL_ACCESS_RW | POL_RIGHT_EXECUTE },
};

/* @cnt: the first so many of the list: POL_RIGHTS_CNT leaves the shorthands out. */
static bool find_word(struct pol_parser *p, const struct pol_toml_entry *e,
		      const struct pol_toml_node *value, size_t cnt, uint32_t *ret)
{
	const char *names[ARRAY_SIZE(words)];
	_cleanup_free_ char *help = NULL;

	for (size_t i = 0; i < cnt; i++) {
		names[i] = words[i].word;
		if (strlen(names[i]) == value->cnt &&
		    memcmp(names[i], value->string, value->cnt) == 0) {
			*ret = words[i].access;
			return true;
		}
	}
	help = pol_did_you_mean(value->string, names, cnt);
	POL_FAULT(
		p, POL_P_ACCESS, value,
		help ? help
		     : "rights: read write execute list create delete rename link truncate metadata ioctl connect; shorthands: none ro rx rw rwx",
		"unknown word '%s' in '%s'", value->string, e->key);
	return false;
}

bool pol_parse_access(struct pol_parser *p, const struct pol_toml_entry *e, uint32_t *ret)
{
	uint32_t access = 0, one;
	bool good = true;

	if (e->value.type == POL_TOML_STRING)
		return find_word(p, e, &e->value, ARRAY_SIZE(words), ret);
	if (e->value.type != POL_TOML_ARRAY) {
		POL_FAULT(p, POL_P_TYPE, &e->value, NULL,
			  "'access' must be a string or an array of strings, and is %s",
			  pol_toml_type_name(e->value.type));
		return false;
	}
	for (size_t i = 0; i < e->value.cnt; i++) {
		const struct pol_toml_node *item = &e->value.items[i];

		if (!pol_want_item(p, e, item, POL_TOML_STRING) ||
		    !find_word(p, e, item, ARRAY_SIZE(words), &one)) {
			good = false;
			continue;
		}
		access |= one;
	}
	*ret = access;
	return good;
}

static const struct word *find(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i].word) == len && memcmp(words[i].word, text, len) == 0)
			return &words[i];
	return NULL;
}

int pol_access_parse(const char *text, uint32_t *ret)
{
	uint32_t access = 0;
	size_t len;

	for (;; text += len + 1) {
		const struct word *word;

		len = strcspn(text, ",");
		word = find(text, len);
		if (!word)
			return -EINVAL;
		access |= word->access;
		if (!text[len])
			break;
	}
	if (!access)
		return -EINVAL;
	*ret = access;
	return 0;
}

bool pol_parse_right(struct pol_parser *p, const struct pol_toml_entry *e, uint32_t *ret)
{
	return pol_want(p, e, POL_TOML_STRING) && find_word(p, e, &e->value, POL_RIGHTS_CNT, ret);
}

static void path_fault(struct pol_parser *p, const struct pol_toml_entry *e, int fault)
{
	const char *path = e->value.string;

	switch (fault) {
	case POL_PATH_EMPTY:
		POL_FAULT(p, POL_P_RELATIVE, &e->value, NULL, "'%s' is empty", e->key);
		break;
	case POL_PATH_RELATIVE:
		POL_FAULT(p, POL_P_RELATIVE, &e->value, "begin it with '/'",
			  "'%s' must be an absolute path, and is '%s'", e->key, path);
		break;
	case POL_PATH_DOTDOT:
		POL_FAULT(p, POL_P_DOTDOT, &e->value, "write where it leads to",
			  "'..' in '%s': '%s'", e->key, path);
		break;
	case POL_PATH_NUL:
		POL_FAULT(p, POL_P_PATH, &e->value, NULL, "'%s' holds a NUL byte", e->key);
		break;
	default:
		POL_FAULT(p, POL_P_PATH, &e->value, NULL,
			  "'%s' has a name of more than 255 bytes: no file can have it", e->key);
	}
}

int pol_parse_path(struct pol_parser *p, const struct pol_toml_entry *e, bool hex, char **ret)
{
	_cleanup_free_ char *bytes = NULL;
	const char *path = e->value.string;
	size_t len = e->value.cnt;
	int r;

	*ret = NULL;
	if (!pol_want(p, e, POL_TOML_STRING))
		return 0;
	if (hex) {
		r = strlen(path) == len ? pol_hex_decode(path, &bytes, &len) : -EINVAL;
		if (r == -EINVAL) {
			POL_FAULT(p, POL_P_HEX, &e->value, "two hex digits for each byte",
				  "'%s' is no hex: '%s'", e->key, path);
			return 0;
		}
		if (r < 0)
			return r;
		path = bytes;
	}
	r = pol_path_clean(path, len, ret);
	if (r > 0)
		path_fault(p, e, r);
	return r < 0 ? r : 0;
}
