/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ecs.h"

#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

#define TABLE "tests/data/schema/ecs-9.4.0.tsv"

struct field {
	char name[64];
	char type[32];
	bool array;
	size_t ignore_above;
	char allowed
		[2048]; /* words, a space before and after each; of a category "word:type,type" */
};

static struct field fields[128];
static size_t fields_cnt;
static char fault[512];

static void read_field(char *line, struct field *ret)
{
	const char *column[5] = { "", "", "", "0", "" };

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(column); i++) {
		column[i] = strsep(&line, "\t");
		if (!line)
			break;
	}
	(void)snprintf(ret->name, sizeof(ret->name), "%s", column[0]);
	(void)snprintf(ret->type, sizeof(ret->type), "%s", column[1]);
	ret->array = strcmp(column[2], "array") == 0;
	ret->ignore_above = strtoul(column[3], NULL, 10);
	if (column[4][0])
		(void)snprintf(ret->allowed, sizeof(ret->allowed), " %s ", column[4]);
}

static void read_table(void)
{
	char line[4096];
	FILE *file = fopen(TABLE, "re");

	if (!file)
		abort();
	while (fgets(line, sizeof(line), file))
		if (line[0] != '#' && fields_cnt < ARRAY_SIZE(fields))
			read_field(line, &fields[fields_cnt++]);
	(void)fclose(file);
}

static const struct field *find(const char *name)
{
	for (size_t i = 0; i < fields_cnt; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static bool fail(const char *name, const char *what)
{
	(void)snprintf(fault, sizeof(fault), "%s: %s", name, what);
	return false;
}

static bool is_date(const char *text)
{
	static const char form[] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
				   "(\\.[0-9]{1,9})?Z$";
	regex_t regex;
	bool ok;

	if (regcomp(&regex, form, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	ok = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return ok;
}

static size_t characters(const char *text)
{
	size_t cnt = 0;

	for (; *text; text++)
		cnt += (*text & 0xc0) != 0x80;
	return cnt;
}

static bool is_allowed(const struct field *field, const char *word)
{
	char alone[64], with_types[64];

	(void)snprintf(alone, sizeof(alone), " %s ", word);
	(void)snprintf(with_types, sizeof(with_types), " %s:", word);
	return !field->allowed[0] || strstr(field->allowed, alone) ||
	       strstr(field->allowed, with_types);
}

static bool check_scalar(const struct field *field, json_t *value)
{
	const char *text = json_string_value(value);

	if (strcmp(field->type, "long") == 0)
		return json_is_integer(value) || fail(field->name, "no integer");
	if (!text)
		return fail(field->name, "no string");
	if (strcmp(field->type, "date") == 0)
		return is_date(text) || fail(field->name, "no date");
	if (field->ignore_above && characters(text) > field->ignore_above)
		return fail(field->name, "longer than ignore_above");
	return is_allowed(field, text) || fail(field->name, text);
}

static bool check_leaf(const char *name, json_t *value)
{
	const struct field *field = find(name);
	json_t *item;
	size_t i;

	if (!field)
		return fail(name, "not in the schema");
	if (field->array != json_is_array(value))
		return fail(name, "an array, or none");
	if (!field->array)
		return check_scalar(field, value);
	json_array_foreach(value, i, item)
		if (!check_scalar(field, item))
			return false;
	return true;
}

static bool check_object(const char *above, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		char name[128];

		(void)snprintf(name, sizeof(name), "%s%s%s", above, above[0] ? "." : "", key);
		if (strcmp(name, "policyd") == 0)
			continue;
		if (json_is_object(value) ? !check_object(name, value) : !check_leaf(name, value))
			return false;
	}
	return true;
}

/* The row of a category is " category:type,type,type ". */
static bool expects(const char *category, const char *type)
{
	const struct field *field = find("event.category");
	char form[128];
	regex_t regex;
	bool ok;

	(void)snprintf(form, sizeof(form), " %s:([a-z]+,)*%s[, ]", category, type);
	if (regcomp(&regex, form, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	ok = regexec(&regex, field->allowed, 0, NULL, 0) == 0;
	regfree(&regex);
	return ok;
}

static bool check_pairs(json_t *event)
{
	json_t *categories = json_object_get(event, "category"), *category, *type;
	size_t i, j;

	json_array_foreach(json_object_get(event, "type"), i, type) {
		bool ok = false;

		json_array_foreach(categories, j, category)
			ok |= expects(json_string_value(category), json_string_value(type));
		if (!ok)
			return fail("event.type", json_string_value(type));
	}
	return json_array_size(categories) > 0 || fail("event.category", "empty");
}

static bool check_required(json_t *event)
{
	json_t *exit_code = json_object_get(json_object_get(event, "process"), "exit_code");
	json_t *type = json_array_get(json_object_get(json_object_get(event, "event"), "type"), 0);

	if (!json_is_string(json_object_get(event, "@timestamp")))
		return fail("@timestamp", "missing");
	if (!json_is_string(json_object_get(json_object_get(event, "ecs"), "version")))
		return fail("ecs.version", "missing");
	if (exit_code && strcmp(json_string_value(type), "start") == 0)
		return fail("process.exit_code", "in a start event");
	return true;
}

const char *test_ecs_fault(json_t *event)
{
	if (!fields_cnt)
		read_table();
	if (!check_object("", event) || !check_pairs(json_object_get(event, "event")) ||
	    !check_required(event))
		return fault;
	return NULL;
}
