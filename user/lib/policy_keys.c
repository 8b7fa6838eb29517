/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables with known keys, words and types, and the diagnostics that they share. Pure. */
#include <assert.h>
#include <string.h>

#include "base.h"
#include "policy_parse.h"
#include "str.h"

#define WORDS_MAX 32 /* more keys than any table of the language has */

const char *pol_toml_type_name(enum pol_toml_type type)
{
	static const char *const names[] = {
		[POL_TOML_TABLE] = "a table",	    [POL_TOML_ARRAY] = "an array",
		[POL_TOML_STRING] = "a string",	    [POL_TOML_INTEGER] = "an integer",
		[POL_TOML_FLOAT] = "a float",	    [POL_TOML_BOOLEAN] = "a boolean",
		[POL_TOML_TIME] = "a date or time",
	};

	return names[type];
}

char *pol_did_you_mean(const char *text, const char *const *words, size_t words_cnt)
{
	const char *near = pol_str_nearest(text, words, words_cnt);
	char *help = NULL;

	if (!near || asprintf(&help, "did you mean '%s'?", near) < 0)
		return NULL;
	return help;
}

/* Return: index of the key that was probably meant, or keys_cnt. */
static size_t unknown_key(struct pol_parser *p, const struct pol_toml_entry *e, const char *where,
			  const struct pol_key *keys, size_t keys_cnt)
{
	_cleanup_free_ char *help = NULL;
	const char *words[WORDS_MAX], *near;
	size_t k = 0;

	for (size_t i = 0; i < keys_cnt; i++)
		words[i] = keys[i].name;
	help = pol_did_you_mean(e->key, words, keys_cnt);
	POL_FAULT(p, POL_P_KEY, e, help, "unknown key '%s' in %s", e->key, where);
	near = pol_str_nearest(e->key, words, keys_cnt);
	while (k < keys_cnt && words[k] != near)
		k++;
	return k;
}

static size_t find_key(const struct pol_toml_entry *e, const struct pol_key *keys, size_t keys_cnt)
{
	size_t k = 0;

	while (k < keys_cnt && (strlen(keys[k].name) != e->key_len ||
				memcmp(keys[k].name, e->key, e->key_len) != 0))
		k++;
	return k;
}

int pol_keys_parse(struct pol_parser *p, const struct pol_toml_node *table, const char *where,
		   const struct pol_key *keys, size_t keys_cnt, void *into)
{
	bool seen[WORDS_MAX + 1] = { false };
	int r;

	assert(keys_cnt <= WORDS_MAX);
	for (size_t i = 0; i < table->cnt; i++) {
		const struct pol_toml_entry *e = &table->entries[i];
		size_t k = find_key(e, keys, keys_cnt);

		if (k == keys_cnt) {
			/* A required key that is misspelled is not reported as missing too. */
			seen[unknown_key(p, e, where, keys, keys_cnt)] = true;
			continue;
		}
		seen[k] = true;
		r = keys[k].parse(p, e, into);
		if (r < 0)
			return r;
	}
	for (size_t k = 0; k < keys_cnt; k++)
		if (keys[k].required && !seen[k])
			POL_FAULT(p, POL_P_MISSING, table, keys[k].required, "%s has no '%s'",
				  where, keys[k].name);
	return 0;
}

bool pol_want(struct pol_parser *p, const struct pol_toml_entry *e, enum pol_toml_type type)
{
	if (e->value.type == type)
		return true;
	POL_FAULT(p, POL_P_TYPE, &e->value, NULL, "'%s' must be %s, and is %s", e->key,
		  pol_toml_type_name(type), pol_toml_type_name(e->value.type));
	return false;
}

bool pol_want_item(struct pol_parser *p, const struct pol_toml_entry *e,
		   const struct pol_toml_node *item, enum pol_toml_type type)
{
	if (item->type == type)
		return true;
	POL_FAULT(p, POL_P_TYPE, item, NULL, "an item of '%s' must be %s, and is %s", e->key,
		  pol_toml_type_name(type), pol_toml_type_name(item->type));
	return false;
}

/* "a", "b" or "c" */
static void list_words(char *buf, size_t size, const char *const *words, size_t cnt)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < cnt && used < size; i++) {
		int n = snprintf(buf + used, size - used, "%s\"%s\"",
				 !i		? ""
				 : i + 1 == cnt ? " or "
						: ", ",
				 words[i]);

		used += n > 0 ? (size_t)n : 0;
	}
}

int pol_word(struct pol_parser *p, const struct pol_toml_entry *e, const char *const *words,
	     size_t words_cnt)
{
	_cleanup_free_ char *help = NULL;
	char list[256];

	if (!pol_want(p, e, POL_TOML_STRING))
		return -1;
	for (size_t i = 0; i < words_cnt; i++)
		if (strlen(words[i]) == e->value.cnt &&
		    memcmp(words[i], e->value.string, e->value.cnt) == 0)
			return (int)i;
	list_words(list, sizeof(list), words, words_cnt);
	help = pol_did_you_mean(e->value.string, words, words_cnt);
	POL_FAULT(p, POL_P_WORD, &e->value, help, "'%s' must be %s, and is '%s'", e->key, list,
		  e->value.string);
	return -1;
}
