/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every file of user/ may use: cleanup attributes, ownership transfer, array size, and the
 * list of calls that never land. No dependencies, no state.
 */
#pragma once

#include <errno.h>
#include <stdio.h> /* before the poison list */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void pol_freep(void *p)
{
	free(*(void **)p);
}

static inline void pol_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define _cleanup_free_ _cleanup_(pol_freep)
#define _cleanup_close_ _cleanup_(pol_closep)

#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) _taken = (p);                                                        \
		(p) = NULL;                                                                        \
		_taken;                                                                            \
	})

#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int _taken = (fd);                                                                 \
		(fd) = -EBADF;                                                                     \
		_taken;                                                                            \
	})

#ifndef __cplusplus
#undef alloca /* <stdlib.h> of glibc has it as a macro */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi alloca system popen
#endif
