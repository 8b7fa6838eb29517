/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * toml++ 3.3 behind toml.h, compiled without exceptions. Its assertions stay on, but do not abort:
 * text can make some fail (marzer/tomlplusplus pull request 301 is about one), and a policy must
 * not end a tool, much less the host agent that has this library in it.
 */
#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <new>

#include "toml.h"

static thread_local jmp_buf assertion_exit;

/*
 * Two of them only promise what the code behind them looks at again, with an error that names the
 * place ("[[[", "a = ]"): these are passed over. Any other leads back to pol_toml_parse(); what the
 * parser held is lost then, which is better than the abort. None other is known to fail.
 */
static void assertion(const char *expr)
{
	static const char *const harmless[] = {
		"is_bare_key_character(*cp) || is_string_delimiter(*cp)",
		"!is_value_terminator(*cp)",
	};

	for (const char *text : harmless)
		if (strcmp(expr, text) == 0)
			return;
	longjmp(assertion_exit, 1);
}

#ifndef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#endif
#ifndef TOML_EXCEPTIONS
#define TOML_EXCEPTIONS 0
#endif
#define TOML_MAX_NESTED_VALUES 32
#define TOML_ASSERT(expr)      ((expr) ? (void)0 : assertion(#expr))
#undef NDEBUG /* it would turn the assertions into assumptions */
#include <toml++/toml.h>

namespace
{

constexpr int KEY_PARTS_MAX = 16;

char *copy_text(std::string_view text)
{
	char *out = static_cast<char *>(malloc(text.size() + 1));

	if (out) {
		memcpy(out, text.data(), text.size());
		out[text.size()] = '\0';
	}
	return out;
}

template <typename T> T *zeroed(size_t cnt)
{
	return static_cast<T *>(calloc(cnt ? cnt : 1, sizeof(T)));
}

/* Both go in @out, zeroed; after -ENOMEM it can be released: every count is right at any time. */
int convert(const toml::node &in, struct pol_toml_node *out);

int convert_table(const toml::table &in, struct pol_toml_node *out)
{
	int r = 0;

	out->type = POL_TOML_TABLE;
	out->entries = zeroed<struct pol_toml_entry>(in.size());
	if (!out->entries)
		return -ENOMEM;
	for (auto &&[key, value] : in) {
		struct pol_toml_entry *entry = &out->entries[out->cnt++];

		entry->key = copy_text(key.str());
		entry->key_len = key.str().size();
		entry->line = static_cast<int>(key.source().begin.line);
		entry->col = static_cast<int>(key.source().begin.column);
		r = convert(value, &entry->value);
		if (r < 0 || !entry->key)
			return -ENOMEM;
	}
	std::sort(out->entries, out->entries + out->cnt,
		  [](const struct pol_toml_entry &a, const struct pol_toml_entry &b) {
			  return a.line != b.line ? a.line < b.line : a.col < b.col;
		  });
	return 0;
}

int convert_array(const toml::array &in, struct pol_toml_node *out)
{
	int r = 0;

	out->type = POL_TOML_ARRAY;
	out->items = zeroed<struct pol_toml_node>(in.size());
	if (!out->items)
		return -ENOMEM;
	for (size_t i = 0; i < in.size() && r == 0; i++)
		r = convert(*in.get(i), &out->items[out->cnt++]);
	return r;
}

int convert(const toml::node &in, struct pol_toml_node *out)
{
	out->line = static_cast<int>(in.source().begin.line);
	out->col = static_cast<int>(in.source().begin.column);
	switch (in.type()) {
	case toml::node_type::table:
		return convert_table(*in.as_table(), out);
	case toml::node_type::array:
		return convert_array(*in.as_array(), out);
	case toml::node_type::string:
		out->type = POL_TOML_STRING;
		out->string = copy_text(in.as_string()->get());
		out->cnt = in.as_string()->get().size();
		return out->string ? 0 : -ENOMEM;
	case toml::node_type::integer:
		out->type = POL_TOML_INTEGER;
		out->integer = in.as_integer()->get();
		return 0;
	case toml::node_type::floating_point:
		out->type = POL_TOML_FLOAT;
		out->real = in.as_floating_point()->get();
		return 0;
	case toml::node_type::boolean:
		out->type = POL_TOML_BOOLEAN;
		out->boolean = in.as_boolean()->get();
		return 0;
	default:
		out->type = POL_TOML_TIME;
		return 0;
	}
}

int fail(struct pol_toml_error *err, int line, int col, std::string_view message)
{
	size_t len = std::min(message.size(), sizeof(err->message) - 1);

	/* "... depth of 32 (TOML_MAX_NESTED_VALUES)": the macro is ours, not the user's. */
	if (message.find(" (TOML_") != std::string_view::npos)
		len = std::min(len, message.find(" (TOML_"));
	err->line = line;
	err->col = col;
	memcpy(err->message, message.data(), len);
	err->message[len] = '\0';
	/* House style: messages begin in lower case. */
	if (len > 1 && message[0] >= 'A' && message[0] <= 'Z')
		err->message[0] = static_cast<char>(message[0] - 'A' + 'a');
	return -EINVAL;
}

/*
 * A look at the text before the parser's: toml++ 3.3 recurses, parsing and freeing, on the number
 * of parts of a dotted key. Knows strings and comments and nothing else of the language; whatever
 * is wrong with them is left to the parser.
 */
class scan
{
      public:
	scan(const char *text, size_t len) : p(text), end(text + len)
	{
	}

