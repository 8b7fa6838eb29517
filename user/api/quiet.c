/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quiet.h"

#include <pthread.h>
#include <bpf/libbpf.h>

/* Of libbpf's one setting: how many calls want it silent, and what it was. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static libbpf_print_fn_t before;
static unsigned int calls;

void pol_quiet_begin(void)
{
	(void)pthread_mutex_lock(&lock);
	if (!calls++)
		before = libbpf_set_print(NULL);
	(void)pthread_mutex_unlock(&lock);
}

void pol_quiet_end(void)
{
	(void)pthread_mutex_lock(&lock);
	if (!--calls)
		(void)libbpf_set_print(before);
	(void)pthread_mutex_unlock(&lock);
}
