/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text of users: UTF-8, escaping for messages, nearest word, sizes, clean paths. Pure; never
 * prints. Paths are bytes, messages are UTF-8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * pol_utf8_next() - decode one code point.
 * @text, @len: at least one byte.
 * @ret: the code point; U+FFFD if the bytes are no UTF-8.
 *
 * Return: bytes it takes, from 1; negative: @text[0] starts no valid sequence, it is one byte.
 */
int pol_utf8_next(const char *text, size_t len, uint32_t *ret);

/**
 * pol_str_escape() - text that a terminal shows as it is, on one line, valid UTF-8.
 *
 * Control characters, bytes that are no UTF-8 and characters that reorder or hide text become
 * \xNN or \u{N}. Return: to be freed; NULL: out of memory.
 */
char *pol_str_escape(const char *text, size_t len);

/**
 * pol_str_nearest() - the word that was probably meant.
 *
 * Return: one of @words, or NULL if none is near (a third of the letters, at least one edit).
 */
const char *pol_str_nearest(const char *text, const char *const *words, size_t words_cnt);

/* pol_str_size() - "2GiB", "512", "10 MB" to bytes. Return: 0; -EINVAL; -ERANGE. */
int pol_str_size(const char *text, uint64_t *ret_bytes);

enum pol_path_fault {
	POL_PATH_OK = 0,
	POL_PATH_EMPTY,
	POL_PATH_RELATIVE,
	POL_PATH_DOTDOT,
	POL_PATH_NUL,
	POL_PATH_NAME_TOO_LONG,
};

/**
 * pol_path_clean() - an absolute path without "//", "." and a trailing "/".
 * @ret: to be freed; set only if Return is POL_PATH_OK.
 *
 * Return: enum pol_path_fault, or -ENOMEM.
 */
int pol_path_clean(const char *path, size_t len, char **ret);

/* pol_path_lies_in() - is a clean path @above, or beneath it? By text. */
bool pol_path_lies_in(const char *path, const char *above);

/* pol_path_is_beneath() - the same of paths of files: "/" has all. */
bool pol_path_is_beneath(const char *path, const char *above);

/* pol_hex_decode() - "2f73" to bytes. Return: 0; -EINVAL: no hex, or an odd number; -ENOMEM. */
int pol_hex_decode(const char *hex, char **ret, size_t *ret_len);