	int run(struct pol_toml_error *err)
	{
		while (p < end) {
			if (parts > KEY_PARTS_MAX)
				return fail(err, line, col, "a dotted key has more than 16 parts");
			step();
		}
		return 0;
	}

      private:
	const char *p, *end;
	int line = 1, col = 1, parts = 1;

	void advance()
	{
		if (*p == '\n') {
			line++;
			col = 1;
		} else if ((*p & 0xc0) != 0x80) {
			col++;
		}
		p++;
	}

	bool at_three(char quote) const
	{
		return end - p >= 3 && p[0] == quote && p[1] == quote && p[2] == quote;
	}

	void skip_string()
	{
		char quote = *p;
		bool multi = at_three(quote);

		for (int i = 0; i < (multi ? 3 : 1); i++)
			advance();
		while (p < end && (multi || *p != '\n')) {
			if (*p == '\\' && quote == '"' && end - p >= 2) {
				advance();
			} else if (multi && at_three(quote)) {
				while (p < end && *p == quote)
					advance();
				return;
			} else if (!multi && *p == quote) {
				advance();
				return;
			}
			advance();
		}
	}

	void step()
	{
		char c = *p;

		if (c == '"' || c == '\'')
			return skip_string();
		if (c == '#') {
			while (p < end && *p != '\n')
				advance();
			return;
		}
		if (c == '.')
			parts++;
		else if (c == '=' || c == ',' || c == '[' || c == '{' || c == '\n')
			parts = 1;
		advance();
	}
};

/* The frame that an assertion returns to holds nothing that changes after setjmp. */
int parse(const char *text, size_t len, struct pol_toml_node *root, struct pol_toml_error *err)
{
	toml::parse_result result = toml::parse(std::string_view(text, len));

	if (!result)
		return fail(err, static_cast<int>(result.error().source().begin.line),
			    static_cast<int>(result.error().source().begin.column),
			    result.error().description());
	return convert(result.table(), root);
}

} /* namespace */

extern "C" int pol_toml_parse(const char *text, size_t len, struct pol_toml_node *ret,
			      struct pol_toml_error *reterr)
{
	struct pol_toml_node root = {};
	int r = scan(text, len).run(reterr);

	if (r < 0)
		return r;
	if (setjmp(assertion_exit) != 0)
		return fail(reterr, 1, 1, "the TOML parser gave up on this file");
	r = parse(text, len, &root, reterr);
	if (r < 0) {
		pol_toml_done(&root);
		return r;
	}
	*ret = root;
	return 0;
}

extern "C" void pol_toml_done(struct pol_toml_node *node)
{
	if (node->type == POL_TOML_TABLE) {
		for (size_t i = 0; i < node->cnt; i++) {
			free(node->entries[i].key);
			pol_toml_done(&node->entries[i].value);
		}
		free(node->entries);
	} else if (node->type == POL_TOML_ARRAY) {
		for (size_t i = 0; i < node->cnt; i++)
			pol_toml_done(&node->items[i]);
		free(node->items);
	} else if (node->type == POL_TOML_STRING) {
		free(node->string);
	}
	memset(node, 0, sizeof(*node));
}
