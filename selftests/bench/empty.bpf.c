/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a BPF program costs that does nothing: one on each hook at which the engine has one, for the
 * operations that `make bench` measures. attach.c chooses which of them are loaded.
 */
#include "vmlinux.h"

#include <asm-generic/errno-base.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#define O_NOATIME 01000000u /* include/uapi/asm-generic/fcntl.h (x86 and arm64) */

#define EMPTY(section, name)                   \
	SEC(section) int name(const void *ctx) \
	{                                      \
		return 0;                      \
	}

EMPTY("?lsm/file_open", empty_file_open)
EMPTY("?lsm/file_alloc_security", empty_file_alloc)	      /* to 6.18 */
EMPTY("?fmod_ret/security_file_alloc", empty_file_alloc_fmod) /* from 6.19 on */
EMPTY("?lsm/file_free_security", empty_file_free)
EMPTY("?lsm/task_alloc", empty_task_alloc)
EMPTY("?lsm/task_free", empty_task_free)
EMPTY("?tp_btf/sched_process_exit", empty_exit)
EMPTY("?lsm/path_rename", empty_rename)
EMPTY("?lsm/sb_mount", empty_mount)
EMPTY("?lsm/file_ioctl", empty_ioctl)
EMPTY("?lsm/unix_may_send", empty_send)

/* The cheapest refusal there is: of the opens that measure.c means to be refused. */
SEC("?lsm/file_open")
int BPF_PROG(refuse_file_open, struct file *file)
{
	u32 flags = file->f_flags & O_NOATIME;

	/* Else clang makes a shift of it, of which 6.18's verifier cannot see the sign. */
	barrier_var(flags);
	return flags ? -EACCES : 0;
}
