/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A strict checker of OCSF events, over tests/data/schema/ocsf-1.8.0.tsv.
 */
#pragma once

#include <jansson.h>

/**
 * test_ocsf_fault() - what is wrong with an event: an attribute that its class or object does not
 * have, or lacks, or of another type, a number that its enumeration does not have, a type_uid that
 * is not class and activity. What is in `unmapped` is free.
 *
 * Return: a text, valid until the next call; NULL: nothing.
 */
const char *test_ocsf_fault(json_t *event);
