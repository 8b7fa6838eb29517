/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel constants that BTF does not carry, each with its source, and the differences between
 * kernels 6.1 and 7.2 that CO-RE does not hide. Layer 0: calls no helper.
 */
#pragma once

#include "vmlinux.h"

#include <asm-generic/errno.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "abi.h"

/* include/linux/fs.h */
#define FMODE_READ 0x1u
#define FMODE_WRITE 0x2u
#define FMODE_PATH 0x4000u
#define FMODE_CREATED 0x100000u /* 4.19 to 7.2 */
#define FMODE_NOACCOUNT 0x20000000u /* the kernel's own: overlayfs' backing files */
#define FMODE_EXEC_FLAG 0x20u	/* __FMODE_EXEC, in f_flags; open(2) cannot set it */
#define ATTR_MODE (1u << 0)
#define ATTR_UID (1u << 1)
#define ATTR_GID (1u << 2)
#define ATTR_SIZE (1u << 3)
#define ATTR_ATIME (1u << 4)
#define ATTR_MTIME (1u << 5)
#define ATTR_ATIME_SET (1u << 7)
#define ATTR_MTIME_SET (1u << 8)
#define SB_NOUSER (1ul << 31)

/* include/uapi/asm-generic/fcntl.h (x86 and arm64) */
#define O_CREAT 00000100u
#define O_TRUNC 00001000u
#define O_TMPFILE_BIT 020000000u /* __O_TMPFILE */

/* include/uapi/linux/stat.h */
#define S_IFMT 00170000u
#define S_IFSOCK 0140000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u

/* include/uapi/linux/fs.h */
#define RENAME_EXCHANGE (1u << 1)
#define RENAME_WHITEOUT (1u << 2)

/* include/uapi/linux/sched.h */
#define CLONE_THREAD 0x00010000ull
#define CLONE_INTO_CGROUP 0x200000000ull

/* include/linux/sched.h, include/linux/sched/signal.h */
#define SIGNAL_GROUP_EXIT 0x4u

#define PF_EXITING 0x4u

/* include/uapi/asm-generic/resource.h (x86 and arm64); include/uapi/asm-generic/signal.h */
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGWINCH 28
#define SIGIO 29
#define RLIMIT_NOFILE 7
#define SIGKILL 9
#define NSIG 64

/* include/linux/sched.h: a thread that io_uring made */
#define PF_IO_WORKER 0x10u

/* fs/mount.h: ERR_PTR(-EINVAL), of a mount that no path leads to */
#define MNT_NS_INTERNAL ((u64)-22)

/* include/linux/mm.h, include/uapi/asm-generic/mman-common.h */
#define VM_WRITE 0x2ul
#define VM_EXEC 0x4ul
#define VM_SHARED 0x8ul
#define VM_MAYWRITE 0x20ul
#define PROT_WRITE 0x2ul
#define PROT_EXEC 0x4ul
#define MAP_SHARED_BIT 0x1ul /* MAP_SHARED, MAP_SHARED_VALIDATE */

/* include/uapi/linux/magic.h; PIDFS from 6.9 */
#define TMPFS_MAGIC 0x01021994u
#define HUGETLBFS_MAGIC 0x958458f6u
#define PIPEFS_MAGIC 0x50495045u
#define SOCKFS_MAGIC 0x534F434Bu
#define ANON_INODE_FS_MAGIC 0x09041934u
#define PID_FS_MAGIC 0x50494446u
#define SECRETMEM_MAGIC 0x5345434du
#define BTRFS_SUPER_MAGIC 0x9123683eu
#define OVERLAYFS_SUPER_MAGIC 0x794c7630u
#define NSFS_MAGIC 0x6e736673u

/* The same, and fs/configfs/mount.c: filesystems that are a face of the kernel, or of the engine. */
#define BPF_FS_MAGIC 0xcafe4a11u
#define CGROUP_SUPER_MAGIC 0x27e0ebu
#define CGROUP2_SUPER_MAGIC 0x63677270u
#define PROC_SUPER_MAGIC 0x9fa0u
#define SYSFS_MAGIC 0x62656572u
#define DEBUGFS_MAGIC 0x64626720u
#define TRACEFS_MAGIC 0x74726163u
#define SECURITYFS_MAGIC 0x73636673u
#define CONFIGFS_MAGIC 0x62656570u
#define EFIVARFS_MAGIC 0xde5e81e4u
#define BINFMTFS_MAGIC 0x42494e4du
#define SELINUX_MAGIC 0xf97cff8cu

/* include/uapi/linux/mount.h */
#define MS_MOVE 8192ul
#define MS_UNBINDABLE (1ul << 17)
#define MS_PRIVATE (1ul << 18)
#define MS_SLAVE (1ul << 19)
#define MNT_DETACH 2

/* include/uapi/linux/capability.h */
#define CAP_CHOWN 0
#define CAP_FOWNER 3
#define CAP_SYS_ADMIN 21

/* include/linux/ptrace.h */
#define PTRACE_MODE_ATTACH 0x2u

/*
 * include/uapi/asm-generic/unistd.h: from 424 on a call has one number on every architecture, 32-bit
 * ones included. arch/x86/include/uapi/asm/unistd.h: x32 adds a bit.
 */
#define NR_OPEN_TREE 428
#define NR_FSOPEN 430
#define NR_FSCONFIG 431
#define NR_FSMOUNT 432
#define NR_FSPICK 433
#define NR_MOUNT_SETATTR 442
#define NR_OPEN_TREE_ATTR 467 /* 6.15 */
#define NR_X32_BIT 0x40000000l

/* arch/x86/entry/syscalls/syscall_64.tbl, syscall_32.tbl; include/uapi/linux/keyctl.h */
#define NR_KEYCTL 250
#define NR_IA32_KEYCTL 288
#define KEYCTL_SESSION_TO_PARENT 18

#define PAGE_SIZE 4096ull /* x86-64, and arm64 as Debian builds it */

/* A function with a frame of its own; verified anew at each call, so it takes kernel pointers. */
#define POL_SUBPROG static __noinline __attribute__((unused))

/*
 * A kernel pointer as a number, for functions that are verified once (global functions take no
 * kernel pointers before 6.8). The verifier keeps a pointer's type through every move; read back
 * by a helper it is a number.
 */
static __always_inline u64 pol_address(const void *pointer)
{
	const void *volatile in = pointer;
	u64 out = 0;

	bpf_probe_read_kernel(&out, sizeof(out), (const void *)&in);
	return out;
}

/* include/linux/dcache.h: a bit of its own in an enum from 6.15 on, another before. */
enum dentry_flags___enum {
	DCACHE_PAR_LOOKUP___enum = 1 << 24,
};
#define DCACHE_PAR_LOOKUP_DEFINE (1u << 28)

/* Nobody knows yet whether the name is there: the filesystem has not been asked. */
static __always_inline bool pol_in_lookup(const struct dentry *dentry)
{
	u32 bit = DCACHE_PAR_LOOKUP_DEFINE;

	if (bpf_core_enum_value_exists(enum dentry_flags___enum, DCACHE_PAR_LOOKUP___enum))
		bit = bpf_core_enum_value(enum dentry_flags___enum, DCACHE_PAR_LOOKUP___enum);
	return dentry->d_flags & bit;
}

static __always_inline bool pol_is_dir(const struct inode *inode)
{
	return (inode->i_mode & S_IFMT) == S_IFDIR;
}

static __always_inline bool pol_is_device(u32 mode)
{
	return (mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK;
}
