/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run_shadow.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base.h"
#include "ctl.h"
#include "str.h"

void run_shadows_done(struct run_shadows *shadows)
{
	for (size_t i = 0; i < shadows->cnt; i++) {
		free(shadows->items[i].path);
		pol_closep(&shadows->items[i].fd);
	}
	shadows->cnt = 0;
}

static int wrong_form(const char *text, struct pol_err *err)
{
	return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
			   "--shadow takes PATH=FD or PATH=FD:x, a file and the descriptor that CMD gets "
			   "it as, not '%s'",
			   text);
}

/* "FD" or "FD:x". Return: the number; -1. */
static int parse_number(const char *text, bool *ret_exec)
{
	size_t len = strcspn(text, ":");
	char digits[16];

	*ret_exec = strcmp(text + len, ":x") == 0;
	if (len >= sizeof(digits) || (text[len] && !*ret_exec))
		return -1;
	memcpy(digits, text, len);
	digits[len] = '\0';
	return (int)ctl_number(digits, INT_MAX);
}

bool run_shadows_has(const struct run_shadows *shadows, int as)
{
	for (size_t i = 0; i < shadows->cnt; i++)
		if (shadows->items[i].as == as)
			return true;
	return false;
}

int run_shadows_add(struct run_shadows *shadows, const char *text, struct pol_err *err)
{
	const char *equals = strrchr(text, '=');
	struct run_shadow *shadow = &shadows->items[shadows->cnt];

	if (shadows->cnt == POL_PLACED_MAX)
		return pol_err_say(err, POL_ERR_USAGE, -E2BIG, "--shadow can be given %d times",
				   POL_PLACED_MAX);
	if (!equals || equals == text)
		return wrong_form(text, err);
	*shadow = (struct run_shadow){ .fd = -EBADF };
	shadow->as = parse_number(equals + 1, &shadow->exec);
	if (shadow->as < 0)
		return wrong_form(text, err);
	if (shadow->as == 1 || shadow->as == 2)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "--shadow: descriptor %d is for output, and a shadow is read-only",
				   shadow->as);
	if (run_shadows_has(shadows, shadow->as))
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "--shadow: descriptor %d is given twice",
				   shadow->as);
	shadow->path = strndup(text, (size_t)(equals - text));
	if (!shadow->path)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "cannot take '%s'", text);
	shadows->cnt++;
	return 0;
}

int run_shadows_size(const char *name, const char *text, uint64_t most, uint64_t *ret, bool *ret_clamped,
		     struct pol_err *err)
{
	uint64_t bytes;

	if (pol_str_size(text, &bytes) < 0 || !bytes)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "%s takes a size like 64MiB, not '%s'",
				   name, text);
	*ret_clamped = most && bytes > most;
	*ret = *ret_clamped ? most : bytes;
	return 0;
}

int run_shadows_make(struct pol_engine *engine, const char *guest, struct run_shadows *shadows,
		     struct pol_err *err)
{
	for (size_t i = 0; i < shadows->cnt; i++) {
		struct run_shadow *shadow = &shadows->items[i];
		const struct pol_shadow_wish wish = {
			.guest = guest,
			.path = shadow->path,
			.exec = shadow->exec,
			.max_size = shadows->max_size,
			.budget = shadows->budget,
		};

		shadow->fd = pol_shadow_give(engine, &wish, NULL, err);
		if (shadow->fd < 0)
			return shadow->fd;
		shadows->placed[i] = (struct pol_placed_fd){ .fd = shadow->fd, .as = shadow->as };
	}
	return 0;
}
