/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running the payload. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "harness_util.h"
#include "lib_util.h"

#define LINE_TIMEOUT_MS (30000 * (int)test_count(1, 60))
#define WORDS_MAX	600

void (*probe_prepare)(void);

static void become(const char *guest, const char *const steps[])
{
	static const char *argv[WORDS_MAX];
	int n = 0;

	if (guest) {
		argv[n++] = "policyctl";
		argv[n++] = "run";
		argv[n++] = guest;
		argv[n++] = "--";
	}
	argv[n++] = PROBE_BIN;
	for (int i = 0; steps[i] && n < WORDS_MAX - 1; i++)
		argv[n++] = steps[i];
	argv[n] = NULL;
	if (probe_prepare)
		probe_prepare();
	execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "exec of %s: %s\n", argv[0], strerror(errno));
	_exit(125);
}

void probe_start(struct probe *p, const char *guest, const char *const steps[])
{
	int in[2], out[2];

	memset(p, 0, sizeof(*p));
	if (!events_fold)
		events_unfold();
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		lib_die("pipe2", "");
	fflush(stdout);
	p->pid = fork();
	if (p->pid < 0)
		lib_die("fork", "");
	if (!p->pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		become(guest, steps);
	}
	close(in[0]);
	close(out[1]);
	p->in = in[1];
	p->out = out[0];
}

/* More bytes. Return: how many; 0: the end (@ended is set then), or nothing came. */
static size_t fill(struct probe *p)
{
	struct pollfd poll_out = { .fd = p->out, .events = POLLIN };
	ssize_t n = -1;

	if (p->len < sizeof(p->buf) - 1 && poll(&poll_out, 1, LINE_TIMEOUT_MS) > 0) {
		n = read(p->out, p->buf + p->len, sizeof(p->buf) - 1 - p->len);
		p->ended = n == 0;
	}
	if (n <= 0)
		return 0;
	p->len += n;
	return n;
}

const char *probe_line(struct probe *p)
{
	static char line[4096];
	char *end;
	size_t len;

	while (!(end = memchr(p->buf, '\n', p->len)))
		if (!fill(p))
			return NULL;
	len = end - p->buf;
	memcpy(line, p->buf, len);
	line[len] = 0;
	p->len -= len + 1;
	memmove(p->buf, end + 1, p->len);
	return line;
}

const char *probe_until(struct probe *p, const char *word)
{
	char before[256] = "";
	const char *line;

	while ((line = probe_line(p)) && strncmp(line, word, strlen(word)) != 0)
		snprintf(before, sizeof(before), "%s", line);
	if (!line)
		printf("# no '%s' %s; before: '%s'\n", word, p->ended ? "to the end" : "in time", before);
	return line;
}

void probe_go(struct probe *p)
{
	if (write(p->in, "\n", 1) != 1)
		printf("# the payload has gone\n");
}

int probe_end(struct probe *p)
{
	int status = 0;

	if (p->in >= 0)
		close(p->in);
	p->in = -1;
	do
		p->len = 0;
	while (fill(p));
	close(p->out);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The payload first: it may be one that takes no notice of its policyctl's end. */
void probe_kill(struct probe *p)
{
	char children[256] = "", *at = children;
	pid_t pid;

	read_file(text("/proc/%d/task/%d/children", p->pid, p->pid), children, sizeof(children));
	while ((pid = (pid_t)strtol(at, &at, 10)) > 0)
		kill(pid, SIGKILL);
	kill(p->pid, SIGKILL);
	probe_end(p);
}

pid_t probe_pid(const char *line)
{
	int err = 0, pid = 0;

	return line && sscanf(line, "%*s %d %d", &err, &pid) == 2 ? pid : -1;
}

/* All lines of one run, to ctl_said. Return: exit status. */
static int run_all(const char *guest, const char *const steps[])
{
	const char *line;
	struct probe p;
	size_t len = 0;

	ctl_said[0] = 0;
	probe_start(&p, guest, steps);
	while ((line = probe_line(&p)))
		len += (size_t)snprintf(ctl_said + len, sizeof(ctl_said) - len, "%s\n", line);
	return probe_end(&p);
}

int probe_errno(const char *guest, const char *const steps[])
{
	int status = run_all(guest, steps), err = -1;
	char *last = NULL;

	for (char *c = ctl_said; *c; c = strchr(c, '\n') + 1)
		last = c;
	if (status || !last || sscanf(last, "%*s %d", &err) != 1) {
		printf("# the payload ended with %d: %.300s\n", status, ctl_said);
		return -1;
	}
	return err;
}

static const char *judge(const struct step *steps, size_t cnt, int status)
{
	static char why[1024];
	char *line = ctl_said, *next;
	size_t len = 0;

	for (size_t i = 0; i < cnt; i++, line = next + 1) {
		int got = -1;

		next = strchr(line, '\n');
		if (!next || sscanf(line, "%*s %d", &got) != 1)
			return text("status %d at step %zu (%s %s): %.200s", status, i,
				    steps[i].words[0], steps[i].words[1] ?: "", line);
		if (got != steps[i].want && len < sizeof(why))
			len += (size_t)snprintf(
				why + len, sizeof(why) - len, "%s %s %s: expected %d, got %d; ",
				steps[i].words[0], steps[i].words[1] ?: "",
				steps[i].words[1] && steps[i].words[2] ? steps[i].words[2] : "",
				steps[i].want, got);
	}
	if (status && !len)
		return text("the payload ended with %d", status);
	return len ? why : NULL;
}

/* Words of @steps to @words from @n on. Return: how many there are then. */
static size_t add_words(const char **words, size_t n, const struct step *steps, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		for (int k = 0; k < 6 && steps[i].words[k] && n < WORDS_MAX - 8; k++)
			words[n++] = steps[i].words[k];
	words[n] = NULL;
	return n;
}

const char *probe_batch_after(const char *guest, const char *const before[],
			      const struct step *steps, size_t cnt)
{
	static const char *words[WORDS_MAX];
	const char *line;
	struct probe p;
	size_t n = 0, len = 0;
	int status, err;

	for (; before[n]; n++)
		words[n] = before[n];
	words[n++] = "pause";
	add_words(words, n, steps, cnt);
	probe_start(&p, NULL, words);
	while ((line = probe_line(&p)) && strncmp(line, "paused", 6) != 0)
		if (sscanf(line, "%*s %d", &err) != 1 || err)
			return text("before: %s", line);
	status = guest && line ? ctl("attach %s %d", guest, probe_pid(line)) : 0;
	if (status || !line)
		return text("not attached: %d: %.200s", status, ctl_said);
	probe_go(&p);
	ctl_said[0] = 0;
	probe_line(&p); /* the step "pause" itself */
	while ((line = probe_line(&p)))
		len += (size_t)snprintf(ctl_said + len, sizeof(ctl_said) - len, "%s\n", line);
	return judge(steps, cnt, probe_end(&p));
}

const char *probe_batch(const char *guest, const struct step *steps, size_t cnt)
{
	static const char *words[WORDS_MAX];
	int status;

	add_words(words, 0, steps, cnt);
	status = run_all(guest, words);
	return judge(steps, cnt, status);
}
