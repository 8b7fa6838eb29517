/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy file, or standard input, to bytes. The only file of the parser that reads anything. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "policy.h"

#define READ_FIRST (64u << 10)

static int fault(struct pol_diags *diags, const char *file, int code, const char *help)
{
	if (pol_diags_source(diags, file, NULL, 0) < 0)
		return -ENOMEM;
	pol_diag_add(diags, false, POL_P_READ, 0, 0, help, "cannot read '%s': %s", file,
		     strerror(code));
	return -EINVAL;
}

/* Return: 0; -EFBIG; or what read(2) says. */
static int read_all(int fd, char **ret, size_t *ret_len)
{
	size_t room = READ_FIRST, len = 0;
	_cleanup_free_ char *text = malloc(room);

	for (;;) {
		ssize_t n;

		if (!text)
			return -ENOMEM;
		n = read(fd, text + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > POL_POLICY_FILE_MAX)
			return -EFBIG;
		if (len == room) {
			char *more = realloc(text, room *= 2);

			if (!more)
				return -ENOMEM;
			(void)TAKE_PTR(text);
			text = more;
		}
	}
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

/* Who may write the policy decides what guests may do. */
static void check_mode(int fd, struct pol_diags *diags)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH))
		pol_diag_add(diags, true, POL_P_FILE_MODE, 0, 0, "chmod o-w",
			     "every user of this host may write this file");
}

int pol_policy_read(const char *file, struct pol_diags *diags, struct pol_policy **ret)
{
	bool standard = strcmp(file, "-") == 0;
	_cleanup_close_ int opened = -EBADF;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r;

	if (!standard) {
		/* O_NONBLOCK: opening a pipe without a writer must not hang a tool. */
		opened = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (opened < 0)
			return fault(diags, file, errno,
				     errno == EACCES ? "run it as a user who may read the file"
						     : NULL);
		(void)fcntl(opened, F_SETFL, O_RDONLY);
		check_mode(opened, diags);
	}
	r = read_all(standard ? STDIN_FILENO : opened, &text, &len);
	if (r == -EFBIG) {
		if (pol_diags_source(diags, file, NULL, 0) < 0)
			return -ENOMEM;
		pol_diag_add(diags, false, POL_P_FILE_SIZE, 0, 0, NULL,
			     "a policy has at most %u MiB, and this file has more",
			     POL_POLICY_FILE_MAX >> 20);
		return -EINVAL;
	}
	if (r < 0)
		return r == -ENOMEM ? r
				    : fault(diags, standard ? "standard input" : file, -r, NULL);
	return pol_policy_parse(standard ? "<stdin>" : file, text, len, diags, ret);
}
