/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * harness_util.h - what selftests ask for besides assertions: the run's seed and counts, a command's
 * output, small files. Included by harness.h; static and unused where a suite needs only some.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The run's seed (printed by run.sh), so that a failing random test can be repeated. */
__attribute__((unused)) static uint64_t test_seed(void)
{
	const char *s = getenv("POL_TEST_SEED");

	return s ? strtoull(s, NULL, 10) : 1;
}

/* How often: @ci in `make test` and the matrix, @soak in `make soak`. */
__attribute__((unused)) static long test_count(long ci, long soak)
{
	const char *s = getenv("POL_TEST_COUNT");

	return s && !strcmp(s, "soak") ? soak : ci;
}

/*
 * Run a shell command, capture stdout and stderr (cut to @size - 1, NUL-terminated).
 * Return: its exit status, 128 + signal, or -1 when it could not be started.
 */
__attribute__((format(printf, 3, 4), unused)) static int run_cmd(char *out, size_t size,
								 const char *fmt, ...)
{
	char cmd[8192], sink[4096];
	size_t len = 0;
	int fds[2], status;
	va_list ap;
	pid_t pid;
	ssize_t n;

	va_start(ap, fmt);
	n = vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(cmd) || pipe2(fds, O_CLOEXEC))
		return -1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	for (;;) {
		bool room = out && len + 1 < size;

		n = read(fds[0], room ? out + len : sink, room ? size - 1 - len : sizeof(sink));
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (n > 0 && room)
			len += n;
	}
	if (out && size)
		out[len] = 0;
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Return: bytes read, NUL-terminated in @buf, or -errno. */
__attribute__((unused)) static ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;
	int err;

	if (fd < 0)
		return -errno;
	while (len + 1 < size && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	err = errno;
	close(fd);
	buf[len] = 0;
	return n < 0 ? -err : (ssize_t)len;
}

/* Create or truncate @path. Return: 0 or -errno (of open or write). */
__attribute__((unused)) static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	r = n < 0 ? -errno : (size_t)n == strlen(text) ? 0 : -EIO;
	return close(fd) && !r ? -errno : r;
}
