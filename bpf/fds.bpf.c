/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ceiling of open file descriptions. Attached only once some policy has one ("fds" in limits):
 * user/lib/engine.h has the list.
 *
 * A description is charged where the kernel allocates its struct file and taken back where it frees
 * it. The hook of LSM type at the first place is closed to BPF from 6.19 on; what is attached there
 * instead (fmod_ret) the kernel skips where another task was preempted inside it on the same CPU.
 * So the later hooks, which are never skipped, charge what was missed, and refuse again.
 */
#include "charge.bpf.h"
#include "stacked.bpf.h"

static __always_inline int charge_fresh(struct file *file)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_return(pol_fd_charge(&actor, pol_address(file), 1));
}

/**
 * pol_file_alloc - a struct file is allocated: open, pipe, socket, epoll, memfd, exec, ...
 *
 * Context: lsm/file_alloc_security, to 6.18, never sleepable. If another module refuses after us,
 * file_free_security follows.
 * Return: 0; EMFILE; ENFILE.
 */
SEC("lsm/file_alloc_security")
int BPF_PROG(pol_file_alloc, struct file *file)
{
	return charge_fresh(file);
}

/* pol_file_alloc_fmod - the same from 6.19 on; can be skipped. */
SEC("fmod_ret/security_file_alloc")
int BPF_PROG(pol_file_alloc_fmod, struct file *file)
{
	return charge_fresh(file);
}

/**
 * pol_file_free - the kernel frees a struct file, whoever held it last.
 *
 * Context: lsm/file_free_security; never skipped, never sleepable; @file is an address only.
 */
SEC("lsm/file_free_security")
int BPF_PROG(pol_file_free, struct file *file)
{
	pol_fd_release(pol_address(file));
	return 0;
}

/**
 * pol_file_received - SCM_RIGHTS, pidfd_getfd(2), seccomp's ADDFD, io_uring's FIXED_FD_INSTALL.
 *
 * Whoever received it first is charged, unless a guest had it before.
 * Context: lsm/file_receive, before the descriptor is there. Return: 0; EMFILE; ENFILE.
 */
SEC("lsm/file_receive")
int BPF_PROG(pol_file_received, struct file *file)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_return(pol_fd_charge(&actor, pol_address(file), 0));
}

/**
 * pol_fd_opened - second wall of whatever comes through file_open; and the kernel's own files (those
 * that overlayfs opens on its layers) are no descriptor of anybody's: taken back.
 */
SEC("lsm/file_open")
int BPF_PROG(pol_fd_opened, struct file *file)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	if (pol_is_inner_file(file))
		return pol_return(pol_fd_release(pol_address(file)));
	if (!pol_alloc_skippable)
		return 0;
	return pol_return(pol_fd_charge(&actor, pol_address(file), 0));
}

/* pol_fd_accepted - second wall of accept(2): the new socket has its file by now. */
SEC("lsm/socket_accept")
int BPF_PROG(pol_fd_accepted, struct socket *sock, struct socket *newsock)
{
	struct file *file = newsock->file;
	struct pol_actor actor;

	if (!pol_actor_current(&actor) || !file)
		return 0;
	return pol_return(pol_fd_charge(&actor, pol_address(file), 0));
}

static __always_inline int refuse_at_ceiling(void)
{
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	return pol_return(pol_fd_full(&actor));
}

/* pol_fd_socket - second wall of socket(2) and socketpair(2): before their files. */
SEC("lsm/socket_post_create")
int BPF_PROG(pol_fd_socket)
{
	return refuse_at_ceiling();
}

/*
 * pol_fd_anon - second wall of userfaultfd(2), memfd_secret(2): likewise. A memfd has its file, and
 * its charge, before it comes here: full then means that it was the last one let in.
 */
SEC("lsm/inode_init_security_anon")
int BPF_PROG(pol_fd_anon, struct inode *inode)
{
	unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);

	if (magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC)
		return 0;
	return refuse_at_ceiling();
}
