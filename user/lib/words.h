/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words of the closed lists in abi.h, both ways, and errno names. Pure; the tables are made
 * from the X-macros, so there is no second list to keep.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* struct pol_word - a word and its length. Of a size that is copied without a loop. */
struct pol_word {
	char text[31];
	unsigned char len;
};

/* pol_word_len() - the length of a word that a function here returned. */
static inline size_t pol_word_len(const char *word)
{
	return ((const struct pol_word *)word)->len;
}

/**
 * pol_*_word() - the word of a number, a constant string: the text of a struct pol_word.
 * Return: NULL: the number is not in the list, or means "none".
 */
const char *pol_type_word(uint32_t nr);
const char *pol_verdict_word(uint32_t nr);
const char *pol_op_word(uint32_t nr);
const char *pol_hook_word(uint32_t nr);
const char *pol_reason_word(uint32_t nr);
const char *pol_action_word(uint32_t nr);
const char *pol_shadow_word(uint32_t nr); /* enum pol_shadow_action */
const char *pol_cause_word(uint32_t nr);
const char *pol_resource_word(uint32_t nr);
const char *pol_fail_word(uint32_t nr);

/* pol_right_word() - the word of right number @bit (not mask), in the policy language's order. */
const char *pol_right_word(unsigned int bit);

/**
 * pol_type_parse() - number of an event type's word. Return: > 0; -EINVAL.
 * pol_verdict_parse() - number of a verdict's word. Return: > 0; -EINVAL.
 * pol_right_parse() - mask of one right's word. Return: > 0; -EINVAL.
 */
int pol_type_parse(const char *word);
int pol_verdict_parse(const char *word);
int pol_right_parse(const char *word);

/**
 * pol_errno_name() - "EACCES" of 13. @nr: positive.
 * Return: NULL for 0 and for what has no name.
 */
const char *pol_errno_name(uint32_t nr);

/* pol_signal_name() - "SIGKILL" of 9; NULL for what has no name (real-time signals too). */
const char *pol_signal_name(uint32_t nr);
