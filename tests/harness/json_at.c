/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json_at.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

json_t *test_json_load(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert_not_null(json, "%s in %s", error.text, text);
	return json;
}

json_t *test_json_at(json_t *json, const char *path)
{
	char name[128], *rest = name, *key;

	(void)snprintf(name, sizeof(name), "%s", path);
	while ((key = strsep(&rest, ".")))
		json = json_object_get(json, key);
	return json;
}

const char *test_json_word(json_t *json, const char *path)
{
	const char *word = json_string_value(test_json_at(json, path));

	return word ? word : "(none)";
}
