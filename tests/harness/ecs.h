/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A strict checker of ECS events, over tests/data/schema/ecs-9.4.0.tsv.
 */
#pragma once

#include <jansson.h>

/**
 * test_ecs_fault() - what is wrong with an event: a field that is not in the table, of another type
 * or not an array where one is expected, longer than a search finds, a word that is not allowed, an
 * event.type that no event.category of it expects, no @timestamp. What is in `policyd` is free.
 *
 * Return: a text, valid until the next call; NULL: nothing.
 */
const char *test_ecs_fault(json_t *event);
