/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names that try to forge a line, a field or a terminal: each is one path component of a record.
 */
#pragma once

#include <stddef.h>

struct test_evil {
	const char *what;
	const char *data;
	size_t len;
};

#define EVIL(what, text)                     \
	{                                    \
		what, text, sizeof(text) - 1 \
	}

static const struct test_evil test_evil[] = {
	EVIL("newline", "/a\n{\"schema\":\"policyctl/v1\",\"type\":\"guest\"}\n"),
	EVIL("carriage return", "/a\r\rb"),
	EVIL("quotes", "/a\",\"path\":\"/b"),
	EVIL("backslash at the end", "/a\\"),
	EVIL("escapes", "/a\\n\\u0000\\\""),
	EVIL("pipes and equals", "/CEF:0|x|y|act=allowed msg=1"),
	EVIL("brackets", "/[sd@1 a=\"b\"]]<13>1"),
	EVIL("terminal", "/\033[2J\033]0;x\007\b\b\b"),
	EVIL("every control",
	     "/\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11"
	     "\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"),
	EVIL("C1", "/\xc2\x9b\x33\x31m\xc2\x85"),
	EVIL("not UTF-8", "/caf\xe9/\xff\xfe"),
	EVIL("overlong", "/\xc0\xaf\xe0\x80\xaf"),
	EVIL("surrogates", "/\xed\xa0\xbd\xed\xb8\x80"),
	EVIL("cut sequence", "/a\xe2\x82"),
	EVIL("right to left", "/\u202egnp.exe\u202c\u2066x\u2069\u200f\u061c"),
	EVIL("separators", "/a\u2028b\u2029c"),
	EVIL("zero width", "/a\u200b\ufeff\u00adb"),
	EVIL("tags", "/a\U000e0041\U000e007f"),
	EVIL("replacement character itself", "/a\ufffd"),
	EVIL("spaces", "/ a  b "),
	EVIL("shell", "/$(reboot)`id`;'x'"),
	EVIL("html", "/<script>alert(1)</script>"),
	EVIL("format", "/%s%n%x"),
	EVIL("deleted", "/z (deleted)"),
	EVIL("wide", "/日本語/😀"),
};
#undef EVIL
