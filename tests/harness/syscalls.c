/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syscalls.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "refuse.h"

/* In the sixth argument, which no scripted call has: the handler's own call, let through. */
#define MAGIC 0x70617373u

void test_refuse(long nr, int err)
{
	cr_assert_eq(refuse_call(nr, err), 0);
}

static int script[16];
static size_t script_cnt, script_at;

static void on_sigsys(int sig, siginfo_t *info, void *arg)
{
	ucontext_t *context = arg;
	greg_t *regs = context->uc_mcontext.gregs;
	int err = script_at < script_cnt ? script[script_at++] : 0;
	long r = -err;

	(void)sig;
	if (!err)
		r = syscall(info->si_syscall, regs[REG_RDI], regs[REG_RSI], regs[REG_RDX],
			    regs[REG_R10], regs[REG_R8], MAGIC);
	regs[REG_RAX] = r < 0 && !err ? -errno : r;
}

void test_script(long nr, const int *results, size_t cnt)
{
	const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAGIC, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = { sizeof(filter) / sizeof(*filter),
					 (struct sock_filter *)filter };
	const struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	cr_assert(cnt <= sizeof(script) / sizeof(*script));
	memcpy(script, results, cnt * sizeof(*results));
	script_cnt = cnt;
	cr_assert_eq(sigaction(SIGSYS, &action, NULL), 0);
	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog), 0);
}
