/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "str.h"
#include "words.h"

static void decrefp(json_t **json)
{
	json_decref(*json);
}

void pol_request_done(struct pol_request *request)
{
	free(request->guest);
	free(request->path);
	*request = (struct pol_request){ 0 };
}

/* ------------------------------------------------------------------ its keys */

static int read_bool(const json_t *value, bool *ret)
{
	*ret = json_is_true(value);
	return json_is_boolean(value) ? 0 : -EINVAL;
}

static int read_string(const json_t *value, char **ret)
{
	if (!json_is_string(value))
		return -EINVAL;
	*ret = strdup(json_string_value(value));
	return *ret ? 0 : -ENOMEM;
}

static int read_format(const json_t *value, struct pol_request *ret)
{
	ret->format = json_is_string(value) ? pol_format_find(json_string_value(value)) : NULL;
	return ret->format ? 0 : -EINVAL;
}

static int read_colour(const json_t *value, struct pol_request *ret)
{
	return read_bool(value, &ret->colour);
}

static int read_kept(const json_t *value, struct pol_request *ret)
{
	return read_bool(value, &ret->kept);
}

static int read_follow(const json_t *value, struct pol_request *ret)
{
	return read_bool(value, &ret->follow);
}

static int read_marks(const json_t *value, struct pol_request *ret)
{
	return read_bool(value, &ret->marks);
}

static int read_after(const json_t *value, struct pol_request *ret)
{
	size_t len = json_is_string(value) ? json_string_length(value) : 0;

	return len && pol_mark_read(json_string_value(value), len, &ret->after) == (int)len
		       ? 0
		       : -EINVAL;
}

static int read_guest(const json_t *value, struct pol_request *ret)
{
	return read_string(value, &ret->guest);
}

static int read_type(const json_t *value, struct pol_request *ret)
{
	int type = json_is_string(value) ? pol_type_parse(json_string_value(value)) : -EINVAL;

	ret->filter.type = type < 0 ? 0 : (uint32_t)type;
	return type < 0 ? type : 0;
}

static int read_verdict(const json_t *value, struct pol_request *ret)
{
	int verdict = json_is_string(value) ? pol_verdict_parse(json_string_value(value)) : -EINVAL;

	ret->filter.verdict = verdict < 0 ? 0 : (uint32_t)verdict;
	return verdict < 0 ? verdict : 0;
}

static int read_path(const json_t *value, struct pol_request *ret)
{
	if (!json_is_string(value) ||
	    pol_path_clean(json_string_value(value), json_string_length(value), &ret->path) !=
		    POL_PATH_OK)
		return -EINVAL;
	ret->filter.path = ret->path;
	return 0;
}

/* A decimal string, as all times in ns are: JSON readers lose digits of such numbers. */
static int read_since(const json_t *value, struct pol_request *ret)
{
	const char *text = json_string_value(value);
	char *end;

	if (!text || !*text)
		return -EINVAL;
	errno = 0;
	ret->filter.since_ns = strtoll(text, &end, 10);
	ret->filter.has_since = true;
	return errno || *end ? -EINVAL : 0;
}

static const struct {
	const char *name;
	const char *expected;
	int (*read)(const json_t *value, struct pol_request *ret);
} keys[] = {
	{ "format", "expected the name of a format", read_format },
	{ "colour", "expected true or false", read_colour },
	{ "kept", "expected true or false", read_kept },
	{ "follow", "expected true or false", read_follow },
	{ "marks", "expected true or false", read_marks },
	{ "after", "expected a mark, as lines have it with 'marks'", read_after },
	{ "guest", "expected a guest's name", read_guest },
	{ "type", "expected an event type", read_type },
	{ "verdict", "expected a verdict", read_verdict },
	{ "path", "expected an absolute path", read_path },
	{ "since_ns", "expected nanoseconds since 1970, a decimal string", read_since },
};

static int refuse(struct pol_err *err, int r, const char *key, const char *expected)
{
	_cleanup_free_ char *shown = pol_str_escape(key, strnlen(key, 64));

	if (r == -ENOMEM)
		return pol_err_set(err, POL_ERR_FAILED, r, "request");
	return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "request: '%s': %s", shown ? shown : "?",
			   expected);
}

static int read_key(const char *name, const json_t *value, struct pol_request *ret,
		    struct pol_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int r;

		if (strcmp(keys[i].name, name) != 0)
			continue;
		r = keys[i].read(value, ret);
		return r < 0 ? refuse(err, r, name, keys[i].expected) : 0;
	}
	return refuse(err, -EINVAL, name, "no such key");
}

int pol_request_read(const char *line, size_t len, struct pol_request *ret, struct pol_err *err)
{
	_cleanup_(decrefp) json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	struct pol_request request = { .format = pol_format_find("json"), .follow = true };
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "request: expected one line, a JSON object");
	json_object_foreach(object, name, value) {
		int r = read_key(name, value, &request, err);

		if (r < 0) {
			pol_request_done(&request);
			return r;
		}
	}
	*ret = request;
	return 0;
}

/* ------------------------------------------------------------------ writing it */

/* A line of @object, which is freed. Return: its length; -ENOMEM: no object; -ENOSPC. */
static int write_line(json_t *object, char *buf, size_t size)
{
	size_t len = object ? json_dumpb(object, buf, size, JSON_COMPACT) : 0;

	json_decref(object);
	if (!object)
		return -ENOMEM;
	if (!len || len + 2 > size)
		return -ENOSPC;
	buf[len++] = '\n';
	buf[len] = '\0';
	return (int)len;
}

