/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unix sockets. One with a name in a filesystem is an object like others, and reached by the right
 * connect; one with an abstract name only if the guest itself made it. A socket without a name is
 * reached by a descriptor alone: whoever has that may use it.
 */
#include "verdict.bpf.h"

/* Whose socket it is: its maker's cgroup says, whatever the maker has become. */
static __always_inline u32 maker_of(const struct unix_sock *peer)
{
	const struct sock *sk = (const void *)peer;

	return pol_guest_of_cgroup((u64)BPF_CORE_READ(sk, sk_cgrp_data.cgroup));
}

/* @peer: address of a struct unix_sock. @hook: enum pol_hook. */
static __always_inline int reach(u64 peer, u32 hook)
{
	const struct unix_sock *other = (const void *)peer;
	u64 dentry = (u64)BPF_CORE_READ(other, path.dentry);
	struct pol_actor actor;

	if (!pol_actor_current(&actor))
		return 0;
	if (dentry)
		return pol_check(&actor, dentry, pol_mount_of(BPF_CORE_READ(other, path.mnt)),
				 POL_RIGHT_CONNECT, (u32)POL_OP_CONNECT << 16 | hook);
	if (!BPF_CORE_READ(other, addr) || maker_of(other) == actor.guest)
		return 0;
	return pol_escape(&actor, (u32)POL_OP_ABSTRACT_SOCKET << 16 | hook, 1);
}

/**
 * pol_unix_connect - connect(2) of a stream or seqpacket socket.
 *
 * Context: lsm/unix_stream_connect, never sleepable, @other is locked.
 * Return: 0; the policy's errno; EPERM: an abstract name that is not the guest's.
 */
SEC("lsm/unix_stream_connect")
int BPF_PROG(pol_unix_connect, struct sock *sock, struct sock *other, struct sock *newsk)
{
	return pol_return(reach(pol_address(other), POL_HOOK_UNIX_STREAM_CONNECT));
}

/* pol_unix_send - connect(2) of a datagram socket, and each datagram. Likewise. */
SEC("lsm/unix_may_send")
int BPF_PROG(pol_unix_send, struct socket *sock, struct socket *other)
{
	return pol_return(reach((u64)BPF_CORE_READ(other, sk), POL_HOOK_UNIX_MAY_SEND));
}
