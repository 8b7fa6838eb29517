/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of every kind that there is: each type, and each verdict, operation, action and cause that
 * makes a format say something else. What holds for a format must hold for all of them.
 */
#pragma once

#include <stddef.h>

#include "event_json.h"

/* test_sample() - make sample @index. Return: what it is; NULL: no more. */
const char *test_sample(size_t index, struct pol_event_view *view);

/* Texts of an event that somebody else chooses. */
enum test_text {
	TEST_TEXT_PATH,
	TEST_TEXT_EXE,
	TEST_TEXT_COMM,
	TEST_TEXT_PARENT_EXE,
	TEST_TEXT_PARENT_COMM,
	TEST_TEXT_SENDER_COMM,
	TEST_TEXT_RULE_PATH,
	TEST_TEXT_RULE_NAME,
	TEST_TEXT_RULE_WHERE,
	TEST_TEXT_CGROUP,
	TEST_TEXT_HOST,
	TEST_TEXTS_CNT,
};

/* What a field of the flat formats is called that holds it: "path". */
extern const char *const test_text_names[TEST_TEXTS_CNT];

/**
 * test_sample_evil() - an event in which one text is @data; it has all texts that there are.
 * @ret_ctx: to be used with it; both are valid until the next call. @data stays the caller's.
 * Return: bytes of @data that are in it: a comm is 16 bytes at most.
 */
size_t test_sample_evil(enum test_text text, const char *data, size_t len,
			struct pol_event_view *view, struct pol_event_ctx *ret_ctx);
