/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ocsf.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

#define TABLE "tests/data/schema/ocsf-1.8.0.tsv"

struct row {
	char object[32];
	char attribute[32];
	char type[32];
	bool required;
	char values[512]; /* words, a space before and after each */
};

static struct row rows[512];
static size_t rows_cnt;
static char fault[512];

static void read_row(char *line, struct row *ret)
{
	const char *column[5] = { "", "", "", "", "" };

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(column) && line; i++)
		column[i] = strsep(&line, "\t");
	(void)snprintf(ret->object, sizeof(ret->object), "%s", column[0]);
	(void)snprintf(ret->attribute, sizeof(ret->attribute), "%s", column[1]);
	(void)snprintf(ret->type, sizeof(ret->type), "%s", column[2]);
	ret->required = strcmp(column[3], "required") == 0;
	if (column[4][0])
		(void)snprintf(ret->values, sizeof(ret->values), " %s ", column[4]);
}

static void read_table(void)
{
	char line[1024];
	FILE *file = fopen(TABLE, "re");

	if (!file)
		abort();
	while (fgets(line, sizeof(line), file))
		if (line[0] != '#' && rows_cnt < ARRAY_SIZE(rows))
			read_row(line, &rows[rows_cnt++]);
	(void)fclose(file);
}

static bool fail(const char *object, const char *attribute, const char *what)
{
	(void)snprintf(fault, sizeof(fault), "%s.%s: %s", object, attribute, what);
	return false;
}

static const struct row *find(const char *object, const char *attribute)
{
	for (size_t i = 0; i < rows_cnt; i++)
		if (strcmp(rows[i].object, object) == 0 &&
		    strcmp(rows[i].attribute, attribute) == 0)
			return &rows[i];
	return NULL;
}

static bool is_datetime(const char *text)
{
	static const char form[] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
				   "(\\.[0-9]+)?Z$";
	regex_t regex;
	bool ok;

	if (regcomp(&regex, form, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	ok = text && regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return ok;
}

/* The numbers with a name of their own are 32 bits wide; times are not. */
static bool integer_fits(const struct row *row, json_t *value)
{
	json_int_t number = json_integer_value(value);
	char word[32];

	if (!json_is_integer(value))
		return false;
	(void)snprintf(word, sizeof(word), " %lld ", (long long)number);
	if (row->values[0])
		return strstr(row->values, word) != NULL;
	return strstr(row->attribute, "time") || strcmp(row->attribute, "duration") == 0 ||
	       strcmp(row->attribute, "size") == 0 || (number >= INT32_MIN && number <= INT32_MAX);
}

static bool check_object(const char *object, json_t *value);

static bool check_array(const struct row *row, json_t *value)
{
	json_t *item;
	size_t i;

	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, item)
		if (row->type[0] == 's' ? !json_is_string(item)
					: !check_object(row->type + strlen("array:"), item))
			return false;
	return true;
}

static bool check_value(const struct row *row, json_t *value)
{
	if (strcmp(row->type, "integer") == 0)
		return integer_fits(row, value);
	if (strcmp(row->type, "string") == 0)
		return json_is_string(value);
	if (strcmp(row->type, "boolean") == 0)
		return json_is_boolean(value);
	if (strcmp(row->type, "datetime") == 0)
		return is_datetime(json_string_value(value));
	if (strcmp(row->type, "free") == 0)
		return json_is_object(value);
	if (strncmp(row->type, "object:", 7) == 0)
		return check_object(row->type + 7, value);
	return check_array(row, value);
}

static bool has_one_of(const struct row *row, json_t *value)
{
	const char *key;
	json_t *inner;

	json_object_foreach(value, key, inner) {
		char word[64];

		(void)snprintf(word, sizeof(word), " %s ", key);
		if (strstr(row->values, word))
			return true;
	}
	return false;
}

static bool check_presence(const char *object, json_t *value)
{
	for (size_t i = 0; i < rows_cnt; i++) {
		const struct row *row = &rows[i];

		if (strcmp(row->object, object) != 0)
			continue;
		if (row->required && !json_object_get(value, row->attribute))
			return fail(object, row->attribute, "missing");
		if (strcmp(row->attribute, "*") == 0 && !has_one_of(row, value))
			return fail(object, "*", row->values);
	}
	return true;
}

static bool check_object(const char *object, json_t *value)
{
	const char *key;
	json_t *inner;

	if (!json_is_object(value))
		return fail(object, "", "no object");
	json_object_foreach(value, key, inner) {
		const struct row *row = find(object, key);

		if (!row)
			return fail(object, key, "not in the schema");
		fault[0] = '\0';
		if (!check_value(row, inner))
			return fault[0] ? false : fail(object, key, "wrong type or value");
	}
	return check_presence(object, value);
}

static json_int_t number_of(json_t *event, const char *key)
{
	return json_integer_value(json_object_get(event, key));
}

static const char *class_name(json_int_t uid)
{
	static const struct {
		json_int_t uid;
		const char *name;
	} classes[] = {
		{ 1001, "file_activity" },	   { 1007, "process_activity" },
		{ 2004, "detection_finding" },	   { 3004, "entity_management" },
		{ 6002, "application_lifecycle" }, { 6008, "application_error" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (classes[i].uid == uid)
			return classes[i].name;
	return NULL;
}

const char *test_ocsf_fault(json_t *event)
{
	const char *class = class_name(number_of(event, "class_uid"));

	if (!rows_cnt)
		read_table();
	if (!class)
		return "no class that we use";
	if (!check_object(class, event))
		return fault;
	if (number_of(event, "type_uid") !=
	    number_of(event, "class_uid") * 100 + number_of(event, "activity_id"))
		return "type_uid is not class and activity";
	return NULL;
}
