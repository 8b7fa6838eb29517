/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "words.h"

#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "abi.h"
#include "base.h"

/* By number, of which each list has its own, from 0 or 1 on without large holes. */
#define ROW(name, nr, word) [nr] = WORD(word),
#define WORD(word)                       \
	{                                \
		word, sizeof(word) - 1u, \
	}

static const struct pol_word types[] = { POL_TYPES(ROW) };
static const struct pol_word verdicts[] = { POL_VERDICTS(ROW) };
static const struct pol_word ops[] = { POL_OPS(ROW) };
static const struct pol_word hooks[] = { POL_HOOKS(ROW) };
static const struct pol_word reasons[] = { POL_REASONS(ROW) };
static const struct pol_word actions[] = { POL_ACTIONS(ROW) };
static const struct pol_word shadows[] = { POL_SHADOW_ACTIONS(ROW) };
static const struct pol_word rights[] = { POL_RIGHTS(ROW) };
static const struct pol_word resources[] = { POL_RESOURCES(ROW) };
static const struct pol_word fails[] = { POL_FAILS(ROW) };
static const struct pol_word causes[] = {
	[POL_CAUSE_EXIT] = WORD("exit"),     [POL_CAUSE_SIGNAL] = WORD("signal"),
	[POL_CAUSE_OOM] = WORD("oom"),	     [POL_CAUSE_CEILING] = WORD("ceiling"),
	[POL_CAUSE_POLICY] = WORD("policy"), [POL_CAUSE_UNKNOWN] = WORD("unknown"),
};

/* Return: NULL: no such number, or one that has no word. */
static const char *find(const struct pol_word list[], size_t cnt, uint32_t nr)
{
	return nr < cnt && list[nr].len ? list[nr].text : NULL;
}

static int parse(const struct pol_word list[], size_t cnt, const char *word)
{
	for (size_t i = 0; i < cnt; i++)
		if (list[i].len && strcmp(list[i].text, word) == 0)
			return (int)i;
	return -EINVAL;
}

const char *pol_type_word(uint32_t nr)
{
	return find(types, ARRAY_SIZE(types), nr);
}

const char *pol_verdict_word(uint32_t nr)
{
	return find(verdicts, ARRAY_SIZE(verdicts), nr);
}

const char *pol_op_word(uint32_t nr)
{
	return find(ops, ARRAY_SIZE(ops), nr);
}

const char *pol_hook_word(uint32_t nr)
{
	return find(hooks, ARRAY_SIZE(hooks), nr);
}

const char *pol_reason_word(uint32_t nr)
{
	return find(reasons, ARRAY_SIZE(reasons), nr);
}

const char *pol_action_word(uint32_t nr)
{
	return find(actions, ARRAY_SIZE(actions), nr);
}

const char *pol_shadow_word(uint32_t nr)
{
	return find(shadows, ARRAY_SIZE(shadows), nr);
}

const char *pol_cause_word(uint32_t nr)
{
	return find(causes, ARRAY_SIZE(causes), nr);
}

const char *pol_resource_word(uint32_t nr)
{
	return find(resources, ARRAY_SIZE(resources), nr);
}

const char *pol_fail_word(uint32_t nr)
{
	return find(fails, ARRAY_SIZE(fails), nr);
}

const char *pol_right_word(unsigned int bit)
{
	return find(rights, ARRAY_SIZE(rights), bit);
}

int pol_type_parse(const char *word)
{
	return parse(types, ARRAY_SIZE(types), word);
}

int pol_verdict_parse(const char *word)
{
	return parse(verdicts, ARRAY_SIZE(verdicts), word);
}

int pol_right_parse(const char *word)
{
	int nr = parse(rights, ARRAY_SIZE(rights), word);

	return nr < 0 ? nr : 1 << nr;
}

const char *pol_errno_name(uint32_t nr)
{
	/* glibc's own list, from 2.32 on; NULL for what it does not know. */
	return nr && nr < 4096 ? strerrorname_np((int)nr) : NULL;
}

/* glibc has only the part after "SIG" (sigabbrev_np), which would need a buffer. */
static const char *const signals[] = {
	[1] = "SIGHUP",	    [2] = "SIGINT",   [3] = "SIGQUIT",	 [4] = "SIGILL",   [5] = "SIGTRAP",
	[6] = "SIGABRT",    [7] = "SIGBUS",   [8] = "SIGFPE",	 [9] = "SIGKILL",  [10] = "SIGUSR1",
	[11] = "SIGSEGV",   [12] = "SIGUSR2", [13] = "SIGPIPE",	 [14] = "SIGALRM", [15] = "SIGTERM",
	[16] = "SIGSTKFLT", [17] = "SIGCHLD", [18] = "SIGCONT",	 [19] = "SIGSTOP", [20] = "SIGTSTP",
	[21] = "SIGTTIN",   [22] = "SIGTTOU", [23] = "SIGURG",	 [24] = "SIGXCPU", [25] = "SIGXFSZ",
	[26] = "SIGVTALRM", [27] = "SIGPROF", [28] = "SIGWINCH", [29] = "SIGIO",   [30] = "SIGPWR",
	[31] = "SIGSYS",
};

const char *pol_signal_name(uint32_t nr)
{
	return nr < ARRAY_SIZE(signals) ? signals[nr] : NULL;
}
