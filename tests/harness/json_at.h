/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON that a test has made, and what is in it. */
#pragma once

#include <jansson.h>

/*
 * test_json_load() - as strictly as jansson can: UTF-8, no key twice. The test fails if it is none.
 * To be freed.
 */
json_t *test_json_load(const char *text);

/* test_json_at() - "process.pid" of an object. Return: borrowed; NULL: it is not there. */
json_t *test_json_at(json_t *json, const char *path);

/* test_json_word() - the string there; "(none)" where there is none. */
const char *test_json_word(json_t *json, const char *path);