static bool is_utf8(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		uint32_t code;
		int n = pol_utf8_next(text, len, &code);

		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static int check_utf8(const char *option, const char *value, struct pol_err *err)
{
	_cleanup_free_ char *shown = NULL;

	if (!value || is_utf8(value))
		return 0;
	shown = pol_str_escape(value, strlen(value));
	pol_err_say(err, POL_ERR_USAGE, -EINVAL,
		    "%s '%.400s': policyd is asked in UTF-8, and this is none", option,
		    shown ? shown : "?");
	return pol_err_fix(err, "leave it out and filter what is printed, or end policyd");
}

int pol_request_write(const struct pol_request *request, char *buf, size_t size,
		      struct pol_err *err)
{
	const struct pol_event_filter *filter = &request->filter;
	char since[32], after[POL_MARK_SIZE];
	json_t *marks;
	int r = check_utf8("--path", filter->path, err);

	if (!r)
		r = check_utf8("--guest", request->guest, err);
	if (r < 0)
		return r;
	(void)snprintf(since, sizeof(since), "%lld", (long long)filter->since_ns);
	(void)pol_mark_write(&request->after, after);
	marks = request->marks ? json_true() : NULL; /* a policyd that is older knows none */
	r = write_line(json_pack("{ss,sb,sb,sb,so*,ss*,ss*,ss*,ss*,ss*,ss*}", "format",
				 request->format->name, "colour", request->colour, "kept",
				 request->kept, "follow", request->follow, "marks", marks,
				 "after", request->after.id ? after : NULL, "guest", request->guest,
				 "path", filter->path, "type", pol_type_word(filter->type),
				 "verdict", pol_verdict_word(filter->verdict), "since_ns",
				 filter->has_since ? since : NULL),
		       buf, size);
	return r < 0 ? pol_err_set(err, POL_ERR_FAILED, r, "cannot ask policyd") : r;
}

bool pol_request_wants(const struct pol_request *request, const struct pol_event_view *view,
		       const struct pol_event_ctx *ctx)
{
	struct pol_event_filter filter = request->filter;
	const char *name;

	/* What is lost of what was asked for is told to who asked; its verdict and path nobody knows. */
	if (view->type == POL_TYPE_LOST && filter.type != POL_TYPE_LOST) {
		if (filter.type && view->lost.of != filter.type)
			return false;
		filter.type = filter.verdict = 0;
		filter.path = NULL;
	}
	if (!pol_event_filter_match(&filter, view, ctx->boot_to_real_ns))
		return false;
	if (!request->guest)
		return true;
	if (view->outside || view->guest == POL_GUEST_ENGINE || !ctx->guest_name)
		return false;
	name = ctx->guest_name(ctx->arg, view->generation, view->guest);
	return name && strcmp(name, request->guest) == 0;
}

/* ------------------------------------------------------------------ the answer */

static void add_missed(json_t *object, uint64_t missed)
{
	json_t *value =
		missed == POL_MISSED_UNKNOWN ? json_null() : json_integer((json_int_t)missed);

	if (object && missed)
		(void)json_object_set(object, "missed", value);
	json_decref(value);
}

int pol_request_answer(const struct pol_err *err, uint64_t missed, char *buf, size_t size)
{
	json_t *object = json_pack("{ss,sb}", "schema", POL_REQUEST_SCHEMA, "ok", !err);

	if (!err)
		add_missed(object, missed);
	if (object && err) {
		(void)json_object_set_new(object, "status", json_integer((int)err->kind));
		(void)json_object_set_new(object, "error", json_string(err->message));
	}
	if (object && err && err->fix[0])
		(void)json_object_set_new(object, "fix", json_string(err->fix));
	return write_line(object, buf, size);
}

static uint64_t missed_of(const json_t *value)
{
	if (!value)
		return 0;
	return json_is_integer(value) && json_integer_value(value) >= 0
		       ? (uint64_t)json_integer_value(value)
		       : POL_MISSED_UNKNOWN;
}

int pol_request_granted(const char *line, size_t len, uint64_t *ret_missed, struct pol_err *err)
{
	_cleanup_(decrefp) json_t *object = json_loadb(line, len, 0, NULL);
	const char *schema = json_string_value(json_object_get(object, "schema"));
	const char *error = json_string_value(json_object_get(object, "error"));
	const char *fix = json_string_value(json_object_get(object, "fix"));
	json_int_t status = json_integer_value(json_object_get(object, "status"));

	if (!schema || strcmp(schema, POL_REQUEST_SCHEMA) != 0) {
		pol_err_say(err, POL_ERR_FAILED, -EPROTO,
			    "policyd's answer is none that this version knows");
		return pol_err_fix(err, "use the programs of one version");
	}
	if (ret_missed)
		*ret_missed = missed_of(json_object_get(object, "missed"));
	if (json_is_true(json_object_get(object, "ok")))
		return 0;
	if (status < POL_ERR_FAILED || status > POL_ERR_BUSY)
		status = POL_ERR_FAILED;
	pol_err_say(err, (enum pol_err_kind)status, -EREMOTEIO, "%s", error ? error : "refused");
	return fix ? pol_err_fix(err, "%s", fix) : -EREMOTEIO;
}
